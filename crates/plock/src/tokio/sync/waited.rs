//! Waiting in a queue that a type of tokio's has inside: tokio's own future under an attempt of ours.
//!
//! The first poll tries, as in [`super::raw`]: what is free is had without tokio's future. Trying cannot
//! jump the queue, because what is given back goes to those who wait first. The cooperative budget is
//! spent as tokio's future spends it.

use crate::tokio::TokioTasks;
use ::tokio::task::coop;
use pin_project::{pin_project, pinned_drop};
use plock_core::{Foreign, Hold, Lock, Outcome, Share, Start};
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// An error, and how it is filed: `Acquired`, if somebody else has done what was to be done.
pub(crate) type Refused<E> = (Outcome, E);

/// A queue of tokio's with whoever asks in front of it.
pub(crate) trait Line {
    /// What one gets.
    type Place;
    /// tokio's error.
    type Error;
    /// A place, if one is free.
    fn take(&mut self) -> Option<Self::Place>;
    /// How much is free now.
    fn free(&self) -> usize;
    /// tokio's future, with what an error of it means.
    fn join(self) -> impl Future<Output = Result<Self::Place, Refused<Self::Error>>>;
}

/// What somebody asks for, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) share: Share,
    pub(crate) site: &'static Location<'static>,
}

/// What becomes of an attempt that got what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// A guard carries a hold.
    Hold,
    /// It is used up at once.
    Pass,
}

impl Asked<'_> {
    /// Waits in `line` for a place.
    pub(crate) async fn wait<L: Line>(
        self,
        then: Then,
        mut line: L,
    ) -> Result<(L::Place, Hold), L::Error> {
        let mut attempt = None;
        let taken = poll_fn(|cx| {
            let budget = coop::poll_proceed(cx);
            let start = Start::now();
            if let Poll::Ready(budget) = budget
                && let Some(taken) = line.take()
            {
                budget.made_progress();
                return Poll::Ready(Some((taken, self.got(then, start))));
            }
            attempt = self.attempt(start, line.free(), cx);
            Poll::Ready(None)
        })
        .await;
        if let Some(taken) = taken {
            return Ok(taken);
        }
        // In a box, so that the future of one who does not wait is small.
        let waited = Waited { asked: self, then, attempt, future: Some(line.join()) };
        Box::pin(waited).await
    }

    /// As [`wait`](Self::wait) for what is there now or not at all.
    pub(crate) fn try_now<T, E>(
        self,
        then: Then,
        take: impl FnOnce() -> Result<T, E>,
        outcome: impl FnOnce(&E) -> Outcome,
    ) -> Result<(T, Hold), E> {
        let start = Start::now();
        match take() {
            Ok(taken) => Ok((taken, self.got(then, start))),
            Err(error) => {
                match outcome(&error) {
                    Outcome::WouldBlock => self.lock.would_block(start, self.share.mode()),
                    outcome => self.lock.failed(start, self.share.mode(), outcome),
                }
                Err(error)
            }
        }
    }

    fn got(&self, then: Then, start: Start) -> Hold {
        match then {
            Then::Hold => self.lock.acquired::<TokioTasks>(start, self.share, self.site),
            Then::Pass => {
                self.lock.served::<TokioTasks>(start, self.share);
                Hold::default()
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn attempt(&self, start: Start, free: usize, cx: &Context<'_>) -> Option<Foreign> {
        let Self { lock, share, site } = *self;
        // Free and yet not taken: only the budget stands in between, nobody is queued.
        let in_queue = free < share.weight() as usize || coop::has_budget_remaining();
        Foreign::begin::<TokioTasks>(lock, start, share, free, in_queue, site, cx.waker())
    }
}

/// An attempt that did not get what it asked for at its first poll. Dropped in this state, it is
/// accounted as abandoned.
#[pin_project(PinnedDrop)]
struct Waited<'a, F> {
    asked: Asked<'a>,
    then: Then,
    /// `None` when recording was off at the first poll.
    attempt: Option<Foreign>,
    /// `None` once it has left the queue.
    #[pin]
    future: Option<F>,
}

impl<T, E, F: Future<Output = Result<T, Refused<E>>>> Future for Waited<'_, F> {
    type Output = Result<(T, Hold), E>;

    #[cold]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { resumed() };
        let Asked { lock, site, .. } = *this.asked;
        let budget_spent = !coop::has_budget_remaining();
        let ended = match this.attempt {
            Some(attempt) => ready!(attempt.poll(future, budget_spent, cx)),
            None => ready!(future.poll(cx)),
        };
        this.future.set(None);
        let Some(attempt) = this.attempt else {
            let unrecorded = |taken| (taken, Hold::default());
            return Poll::Ready(ended.map(unrecorded).map_err(|(_, error)| error));
        };
        Poll::Ready(match ended {
            Ok(taken) if *this.then == Then::Hold => {
                Ok((taken, attempt.claimed::<TokioTasks>(lock, site)))
            }
            Ok(taken) => {
                attempt.served::<TokioTasks>(lock);
                Ok((taken, Hold::default()))
            }
            Err((Outcome::Acquired, error)) => {
                attempt.served::<TokioTasks>(lock);
                Err(error)
            }
            Err((outcome, error)) => {
                attempt.failed(lock, outcome);
                Err(error)
            }
        })
    }
}

#[pinned_drop]
impl<F> PinnedDrop for Waited<'_, F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.future.is_none() {
            return; // it has left the queue
        }
        match this.attempt {
            Some(attempt) => attempt.abandon(this.asked.lock, || this.future.set(None)),
            None => this.future.set(None),
        }
    }
}

#[cold]
#[expect(clippy::panic, reason = "the same as for any `async fn`, of which tokio's is one")]
fn resumed() -> ! {
    panic!("`async fn` resumed after completion")
}
