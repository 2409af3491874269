//! The slow path of an acquisition: from the failed try to the guard, the error or the drop.
//!
//! | state | event | next | accounted |
//! |---|---|---|---|
//! | begun | enough permits by now | served | - |
//! | begun | too few | queued | cause at block |
//! | queued | polled after it was handed what it needs | served | - |
//! | served | the poll has budget left | acquired | wait, phases, blame; as uncontended if it never waited |
//! | served | the poll has none | served | the budget is the cause of what follows |
//! | any | polled after the lock was closed | failed | wait, nobody blamed |
//! | any | dropped | abandoned (before or after the grant) | wait, wasted hand-over |
//!
//! What it runs into is looked up once, under the mutex of the queue and in the same go as it joins. An
//! attempt that began while recording was off goes the same way, and nothing is accounted.

use crate::cause::Blocked;
use crate::current::Runtime;
use crate::grant::{Granted, Releaser};
use crate::hold::Hold;
use crate::lock::{Lock, Start};
use crate::over::{KeepsTask, Over, waiter};
use crate::permits::{Join, Permits};
use crate::queue::Queue;
use crate::share::Share;
use crate::wait::Wait;
use crate::{EndCause, Outcome, clock, loss};
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

/// An acquisition that did not get its permits at the first try. Ends in [`claimed`](Self::claimed),
/// [`failed`](Self::failed) or [`abandon`](Self::abandon).
#[derive(Debug)]
pub struct Attempt {
    /// Shared with the queue once it has joined.
    wait: Arc<Wait>,
    /// Its place in the queue, 0 = none.
    ticket: u64,
    /// When a poll first found the cooperative budget spent after the hand-over, 0 = never.
    deferred_at: u64,
    polls: u32,
    /// It has its permits without having queued.
    has_permits: bool,
    _task: KeepsTask,
}

/// The lock is closed.
#[derive(Clone, Copy, Debug)]
pub struct Closed;

impl Attempt {
    /// Goes on with an acquisition of `need` permits, reported as `share`, that found too few of them:
    /// takes a place in the queue, or the permits if there are enough by now. As [`poll`](Self::poll).
    pub fn begin<R: Runtime>(
        permits: &Permits,
        start: Start,
        share: Share,
        need: u32,
        site: &'static Location<'static>,
        cx: &Context<'_>,
    ) -> (Self, Poll<Result<(), Closed>>) {
        let began = loss::overhead_began();
        let mut wait = Wait::new(share, u64::from(need), waiter::<R>(start, site));
        let waker = cx.waker().clone(); // foreign code: outside the mutex
        let record = permits.lock().record_or_new();
        let mut queue = record.queue();
        let free = match permits.join(wait.need, &queue) {
            Join::Taken => return (Self::alone(wait, true), Poll::Ready(Ok(()))),
            Join::Closed => return (Self::alone(wait, false), Poll::Ready(Err(Closed))),
            Join::Queued(free) => free,
        };
        wait.keep(free);
        let _holders = wait.look(permits.lock(), record, &queue, free);
        let mut this = Self::alone(wait, false);
        this.ticket = queue.enter(Arc::clone(&this.wait), Some(waker), free);
        record.note_waiting(&queue);
        drop(queue);
        if let Some(waiter) = &this.wait.waiter {
            waiter.blocks_owner(permits.lock().kind(), permits.lock().series(share.mode()));
        }
        loss::overhead_ended(began);
        (this, Poll::Pending)
    }

    /// Goes on with an acquisition that took its permits at once, in a poll without budget.
    #[must_use]
    pub fn deferred<R: Runtime>(
        permits: &Permits,
        start: Start,
        share: Share,
        need: u32,
        site: &'static Location<'static>,
    ) -> Self {
        let mut this =
            Self::alone(Wait::new(share, u64::from(need), waiter::<R>(start, site)), true);
        this.defer(permits);
        this
    }

    /// Polled once, not queued.
    fn alone(wait: Wait, has_permits: bool) -> Self {
        let task = KeepsTask::of(wait.waiter.as_ref());
        let wait = Arc::new(wait);
        Self { wait, ticket: 0, deferred_at: 0, polls: 1, has_permits, _task: task }
    }

