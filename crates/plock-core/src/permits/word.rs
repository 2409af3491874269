//! The word of permits: how many are free, whether somebody is queued, whether it is closed. The table on
//! the page of [`super`] says what becomes of it; the ordering is there too.

use super::{MAX_PERMITS, TooMany};
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
/// One free permit.
const ONE: u64 = 1 << 1;
/// Nothing more is handed out. The sign: a closed word is below whatever is asked for, so that a take has
/// one thing to compare.
const CLOSED: u64 = 1 << 63;
/// There are too many permits. Twice as many as there may be are still below the flag closed.
const TOO_MANY: u64 = (MAX_PERMITS + 1) * ONE;
const _: () = assert!(TOO_MANY.is_power_of_two() && TOO_MANY < CLOSED);

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
        free(self.load())
    }

    #[inline(always)]
    pub(super) fn take(&self, n: u32) -> bool {
        let taken = u64::from(n) * ONE;
        let mut word = self.0.load(Ordering::Relaxed);
        // What is queued has no free permits, so it is too few for anybody who wants some.
        while word.cast_signed() >= taken.cast_signed() {
            let left = word - taken;
            // ORDERING: Acquire pairs with Release in `give` and `put`.
            match self.0.compare_exchange_weak(word, left, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Takes all `n` there are, of a lock that is made of so many: free is one value of the word. Looks
    /// first, for a step that fails costs what one does that succeeds. Otherwise as [`take`](Self::take).
    #[inline(always)]
    pub(super) fn take_whole(&self, n: u32) -> bool {
        let all = u64::from(n) * ONE;
        // ORDERING: as in `take`.
        let step = || self.0.compare_exchange(all, 0, Ordering::Acquire, Ordering::Relaxed);
        self.0.load(Ordering::Relaxed) == all && step().is_ok() || self.take_out_of_line(n)
    }

    #[cold]
    #[inline(never)]
    fn take_out_of_line(&self, n: u32) -> bool {
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
            let more = word + n * ONE;
            if word & QUEUED != 0 || more & TOO_MANY != 0 {
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
                None => (QUEUED, Join::Queued(free(word))),
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
            let sum = free(word).saturating_add(n);
            let fits = sum <= MAX_PERMITS;
            let next = (if fits { sum } else { free(word) } * ONE) | flags;
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
            let gone = n.min(free(word));
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

const fn free(word: u64) -> u64 {
    (word & !CLOSED) / ONE
}
