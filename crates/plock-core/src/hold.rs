//! The part of plock inside every guard: an open hold, and every way it can end or change.
//!
//! The order on release is: end the publication, read the clock, unlock, account; what runs before the
//! unlock is one store and one reading. If somebody waits, the charge comes before the unlock as well:
//! then the last charge, the end of the hold and the hand-over are one moment.
//!
//! The clock is read before the unlock because a reading afterwards waits for it, and everything that
//! depends on the reading has to be stored before the next lock can be taken: 10 of 59 ns. Also the holds of
//! one lock never overlap like this. Two kinds of locks read it afterwards: those that block threads and have
//! been contended, where others may be spinning for a section shorter than the reading, and those whose queue
//! is not ours, whose unlock may wake others on its own.

use crate::account::{Books, account, account_at, account_exclusive_part, account_now};
use crate::current::{Runtime, owner_for_claim};
use crate::grant::{Granted, Releaser};
use crate::lock::{Lock, Start};
use crate::owner::{HoldRef, OwnerCell, Role};
use crate::permits::Permits;
use crate::queue::{Charge, Inflicted, Queue};
use crate::record::Record;
use crate::release::Releasing;
use crate::share::{Alone, InMode, Permitted, Share, Together};
use crate::slots::HoldInfo;
use crate::{EndCause, Mode, blame, clock, shard, spun, task, thread};
use std::panic::Location;

/// The part of a guard that ends up in the figures. Empty when it was acquired with recording off.
#[derive(Debug, Default)]
#[must_use = "a hold that is dropped without `release` stays open for ever"]
pub struct Hold {
    // Owner and key, nothing else: two words come back from `acquired` in registers. Through memory
    // they would be stored as words and read back as one vector, which the processor cannot forward.
    pub(crate) at: Option<HoldRef>,
}

impl Hold {
    /// Whether it is in the figures.
    #[inline]
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.at.is_some()
    }

    /// Takes the hold out, so that another guard can carry it on.
    #[inline]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Ends the hold around `unlock`: first the lock is free, then the accounts are made. What in
    /// there may wake waiters has to run in [`Releasing::during`].
    #[inline(always)] // the guard's two words stay in registers
    pub fn release<R: Runtime>(
        &mut self,
        lock: &Lock,
        share: Share,
        unlock: impl FnOnce(&Releasing),
    ) {
        match self.at.take() {
            Some(at) => at.end::<R>(lock, share, unlock),
            // Waiters may be recorded although this guard is not: they learn how it ended.
            None => unlock(&Releasing::new(lock.id(), EndCause::Release)),
        }
    }

    /// As [`release`](Self::release), of a lock that blocks threads: those that wait are told just before
    /// `unlock`, which calls nothing of the application's.
    #[inline(always)]
    pub fn release_blocking<R: Runtime>(
        &mut self,
        lock: &Lock,
        share: Share,
        unlock: impl FnOnce(),
    ) {
        match self.at.take() {
            Some(at) => at.end_out_of_line::<R>(lock, share, unlock),
            None => {
                lock.let_go_unrecorded();
                unlock();
            }
        }
    }

    /// A write guard becomes a read guard: the exclusive segment of the hold ends, the shared one
    /// begins, under the same hold. `downgrade` does it on the wrapped lock; what it is given tells
    /// those that it hands over to.
    pub fn downgrade<R: Runtime, T>(
        &mut self,
        lock: &Lock,
        downgrade: impl FnOnce(&Releasing) -> T,
    ) -> T {
        let releasing = Releasing::new(lock.id(), EndCause::Downgrade);
        let Some(at) = self.at else { return downgrade(&releasing) };
        let now = clock::now();
        lock.publish(0);
        if let Some(record) = lock.record() {
            let named = record.note_release(at, Mode::Exclusive);
            if record.has_waiters() {
                charge_holder(record, at, Share::EXCLUSIVE, named, now);
            }
            record.add_holder(at);
        }
        let out = downgrade(&releasing.by(at, now));
        let ts = thread::state();
        account_exclusive_part::<R>(ts, at, lock.series(Mode::Exclusive), now);
        let shared = lock.series(Mode::Shared);
        shard::with(ts, shared, |shard| shard.acquired(at.cell.depth().max(1)));
        at.downgrade(shared, now);
        out
    }

    /// A second hold for permits that were split off; both keep the moment of the claim.
    pub fn split<R: Runtime>(
        &self,
        lock: &Lock,
        rest: u32,
        split: u32,
        site: &'static Location<'static>,
    ) -> Self {
        let Some(at) = self.at else { return Self::default() };
        at.set_weight(rest);
        lock.acquired::<R>(Start::at(at.since()), Share::permits(split), site)
    }

    /// The permits of another guard joined this one; that guard's hold ends without a release.
    pub fn merge<R: Runtime>(&self, other: &mut Self, lock: &Lock, total: u32) {
        if let Some(at) = self.at {
            at.set_weight(total);
        }
        other.forget::<R>(lock, Mode::Permit);
    }

    /// Ends the hold although nothing is released: the permits are gone for good.
    pub fn forget<R: Runtime>(&mut self, lock: &Lock, mode: Mode) {
        let Some(at) = self.at.take() else { return };
        if let Some(record) = lock.record() {
            record.remove_holder(at);
        }
        account_now::<R>(at, lock.series(mode));
    }

    /// Makes whoever runs here the owner of the hold: for guards that were handed over on purpose.
    /// The nesting depth of both owners changes at once.
    pub fn adopt<R: Runtime>(&mut self, lock: &Lock, share: Share) {
        let Some(from) = self.at else { return };
        let ts = thread::state();
        let Some(cell) = owner_for_claim::<R>(ts) else { return };
        let has_it = std::ptr::eq(cell, from.now_in());
        let Some(to) = (!has_it).then(|| cell.adopt_from(from)).flatten() else {
            if cell.role() == Role::Task {
                task::let_go(cell);
            }
            return;
        };
        if from.cell.role() == Role::Task {
            task::let_go(from.cell);
        }
        self.at = Some(to);
        if share.mode() == Mode::Exclusive {
            lock.publish(to.key);
        }
        if let Some(record) = lock.record() {
            record.remove_holder(from);
            record.note_holder(to, share.mode());
        }
    }
}

