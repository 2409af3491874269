//! The one acquire path of all three primitives.
//!
//! tokio builds its mutex, its read-write lock and its semaphore on one fair queue of permits, and so
//! do we: a mutex is one permit, a write lock is all of them. Wrapping the queue instead of the three
//! finished types gives one fast path for everything, guards without a second lifetime (an owned
//! guard is an `Arc` and a hold), and the same fairness, wake order and cancellation by
//! construction. What a lock protects lives beside it, in [`super::guarded`].
//!
//! The first poll tries: an uncontended acquisition never makes tokio's future at all, which is why
//! it costs less than tokio's own. A failed try cannot jump the queue, because released permits go
//! to waiters first. The cooperative budget is spent exactly as tokio's future spends it.

use crate::tokio::TokioTasks;
use ::tokio::sync::{AcquireError, Semaphore, SemaphorePermit, TryAcquireError};
use ::tokio::task::coop;
use pin_project::{pin_project, pinned_drop};
use plock_core::{Attempt, EndCause, Hold, Lock, Outcome, Share, Start};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A queue of permits with its records.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) lock: Lock,
    pub(crate) permits: Semaphore,
    /// How many permits are the whole lock; 0 for a semaphore, which has no whole.
    pub(crate) whole: u32,
}

/// What an acquisition asks for: `permits` from the queue, reported as `share`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) share: Share,
    pub(crate) permits: u32,
}

impl Ask {
    /// The whole lock, which is made of so many permits.
    pub(crate) const fn all(permits: u32) -> Self {
        Self { share: Share::EXCLUSIVE, permits }
    }

    /// One reader's permit.
    pub(crate) const READ: Self = Self { share: Share::SHARED, permits: 1 };

    /// Permits of a semaphore.
    pub(crate) const fn permits(permits: u32) -> Self {
        Self { share: Share::permits(permits), permits }
    }
}

impl Raw {
    /// The queue of a lock that is made of so many permits.
    pub(crate) const fn new(lock: Lock, whole: u32) -> Self {
        Self { lock, permits: Semaphore::const_new(whole as usize), whole }
    }

    /// The queue of a semaphore.
    pub(crate) const fn without_whole(lock: Lock, permits: Semaphore) -> Self {
        Self { lock, permits, whole: 0 }
    }

    /// Waits for the permits and gives the hold to `finish`, which makes the guard. The finisher sees
    /// the error too, so that no caller needs a second future around this one: moving a future
    /// costs more than the rest of the fast path.
    #[inline]
    pub(crate) fn acquire<'a, T>(
        &'a self,
        ask: Ask,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Hold, AcquireError>) -> T,
    ) -> impl Future<Output = T> {
        let queue = |raw: &'a Self, permits| async move {
            raw.permits.acquire_many(permits).await.map(SemaphorePermit::forget)
        };
        let finish = Some(finish);
        Acquire { raw: self, ask, site, finish, queue, queued: None }
    }

    /// Takes the permits if they are free.
    #[inline]
    pub(crate) fn try_acquire(
        &self,
        ask: Ask,
        site: &'static Location<'static>,
    ) -> Result<Hold, TryAcquireError> {
        let start = Start::now();
        match self.permits.try_acquire_many(ask.permits) {
            Ok(permit) => {
                permit.forget();
                Ok(self.lock.acquired::<TokioTasks>(start, ask.share, site))
            }
            Err(error) => {
                match error {
                    TryAcquireError::Closed => {
                        self.lock.failed(start, ask.share.mode, Outcome::Closed);
                    }
                    TryAcquireError::NoPermits => self.lock.would_block(start, ask.share.mode),
                }
                Err(error)
            }
        }
    }

    /// Takes the permits if they are free, unseen by the figures.
    pub(crate) fn peek(&self, ask: Ask) -> Option<Hold> {
        self.permits.try_acquire_many(ask.permits).ok()?.forget();
        Some(Hold::default())
    }

    /// Gives the permits back, then accounts the hold.
    #[inline]
    pub(crate) fn release(&self, hold: &mut Hold, share: Share, permits: usize) {
        hold.release::<TokioTasks>(&self.lock, share, || self.permits.add_permits(permits));
    }

    /// A writer becomes a reader: all permits but one go back.
    pub(crate) fn downgrade(&self, hold: &mut Hold) {
        hold.downgrade::<TokioTasks, _>(&self.lock, || {
            self.permits.add_permits(self.whole as usize - 1);
        });
    }

    pub(crate) fn add_permits(&self, n: usize) {
        self.lock.release_without_guard(EndCause::External, n, || self.permits.add_permits(n));
    }

    pub(crate) fn close(&self) {
        self.lock.release_without_guard(EndCause::Closed, 0, || self.permits.close());
    }
}

