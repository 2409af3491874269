//! The one acquire path of all three primitives.
//!
//! tokio builds its mutex, its read-write lock and its semaphore on one fair queue of permits, and so
//! do we: a mutex is one permit, a write lock is all of them. Wrapping the queue instead of the three
//! finished types gives one fast path for everything and guards without a second lifetime (an owned
//! guard is an `Arc` and a hold). What a lock protects lives beside it, in [`super::guarded`].
//!
//! While nobody waits, the permits are in a [`Front`], and the queue is not asked. From the first that
//! has to wait until the last that has waited the queue has them: fairness, wake order and
//! cancellation are tokio's then, and before there is nobody to be unfair to. Every attempt joins the
//! front before it queues and leaves it after, on every way out.
//!
//! The first poll tries: an uncontended acquisition never makes tokio's future at all, which is one
//! reason why it costs less than tokio's own. A failed try cannot jump the queue, because released
//! permits go to waiters first. The cooperative budget is spent exactly as tokio's future spends it.

use crate::tokio::TokioTasks;
use ::tokio::sync::{AcquireError, Semaphore, SemaphorePermit, TryAcquireError};
use ::tokio::task::coop;
use pin_project::{pin_project, pinned_drop};
use plock_core::{Attempt, EndCause, Front, Hold, Lock, Outcome, Share, Start, Take};
use std::future::Future;
use std::marker::PhantomPinned;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A queue of permits with its records.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) lock: Lock,
    /// Has the permits while nobody waits; then the queue does.
    front: Front,
    queue: Semaphore,
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
        Self::with(lock, whole, whole as usize)
    }

    /// The queue of a semaphore.
    #[track_caller]
    pub(crate) const fn without_whole(lock: Lock, permits: usize) -> Self {
        Self::with(lock, 0, permits)
    }

    #[track_caller]
    const fn with(lock: Lock, whole: u32, permits: usize) -> Self {
        let (front, behind) = match Front::open(permits) {
            Some(front) => (front, 0),
            None => (Front::closed(), permits),
        };
        Self { lock, front, queue: Semaphore::const_new(behind), whole }
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
            raw.queue.acquire_many(permits).await.map(SemaphorePermit::forget)
        };
        let finish = Some(finish);
        Acquire { raw: self, ask, site, finish, queue, queued: None, pinned: PhantomPinned }
    }

    /// Takes the permits if they are free.
    #[inline]
    pub(crate) fn try_acquire(
        &self,
        ask: Ask,
        site: &'static Location<'static>,
    ) -> Result<Hold, TryAcquireError> {
        let start = Start::now();
        match self.take(ask.permits) {
            Ok(()) => Ok(self.lock.acquired::<TokioTasks>(start, ask.share, site)),
            Err(error) => {
                match error {
                    TryAcquireError::Closed => {
                        self.lock.failed(start, ask.share.mode(), Outcome::Closed);
                    }
                    TryAcquireError::NoPermits => self.lock.would_block(start, ask.share.mode()),
                }
                Err(error)
            }
        }
    }

    /// Takes the permits if they are free, unseen by the figures.
    pub(crate) fn peek(&self, ask: Ask) -> Option<Hold> {
        self.take(ask.permits).ok()?;
        Some(Hold::default())
    }

    #[inline(always)]
    fn take(&self, permits: u32) -> Result<(), TryAcquireError> {
        match self.front.take(permits) {
            Take::Taken => Ok(()),
            Take::Short => Err(TryAcquireError::NoPermits),
            Take::Behind => self.take_behind(permits),
        }
    }

    #[cold]
    #[inline(never)]
    fn take_behind(&self, permits: u32) -> Result<(), TryAcquireError> {
        self.queue.try_acquire_many(permits).map(SemaphorePermit::forget)
    }

    /// Gives the permits back, then accounts the hold.
    #[inline]
    pub(crate) fn release(&self, hold: &mut Hold, share: Share, permits: usize) {
        // By value: two words reach the function out of line in registers.
        hold.release::<TokioTasks>(&self.lock, share, move |releasing| {
            let whole = || share == Share::EXCLUSIVE;
            let add = |permits| releasing.during(|| self.queue.add_permits(permits));
            self.front.give(permits, whole, add);
        });
    }

    /// A writer becomes a reader: all permits but one go back.
    pub(crate) fn downgrade(&self, hold: &mut Hold) {
        hold.downgrade::<TokioTasks, _>(&self.lock, || {
            self.front.give(self.whole as usize - 1, || false, |n| self.queue.add_permits(n));
        });
    }

    pub(crate) fn add_permits(&self, n: usize) {
        self.lock.release_without_guard(EndCause::External, n, || {
            self.front.give(n, || false, |n| self.queue.add_permits(n));
        });
    }

    /// Takes up to `n` free permits away for good, and says how many.
    pub(crate) fn forget_permits(&self, n: usize) -> usize {
        self.front.forget(n).unwrap_or_else(|| self.queue.forget_permits(n))
    }

    pub(crate) fn available_permits(&self) -> usize {
        self.front.free().unwrap_or_else(|| self.queue.available_permits())
    }

    pub(crate) fn close(&self) {
        self.lock.release_without_guard(EndCause::Closed, 0, || {
            self.front.close(|n| self.queue.add_permits(n));
            self.queue.close();
        });
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
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
    /// In a box, so that the future of an uncontended acquisition is small and has nothing to drop.
    queued: Option<Pin<Box<Queued<'a, F>>>>,
    /// As tokio's futures, it does not promise that it may be moved once polled.
    #[pin]
    pinned: PhantomPinned,
}

