//! Whom a hand-over wakes: after the mutex of the queue is free again, and so that whoever is woken can
//! tell what for and since when. A scope learns in this way that its pause is over, from the moment of
//! the hand-over itself; it costs no clock read.

use crate::{Idle, clock, thread};
use smallvec::SmallVec;
use std::task::Waker;

/// Wakers that are collected at once; more are woken in rounds, so that nothing is allocated inside
/// somebody's release.
const ROUND: usize = 16;

/// Wakers of those that were served, in order.
pub(crate) struct Woken {
    wakers: SmallVec<[Waker; ROUND]>,
    news: News,
}

/// What the wakes that run on a thread are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) kind: Idle,
    pub(crate) at: u64,
}

impl Woken {
    /// Nobody yet; they will be woken for a resource of this kind, handed over at that moment.
    #[inline]
    pub(crate) fn new(kind: Idle, at: u64) -> Self {
        Self { wakers: SmallVec::new(), news: News { kind, at } }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.wakers.len() == ROUND
    }

    pub(crate) fn push(&mut self, waker: Waker) {
        self.wakers.push(waker);
    }

    /// Wakes them. They are the application's: if one panics, so does the release, the others are
    /// dropped, and what is noted here is put back.
    pub(crate) fn wake(self) {
        struct Restore(Option<News>);
        impl Drop for Restore {
            fn drop(&mut self) {
                thread::state().news.set(self.0);
            }
        }
        if self.wakers.is_empty() {
            return;
        }
        let _restore = Restore(thread::state().news.replace(Some(self.news)));
        self.wakers.into_iter().for_each(Waker::wake);
    }
}

/// What a wake that runs here is for, and when that happened.
pub(crate) fn news() -> News {
    thread::state().news.get().unwrap_or_else(|| News { kind: Idle::Other, at: clock::now() })
}
