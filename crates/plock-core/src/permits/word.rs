//! The word of permits: how many are free, whether somebody is queued, whether it is closed. The table on
//! the page of [`super`] says what becomes of it; the ordering is there too.

use super::{MAX_PERMITS, Take, TooMany};
use crate::sync::{ConstU64, Ordering};

/// What a join found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// There was enough by then.
    Taken,
    /// Nothing more is handed out.
    Closed,
    /// It has to queue; so many of its permits it has already.
    Queued(u64),
}

/// Free permits and flags.
#[derive(Debug)]
pub(super) struct Word(ConstU64);

/// Somebody is queued.
const QUEUED: u64 = 1;
/// Nothing more is handed out.
const CLOSED: u64 = 1 << 1;
/// One free permit.
const ONE: u64 = 1 << 2;
const MOST: u64 = MAX_PERMITS * ONE;

impl Word {
    /// So many are free.
    pub(super) const fn new(permits: u64) -> Self {
        Self(ConstU64::new(permits * ONE))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.load() & CLOSED != 0
    }

    fn load(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(super) fn free(&self) -> u64 {
        self.load() / ONE
    }

    #[inline(always)]
    pub(super) fn take(&self, n: u32) -> Take {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Take::Closed;
            }
            // What is queued has no free permits, so it is too few for anybody.
            let Some(left) = word.checked_sub(u64::from(n) * ONE) else { return Take::Short };
            // ORDERING: Acquire pairs with Release in `give` and `put`.
            match self.0.compare_exchange_weak(word, left, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Take::Taken,
                Err(now) => word = now,
            }
        }
    }

    /// Takes all `n` there are, of a lock that is made of so many: free is one value of the word. Looks
    /// first, for a step that fails costs what one does that succeeds. Otherwise as [`take`](Self::take).
    #[inline(always)]
    pub(super) fn take_whole(&self, n: u32) -> Take {
        let all = u64::from(n) * ONE;
        // ORDERING: as in `take`.
        let step = || self.0.compare_exchange(all, 0, Ordering::Acquire, Ordering::Relaxed);
        if self.0.load(Ordering::Relaxed) == all && step().is_ok() {
            return Take::Taken;
        }
        self.take_out_of_line(n)
    }

    #[cold]
    #[inline(never)]
    fn take_out_of_line(&self, n: u32) -> Take {
        self.take(n)
    }

    /// Gives back all `n` there are, which leave nothing while they are taken, unless somebody is queued
    /// or it is closed.
    #[inline(always)]
    pub(super) fn give_whole(&self, n: u64) -> bool {
        // ORDERING: as in `give`.
        self.0.compare_exchange(0, n * ONE, Ordering::Release, Ordering::Relaxed).is_ok()
    }

    /// Gives `n` permits, unless somebody is queued or they are too many.
    #[inline(always)]
    pub(super) fn give(&self, n: u64) -> bool {
        if n > MAX_PERMITS {
            return false;
        }
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let more = word + n * ONE; // each of them is less than half of what fits
            if word & QUEUED != 0 || more > MOST {
                return false;
            }
            // ORDERING: Release pairs with Acquire in `take` and `take_or_queue`.
            match self.0.compare_exchange_weak(word, more, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    pub(super) fn take_or_queue(&self, n: u64) -> Join {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & CLOSED != 0 {
                return Join::Closed;
            }
            let (next, join) = match word.checked_sub(n * ONE) {
                Some(left) => (left, Join::Taken),
                None => (QUEUED, Join::Queued(word / ONE)),
            };
            // ORDERING: Acquire pairs with Release in `give` and `put`, for the permits it takes. The
            // place in the queue is ordered by the mutex.
            match self.0.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return join,
                Err(now) => word = now,
            }
        }
    }

    /// Under the queue's mutex: adds what the queue has left over, and says whether somebody is still
    /// in there.
    pub(super) fn put(&self, n: u64, is_queued: bool) -> Result<(), TooMany> {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let flags = word & CLOSED | if is_queued { QUEUED } else { 0 };
            let free = (word & !(CLOSED | QUEUED)).saturating_add(n.saturating_mul(ONE));
            let fits = free <= MOST;
            let free = if fits { free } else { word & !(CLOSED | QUEUED) };
            let next = free | flags;
            // ORDERING: Release pairs with Acquire in `take` and `take_or_queue`.
            match self.0.compare_exchange_weak(word, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return if fits { Ok(()) } else { Err(TooMany) },
                Err(now) => word = now,
            }
        }
    }

    pub(super) fn forget(&self, n: u64) -> u64 {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let gone = n.min(word / ONE);
            let left = word - gone * ONE;
            match self.0.compare_exchange_weak(word, left, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return gone,
                Err(now) => word = now,
            }
        }
    }

    /// Whether somebody is queued.
    pub(super) fn close(&self) -> bool {
        // ORDERING: Acquire: who queued has made the record before.
        self.0.fetch_or(CLOSED, Ordering::Acquire) & QUEUED != 0
    }
}
