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

use crate::blame::{self, Few};
use crate::cause::{self, Blocked};
use crate::claim::{self, Claimed};
use crate::current::{Runtime, owner_for_claim};
use crate::ended::Ended;
use crate::grant::{Granted, Releaser};
use crate::hold::Hold;
use crate::lock::{Share, Start};
use crate::owner::Role;
use crate::permits::{Join, Permits};
use crate::queue::Queue;
use crate::wait::{Wait, Waiter};
use crate::{BlockCause, Dropped, EndCause, Outcome, clock, loss, task, thread};
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
    /// An unscoped task's owner is kept alive by what it holds and what it waits for.
    keeps_task: bool,
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
        if let Some(waiter) = &wait.waiter {
            // One look: what is in the way, and what its holders are charged with so far.
            let holders = record.holders(permits.lock().who());
            wait.seen = Some(cause::at_block(&wait, waiter.owner, &queue, &holders, free));
            wait.base = blame::charges(&queue, &holders, waiter.since);
        }
        let mut this = Self::alone(wait, false);
        this.ticket = queue.enter(Arc::clone(&this.wait), waker, free);
        record.note_waiting(&queue);
        drop(queue);
        if let Some(waiter) = &this.wait.waiter {
            waiter.blocks_owner();
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
        let owner = wait.waiter.as_ref().map(|waiter| waiter.owner);
        let keeps_task = owner.is_some_and(|owner| owner.role() == Role::Task);
        Self { wait: Arc::new(wait), ticket: 0, deferred_at: 0, polls: 1, has_permits, keeps_task }
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
        let lock = permits.lock();
        let Some(waiter) = &self.wait.waiter else { return Hold::default() };
        let Some(seen) = self.wait.seen else {
            // Freed between the try and the queue: as good as uncontended.
            return lock.acquired::<R>(Start::at(waiter.since), share, site);
        };
        let now = clock::now();
        let until = ended_at(waiter, now);
        if seen.cause == BlockCause::Coop {
            let claimed = claim::deferred(until.saturating_sub(waiter.since));
            let hold = lock.acquired::<R>(Start::at(now), share, site);
            self.ended(permits, waiter, seen, until, claimed, EndCause::Raced).file_detail();
            return hold;
        }
        let deferred_at = Some(self.deferred_at).filter(|at| *at != 0);
        let claimed = claim::phases(&self.wait, waiter, until, deferred_at);
        let end = claimed.granted.map_or(EndCause::Raced, |granted| granted.end);
        let ended = self.ended(permits, waiter, seen, until, claimed, end);
        let shares = self.leave(permits, share, &ended);
        let hold = lock.acquired::<R>(Start::at(now), share, site);
        ended.file(Outcome::Acquired, &shares);
        hold
    }

    /// The lock was found closed. This ends the attempt.
    pub fn failed(&self, permits: &Permits, share: Share) {
        self.give_up(permits, None);
        let Some(waiter) = &self.wait.waiter else { return };
        let Some(blocked) = self.blocked() else {
            permits.lock().failed(Start::at(waiter.since), share.mode(), Outcome::Closed);
            return;
        };
        let until = ended_at(waiter, clock::now());
        let ended = self.ended(permits, waiter, blocked, until, Claimed::NONE, EndCause::Closed);
        ended.file(Outcome::Closed, &Few::new()); // that is nobody's fault
    }

    /// The future is being dropped. What it has got goes to the next in line. This ends the attempt.
    pub fn abandon(&self, permits: &Permits, share: Share) {
        let Some(waiter) = &self.wait.waiter else { return self.give_up(permits, None) };
        let Some(blocked) = self.blocked() else {
            self.give_up(permits, None);
            permits.lock().failed(Start::at(waiter.since), share.mode(), Outcome::Abandoned);
            return;
        };
        let now = clock::now();
        let by = Some(waiter).filter(|waiter| waiter.owner_is_alive()).map(|waiter| {
            Releaser::new(waiter.owner.label(), waiter.site, waiter.owner.span(), true)
        });
        self.give_up(permits, Some(Granted::here(now, EndCause::Cancel, by)));
        // From here on nobody can hand it over any more.
        let until = ended_at(waiter, now);
        let claimed = claim::phases(&self.wait, waiter, until, None);
        let end = match claimed.granted {
            Some(_) => EndCause::AbandonedAfterGrant,
            None => EndCause::AbandonedBeforeGrant,
        };
        let ended = self.ended(permits, waiter, blocked, until, claimed, end);
        let record = permits.lock().record_or_new();
        let shares = ended.shares(record, &record.queue(), &self.wait.base);
        ended.file(Outcome::Abandoned, &shares);
    }

    /// What it ran into, if that was more than the cooperative budget.
    fn blocked(&self) -> Option<Blocked> {
        self.wait.seen.filter(|seen| seen.cause != BlockCause::Coop)
    }

    /// Leaves the queue with its permits, and says who is charged with the wait.
    fn leave(&self, permits: &Permits, share: Share, ended: &Ended<'_>) -> Few {
        let record = permits.lock().record_or_new();
        let mut queue = record.queue();
        let _served = queue.leave(self.ticket);
        queue.claimed(u64::from(share.weight()));
        record.note_waiting(&queue);
        ended.shares(record, &queue, &self.wait.base)
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

    /// The wait as it ended at `now`.
    fn ended<'a>(
        &'a self,
        permits: &'a Permits,
        waiter: &'a Waiter,
        blocked: Blocked,
        now: u64,
        claimed: Claimed,
        end: EndCause,
    ) -> Ended<'a> {
        let blocked = blocked.settled(claimed.granted.as_ref());
        let polls = u64::from(self.polls);
        Ended { lock: permits.lock(), wait: &self.wait, waiter, polls, blocked, now, claimed, end }
    }
}

/// Who waits, if that is recorded.
fn waiter<R: Runtime>(start: Start, site: &'static Location<'static>) -> Option<Waiter> {
    let since = start.instant()?;
    Some(Waiter::new(since, owner_for_claim::<R>(thread::state())?, site))
}

/// When a wait that is over `now` ended: when it began, if the clock jumped meanwhile. Never before
/// that.
fn ended_at(waiter: &Waiter, now: u64) -> u64 {
    if clock::has_jumped(waiter.since, now) {
        loss::count(Dropped::Clock, 1);
        return waiter.since;
    }
    now.max(waiter.since)
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(waiter) = self.wait.waiter.as_ref().filter(|_| self.keeps_task) {
            task::let_go(waiter.owner);
        }
    }
}
