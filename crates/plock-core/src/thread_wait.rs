//! Locks that block a thread: who asks on which thread, and the wait of one that found the lock taken.
//!
//! | state | event | next | accounted |
//! |---|---|---|---|
//! | tried | free | acquired | as uncontended |
//! | tried | taken, and it does not come free while it [spins](crate::spin) | queued: cause, holders and a ticket are noted, others see the wait | same-thread holder: a finding, before the thread parks |
//! | queued | a second try succeeds | acquired | as uncontended: freed between the try and the queue; a wait if it has spun, or been seen by who let go |
//! | queued | the lock returns | acquired | wait, phases, blame |
//! | queued | somebody else has done what it waits for | served | wait, phases, blame, no hold |
//! | queued | the same, at a second look | withdrawn | nothing |
//! | queued | the lock gives up | failed | wait, nobody blamed |
//! | queued | dropped by a panic | abandoned | wait, nobody blamed |
//!
//! # Hand-over
//! Such a lock hands nothing over: a release makes it free, and whoever is quickest has it. So there is
//! no grant but the last release before the claim, which the releaser leaves in the queue.
//!
//! | who | does | ordering |
//! |---|---|---|
//! | a waiter | says that the queue gets longer, looks who has the lock, joins, blocks on the lock word | a `SeqCst` fence before the look; the lock's own |
//! | a releaser that sees the count | leaves moment and holder in [`Turns`], then unlocks | the queue's mutex; the unlock publishes it |
//! | the waiter, after the claim | reads [`Turns`] | the queue's mutex; the lock it got ordered it after the release |
//!
//! The release that made the claim possible happened before the claim, so its mark is there, unless it
//! looked for waiters before this one counted itself: then the mark is missing or older than the wait,
//! and the end of the wait is [`EndCause::Raced`](crate::EndCause::Raced). A reader is let in by the end of a sole hold, and
//! other readers may have come and gone by the time it runs: hence two marks. A mark never comes from
//! a release after the claim: of the releases that a waiter needs, the lock admits none before it lets
//! go itself.
//!
//! Whoever gets the lock while others wait says so in [`Turns`] as well: that is how many a waiter saw
//! go past. Of those that were queued before it none counts as gone past; one of them that gave up
//! counts as served, so the figure is rather too small than too large.

use crate::current::Runtime;
use crate::finding;
use crate::grant::{Granted, Releaser};
use crate::hold::Hold;
use crate::lock::{Lock, Start};
use crate::over::{KeepsTask, Over};
use crate::queue::Queue;
use crate::record::{Holder, Record};
use crate::release::Releasing;
use crate::shard;
use crate::share::Share;
use crate::spin::Spin;
use crate::thread::{self, ThreadState};
use crate::wait::{Wait, Waiter};
use crate::{BlockCause, EndCause, FindingKind, Mode, Outcome, clock, loss};
use std::panic::Location;
use std::sync::Arc;

/// Who let go last, and how many have had the lock while others waited; in the queue of a lock.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    claims: u64,
    last: Option<Granted>,
    /// The last by one that had the lock alone.
    last_alone: Option<Granted>,
}

impl Turns {
    /// The release that let an attempt of this mode in.
    fn before(&self, mode: Mode) -> Option<Granted> {
        if mode == Mode::Shared { self.last_alone } else { self.last }
    }

    /// `by` is about to let go.
    pub(crate) fn let_go(&mut self, at: u64, end: EndCause, by: Option<Releaser>) {
        let mark = Granted { at, end, releaser: by, thread: 0, thread_poll: 0, own_poll: 0 };
        self.last = Some(mark);
        if by.is_none_or(|by| by.exclusive) {
            self.last_alone = Some(mark);
        }
    }
}

impl Lock {
    /// As [`acquired`](Self::acquired), by a guard that cannot leave this thread.
    #[inline(always)] // up to the call that all acquisitions make
    pub fn acquired_by_thread<R: Runtime>(
        &self,
        start: Start,
        mode: Mode,
        site: &'static Location<'static>,
    ) -> Hold {
        let Some(since) = start.instant() else { return Hold::default() };
        let ts = thread::state();
        ts.thread_claims.set(true);
        if let Some(record) = self.record()
            && record.has_waiters()
        {
            claim_before_others(record);
        }
        self.enter::<R>(since, Share::of_thread(mode, ts), site)
    }