    /// Whether the permits are there by now. If so, the attempt ends as soon as the task has budget for
    /// it; if it has none, say so with [`defer`](Self::defer) and poll again.
    ///
    /// # Errors
    /// If the lock is closed.
    pub fn poll(&mut self, permits: &Permits, cx: &Context<'_>) -> Poll<Result<(), Closed>> {
        self.polls += 1;
        if permits.is_closed() {
            return Poll::Ready(Err(Closed));
        }
        if self.has_permits || self.wait.is_granted() {
            return Poll::Ready(Ok(()));
        }
        self.stay(permits, cx)
    }

    /// The permits are there, and the task has used up what it may get without a pause.
    pub fn defer(&mut self, permits: &Permits) {
        if self.ticket != 0 {
            if self.deferred_at == 0 {
                self.deferred_at = clock::now();
            }
            return;
        }
        let Some(wait) = Arc::get_mut(&mut self.wait) else { return };
        let Some(waiter) = &wait.waiter else { return };
        waiter.owner.expect_slow();
        let free = permits.available() + wait.need;
        wait.seen.get_or_insert(Blocked::by_budget(free));
    }

    /// Polled again for nothing, perhaps by somebody else.
    fn stay(&self, permits: &Permits, cx: &Context<'_>) -> Poll<Result<(), Closed>> {
        let record = permits.lock().record_or_new();
        let is_known = |queue: &Queue| queue.would_wake(self.ticket, cx.waker());
        if !is_known(&record.queue()) {
            let waker = cx.waker().clone(); // foreign code, like the drop of the old one
            let old = record.queue().set_waker(self.ticket, waker);
            drop(old);
        }
        // Who was served before the mutex was taken sees it by now; else the new waker is seen.
        match self.wait.grant.end() {
            None => Poll::Pending,
            Some(EndCause::Closed) => Poll::Ready(Err(Closed)),
            Some(_) => Poll::Ready(Ok(())),
        }
    }

    /// The permits are there: a guard is about to be returned. This ends the attempt.
    pub fn claimed<R: Runtime>(
        &self,
        permits: &Permits,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        self.over(permits.lock()).map_or_else(Hold::default, |over| over.claimed::<R>(share, site))
    }

    /// The lock was found closed. This ends the attempt.
    pub fn failed(&self, permits: &Permits) {
        self.give_up(permits, None);
        if let Some(over) = self.over(permits.lock()) {
            over.failed(Outcome::Closed);
        }
    }

    /// The future is being dropped. What it has got goes to the next in line. This ends the attempt.
    pub fn abandon(&self, permits: &Permits) {
        let Some(over) = self.over(permits.lock()) else { return self.give_up(permits, None) };
        let now = clock::now();
        let by = Releaser::of_waiter(over.waiter);
        self.give_up(permits, Some(Granted::here(now, EndCause::Cancel, by)));
        over.abandoned(now); // from here on nobody can hand it over any more
    }

    /// `None` if nothing of it is recorded.
    fn over<'a>(&'a self, lock: &'a Lock) -> Option<Over<'a>> {
        let Self { wait, ticket, polls, deferred_at, .. } = self;
        let (ticket, polls, deferred_at) = (*ticket, *polls, *deferred_at);
        let waiter = wait.waiter.as_ref()?;
        Some(Over { lock, wait, waiter, ticket, polls, deferred_at })
    }

    /// Leaves the queue without permits: what it has got is given to the next in line. `granted` is how
    /// they will see it.
    fn give_up(&self, permits: &Permits, granted: Option<Granted>) {
        if self.ticket == 0 && !self.has_permits {
            return;
        }
        let granted =
            granted.unwrap_or_else(|| Granted::here(clock::now(), EndCause::Cancel, None));
        if self.has_permits {
            return permits.give_on(self.wait.need, granted);
        }
        let record = permits.lock().record_or_new();
        let mut queue = record.queue();
        let waker = queue.leave(self.ticket);
        record.note_waiting(&queue);
        permits.hand_back(record, queue, self.wait.kept(), granted);
        drop(waker);
    }
}
