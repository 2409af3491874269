//! Random programs of acquisitions, drops, moves, adoptions, scopes, cancellations and forgotten
//! guards, run on plock and on a plain model side by side: tokio's locks, semaphores and channels, locks of
//! std and parking_lot that threads wait for, and a pool, all in one program. `p1` to `p9` are the
//! invariants of the nesting depth and the counts; the rest are the laws of waits, blame and time.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod faults;
mod model;
mod paths;
mod world;

use plock::manual;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use world::{Op, Step, World};

/// Runs a case on a thread of its own, which is gone with its owner cell before the next one starts;
/// the cells and the figures are one per process.
fn alone(case: impl FnOnce() + Send) -> TestCaseResult {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    manual::install();
    let outcome = thread::scope(|threads| threads.spawn(case).join());
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    Ok(())
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

fn program(forgets: bool) -> impl Strategy<Value = Vec<Step>> {
    let step = (ops(forgets), 0..2_000u64, 0..300u64);
    prop::collection::vec(step.prop_map(|(op, before, inside)| Step { op, before, inside }), 1..60)
}

fn order() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..64usize, 8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// P1, P2, P3, P5, P7, P8, P9, exact holds, waits, claim delays and blame, after every step.
    #[test]
    fn p1_p2_p3_p5_p7_p8_p9_any_program_agrees_with_the_model(program in program(false), order in order()) {
        alone(|| {
            let world = World::new();
            program.iter().for_each(|step| world.step(step));
            world.quiesce(&order);
        })?;
    }

    /// The order in which guards are dropped, and under whom, shows in no figure but `migrated`.
    #[test]
    fn p4_any_order_of_drops_ends_the_same(
        program in program(false), one in order(), other in order(),
    ) {
        alone(|| {
            let ends = [one, other].map(|order| {
                let world = World::new();
                program.iter().filter(|step| !step.op.is_drop()).for_each(|step| world.step(step));
                world.quiesce(&order);
                world.grown()
            });
            assert_eq!(ends[0], ends[1], "P4");
        })?;
    }

    /// The same with guards that are never dropped: they count for ever, and for nobody else.
    #[test]
    fn p2_forgotten_guards_count_for_ever(program in program(true), order in order()) {
        alone(|| {
            let world = World::new();
            program.iter().for_each(|step| world.step(step));
            world.quiesce(&order);
        })?;
    }
}
