//! What the wakers of a scope share with it: when it was first woken since its last poll began, for
//! what, and whom to wake in turn.
//!
//! # Protocol
//! | who | does |
//! |---|---|
//! | a wake, finding no first wake | stores moment and kind as one word |
//! | every wake | after that wakes the outer waker |
//! | a poll | takes the word, registers the outer waker, *then* polls the inner future |
//!
//! The word is one atomic and publishes nothing else, so `Relaxed` is enough for it, and so are loads
//! and stores: of two wakes at once either may count as the first, and one that comes while a poll
//! takes the word finds that poll on its way. Who is woken is ordered in [`Outer`].

use crate::Idle;
use crate::outer::Outer;
use crate::sync::{AtomicU64, Ordering::Relaxed};
use crate::wake::News;
use std::task::Waker;

/// Low bits of the word that carry the kind; the rest is the moment (73 years of nanoseconds).
const KIND_BITS: u32 = 3;
const _: () = assert!(Idle::COUNT <= 1 << KIND_BITS, "every kind fits the word");

#[derive(Debug)]
pub(crate) struct Signal {
    /// The first wake since the last poll began, 0 = none. Writers: wakes that find 0, and the poll.
    woken: AtomicU64,
    outer: Outer,
}

impl Signal {
    /// For a scope that is polled for the first time, by `outer`.
    pub(crate) fn new(outer: &Waker) -> Self {
        Self { woken: AtomicU64::new(0), outer: Outer::new(outer) }
    }

    /// A wake; `news` is asked only if it is the first one.
    #[inline]
    pub(crate) fn raise(&self, news: impl FnOnce() -> News) {
        if self.woken.load(Relaxed) == 0 {
            let News { at, kind } = news();
            self.woken.store(at.max(1) << KIND_BITS | kind as u64, Relaxed);
        }
        self.outer.wake();
    }

    /// The first wake since the last poll. From here on wakes count for the next poll.
    #[inline]
    pub(crate) fn take(&self) -> Option<News> {
        let word = self.woken.load(Relaxed);
        if word == 0 {
            return None;
        }
        self.woken.store(0, Relaxed);
        let kind = (word & ((1 << KIND_BITS) - 1)) as usize;
        Some(News { at: word >> KIND_BITS, kind: Idle::from_index(kind) })
    }

    /// Whom to wake. Between `take` and the poll of the inner future, every time.
    #[inline]
    pub(crate) fn register(&self, outer: &Waker) {
        self.outer.register(outer);
    }
}
