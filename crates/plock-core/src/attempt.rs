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

use crate::blame::{self, Few};
use crate::cause::{self, Blocked};
use crate::claim::{self, Claimed};
use crate::current::{Runtime, owner_for_claim};
use crate::ended::Ended;
use crate::hold::Hold;
use crate::lock::{Lock, Share, Start};
use crate::owner::{Role, idle_of};
use crate::queue::Queue;
use crate::record::Record;
use crate::wait::Wait;
use crate::{BlockCause, Dropped, EndCause, Outcome, clock, loss, release, task, thread};
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
    /// What it ran into, as seen when it joined the queue.
    seen: Option<Blocked>,
    /// Whether it has been pending.
    is_blocked: bool,
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
        let began = loss::overhead_began();
        let owner = owner_for_claim::<R>(thread::state())?;
        let wait = Wait::new(lock.id(), since, share, idle_of(lock.kind()), owner, site, outer);
        let waker = Waker::from(Arc::clone(&wait));
        let mut this = Self {
            wait,
            waker,
            share,
            free: free as u64,
            ticket: None,
            seen: None,
            is_blocked: false,
            polls: 0,
            deferred_at: None,
            keeps_task: owner.role() == Role::Task,
        };
        if in_queue {
            this.join(lock);
        }
        loss::overhead_ended(began);
        Some(this)
    }

    /// One look at the lock: what is in the way, what its holders are charged with so far, and a
    /// place in the queue.
    fn join(&mut self, lock: &Lock) {
        let record = lock.record_or_new();
        let mut queue = record.queue();
        let holders = record.holders(lock.who());
        self.seen = Some(cause::at_block(&self.wait, &queue, &holders, self.free));
        let base = blame::charges(&queue, &holders, self.wait.since);
        self.ticket = queue.enter(Arc::clone(&self.wait), base, self.free);
        record.note_waiting(&queue);
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
        // It is ours, and with budget left the inner future is ready: nobody needs to be woken.
        let is_sure = self.wait.is_granted() && !budget_spent;
        if self.polls > 1 && !is_sure {
            self.wait.register(cx.waker());
        }
        let poll = future.poll(&mut Context::from_waker(&self.waker));
        if is_sure && poll.is_pending() {
            cx.waker().wake_by_ref(); // tokio 1.54 never does so; then at least nobody hangs
        }
        if poll.is_pending() {
            if !self.is_blocked {
                self.block(lock, budget_spent);
            } else if budget_spent && self.wait.is_granted() {
                self.deferred_at.get_or_insert_with(clock::now);
            }
        }
        poll
    }

    fn block(&mut self, lock: &Lock, budget_spent: bool) {
        self.is_blocked = true;
        if self.ticket.is_none() && budget_spent && lock.who() == 0 {
            self.seen = Some(Blocked::by_budget(self.free));
            self.wait.owner.expect_slow();
            return;
        }
        if self.seen.is_none() {
            self.join(lock);
        }
        if let Some(seen) = &mut self.seen {
            seen.settle(&self.wait, budget_spent);
            if seen.cause == BlockCause::Coop {
                self.wait.owner.expect_slow();
            } else {
                self.wait.blocks_owner();
            }
        }
    }

    /// The lock is ours: a guard is about to be returned. This ends the attempt.
    pub fn claimed<R: Runtime>(&mut self, lock: &Lock, site: &'static Location<'static>) -> Hold {
        let Some(met) = self.met() else {
            // Freed between the try and the queue: as good as uncontended.
            self.leave(lock, None);
            return lock.acquired::<R>(Start::at(self.wait.since), self.share, site);
        };
        let now = clock::now();
        let until = self.ended_at(now);
        let Some(blocked) = self.contended() else {
            self.leave(lock, Some(u64::from(self.share.weight())));
            let hold = lock.acquired::<R>(Start::at(now), self.share, site);
            let claimed = claim::deferred(until.saturating_sub(self.wait.since));
            self.ended(lock, met, until, claimed, EndCause::Raced).file_detail();
            return hold;
        };
        let claimed = claim::phases(&self.wait, until, self.deferred_at);
        let end = claimed.granted.map_or(EndCause::Raced, |granted| granted.end);
        let ended = self.ended(lock, blocked, until, claimed, end);
        let shares = self.leave_with_shares(lock, &ended, Some(u64::from(self.share.weight())));
        let hold = lock.acquired::<R>(Start::at(now), self.share, site);
        ended.file(Outcome::Acquired, &shares);
        hold
    }

    /// The wrapped lock returned an error. This ends the attempt.
    pub fn failed(&mut self, lock: &Lock, outcome: Outcome) {
        self.leave(lock, None);
        let Some(blocked) = self.contended() else {
            lock.failed(Start::at(self.wait.since), self.share.mode(), outcome);
            return;
        };
        let end = if outcome == Outcome::Timeout { EndCause::Timeout } else { EndCause::Closed };
        let until = self.ended_at(clock::now());
        let ended = self.ended(lock, blocked, until, Claimed::NONE, end);
        ended.file(outcome, &Few::new()); // a closed semaphore and a deadline are nobody's fault
    }

    /// The future is being dropped; `drop_inner` drops the wrapped lock's future, which may hand
    /// the lock on to the next in line. This ends the attempt.
    pub fn abandon(&mut self, lock: &Lock, drop_inner: impl FnOnce()) {
        let base = self.leave(lock, None);
        let owner = Some(self.wait.owner).filter(|_| self.wait.owner_is_alive());
        release::give_up(lock.id(), owner.map(|owner| (owner, self.wait.site)), drop_inner);
        // From here on nobody can hand it over any more.
        let Some(blocked) = self.contended() else {
            lock.failed(Start::at(self.wait.since), self.share.mode(), Outcome::Abandoned);
            return;
        };
        let now = self.ended_at(clock::now());
        let claimed = claim::phases(&self.wait, now, None);
        let end = match claimed.granted {
            Some(_) => EndCause::AbandonedAfterGrant,
            None => EndCause::AbandonedBeforeGrant,
        };
        let ended = self.ended(lock, blocked, now, claimed, end);
        let record = lock.record_or_new();
        let shares = ended.shares(record, &record.queue(), &base.unwrap_or_default());
        ended.file(Outcome::Abandoned, &shares);
    }

    /// What it was seen to run into, if it has been pending.
    fn met(&self) -> Option<Blocked> {
        self.seen.filter(|_| self.is_blocked)
    }

    /// What it ran into, unless that was the cooperative budget alone. If the lock was handed over
    /// after all, somebody had been quicker between the look and the queue.
    fn contended(&self) -> Option<Blocked> {
        let blocked = self.met()?;
        if blocked.cause != BlockCause::Coop {
            return Some(blocked);
        }
        self.wait.granted()?;
        self.wait.blocks_owner();
        Some(Blocked { cause: BlockCause::Transient, ..blocked })
    }

    /// Leaves the queue; a claim takes `permits` along. Returns what everybody had been charged with
    /// when it joined.
    fn leave(&self, lock: &Lock, permits: Option<u64>) -> Option<Few> {
        let record = lock.record()?;
        self.leave_queue(record, &mut record.queue(), permits)
    }

    /// As [`leave`](Self::leave); who is charged with the wait is looked up on the way.
    fn leave_with_shares(&self, lock: &Lock, ended: &Ended<'_>, permits: Option<u64>) -> Few {
        let Some(record) = lock.record() else { return Few::new() };
        let mut queue = record.queue();
        let base = self.leave_queue(record, &mut queue, permits);
        ended.shares(record, &queue, &base.unwrap_or_default())
    }

    fn leave_queue(&self, record: &Record, queue: &mut Queue, permits: Option<u64>) -> Option<Few> {
        let base = self.ticket.and_then(|ticket| queue.leave(ticket));
        if let Some(permits) = permits {
            queue.claimed(permits);
        }
        record.note_waiting(queue);
        base
    }

    /// When a wait that is over `now` ended: when it began, if the clock jumped meanwhile. Never before
    /// that.
    fn ended_at(&self, now: u64) -> u64 {
        if clock::has_jumped(self.wait.since, now) {
            loss::count(Dropped::Clock, 1);
            return self.wait.since;
        }
        now.max(self.wait.since)
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
        Ended { lock, wait: &self.wait, polls: self.polls, blocked, now, claimed, end }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.keeps_task {
            task::let_go(self.wait.owner);
        }
    }
}
