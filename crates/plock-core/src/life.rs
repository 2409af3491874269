//! How many guards count for an owner, and who may clear its cell.
//!
//! # Guards
//! `live = claimed - released - foreign`. The first two have one writer at a time, the owner; a guard
//! dropped by anybody else adds to `foreign` instead, under the owner's slow mutex. The owner ends
//! under the same mutex, so of the end and the last foreign drop exactly one finds nothing left, and
//! that one clears the cell.
//!
//! # Tasks
//! A task's cell has no scope that would say when it ends. Its life is decided by one counter of holds
//! and attempts that cannot leave zero again before the cell has been cleared and given to another
//! task. Whoever finds the cell by its task id raises the counter first and looks at the id again
//! then: from there on the cell cannot change hands.

use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// The counts of one owner. They are never reset: a cell is reused when they balance.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Guards ever claimed and released on the owner's own path. Writer: the owner.
    claimed: AtomicU64,
    released: AtomicU64,
    /// Guards whose hold ended elsewhere. Writers: anybody, under the slow mutex.
    foreign: AtomicU64,
}

/// Whether the owner has ended; part of what its slow mutex protects.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    ended: bool,
}

/// The life of a task's cell.
#[derive(Debug)]
pub(crate) struct Life {
    /// The task; for scopes the task being polled when it was last entered. 0 = none.
    task: AtomicU64,
    /// Holds and attempts of the task, 0 = ended or not a task.
    live: AtomicU32,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { claimed: AtomicU64::new(0), released: AtomicU64::new(0), foreign: AtomicU64::new(0) }
    }

    /// Guards ever claimed.
    #[inline]
    pub(crate) fn claimed(&self) -> u64 {
        self.claimed.load(Ordering::Relaxed)
    }

    /// Guards that ever ended elsewhere.
    #[inline]
    pub(crate) fn foreign(&self) -> u64 {
        // ORDERING: as in `live`.
        self.foreign.load(Ordering::Acquire)
    }

    /// Guards that count now. Exact for the owner, and under the slow mutex once the owner has ended;
    /// elsewhere it may be too many for a moment, never fewer than none.
    #[inline]
    pub(crate) fn live(&self) -> u64 {
        // ORDERING: Acquire pairs with Release in `release` and `release_foreign`; whoever sees a
        // guard's end sees its claim. Model: `live_is_never_below_zero`.
        let released = self.released.load(Ordering::Acquire);
        let ended = released.wrapping_add(self.foreign.load(Ordering::Acquire));
        self.claimed().wrapping_sub(ended)
    }

    /// One more guard; only the owner calls this. Returns its running number, from 1.
    #[inline]
    pub(crate) fn claim(&self) -> u64 {
        let count = self.claimed().wrapping_add(1);
        self.claimed.store(count, Ordering::Relaxed);
        count
    }

    /// A guard ended on the owner's own path.
    #[inline]
    pub(crate) fn release(&self) {
        let count = self.released.load(Ordering::Relaxed).wrapping_add(1);
        // ORDERING: pairs with Acquire in `live`; publishes the claim.
        self.released.store(count, Ordering::Release);
    }

    /// A guard ended elsewhere; `_` shows that the caller has the slow mutex.
    pub(crate) fn release_foreign(&self, _: &mut Ending) {
        // ORDERING: pairs with Acquire in `live`; publishes the claim, which the guard has brought.
        self.foreign.fetch_add(1, Ordering::Release);
    }

    /// The owner ended: from now on it claims and releases nothing.
    pub(crate) fn end(&self, ending: &mut Ending) {
        ending.ended = true;
    }

    /// Whether the owner has ended and nothing counts for it. Asked after the end and after every
    /// foreign drop, it is true for one of them, who then clears the cell. Models: `foreign_drop_vs_owner_end`, `foreign_drop_vs_owner_claim`.
    pub(crate) fn is_over(&self, ending: &Ending) -> bool {
        ending.ended && self.live() == 0
    }
}

impl Life {
    pub(crate) fn new() -> Self {
        Self { task: AtomicU64::new(0), live: AtomicU32::new(0) }
    }

    #[inline]
    pub(crate) fn task(&self) -> u64 {
        self.task.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set_task(&self, task: u64) {
        self.task.store(task, Ordering::Relaxed);
    }

    /// The cleared cell becomes that of `task`, which has one hold or attempt.
    pub(crate) fn begin(&self, task: u64) {
        self.set_task(task);
        // ORDERING: pairs with Acquire in `raise`; publishes the task. Model:
        // `revive_vs_last_release`.
        self.live.store(1, Ordering::Release);
    }

    /// One more hold or attempt; false if the cell is nobody's. The caller then compares the task,
    /// and lets go again if it is another.
    pub(crate) fn raise(&self) -> bool {
        let more = |live: u32| (live > 0).then_some(live + 1);
        // ORDERING: Acquire pairs with Release in `begin`, and with AcqRel in `let_go`: the cell is
        // seen as its last user left it.
        self.live.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).is_ok()
    }

    /// One hold or attempt less; true if that was the last: the caller clears the cell.
    pub(crate) fn let_go(&self) -> bool {
        // ORDERING: pairs with itself and `raise`; whoever clears the cell sees all that was done
        // with it. Model: `the_last_one_sees_the_others`.
        self.live.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

#[cfg(all(test, not(loom)))]
#[path = "life_tests.rs"]
mod tests;
