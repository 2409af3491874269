//! What an attempt ran into: a look at the lock's holders and queue at the moment it blocked. The
//! look is a consistent snapshot of that moment, not proof of what follows.

use crate::lock::Lock;
use crate::name::Label;
use crate::owner::{OwnerCell, Role};
use crate::record::{self, Queue, Record};
use crate::slots::HoldInfo;
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
    /// The lock was free and the task's cooperative budget spent.
    pub(crate) const fn by_budget(free: u64) -> Self {
        Self { cause: BlockCause::Coop, holder: None, holders: 0, ahead: 0, free }
    }
}

/// Looks at `lock` for `wait`, which has `ticket` in `queue` (0 ahead if it is not queued).
pub(crate) fn at_block(
    lock: &Lock,
    record: &Record,
    queue: &Queue,
    wait: &Wait,
    ticket: u64,
    budget_spent: bool,
) -> Blocked {
    let alone = record::look_up(lock.who());
    let together: Vec<_> = record.holders().collect();
    let enough = wait.mode == Mode::Permit && queue.free >= wait.need;
    let conflicting: Vec<(&'static OwnerCell, HoldInfo)> = match wait.mode {
        Mode::Shared => alone.into_iter().collect(),
        Mode::Permit if enough => Vec::new(),
        _ => alone.into_iter().chain(together.iter().copied()).collect(),
    };
    let ahead = queue.ahead(ticket).count() as u64;
    let cause =
        decide(wait, queue, ticket, &conflicting, enough, budget_spent && together.is_empty());
    let oldest = conflicting.iter().min_by_key(|(_, hold)| hold.since);
    // Behind a queue, the readers that the queued writer waits for are to blame.
    let oldest = oldest.or_else(|| together.iter().min_by_key(|(_, hold)| hold.since));
    let holder = oldest.map(|(cell, hold)| (cell.label_at(hold.site), hold.site));
    Blocked { cause, holder, holders: conflicting.len() as u64, ahead, free: queue.free }
}

/// First match wins; the order is the page of the rules.
fn decide(
    wait: &Wait,
    queue: &Queue,
    ticket: u64,
    conflicting: &[(&'static OwnerCell, HoldInfo)],
    enough: bool,
    budget_spent: bool,
) -> BlockCause {
    let mut ahead = queue.ahead(ticket).peekable();
    if budget_spent && conflicting.is_empty() && ahead.peek().is_none() {
        return BlockCause::Coop;
    }
    let by =
        |test: &dyn Fn(&'static OwnerCell) -> bool| conflicting.iter().any(|(cell, _)| test(cell));
    if by(&|cell| cell.role() == Role::Scope && wait.owner.path_contains(cell)) {
        return BlockCause::SelfHeld;
    }
    if by(&|cell| cell.task() != 0 && cell.task() == wait.owner.task()) {
        return BlockCause::SameTaskHeld;
    }
    if conflicting.is_empty() && ahead.any(|other| other.granted().is_some()) {
        return BlockCause::GrantedUnclaimed;
    }
    let first = queue.ahead(ticket).next();
    if let Some(first) =
        first.filter(|_| conflicting.is_empty() && (enough || wait.mode == Mode::Shared))
    {
        return match wait.mode {
            Mode::Shared if first.mode == Mode::Exclusive => BlockCause::QueuedBehindWriter,
            Mode::Permit if first.need > wait.need => BlockCause::QueuedBehindLarger,
            _ => BlockCause::QueuedBehindPeer,
        };
    }
    if by(&|cell| cell.role() == Role::Gone) {
        return BlockCause::HolderGone;
    }
    match conflicting.first() {
        _ if wait.mode == Mode::Permit && !enough => BlockCause::PermitsExhausted,
        Some((_, hold)) if hold.share.is_exclusive() => BlockCause::HeldExclusive,
        Some(_) => BlockCause::HeldByReaders,
        None if wait.granted().is_some() || wait.woken() => BlockCause::Transient,
        None => BlockCause::Foreign,
    }
}
