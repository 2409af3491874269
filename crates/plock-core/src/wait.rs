//! One blocked attempt as others see it: shared by its future and the lock's queue.

use crate::blame::{self, Few};
use crate::cause::{self, Blocked};
use crate::grant::{Grant, Granted};
use crate::lock::Lock;
use crate::name::Label;
use crate::owner::{OwnerCell, WaitEnd};
use crate::queue::Queue;
use crate::record::{Holders, Record};
use crate::sync::{AtomicU64, Ordering};
use crate::{EndCause, Kind, Mode, Share, nested_wait};
use std::panic::Location;

#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) mode: Mode,
    /// Permits it waits for.
    pub(crate) need: u64,
    /// How many of them are kept for it. Writer: whoever has the mutex of the queue.
    kept: AtomicU64,
    pub(crate) grant: Grant,
    /// Who waits; `None` if recording was off when the attempt began.
    pub(crate) waiter: Option<Waiter>,
    /// What it ran into when it blocked, and what everybody was charged with then.
    pub(crate) seen: Option<Blocked>,
    pub(crate) base: Few,
    /// What is charged to those that it saw before it queued. A thread's only.
    pub(crate) before: Few,
    /// Attempts that got the lock meanwhile although they had asked later. Writer: the thread that waits.
    barged_past: AtomicU64,
}

/// Who waits, where, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiter {
    pub(crate) since: u64,
    pub(crate) owner: &'static OwnerCell,
    owner_generation: u32,
    pub(crate) label: Label,
    pub(crate) site: &'static Location<'static>,
}

impl Wait {
    pub(crate) fn new(share: Share, need: u64, waiter: Option<Waiter>) -> Self {
        Self {
            mode: share.mode(),
            need,
            kept: AtomicU64::new(0),
            grant: Grant::new(),
            waiter,
            seen: None,
            base: Few::new(),
            before: Few::new(),
            barged_past: AtomicU64::new(0),
        }
    }

    /// One look at the lock that it is about to queue for: what is in the way, and what its holders are
    /// charged with so far. `free` permits are free if nobody queues. Returns the holders.
    pub(crate) fn look(
        &mut self,
        lock: &Lock,
        record: &Record,
        queue: &Queue,
        free: u64,
    ) -> Holders {
        let Some((waiter, since)) = self.waiter.as_ref().zip(self.charged_since()) else {
            return Holders::new();
        };
        record.note_lock(lock.id());
        let holders = record.holders(lock.who());
        self.seen = Some(cause::at_block(self, waiter.owner, queue, &holders, free));
        self.base = blame::charges(queue, &holders, since);
        holders
    }

    /// Permits that are kept for it. Only the mutex of the queue says whether that is still so.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Under the mutex of the queue, or before it is in there.
    pub(crate) fn keep(&self, permits: u64) {
        self.kept.store(permits, Ordering::Relaxed);
    }

    pub(crate) fn barged_past(&self) -> u64 {
        self.barged_past.load(Ordering::Relaxed)
    }

    pub(crate) fn note_barged_past(&self, n: u64) {
        self.barged_past.store(n, Ordering::Relaxed);
    }

    /// When it blocked, if it is recorded.
    pub(crate) fn since(&self) -> Option<u64> {
        self.waiter.as_ref().map(|waiter| waiter.since)
    }

    /// From when on those that hold the lock are charged with it by themselves, if it is recorded.
    pub(crate) fn charged_since(&self) -> Option<u64> {
        let before: u64 = self.before.iter().map(|charge| charge.ns).sum();
        self.since().map(|since| since + before)
    }

    /// As [`granted`](Self::granted), for those who need not know by whom.
    pub(crate) fn is_granted(&self) -> bool {
        self.grant.end().is_some_and(|end| end != EndCause::Closed)
    }

    /// Whether this was a hand-over of the lock, not the news that it was closed.
    pub(crate) fn granted(&self) -> Option<Granted> {
        self.grant.get().filter(|granted| granted.end != EndCause::Closed)
    }
}

impl Waiter {
    pub(crate) fn new(
        since: u64,
        owner: &'static OwnerCell,
        site: &'static Location<'static>,
    ) -> Self {
        let (owner_generation, label) = (owner.generation(), owner.label_at(site));
        Self { since, owner, owner_generation, label, site }
    }

    /// Whether the owner is still the one that blocked, not another one in the same cell. Decides
    /// only while the owner's slow mutex is held; a hint otherwise.
    pub(crate) fn owner_is_alive(&self) -> bool {
        self.owner.generation() == self.owner_generation
    }

    /// From here on its owner is blocked by a lock of this kind and series; it is the owner's code that
    /// runs.
    pub(crate) fn blocks_owner(&self, kind: Kind, series: u32) {
        self.owner.note_blocked(self.since);
        nested_wait::begins(kind, series, self);
    }

    /// It waits no more.
    pub(crate) fn unblocks_owner(&self, end: WaitEnd) {
        self.owner.note_wait(self.owner_generation, end);
    }

    /// The poll of its owner that is running, 0 = none.
    pub(crate) fn own_poll(&self) -> u64 {
        let poll = if self.owner_is_alive() { self.owner.times.poll_seq.get() } else { 0 };
        if poll % 2 == 1 { poll } else { 0 }
    }
}