/// Ends the publication in the record of a lock that has been contended. If somebody waits, the holder
/// is charged, and the moment of that is the end of its hold; 0 if nobody waits.
#[inline(never)]
fn leave_record(record: &Record, at: HoldRef, share: Share) -> u64 {
    let named = record.note_release(at, share.mode());
    if !record.has_waiters() {
        return 0;
    }
    let now = clock::now();
    charge_holder(record, at, share, named, now);
    now
}

/// As [`leave_record`], of a lock that blocks threads: in the same go the holder leaves word for those
/// that wait, who are handed nothing.
#[inline(never)]
fn tell_threads(record: &Record, at: HoldRef, share: Share) -> u64 {
    let named = record.note_release(at, share.mode());
    if !record.has_waiters() {
        return 0;
    }
    let now = clock::now();
    let (cell, hold) = (at.now_in(), at.info());
    let by = hold.map(|hold| Releaser::of(cell, &hold));
    let mut queue = record.queue();
    queue.turns.let_go(now, EndCause::Release, by);
    if let Some(hold) = hold {
        let inflicted = charge(&mut queue, cell, &hold, share, named, now);
        drop(queue);
        cell.note_blocked_others(inflicted);
    }
    now
}

/// Charges a holder's label for the time others waited, and notes on its own scope whom it kept
/// waiting.
fn charge_holder(record: &Record, at: HoldRef, share: Share, named: bool, now: u64) {
    let Some(hold) = at.info() else { return };
    let cell = at.now_in();
    let inflicted = charge(&mut record.queue(), cell, &hold, share, named, now);
    cell.note_blocked_others(inflicted);
}

/// The part of [`charge_holder`] under the mutex of the queue; says whom it kept waiting.
fn charge(
    queue: &mut Queue,
    cell: &OwnerCell,
    hold: &HoldInfo,
    share: Share,
    named: bool,
    now: u64,
) -> Inflicted {
    // If the clock jumped meanwhile, nobody knows for how long: for nothing.
    let now = if clock::has_jumped(hold.since, now) { hold.since } else { now };
    if share.is_exclusive() {
        let charge = Charge { label: cell.label_at(hold.site), ns: 0, site: hold.site };
        return queue.charge(charge, hold.since, now);
    }
    queue.free += u64::from(share.weight());
    if named {
        queue.add(blame::running(cell, hold, now));
    }
    Inflicted::NONE
}

impl HoldRef {
    #[inline(never)]
    fn end_out_of_line<R: Runtime>(self, lock: &Lock, share: Share, unlock: impl FnOnce()) {
        self.end_blocking::<R>(lock, share, unlock);
    }

