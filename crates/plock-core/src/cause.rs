//! What an attempt ran into: a look at the lock's holders and queue at the moment it blocked. The
//! look is a consistent snapshot of that moment, not proof of what follows.

use crate::grant::Granted;
use crate::name::Label;
use crate::owner::{OwnerCell, Role};
use crate::queue::Queue;
use crate::record::Holder;
use crate::wait::Wait;
use crate::{BlockCause, Mode};
use std::panic::Location;

/// The cause and the figures it was decided by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocked {
    pub(crate) cause: BlockCause,
    /// The conflicting holder: of several the one that has held longest.
    pub(crate) holder: Option<(Label, &'static Location<'static>)>,
    pub(crate) holders: u64,
    pub(crate) ahead: u64,
    pub(crate) free: u64,
}

impl Blocked {
    /// The lock was taken, and nobody was seen to have it: it was changing hands.
    pub(crate) const BY_NOBODY: Self =
        Self { cause: BlockCause::Transient, holder: None, holders: 0, ahead: 0, free: 0 };

    /// The lock was free and the task's cooperative budget spent.
    pub(crate) const fn by_budget(free: u64) -> Self {
        Self { cause: BlockCause::Coop, holder: None, holders: 0, ahead: 0, free }
    }

    /// If nobody was seen to be in the way, and somebody of ours let go, the lock was changing hands
    /// while we looked.
    pub(crate) fn settled(self, granted: Option<&Granted>) -> Self {
        let known = granted.is_some_and(|granted| granted.releaser.is_some());
        match self.cause {
            BlockCause::Foreign if known => Self { cause: BlockCause::Transient, ..self },
            _ => self,
        }
    }
}

/// Looks at the holders and the queue for `wait`, which is about to join it. `free` permits are free
/// if nobody queues.
pub(crate) fn at_block(
    wait: &Wait,
    owner: &'static OwnerCell,
    queue: &Queue,
    holders: &[Holder],
    free: u64,
) -> Blocked {
    let free = if queue.len() == 0 { free } else { queue.free };
    let enough = wait.mode == Mode::Permit && free >= wait.need;
    let conflicts = |(_, hold): &&Holder| match wait.mode {
        Mode::Shared => hold.share.is_exclusive(),
        Mode::Permit => !enough,
        Mode::Exclusive => true,
    };
    let conflicting = || holders.iter().filter(conflicts);
    let cause = decide(wait, owner, queue, conflicting, enough);
    let since = |(_, hold): &&Holder| hold.since;
    let oldest = conflicting().min_by_key(since);
    // Behind a queue, the readers that the queued writer waits for are to blame.
    let oldest = oldest.or_else(|| holders.iter().min_by_key(since));
    let holder = oldest.map(|(cell, hold)| (cell.label_at(hold.site), hold.site));
    let holders = conflicting().count() as u64;
    Blocked { cause, holder, holders, ahead: u64::from(queue.len()), free }
}

/// First match wins; the order is the page of the rules.
fn decide<'a, I: Iterator<Item = &'a Holder>>(
    wait: &Wait,
    owner: &'static OwnerCell,
    queue: &Queue,
    conflicting: impl Fn() -> I,
    enough: bool,
) -> BlockCause {
    let by = |test: &dyn Fn(&'static OwnerCell) -> bool| conflicting().any(|(cell, _)| test(cell));
    if by(&|cell| cell.role() == Role::Scope && owner.path_contains(cell)) {
        return BlockCause::SelfHeld;
    }
    if by(&|cell| cell.task() != 0 && cell.task() == owner.task()) {
        return BlockCause::SameTaskHeld;
    }
    let first = conflicting().next();
    if let Some(head) = queue.head().filter(|_| first.is_none()) {
        // First come, first served: if anybody has been handed the lock, the head has.
        if head.is_granted() {
            return BlockCause::GrantedUnclaimed;
        }
        match wait.mode {
            Mode::Shared if head.mode == Mode::Exclusive => {
                return BlockCause::QueuedBehindWriter;
            }
            Mode::Permit if enough && head.need > wait.need => {
                return BlockCause::QueuedBehindLarger;
            }
            Mode::Permit if !enough => {}
            Mode::Exclusive => {}
            _ => return BlockCause::QueuedBehindPeer,
        }
    }
    if by(&|cell| cell.role() == Role::Gone) {
        return BlockCause::HolderGone;
    }
    match first {
        _ if wait.mode == Mode::Permit && !enough => BlockCause::PermitsExhausted,
        Some((_, hold)) if hold.share.is_exclusive() => BlockCause::HeldExclusive,
        Some(_) => BlockCause::HeldByReaders,
        None => BlockCause::Foreign,
    }
}
