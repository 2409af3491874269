//! The one acquire path of all three primitives.
//!
//! tokio builds its mutex, its read-write lock and its semaphore on one fair queue of permits, and so
//! do we: a mutex is one permit, a write lock is all of them. The queue is [`Permits`], which records;
//! it serves, wakes and cancels as tokio's does, and tokio's own tests run against it. What a lock
//! protects lives beside it, in [`super::guarded`]: one fast path for everything, and guards without
//! a second lifetime (an owned guard is an `Arc` and a hold).
//!
//! The first poll tries. A failed try cannot jump the queue, because released permits go to waiters
//! first. The cooperative budget is spent exactly as tokio's future spends it: whoever has the permits
//! and no budget keeps them until the next poll.

use super::native;
use crate::tokio::TokioTasks;
use ::tokio::sync::{AcquireError, TryAcquireError};
use ::tokio::task::coop;
use pin_project::{pin_project, pinned_drop};
use plock_core::{Attempt, Hold, Lock, Outcome, Permits, Share, Start, Take};
use std::future::Future;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A queue of permits with its records.
#[derive(Debug)]
pub(crate) struct Raw {
    permits: Permits,
    /// How many permits are the whole lock; 0 for a semaphore, which has no whole.
    pub(crate) whole: u32,
    /// Whatever tokio's locks promise about threads and panics, ours do.
    promises: PhantomData<::tokio::sync::Semaphore>,
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
        Self { permits: Permits::new(lock, whole as u64), whole, promises: PhantomData }
    }

    /// The queue of a semaphore.
    pub(crate) const fn without_whole(lock: Lock, permits: usize) -> Self {
        Self { permits: Permits::new(lock, permits as u64), whole: 0, promises: PhantomData }
    }

    pub(crate) const fn lock(&self) -> &Lock {
        self.permits.lock()
    }

    /// Waits for the permits and gives the hold to `finish`, which makes the guard. The finisher sees
    /// the error too, so that no caller needs a second future around this one: moving a future
    /// costs more than the rest of the fast path.
    #[inline]
    pub(crate) fn acquire<T>(
        &self,
        ask: Ask,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Hold, AcquireError>) -> T,
    ) -> impl Future<Output = T> {
        let finish = Some(finish);
        Acquire { raw: self, ask, site, finish, attempt: None, pinned: PhantomPinned }
    }

    /// Takes the permits if they are free.
    #[inline]
    pub(crate) fn try_acquire(
        &self,
        ask: Ask,
        site: &'static Location<'static>,
    ) -> Result<Hold, TryAcquireError> {
        let start = Start::now();
        match self.permits.take(ask.permits) {
            Take::Taken => Ok(self.lock().acquired::<TokioTasks>(start, ask.share, site)),
            Take::Short => {
                self.lock().would_block(start, ask.share.mode());
                Err(TryAcquireError::NoPermits)
            }
            Take::Closed => {
                self.lock().failed(start, ask.share.mode(), Outcome::Closed);
                Err(TryAcquireError::Closed)
            }
        }
    }

    /// Takes the permits if they are free, unseen by the figures.
    pub(crate) fn peek(&self, ask: Ask) -> Option<Hold> {
        (self.permits.take(ask.permits) == Take::Taken).then(Hold::default)
    }

    /// Gives the permits back, then accounts the hold.
    #[inline]
    pub(crate) fn release(&self, hold: &mut Hold, share: Share, permits: usize) {
        self.permits.release::<TokioTasks>(hold, share, permits as u64);
    }

    /// A writer becomes a reader: all permits but one go back.
    pub(crate) fn downgrade(&self, hold: &mut Hold) {
        self.permits.downgrade::<TokioTasks>(hold, u64::from(self.whole) - 1);
    }

    #[track_caller]
    pub(crate) fn add_permits(&self, n: usize) {
        if self.permits.add(n as u64).is_err() {
            native::too_many_permits(n);
        }
    }

    /// Takes up to `n` free permits away for good, and says how many.
    pub(crate) fn forget_permits(&self, n: usize) -> usize {
        count(self.permits.forget(n as u64))
    }

    pub(crate) fn available_permits(&self) -> usize {
        count(self.permits.available())
    }

    pub(crate) fn close(&self) {
        self.permits.close();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }
}

