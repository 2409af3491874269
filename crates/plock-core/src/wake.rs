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
    /// Nearly always the only one.
    first: Option<Waker>,
    others: SmallVec<[Waker; ROUND]>,
}

/// What the wakes that run on a thread are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) kind: Idle,
    /// When it happened; 0 = now, which nobody had to know so far.
    pub(crate) at: u64,
}

impl Woken {
    /// Nobody yet.
    #[inline]
    pub(crate) fn nobody() -> Self {
        Self { first: None, others: SmallVec::new() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.others.len() == ROUND
    }

    pub(crate) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.others.push(waker);
        }
    }

    /// Wakes them. They are the application's: if one panics, so does the release, the others are
    /// dropped, and what is noted here is put back.
    pub(crate) fn wake(&mut self, news: News) {
        struct Restore(Option<News>);
        impl Drop for Restore {
            fn drop(&mut self) {
                thread::state().news.set(self.0);
            }
        }
        let Some(first) = self.first.take() else { return };
        let _restore = Restore(thread::state().news.replace(Some(news)));
        first.wake();
        self.others.drain(..).for_each(Waker::wake);
    }
}

/// What a wake that runs here is for, and when that happened.
pub(crate) fn news() -> News {
    let News { kind, at } = thread::state().news.get().unwrap_or(News { kind: Idle::Other, at: 0 });
    News { kind, at: if at == 0 { clock::now() } else { at } }
}
