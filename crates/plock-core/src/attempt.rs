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
use crate::lock::{Hold, Lock, Runtime, Share, Start, thread_owner};
use crate::name::Label;
use crate::owner::{OwnerCell, Slow, idle_of};
use crate::record::Charge;
use crate::shard::{self, EdgeCell, WorstCell};
use crate::wait::Wait;
use crate::{
    BlockCause, Cause, ClaimDelay, Detail, EndCause, Exemplar, Mode, Outcome, WaitDetail, class,
    clock, lock, loss, release, task, thread,
};
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
    is_task_owner: bool,
}

impl Attempt {
    /// An attempt on `lock`. `free` is how many permits are free now (0 for locks). `in_queue` is
    /// false if only the cooperative budget stands between the attempt and a free lock: then it
    /// joins the queue when that turns out wrong. `None` if recording was off at the start.
    #[must_use]
    pub fn new<R: Runtime>(
        lock: &Lock,
        start: Start,
        share: Share,
        free: usize,
        in_queue: bool,
        site: &'static Location<'static>,
    ) -> Option<Box<Self>> {
        let since = start.instant()?;
        let (owner, is_task_owner) = owner_for_wait::<R>()?;
        let need = u64::from(share.weight);
        let wait = Wait::new(lock.id(), since, share.mode, need, idle_of(lock.kind()), owner, site);
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
            is_task_owner,
        };
        if in_queue {
            this.join(lock);
        }
        Some(Box::new(this))
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
        let Some(blocked) = self.blocked else {
            // Freed between the try and the queue: as good as uncontended.
            self.leave(lock, None);
            return lock.acquired::<R>(Start::at(self.wait.since), self.share, site);
        };
        let now = clock::now();
        self.leave(lock, Some(u64::from(self.share.weight)));
        let hold = lock.acquired::<R>(Start::at(now), self.share, site);
        if blocked.cause == BlockCause::Coop {
            self.deferred(lock, blocked, now);
            return hold;
        }
        let claimed = claim::phases(&self.wait, now, self.deferred_at);
        let end = claimed.granted.map_or(EndCause::Raced, |granted| granted.end);
        self.account(lock, blocked, now, Some(claimed), end, Outcome::Acquired);
        hold
    }

    /// The wrapped lock returned an error.
    pub fn failed(self, lock: &Lock, outcome: Outcome) {
        self.leave(lock, None);
        let Some(blocked) = self.contended() else {
            lock.failed(Start::at(self.wait.since), self.share.mode, outcome);
            return;
        };
        let end = if outcome == Outcome::Timeout { EndCause::Timeout } else { EndCause::Closed };
        self.account(lock, blocked, clock::now(), None, end, outcome);
    }

    /// The future is being dropped; `drop_inner` drops the wrapped lock's future, which may hand
    /// the lock on to the next in line.
    pub fn abandon(self, lock: &Lock, drop_inner: impl FnOnce()) {
        self.leave(lock, None);
        let owner = Some(self.wait.owner).filter(|_| self.wait.owner_is_alive());
        release::give_up(lock.id(), owner.map(|owner| (owner, self.wait.site)), drop_inner);
        let granted = self.wait.granted(); // from here on nobody can hand it over any more
        let Some(blocked) = self.contended() else {
            lock.failed(Start::at(self.wait.since), self.share.mode, Outcome::Abandoned);
            return;
        };
        let now = clock::now();
        let claimed = granted.map(|_| claim::phases(&self.wait, now, None));
        let end = match granted {
            Some(_) => EndCause::AbandonedAfterGrant,
            None => EndCause::AbandonedBeforeGrant,
        };
        self.account(lock, blocked, now, claimed, end, Outcome::Abandoned);
    }

    /// What it ran into, unless that was the cooperative budget alone.
    fn contended(&self) -> Option<Blocked> {
        self.blocked.filter(|blocked| blocked.cause != BlockCause::Coop)
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

    /// Files a wait that did block: figures of the lock, blame, totals and detail of the scope.
    fn account(
        &self,
        lock: &Lock,
        blocked: Blocked,
        now: u64,
        claimed: Option<Claimed>,
        end: EndCause,
        outcome: Outcome,
    ) {
        let began = clock::now();
        let wait_ns = now.saturating_sub(self.wait.since);
        let claim_ns = claimed.map_or(0, |c| c.delay_ns.min(wait_ns));
        let queue_ns = wait_ns - claim_ns;
        let cause = if claim_ns > queue_ns { Cause::Scheduler } else { blocked.cause.cause() };
        let blames = !matches!(outcome, Outcome::Closed | Outcome::Timeout);
        let shares =
            if blames { self.shares(lock, blocked, claimed, queue_ns) } else { Vec::new() };
        let primary = shares.iter().max_by_key(|share| share.ns).copied();
        let span = self.wait.owner.span().filter(|_| self.wait.owner_is_alive());
        let series = lock.series(self.share.mode);
        let wall = clock::WallClock::now();
        shard::with(thread::state(), series, |shard| {
            let mut cold = shard.cold();
            if outcome != Outcome::Acquired {
                cold.outcomes[outcome as usize] += 1;
            }
            cold.waited(cause, wait_ns);
            cold.claim_delay_ns += claim_ns;
            for share in &shares {
                let waits = u64::from(primary.is_some_and(|most| most.label == share.label));
                let holder_site = share.label.is_holder().then_some(share.site);
                let (waiter, holder, wait_ns) = (self.wait.label, share.label, share.ns);
                cold.charge(EdgeCell { cause, waiter, holder, holder_site, waits, wait_ns });
            }
            if cold.worst_wait.is_none_or(|worst| wait_ns > worst.ns) {
                cold.worst_wait =
                    Some(WorstCell { ns: wait_ns, owner: self.wait.label, site: self.wait.site });
            }
            if let Some(span) = span {
                cold.wait_exemplar(cause, Exemplar { ns: wait_ns, unix_ns: wall.unix_ns(), span });
            }
        });
        let releaser = claimed.and_then(|c| c.granted).and_then(|granted| granted.releaser);
        let holder = primary.filter(|most| most.label.is_holder());
        let mut slow = self.wait.owner.slow();
        if !self.wait.owner_is_alive() {
            return; // the scope is gone; its totals have been told
        }
        OwnerCell::unblocked(&mut slow, now);
        slow.contentions += 1;
        slow.wait_ns += wait_ns;
        slow.cause_ns[cause as usize] += wait_ns;
        if wait_ns >= slow.wait_max_ns {
            slow.wait_max_ns = wait_ns;
            slow.worst = Some((series, holder.map(|most| most.label)));
        }
        if wait_ns >= lock::slow_ns() && slow.wants_details {
            let linked = releaser.filter(|_| blames);
            let wait = WaitDetail {
                queue_ns,
                claim_ns,
                claim_parts_ns: claimed.map_or_else(Default::default, |c| c.parts),
                block: blocked.cause,
                holders: blocked.holders,
                ahead: blocked.ahead,
                need: self.wait.need,
                free: blocked.free,
                polls: self.polls,
                end,
                cause,
                holder: linked
                    .map(|by| by.label())
                    .or(holder.map(|most| most.label))
                    .map(Label::text),
                holder_site: linked.map(|by| by.site).or(holder.map(|most| most.site)),
                holder_span: linked.and_then(|by| by.span),
            };
            self.keep(&mut slow, lock, wait_ns, wait);
        }
        drop(slow);
        loss::add_overhead(clock::now().saturating_sub(began));
    }

    /// A wait for the cooperative budget alone: the lock was ours from the start, so there is no
    /// contention and nobody to blame. A detail says where the time went.
    fn deferred(&self, lock: &Lock, blocked: Blocked, now: u64) {
        let ns = now.saturating_sub(self.wait.since);
        let mut slow = self.wait.owner.slow();
        if ns < lock::slow_ns() || !slow.wants_details || !self.wait.owner_is_alive() {
            return;
        }
        let mut parts = [0; ClaimDelay::COUNT];
        parts[ClaimDelay::CoopDeferred as usize] = ns;
        let wait = WaitDetail {
            claim_parts_ns: parts,
            need: self.wait.need,
            free: blocked.free,
            polls: self.polls,
            ..WaitDetail::new(0, ns, BlockCause::Coop, EndCause::Raced)
        };
        self.keep(&mut slow, lock, ns, wait);
    }

    fn keep(&self, slow: &mut Slow, lock: &Lock, ns: u64, wait: WaitDetail) {
        let Some(class) = class::series(lock.series(self.share.mode)) else { return };
        let acquired = !matches!(
            wait.end,
            EndCause::AbandonedBeforeGrant
                | EndCause::AbandonedAfterGrant
                | EndCause::Closed
                | EndCause::Timeout
        );
        slow.keep(Detail {
            lock: class.name,
            kind: lock.kind(),
            mode: self.share.mode,
            start_unix_ns: clock::WallClock::now().convert(self.wait.since),
            ns,
            depth: self.wait.owner.depth() + u64::from(!acquired),
            site: self.wait.site,
            site_label: Label::of_site(self.wait.site).text(),
            precision: self.wait.owner.precision(),
            hold_end: None,
            wait: Some(wait),
        });
    }

    /// Who is charged with the queue time, and with how much each; sums to `queue_ns` exactly.
    fn shares(
        &self,
        lock: &Lock,
        blocked: Blocked,
        claimed: Option<Claimed>,
        queue_ns: u64,
    ) -> Vec<Charge> {
        let Some(record) = lock.record() else { return Vec::new() };
        let end = self.wait.since + queue_ns;
        let later = Charges::at(lock, record, &record.queue(), end);
        let releaser = claimed.and_then(|c| c.granted).and_then(|granted| granted.releaser);
        let met = blocked.holder.or(releaser.map(|by| (by.label(), by.site)));
        let drained = releaser.filter(|by| self.share.mode == Mode::Exclusive && !by.exclusive);
        let last = drained.map(|by| by.label());
        self.base.split(&later, queue_ns, met, last, self.wait.site)
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.is_task_owner {
            task::let_go(self.wait.owner);
        }
    }
}

/// The owner of an attempt that blocks here. An unscoped task's cell is kept alive by the attempt.
fn owner_for_wait<R: Runtime>() -> Option<(&'static OwnerCell, bool)> {
    let ts = thread::state();
    let task_id = R::task_id();
    if let Some(scope) = ts.scope.get().filter(|_| task_id == ts.scope_task.get()) {
        return Some((scope, false));
    }
    let cell = || task::find(task_id).or_else(|| task::insert(task_id));
    if let Some(cell) = (task_id != 0).then(cell).flatten() {
        return Some((cell, true));
    }
    thread_owner(ts).map(|cell| (cell, false))
}
