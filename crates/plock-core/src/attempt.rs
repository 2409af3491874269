//! The slow path of an acquisition: from the failed try to the guard, the error or the drop.
//!
//! | state | event | next | accounted |
//! |---|---|---|---|
//! | started | inner future ready at once | acquired | as uncontended |
//! | started | inner future pending | blocked | cause at block |
//! | blocked | inner future ready | acquired | wait, phases, blame |
//! | blocked | inner future failed | failed | wait, nobody blamed |
//! | blocked | dropped | abandoned (before or after the grant) | wait, wasted hand-over |
//!
//! The attempt polls the wrapped lock's future with a waker of its own, which learns the moment of
//! the hand-over and the releaser while the task has not even been polled yet.

use crate::blame::Charges;
use crate::cause::{self, Blocked};
use crate::claim::{self, Claimed};
use crate::current::{Runtime, owner_for_claim};
use crate::ended::Ended;
use crate::hold::Hold;
use crate::lock::{Lock, Share, Start};
use crate::owner::{Role, idle_of};
use crate::wait::Wait;
use crate::{BlockCause, EndCause, Outcome, clock, release, task, thread};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// A blocked attempt. Made after a failed try; ends in [`claimed`](Self::claimed),
/// [`failed`](Self::failed) or [`abandon`](Self::abandon).
#[derive(Debug)]
pub struct Attempt {
    wait: Arc<Wait>,
    waker: Waker,
    share: Share,
    /// Permits that were free when it began.
    free: u64,
    ticket: Option<u64>,
    /// The lock's charges when it blocked.
    base: Charges,
    blocked: Option<Blocked>,
    polls: u64,
    /// When a poll last found the cooperative budget spent after the grant.
    deferred_at: Option<u64>,
    /// An unscoped task's owner is kept alive by what it holds and what it waits for.
    keeps_task: bool,
}

impl Attempt {
    /// An attempt on `lock`. `free` is how many permits are free now (0 for locks). `in_queue` is
    /// false if only the cooperative budget stands between the attempt and a free lock: then it
    /// joins the queue when that turns out wrong. `outer` is the waker of whoever polls it first.
    /// `None` if recording was off at the start.
    #[must_use]
    pub fn new<R: Runtime>(
        lock: &Lock,
        start: Start,
        share: Share,
        free: usize,
        in_queue: bool,
        site: &'static Location<'static>,
        outer: &Waker,
    ) -> Option<Self> {
        let since = start.instant()?;
        let owner = owner_for_claim::<R>(thread::state())?;
        let wait = Wait::new(lock.id(), since, share, idle_of(lock.kind()), owner, site, outer);
        let waker = Waker::from(Arc::clone(&wait));
        let mut this = Self {
            wait,
            waker,
            share,
            free: free as u64,
            ticket: None,
            base: Charges::default(),
            blocked: None,
            polls: 0,
            deferred_at: None,
            keeps_task: owner.role() == Role::Task,
        };
        if in_queue {
            this.join(lock);
        }
        Some(this)
    }

    /// Takes a place in the lock's queue and notes what its holders are charged with so far.
    fn join(&mut self, lock: &Lock) {
        let record = lock.record_or_new();
        let mut queue = record.queue();
        self.ticket = record.enqueue(&mut queue, Arc::clone(&self.wait), self.free);
        self.base = Charges::at(lock, record, &queue, self.wait.since);
    }

    /// Polls the wrapped lock's future. `budget_spent` says whether the task's cooperative budget
    /// is used up at this moment.
    pub fn poll<F: Future>(
        &mut self,
        lock: &Lock,
        future: Pin<&mut F>,
        budget_spent: bool,
        cx: &Context<'_>,
    ) -> Poll<F::Output> {
        self.polls += 1;
        // Before the inner poll: a wake in between must find the present waker.
        self.wait.outer.register(cx.waker());
        let poll = future.poll(&mut Context::from_waker(&self.waker));
        if poll.is_pending() {
            if self.blocked.is_none() {
                self.look(lock, budget_spent);
            } else if budget_spent && self.wait.granted().is_some() {
                self.deferred_at.get_or_insert_with(clock::now);
            }
        }
        poll
    }

