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

use super::access::Access;
use super::native;
use crate::tokio::TokioTasks;
use ::tokio::sync::{AcquireError, TryAcquireError};
use ::tokio::task::coop;
use pin_project::{pin_project, pinned_drop};
use plock_core::{Attempt, Hold, Lock, Outcome, Permits, Share, Start};
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
    pub(crate) fn acquire<A: Access, T>(
        &self,
        access: A,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Hold, AcquireError>) -> T,
    ) -> impl Future<Output = T> {
        let finish = Some(finish);
        let wanted = Wanted { raw: self, site, attempt: None };
        Acquire { wanted, access, finish, pinned: PhantomPinned }
    }

    #[inline(always)]
    fn take<A: Access>(&self, access: A) -> bool {
        let need = access.need(self);
        if A::IS_WHOLE { self.permits.take_whole(need) } else { self.permits.take(need) }
    }

    /// Takes the permits if they are free.
    #[inline]
    pub(crate) fn try_acquire<A: Access>(
        &self,
        access: A,
        site: &'static Location<'static>,
    ) -> Result<Hold, TryAcquireError> {
        let start = Start::now();
        if self.take(access) {
            return Ok(self.lock().acquired::<TokioTasks>(start, access.share(), site));
        }
        if self.is_closed() {
            self.lock().failed(start, access.share().mode(), Outcome::Closed);
            return Err(TryAcquireError::Closed);
        }
        self.lock().would_block(start, access.share().mode());
        Err(TryAcquireError::NoPermits)
    }

    /// Takes the permits if they are free, unseen by the figures.
    pub(crate) fn peek<A: Access>(&self, access: A) -> Option<Hold> {
        self.take(access).then(Hold::default)
    }

    /// Gives the permits back, then accounts the hold.
    #[inline]
    pub(crate) fn release<A: Access>(&self, hold: &mut Hold, access: A) {
        self.permits.release::<TokioTasks>(hold, access.share(), access.permits(self));
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
struct Acquire<'a, A, W> {
    wanted: Wanted<'a>,
    access: A,
    /// `None` once it is done.
    finish: Option<W>,
    /// As tokio's futures, it does not promise that it may be moved once polled.
    #[pin]
    pinned: PhantomPinned,
}

/// The part of it that goes the slow way.
struct Wanted<'a> {
    raw: &'a Raw,
    site: &'static Location<'static>,
    /// `None` until a poll did not get the permits.
    attempt: Option<Attempt>,
}

impl<T, A, W> Future for Acquire<'_, A, W>
where
    A: Access,
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
        let Wanted { raw, site, attempt } = this.wanted;
        let share = this.access.share();
        let mut tried = None;
        if attempt.is_none() {
            let start = Start::now();
            let taken = raw.take(*this.access);
            if taken && let Poll::Ready(budget) = coop::poll_proceed(cx) {
                budget.made_progress();
                let hold = raw.lock().acquired::<TokioTasks>(start, share, site);
                return Poll::Ready(done(this.finish)(Ok(hold)));
            }
            tried = Some(Tried { start, taken });
        }
        let need = this.access.need(raw);
        let ended = ready!(this.wanted.poll(tried, share, need, cx));
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

impl Wanted<'_> {
    /// The slow path of every poll. As tokio's, it takes the permits first and asks for budget then.
    #[cold]
    #[inline(never)]
    fn poll(
        &mut self,
        tried: Option<Tried>,
        share: Share,
        need: u32,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Hold, AcquireError>> {
        let Self { raw: Raw { permits, .. }, site, attempt } = self;
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

    /// Out of line with all that the attempt is made of, so that the drop of an acquisition that did not
    /// need one is a comparison.
    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        if let Some(attempt) = self.attempt.take() {
            attempt.abandon(&self.raw.permits);
        }
    }
}

#[pinned_drop]
impl<A, W> PinnedDrop for Acquire<'_, A, W> {
    #[inline(always)]
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if this.wanted.attempt.is_some() {
            this.wanted.abandon();
        }
    }
}
