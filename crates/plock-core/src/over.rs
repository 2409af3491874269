//! How an attempt ends, whichever queue it was in: with a hold, an error, or nothing. What is accounted
//! then, once the queue has been dealt with.

use crate::blame::Few;
use crate::cause::Blocked;
use crate::claim::{self, Claimed};
use crate::current::{Runtime, owner_for_claim};
use crate::ended::Ended;
use crate::hold::Hold;
use crate::lock::{Lock, Start};
use crate::owner::{OwnerCell, Role};
use crate::queue::Queue;
use crate::record::Record;
use crate::share::Share;
use crate::sync::MutexGuard;
use crate::wait::{Wait, Waiter};
use crate::{BlockCause, Dropped, EndCause, Kind, Outcome, clock, loss, task, thread};
use std::panic::Location;

/// An attempt at its end.
pub(crate) struct Over<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) wait: &'a Wait,
    pub(crate) waiter: &'a Waiter,
    /// Its place in the queue, 0 = none.
    pub(crate) ticket: u64,
    pub(crate) polls: u32,
    /// When a poll first found the cooperative budget spent after the hand-over, 0 = never.
    pub(crate) deferred_at: u64,
}

/// Who waits, if that is recorded.
pub(crate) fn waiter<R: Runtime>(start: Start, site: &'static Location<'static>) -> Option<Waiter> {
    let since = start.instant()?;
    Some(Waiter::new(since, owner_for_claim::<R>(thread::state())?, site))
}

/// An unscoped task's owner is kept alive by what it holds and what it waits for: until this is dropped.
#[derive(Debug)]
pub(crate) struct KeepsTask(Option<&'static OwnerCell>);

impl KeepsTask {
    pub(crate) fn of_owner(owner: &'static OwnerCell) -> Self {
        Self(Some(owner).filter(|owner| owner.role() == Role::Task))
    }

    pub(crate) fn of(waiter: Option<&Waiter>) -> Self {
        waiter.map_or(Self(None), |waiter| Self::of_owner(waiter.owner))
    }
}

impl Drop for KeepsTask {
    fn drop(&mut self) {
        if let Some(owner) = self.0 {
            task::let_go(owner);
        }
    }
}

/// When a wait that began at `since` and is over `now` ended: when it began, if the clock jumped meanwhile.
/// Never before that.
pub(crate) fn until(since: u64, now: u64) -> u64 {
    if clock::has_jumped(since, now) {
        loss::count(Dropped::Clock, 1);
        return since;
    }
    now.max(since)
}

impl Over<'_> {
    /// The lock is ours: a guard is about to be returned.
    pub(crate) fn claimed<R: Runtime>(
        &self,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        let lock = self.lock;
        let Some(seen) = self.wait.seen else {
            // Freed between the try and the queue: as good as uncontended.
            return lock.acquired::<R>(Start::at(self.waiter.since), share, site);
        };
        if seen.cause == BlockCause::Coop {
            let now = clock::now();
            let until = self.until(now);
            let claimed = claim::deferred(until.saturating_sub(self.waiter.since));
            let hold = lock.acquired::<R>(Start::at(now), share, site);
            self.ended(seen, until, claimed, EndCause::Raced).file_detail();
            return hold;
        }
        let record = lock.record_or_new();
        self.claimed_in::<R>(record, record.queue(), seen, share, site)
    }

    /// The lock is ours after a wait. The hold begins, and is published, before anybody else has the queue:
    /// whoever joined before was kept waiting by all of it, whoever joins later sees it.
    pub(crate) fn claimed_in<R: Runtime>(
        &self,
        record: &Record,
        mut queue: MutexGuard<'_, Queue>,
        seen: Blocked,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        let now = clock::now();
        let until = self.until(now);
        let deferred_at = Some(self.deferred_at).filter(|at| *at != 0);
        let claimed = claim::phases(self.wait, self.waiter, until, deferred_at);
        let ended = self.ended_by_grant(seen, until, claimed);
        let shares = self.leave(record, &mut queue, share, &ended);
        let hold = self.lock.acquired::<R>(Start::at(now), share, site);
        drop(queue);
        ended.file(Outcome::Acquired, &shares);
        hold
    }

    /// It got an error, and has left the queue.
    pub(crate) fn failed(&self, outcome: Outcome) {
        let Some(blocked) = self.blocked() else { return self.never_waited(outcome) };
        let end = if outcome == Outcome::Timeout { EndCause::Timeout } else { EndCause::Closed };
        let ended = self.ended(blocked, self.until(clock::now()), Claimed::NONE, end);
        ended.file(outcome, &Few::new()); // a closed lock and a deadline are nobody's fault
    }

    /// It was dropped at `now`, and has left the queue.
    pub(crate) fn abandoned(&self, now: u64) {
        let Some(blocked) = self.blocked() else { return self.never_waited(Outcome::Abandoned) };
        let until = self.until(now);
        let claimed = claim::phases(self.wait, self.waiter, until, None);
        let end = match claimed.granted {
            Some(_) => EndCause::AbandonedAfterGrant,
            None => EndCause::AbandonedBeforeGrant,
        };
        let ended = self.ended(blocked, until, claimed, end);
        let record = self.lock.record_or_new();
        let queue = record.queue();
        let shares = ended.shares(&record.holders(self.lock.who()), &queue, &self.wait.base);
        drop(queue);
        ended.file(Outcome::Abandoned, &shares);
    }

    /// It never queued, or nobody was in the way.
    pub(crate) fn never_waited(&self, outcome: Outcome) {
        self.lock.failed(Start::at(self.waiter.since), self.wait.mode, outcome);
    }

    /// What it ran into, if that was more than the cooperative budget.
    pub(crate) fn blocked(&self) -> Option<Blocked> {
        self.wait.seen.filter(|seen| seen.cause != BlockCause::Coop)
    }

    /// Leaves the queue with its share, and says who is charged with the wait.
    pub(crate) fn leave(
        &self,
        record: &Record,
        queue: &mut Queue,
        share: Share,
        ended: &Ended<'_>,
    ) -> Few {
        let _served = queue.leave(self.ticket);
        queue.claimed(u64::from(share.weight()));
        record.note_waiting(queue);
        ended.shares(&record.holders(self.lock.who()), queue, &self.wait.base)
    }

    /// When it ended, if it is over `now`.
    pub(crate) fn until(&self, now: u64) -> u64 {
        until(self.waiter.since, now)
    }

    /// The wait as its hand-over ended it, if there was one that could be seen.
    pub(crate) fn ended_by_grant(&self, blocked: Blocked, now: u64, claimed: Claimed) -> Ended<'_> {
        // A pool may hand over by a task of its own.
        let is_pool = self.lock.kind() == Kind::Pool;
        let unseen = if is_pool { EndCause::External } else { EndCause::Raced };
        let end = claimed.granted.map_or(unseen, |granted| granted.end);
        self.ended(blocked, now, claimed, end)
    }

    /// The wait as it ended at `now`.
    pub(crate) fn ended(
        &self,
        blocked: Blocked,
        now: u64,
        claimed: Claimed,
        end: EndCause,
    ) -> Ended<'_> {
        let Self { lock, wait, waiter, polls, .. } = *self;
        let (kind, series, polls) = (lock.kind(), lock.series(wait.mode), u64::from(polls));
        let blocked = blocked.settled(claimed.granted.as_ref());
        Ended { kind, series, wait, waiter, polls, blocked, now, claimed, end }
    }
}