    #[cold]
    fn look(&mut self, lock: &Lock, budget_spent: bool) {
        if self.ticket.is_none() && budget_spent && lock.who() == 0 {
            self.blocked = Some(Blocked::by_budget(self.free));
            return;
        }
        if self.ticket.is_none() {
            self.join(lock);
        }
        let record = lock.record_or_new();
        let queue = record.queue();
        let ticket = self.ticket.unwrap_or(u64::MAX);
        let blocked = cause::at_block(lock, record, &queue, &self.wait, ticket, budget_spent);
        drop(queue);
        if blocked.cause != BlockCause::Coop {
            self.wait.owner.blocked(self.wait.since);
        }
        self.blocked = Some(blocked);
    }

    /// The lock is ours: a guard is about to be returned.
    pub fn claimed<R: Runtime>(self, lock: &Lock, site: &'static Location<'static>) -> Hold {
        let Some(met) = self.blocked else {
            // Freed between the try and the queue: as good as uncontended.
            self.leave(lock, None);
            return lock.acquired::<R>(Start::at(self.wait.since), self.share, site);
        };
        let now = clock::now();
        self.leave(lock, Some(u64::from(self.share.weight())));
        let hold = lock.acquired::<R>(Start::at(now), self.share, site);
        let Some(blocked) = self.contended() else {
            let claimed = claim::deferred(now.saturating_sub(self.wait.since));
            self.ended(lock, met, now, claimed, EndCause::Raced).file_detail();
            return hold;
        };
        let claimed = claim::phases(&self.wait, now, self.deferred_at);
        let end = claimed.granted.map_or(EndCause::Raced, |granted| granted.end);
        self.ended(lock, blocked, now, claimed, end).file(Outcome::Acquired);
        hold
    }

    /// The wrapped lock returned an error.
    pub fn failed(self, lock: &Lock, outcome: Outcome) {
        self.leave(lock, None);
        let Some(blocked) = self.contended() else {
            lock.failed(Start::at(self.wait.since), self.share.mode(), outcome);
            return;
        };
        let end = if outcome == Outcome::Timeout { EndCause::Timeout } else { EndCause::Closed };
        self.ended(lock, blocked, clock::now(), Claimed::NONE, end).file(outcome);
    }

    /// The future is being dropped; `drop_inner` drops the wrapped lock's future, which may hand
    /// the lock on to the next in line.
    pub fn abandon(self, lock: &Lock, drop_inner: impl FnOnce()) {
        self.leave(lock, None);
        let owner = Some(self.wait.owner).filter(|_| self.wait.owner_is_alive());
        release::give_up(lock.id(), owner.map(|owner| (owner, self.wait.site)), drop_inner);
        // From here on nobody can hand it over any more.
        let Some(blocked) = self.contended() else {
            lock.failed(Start::at(self.wait.since), self.share.mode(), Outcome::Abandoned);
            return;
        };
        let now = clock::now();
        let claimed = claim::phases(&self.wait, now, None);
        let end = match claimed.granted {
            Some(_) => EndCause::AbandonedAfterGrant,
            None => EndCause::AbandonedBeforeGrant,
        };
        self.ended(lock, blocked, now, claimed, end).file(Outcome::Abandoned);
    }

    /// What it ran into, unless that was the cooperative budget alone. If the lock was handed over
    /// after all, somebody had been quicker between the look and the queue.
    fn contended(&self) -> Option<Blocked> {
        let blocked = self.blocked?;
        if blocked.cause != BlockCause::Coop {
            return Some(blocked);
        }
        self.wait.granted()?;
        self.wait.owner.blocked(self.wait.since);
        Some(Blocked { cause: BlockCause::Transient, ..blocked })
    }

    /// Leaves the queue; a claim takes `permits` along.
    fn leave(&self, lock: &Lock, permits: Option<u64>) {
        let Some(record) = lock.record() else { return };
        let mut queue = record.queue();
        if let Some(ticket) = self.ticket {
            record.dequeue(&mut queue, ticket);
        }
        if let Some(permits) = permits {
            queue.claimed(permits);
        }
    }

    /// The wait as it ended at `now`.
    fn ended<'a>(
        &'a self,
        lock: &'a Lock,
        blocked: Blocked,
        now: u64,
        claimed: Claimed,
        end: EndCause,
    ) -> Ended<'a> {
        let (wait, base, polls) = (&*self.wait, &self.base, self.polls);
        Ended { lock, wait, base, polls, blocked, now, claimed, end }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.keeps_task {
            task::let_go(self.wait.owner);
        }
    }
}