    /// Whether anybody is known to wait for it.
    #[inline]
    #[must_use]
    pub fn has_waiters(&self) -> bool {
        self.record().is_some_and(Record::has_waiters)
    }

    /// A guard that is in no figure is about to let others have it: those that wait learn how that ended.
    #[inline(always)]
    pub(crate) fn let_go_unrecorded(&self) {
        if self.has_waiters() {
            self.tell_unrecorded();
        }
    }

    #[cold]
    #[inline(never)]
    fn tell_unrecorded(&self) {
        Releasing::new(self.id(), EndCause::Release).mark(self);
    }

    /// The guard came with the news that the lock is poisoned.
    #[cold]
    pub fn poisoned(&self, mode: Mode) {
        shard::with(thread::state(), self.series(mode), |shard| {
            shard.contention_or_new().outcomes[Outcome::Poisoned as usize] += 1;
        });
    }
}

/// All that are queued now wait for the hold that begins.
#[cold]
fn claim_before_others(record: &Record) {
    let mut queue = record.queue();
    queue.turns.claims += 1;
    queue.claimed(1);
}

impl Share {
    /// By a guard of this thread.
    #[inline]
    pub(crate) fn of_thread(mode: Mode, ts: &ThreadState) -> Self {
        Self::by_thread(mode, number_of(ts))
    }
}

/// The number of this thread in the shares of its guards.
pub(crate) fn thread_number() -> u32 {
    number_of(thread::state())
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "tells the threads that live now apart")]
fn number_of(ts: &ThreadState) -> u32 {
    ts.id() as u32
}

impl Releasing {
    /// Leaves word for the threads that wait for `lock`: just before it is unlocked.
    #[inline(always)]
    pub fn mark(&self, lock: &Lock) {
        if let Some(record) = lock.record()
            && record.has_waiters()
        {
            self.leave_mark(record);
        }
    }

    /// The guard whose hold ends here has poisoned `lock`.
    #[cold]
    pub fn poisoned(&self, lock: &Lock, mode: Mode) {
        let Some(by) = self.releaser() else { return };
        finding::count(finding::Key {
            kind: FindingKind::Poisoned,
            series: lock.series(mode),
            pool: 0,
            owner: by.label(),
            site: Some(by.site),
            holder: None,
        });
    }

    #[cold]
    #[inline(never)]
    fn leave_mark(&self, record: &Record) {
        let (at, end, by) = (self.moment(), self.end(), self.releaser());
        record.queue().turns.let_go(at, end, by);
    }
}

/// The wait of a thread. Made after a failed try; ends in [`raced`](Self::raced),
/// [`claimed`](Self::claimed), [`served`](Self::served), [`withdrawn`](Self::withdrawn) or
/// [`failed`](Self::failed).
#[derive(Debug)]
pub struct ThreadWait<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) wait: Arc<Wait>,
    ticket: u64,
    /// How many were queued when it joined, and how many had had the lock.
    ahead: u64,
    claims: u64,
    /// Whether it had looked for a while before it joined.
    has_waited: bool,
    /// Whether it has left the queue and been accounted.
    pub(crate) is_over: bool,
    _task: KeepsTask,
}

impl<'a> ThreadWait<'a> {
    /// Joins the queue of `lock`, which was found taken at `start`. `None` if recording was off then.
    #[must_use]
    #[cold]
    pub fn begin<R: Runtime>(
        lock: &'a Lock,
        start: Start,
        mode: Mode,
        site: &'static Location<'static>,
    ) -> Option<Self> {
        Spin::begin::<R>(lock, start, mode, site).map(Spin::queue)
    }

    /// The place of `wait` in the queue of `lock`.
    #[cold]
    pub(crate) fn join(lock: &'a Lock, mut wait: Wait, has_waited: bool, task: KeepsTask) -> Self {
        let began = loss::overhead_began();
        let (mode, thread) = (wait.mode, thread_number());
        let record = lock.record_or_new();
        let mut queue = record.queue();
        record.announce(&queue);
        let holders = wait.look(lock, record, &queue, 0);
        let own = holders.iter().find(|(_, hold)| hold.share.thread() == Some(thread));
        // Its own reading keeps a reader out only by way of a writer that waits for it to end.
        if own.is_some_and(|(_, hold)| mode == Mode::Exclusive || hold.share.is_exclusive())
            && let Some(seen) = &mut wait.seen
        {
            seen.cause = BlockCause::SelfHeld;
        }
        let wait = Arc::new(wait);
        let (ahead, claims) = (u64::from(queue.len()), queue.turns.claims);
        let ticket = queue.enter(Arc::clone(&wait), None, 0);
        record.note_waiting(&queue);
        drop(queue);
        if let Some((waiter, own)) = wait.waiter.as_ref().zip(own) {
            tell_own(lock, mode, waiter, own);
        }
        loss::overhead_ended(began);
        Self { lock, wait, ticket, ahead, claims, has_waited, is_over: false, _task: task }
    }

