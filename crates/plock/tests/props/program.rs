//! What a random program is made of.

use proptest::prelude::*;

/// One step of a program. Numbers choose among what there is at that point.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Root,
    Branch {
        of: usize,
    },
    End {
        scope: usize,
        completed: bool,
    },
    Acquire {
        lock: usize,
        access: usize,
        at: usize,
    },
    /// A thread of its own asks for a lock that blocks, and waits if it has to.
    Wait {
        lock: usize,
        access: usize,
        around: u64,
    },
    Poll {
        attempt: usize,
        at: usize,
    },
    Cancel {
        attempt: usize,
        at: usize,
    },
    Drop {
        guard: usize,
        at: usize,
    },
    Adopt {
        guard: usize,
        at: usize,
    },
    Forget {
        guard: usize,
    },
    Downgrade {
        guard: usize,
        at: usize,
    },
    Split {
        guard: usize,
        at: usize,
    },
    Merge {
        guard: usize,
        other: usize,
        at: usize,
    },
    ForgetPermits {
        guard: usize,
        at: usize,
    },
    AddPermits {
        n: u32,
    },
    Send {
        guard: usize,
        at: usize,
    },
}

impl Op {
    /// Whether it ends a hold.
    pub(crate) const fn is_drop(&self) -> bool {
        matches!(
            self,
            Self::Drop { .. } | Self::Merge { .. } | Self::ForgetPermits { .. } | Self::Send { .. }
        )
    }
}

/// A step and how much time passes before it and inside it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) before: u64,
    pub(crate) inside: u64,
}

fn ops(forgets: bool) -> impl Strategy<Value = Op> {
    let n = || 0..64usize;
    prop_oneof![
        2 => Just(Op::Root),
        3 => n().prop_map(|of| Op::Branch { of }),
        2 => (n(), any::<bool>()).prop_map(|(scope, completed)| Op::End { scope, completed }),
        12 => (n(), n(), n()).prop_map(|(lock, access, at)| Op::Acquire { lock, access, at }),
        4 => (n(), n(), 0..3u64)
            .prop_map(|(lock, access, around)| Op::Wait { lock, access, around }),
        8 => (n(), n()).prop_map(|(attempt, at)| Op::Poll { attempt, at }),
        3 => (n(), n()).prop_map(|(attempt, at)| Op::Cancel { attempt, at }),
        8 => (n(), n()).prop_map(|(guard, at)| Op::Drop { guard, at }),
        3 => (n(), n()).prop_map(|(guard, at)| Op::Adopt { guard, at }),
        1 => n().prop_map(move |guard| if forgets { Op::Forget { guard } } else { Op::Root }),
        2 => (n(), n()).prop_map(|(guard, at)| Op::Downgrade { guard, at }),
        2 => (n(), n()).prop_map(|(guard, at)| Op::Split { guard, at }),
        2 => (n(), n(), n()).prop_map(|(guard, other, at)| Op::Merge { guard, other, at }),
        1 => (n(), n()).prop_map(|(guard, at)| Op::ForgetPermits { guard, at }),
        1 => (1..3u32).prop_map(|n| Op::AddPermits { n }),
        2 => (n(), n()).prop_map(|(guard, at)| Op::Send { guard, at }),
    ]
}

/// Up to 60 steps; with guards that are forgotten, if that is wanted.
pub(crate) fn program(forgets: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = (ops(forgets), 0..2_000u64, 0..300u64);
    prop::collection::vec(step.prop_map(|(op, before, inside)| Step { op, before, inside }), 1..60)
}