/// No more than tokio's limit, which fits.
fn count(permits: u64) -> usize {
    usize::try_from(permits).unwrap_or(usize::MAX)
}

/// An acquisition: untried, waiting, or done.
#[pin_project(PinnedDrop)]
struct Acquire<'a, W> {
    raw: &'a Raw,
    ask: Ask,
    site: &'static Location<'static>,
    /// `None` once it is done.
    finish: Option<W>,
    /// `None` until a poll did not get the permits.
    attempt: Option<Attempt>,
    /// As tokio's futures, it does not promise that it may be moved once polled.
    #[pin]
    pinned: PhantomPinned,
}

impl<T, W> Future for Acquire<'_, W>
where
    W: FnOnce(Result<Hold, AcquireError>) -> T,
{
    type Output = T;

    /// The fast path of everything: spend budget, read the clock, try, account.
    #[inline(always)] // out of line, the guard comes back through memory: 10 ns
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.finish.is_none() {
            resumed() // before anything is taken that nobody would give back
        }
        let mut tried = None;
        if this.attempt.is_none() {
            let start = Start::now();
            let taken = this.raw.permits.take(this.ask.permits) == Take::Taken;
            if taken && let Poll::Ready(budget) = coop::poll_proceed(cx) {
                budget.made_progress();
                let hold = this.raw.lock().acquired::<TokioTasks>(start, this.ask.share, this.site);
                return Poll::Ready(done(this.finish)(Ok(hold)));
            }
            tried = Some(Tried { start, taken });
        }
        let ended = ready!(wait(this.attempt, tried, this.raw, *this.ask, this.site, cx));
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

/// A first poll that could not return a guard.
struct Tried {
    start: Start,
    /// It has the permits, and no budget left to return them in this poll.
    taken: bool,
}

/// The slow path of every poll. As tokio's, it takes the permits first and asks for budget then.
#[cold]
#[inline(never)]
fn wait(
    attempt: &mut Option<Attempt>,
    tried: Option<Tried>,
    raw: &Raw,
    Ask { share, permits: need }: Ask,
    site: &'static Location<'static>,
    cx: &mut Context<'_>,
) -> Poll<Result<Hold, AcquireError>> {
    let permits = &raw.permits;
    let polled = match (&mut *attempt, tried) {
        (Some(attempt), _) => attempt.poll(permits, cx),
        (None, Some(Tried { start, taken: true })) => {
            let deferred = Attempt::deferred::<TokioTasks>(permits, start, share, need, site);
            *attempt = Some(deferred);
            return Poll::Pending;
        }
        (None, Some(Tried { start, taken: false })) => {
            let begun = Attempt::begin::<TokioTasks>(permits, start, share, need, site, cx);
            *attempt = Some(begun.0);
            begun.1
        }
        (None, None) => resumed(),
    };
    let Some(waiting) = attempt else { resumed() };
    if ready!(polled).is_err() {
        waiting.failed(permits);
        *attempt = None;
        return Poll::Ready(Err(native::closed()));
    }
    match coop::poll_proceed(cx) {
        Poll::Ready(budget) => budget.made_progress(),
        Poll::Pending => {
            waiting.defer(permits);
            return Poll::Pending;
        }
    }
    let hold = waiting.claimed::<TokioTasks>(permits, share, site);
    *attempt = None;
    Poll::Ready(Ok(hold))
}

#[pinned_drop]
impl<W> PinnedDrop for Acquire<'_, W> {
    #[inline]
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if let Some(attempt) = this.attempt.take() {
            abandon(attempt, this.raw);
        }
    }
}

/// Out of line with all that the attempt is made of, so that the drop of an acquisition that did not need
/// one is a comparison.
#[cold]
#[inline(never)]
fn abandon(attempt: Attempt, raw: &Raw) {
    attempt.abandon(&raw.permits);
}