/// An acquisition: untried, queued, or done.
#[pin_project]
struct Acquire<'a, W, M, F> {
    raw: &'a Raw,
    ask: Ask,
    site: &'static Location<'static>,
    /// `None` once it is done.
    finish: Option<W>,
    queue: M,
    #[pin]
    queued: Option<Queued<'a, F>>,
}

/// An acquisition that did not get the lock at its first poll. Dropped in this state, it is
/// accounted as abandoned. A type of its own, so that an uncontended acquisition has nothing to drop.
#[pin_project(PinnedDrop)]
struct Queued<'a, F> {
    raw: &'a Raw,
    /// `None` when recording was off at the first poll, and at the end.
    attempt: Option<Box<Attempt>>,
    #[pin]
    future: Option<F>,
}

impl<'a, T, W, M, F> Future for Acquire<'a, W, M, F>
where
    W: FnOnce(Result<Hold, AcquireError>) -> T,
    M: FnMut(&'a Raw, u32) -> F,
    F: Future<Output = Result<(), AcquireError>>,
{
    type Output = T;

    /// The fast path of everything: spend budget, read the clock, try, account.
    #[inline(always)] // out of line, the guard comes back through memory: 10 ns
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.finish.is_none() {
            resumed() // before anything is taken that nobody would give back
        }
        if this.queued.is_none() {
            let budget = coop::poll_proceed(cx);
            let start = Start::now();
            if let Poll::Ready(budget) = budget
                && let Ok(permit) = this.raw.permits.try_acquire_many(this.ask.permits)
            {
                permit.forget();
                budget.made_progress();
                let hold = this.raw.lock.acquired::<TokioTasks>(start, this.ask.share, this.site);
                return Poll::Ready(done(this.finish)(Ok(hold)));
            }
            let future = (this.queue)(this.raw, this.ask.permits);
            this.queued.set(Some(Queued::new(this.raw, *this.ask, start, this.site, future)));
        }
        let Some(queued) = this.queued.as_mut().as_pin_mut() else { resumed() };
        let ended = ready!(queued.poll(this.site, cx));
        this.queued.set(None);
        Poll::Ready(done(this.finish)(ended))
    }
}

/// Takes the finisher; there is none if the future is polled after it was ready.
#[inline]
fn done<W>(finish: &mut Option<W>) -> W {
    match finish.take() {
        Some(finish) => finish,
        None => resumed(),
    }
}

#[cold]
#[expect(clippy::panic, reason = "the same as for any `async fn`, of which tokio's is one")]
fn resumed() -> ! {
    panic!("`async fn` resumed after completion")
}

impl<'a, F: Future<Output = Result<(), AcquireError>>> Queued<'a, F> {
    /// The slow path: queues through tokio's own future under an attempt of ours.
    #[cold]
    fn new(
        raw: &'a Raw,
        ask: Ask,
        start: Start,
        site: &'static Location<'static>,
        future: F,
    ) -> Self {
        let free = raw.permits.available_permits();
        // Free and yet not taken: only the budget stands in between, nobody is queued.
        let in_queue = free < ask.permits as usize || coop::has_budget_remaining();
        let attempt = Attempt::new::<TokioTasks>(&raw.lock, start, ask.share, free, in_queue, site);
        Self { raw, attempt, future: Some(future) }
    }

    #[cold]
    #[inline(never)]
    fn poll(
        self: Pin<&mut Self>,
        site: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Hold, AcquireError>> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else { resumed() };
        let lock = &this.raw.lock;
        let budget_spent = !coop::has_budget_remaining();
        let ended = match this.attempt {
            Some(attempt) => ready!(attempt.poll(lock, future, budget_spent, cx)),
            None => ready!(future.poll(cx)),
        };
        Poll::Ready(match (ended, this.attempt.take()) {
            (Ok(()), Some(attempt)) => Ok(attempt.claimed::<TokioTasks>(lock, site)),
            (Ok(()), None) => Ok(Hold::default()),
            (Err(error), Some(attempt)) => {
                attempt.failed(lock, Outcome::Closed);
                Err(error)
            }
            (Err(error), None) => Err(error),
        })
    }
}

#[pinned_drop]
impl<F> PinnedDrop for Queued<'_, F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if let Some(attempt) = this.attempt.take() {
            attempt.abandon(&this.raw.lock, || this.future.set(None));
        }
    }
}