    /// Ends the hold of a lock that blocks threads. Of one that was never contended there is nobody to
    /// charge or to tell; in between nothing is kept that an unwinding `unlock` would have to find.
    #[inline(always)]
    pub(crate) fn end_blocking<R: Runtime>(self, lock: &Lock, share: Share, unlock: impl FnOnce()) {
        if share.is_exclusive() {
            lock.publish(0);
        }
        let series = lock.series(share.mode());
        if let Some(record) = lock.record() {
            let told = tell_threads(record, self, share);
            unlock();
            account_at::<R>(self, series, told);
            return spun::file_kept();
        }
        let now = clock::now();
        unlock();
        account::<R>(self, series, now);
        spun::file_kept();
    }

    /// Out of line, once per kind of lock: what a guard's drop takes is the call.
    #[inline(never)]
    pub(crate) fn end<R: Runtime>(
        self,
        lock: &Lock,
        share: Share,
        unlock: impl FnOnce(&Releasing),
    ) {
        if share.is_exclusive() {
            lock.publish(0);
        }
        let charged_at = lock.record().map_or(0, |record| leave_record(record, self, share));
        let books = Books::<R>::open(self, lock.series(share.mode()), charged_at);
        unlock(&Releasing::new(lock.id(), EndCause::Release).by(self, charged_at));
        books.close();
    }

    /// Ends the hold of `n` permits: gives them back and makes the accounts.
    #[inline(always)]
    pub(crate) fn give_back<R: Runtime>(self, permits: &Permits, share: Share, n: u64) {
        match share.mode() {
            Mode::Exclusive => self.give_back_as::<R, Alone>(share, n, permits),
            Mode::Shared => self.give_back_as::<R, Together>(share, n, permits),
            Mode::Permit => self.give_back_as::<R, Permitted>(share, n, permits),
        }
    }

    /// A lock that was never contended has nobody to look after. Whatever is otherwise is the last that
    /// is called here, so that nothing has to be saved for after it. (The permits come last because the
    /// third argument is where the counter is read into.)
    #[inline(never)]
    fn give_back_as<R: Runtime, M: InMode>(self, share: Share, n: u64, permits: &Permits) {
        let lock = permits.lock();
        if M::MODE == Mode::Exclusive {
            lock.publish(0);
        }
        if lock.record().is_some() {
            return self.give_back_contended::<R>(permits, share, n);
        }
        match clock::quick_now() {
            Some(now) => self.give_back_at::<R, M>(permits, share, n, now),
            None => self.give_back_by_another_clock::<R, M>(share, n, permits),
        }
    }

    #[inline(never)]
    fn give_back_by_another_clock<R: Runtime, M: InMode>(
        self,
        share: Share,
        n: u64,
        permits: &Permits,
    ) {
        self.give_back_at::<R, M>(permits, share, n, clock::now());
    }

    #[inline(always)]
    fn give_back_at<R: Runtime, M: InMode>(
        self,
        permits: &Permits,
        share: Share,
        n: u64,
        now: u64,
    ) {
        let is_whole = M::MODE == Mode::Exclusive;
        let is_given = if is_whole { permits.give_whole(n) } else { permits.give(n) };
        if is_given {
            return account::<R>(self, permits.lock().known_series(M::MODE), now);
        }
        self.hand_over::<R>(permits, share, n, None);
    }

    #[inline(never)]
    fn give_back_contended<R: Runtime>(self, permits: &Permits, share: Share, n: u64) {
        let lock = permits.lock();
        let named = lock.record().map(|record| record.note_release(self, share.mode()));
        if lock.record().is_none_or(|record| !record.has_waiters()) {
            let now = clock::now();
            if permits.give(n) {
                return account::<R>(self, lock.known_series(share.mode()), now);
            }
        }
        self.hand_over::<R>(permits, share, n, named);
    }

    /// The same if somebody waits: the holder is charged and the next in line served in one go under
    /// the mutex of the queue. `named` is whether the record knew of the hold, if it has been asked.
    #[cold]
    #[inline(never)]
    fn hand_over<R: Runtime>(self, permits: &Permits, share: Share, n: u64, named: Option<bool>) {
        let lock = permits.lock();
        let record = lock.record_or_new();
        let named = named.unwrap_or_else(|| record.note_release(self, share.mode()));
        let now = clock::now();
        let books = Books::<R>::open(self, lock.series(share.mode()), now); // should a waker panic
        let mut granted = Granted::here(now, EndCause::Release, None);
        let Some(hold) = self.info() else {
            permits.give_to(n, granted);
            return books.close();
        };
        let cell = self.now_in();
        granted.releaser = Some(Releaser::of(cell, &hold));
        let mut queue = record.queue();
        let inflicted = charge(&mut queue, cell, &hold, share, named, now);
        permits.hand_back(record, queue, n, granted);
        cell.note_blocked_others(inflicted);
        books.close();
    }
}