    /// A second try has failed as well: from here on its owner is blocked.
    pub fn blocks(&self) {
        if let Some(waiter) = &self.wait.waiter {
            waiter.blocks_owner(self.lock.kind(), self.lock.series(self.wait.mode));
        }
    }

    /// The second try got the lock: nobody has waited, unless by looking before, or in the eyes of a holder
    /// who has let go meanwhile.
    pub fn raced<R: Runtime>(mut self, site: &'static Location<'static>) -> Hold {
        if self.has_waited || self.release_seen(&self.lock.record_or_new().queue()).is_some() {
            self.blocks();
            return self.claimed::<R>(site);
        }
        self.leave();
        let start = self.wait.since().map_or(Start::OFF, Start::at);
        self.lock.acquired_by_thread::<R>(start, self.wait.mode, site)
    }

    /// The lock is ours.
    pub fn claimed<R: Runtime>(mut self, site: &'static Location<'static>) -> Hold {
        self.is_over = true;
        let Some((over, seen)) = self.over().zip(self.wait.seen) else { return Hold::default() };
        let ts = thread::state();
        ts.thread_claims.set(true);
        let record = self.lock.record_or_new();
        let mut queue = record.queue();
        self.note_grant(&queue);
        self.wait.note_barged_past(self.barged_past(&queue));
        queue.turns.claims += 1;
        over.claimed_in::<R>(record, queue, seen, Share::of_thread(self.wait.mode, ts), site)
    }

    /// Nobody has to wait any more, and nobody has waited: what was asked for is there.
    pub fn withdrawn(mut self) {
        self.leave();
    }

    /// The lock was not had in time, or there is no use in having it.
    pub fn failed(mut self, outcome: Outcome) {
        self.leave();
        if let Some(over) = self.over() {
            over.failed(outcome);
        }
    }

    /// The last release since it waits is its hand-over.
    pub(crate) fn note_grant(&self, queue: &Queue) {
        if let Some(mark) = self.release_seen(queue) {
            self.wait.grant.set(&mark);
        }
    }

    fn release_seen(&self, queue: &Queue) -> Option<Granted> {
        let mark = queue.turns.before(self.wait.mode)?;
        self.wait.since().is_some_and(|since| mark.at >= since).then_some(mark)
    }

    pub(crate) fn over(&self) -> Option<Over<'_>> {
        let Self { lock, wait, ticket, .. } = self;
        let waiter = wait.waiter.as_ref()?;
        Some(Over { lock, wait, waiter, ticket: *ticket, polls: 1, deferred_at: 0 })
    }

    fn leave(&mut self) {
        self.is_over = true;
        let record = self.lock.record_or_new();
        let mut queue = record.queue();
        let _unserved = queue.leave(self.ticket);
        record.note_waiting(&queue);
    }

    /// How many got the lock that asked for it later; of interest only to one that wants it alone.
    fn barged_past(&self, queue: &Queue) -> u64 {
        if self.wait.mode == Mode::Shared {
            return 0;
        }
        let served = self.ahead.saturating_sub(queue.ahead_of(self.ticket));
        queue.turns.claims.wrapping_sub(self.claims).saturating_sub(served)
    }
}

impl Drop for ThreadWait<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.leave();
        if let Some(over) = self.over() {
            over.abandoned(clock::now());
        }
    }
}

#[cold]
fn tell_own(lock: &Lock, mode: Mode, waiter: &Waiter, (cell, hold): &Holder) {
    finding::count(finding::Key {
        kind: FindingKind::SelfDeadlock,
        series: lock.series(mode),
        pool: 0,
        owner: waiter.label,
        site: Some(waiter.site),
        holder: Some((cell.label_at(hold.site), hold.site)),
    });
}