/// An acquisition that did not get the lock at its first poll. Dropped in this state, it is
/// accounted as abandoned.
#[pin_project(PinnedDrop)]
struct Queued<'a, F> {
    raw: &'a Raw,
    /// `None` when recording was off at the first poll.
    attempt: Option<Attempt>,
    /// `None` once it has left the queue.
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
        let this = self.project();
        if this.finish.is_none() {
            resumed() // before anything is taken that nobody would give back
        }
        if this.queued.is_none() {
            let budget = coop::poll_proceed(cx);
            let start = Start::now();
            if let Poll::Ready(budget) = budget
                && this.raw.take(this.ask.permits).is_ok()
            {
                budget.made_progress();
                let hold = this.raw.lock.acquired::<TokioTasks>(start, this.ask.share, this.site);
                return Poll::Ready(done(this.finish)(Ok(hold)));
            }
            let future = (this.queue)(this.raw, this.ask.permits);
            *this.queued = Some(Queued::new(this.raw, *this.ask, start, this.site, cx, future));
        }
        let Some(queued) = this.queued.as_mut() else { resumed() };
        let ended = ready!(queued.as_mut().poll(this.site, cx));
        *this.queued = None;
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
    #[inline(never)]
    fn new(
        raw: &'a Raw,
        ask: Ask,
        start: Start,
        site: &'static Location<'static>,
        cx: &Context<'_>,
        future: F,
    ) -> Pin<Box<Self>> {
        let free = raw.available_permits();
        // Free and yet not taken: only the budget stands in between, nobody is queued.
        let in_queue = free < ask.permits as usize || coop::has_budget_remaining();
        let (lock, outer) = (&raw.lock, cx.waker());
        let mut this = Box::new(Self { raw, attempt: None, future: Some(future) });
        this.attempt =
            Attempt::new::<TokioTasks>(lock, start, ask.share, free, in_queue, site, outer);
        raw.front.join(|n| raw.queue.add_permits(n));
        Box::into_pin(this)
    }

    #[cold]
    #[inline(never)]
    fn poll(
        self: Pin<&mut Self>,
        site: &'static Location<'static>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Hold, AcquireError>> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { resumed() };
        let (lock, front, queue) = (&this.raw.lock, &this.raw.front, &this.raw.queue);
        let budget_spent = !coop::has_budget_remaining();
        let ended = match this.attempt {
            Some(attempt) => ready!(attempt.poll(lock, future, budget_spent, cx)),
            None => ready!(future.poll(cx)),
        };
        this.future.set(None);
        match ended {
            Ok(()) => front.leave_with_permits(|| queue.available_permits() == 0),
            Err(_) => front.leave(),
        }
        Poll::Ready(match (ended, this.attempt) {
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
        if this.future.is_none() {
            return; // it has left the queue
        }
        match this.attempt {
            Some(attempt) => attempt.abandon(&this.raw.lock, || this.future.set(None)),
            None => this.future.set(None),
        }
        this.raw.front.leave();
    }
}
