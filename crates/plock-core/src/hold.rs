//! The part of plock inside every guard: an open hold, and every way it can end or change.
//!
//! The order on release is: end the publication, unlock, read the clock, account; what runs before the
//! unlock is one store. If somebody waits: end the publication, read the clock, charge, unlock, account.
//! Then the last charge, the end of the hold and the hand-over are one moment.

use crate::account::{Books, account_exclusive_part, account_now};
use crate::current::{Runtime, owner_for_claim};
use crate::lock::{Lock, Share, Start};
use crate::owner::{HoldRef, Role};
use crate::queue::Charge;
use crate::record::Record;
use crate::release::Releasing;
use crate::{EndCause, Mode, blame, clock, shard, task, thread};
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

    /// A write guard becomes a read guard: the exclusive segment of the hold ends, the shared one
    /// begins, under the same hold. `downgrade` does it on the wrapped lock.
    pub fn downgrade<R: Runtime, T>(&mut self, lock: &Lock, downgrade: impl FnOnce() -> T) -> T {
        let Some(at) = self.at else { return downgrade() };
        let now = clock::now();
        lock.publish(0);
        let releasing = Releasing::new(lock.id(), EndCause::Downgrade).by(at, now);
        if let Some(record) = lock.record() {
            let named = record.note_release(at, Mode::Exclusive);
            if record.has_waiters() {
                charge_holder(record, at, Share::EXCLUSIVE, named, now);
            }
            record.add_holder(at);
        }
        let out = releasing.during(downgrade);
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

/// Charges a holder's label for the time others waited, and notes on its own scope whom it kept
/// waiting.
fn charge_holder(record: &Record, at: HoldRef, share: Share, named: bool, now: u64) {
    let Some(hold) = at.info() else { return };
    // If the clock jumped meanwhile, nobody knows for how long: for nothing.
    let now = if clock::has_jumped(hold.since, now) { hold.since } else { now };
    let cell = at.now_in();
    if !share.is_exclusive() {
        let charge = blame::running(cell, &hold, now);
        let mut queue = record.queue();
        queue.free += u64::from(share.weight());
        if named {
            queue.add(charge);
        }
        return;
    }
    let label = cell.label_at(hold.site);
    let charge = Charge { label, ns: 0, site: hold.site };
    let (queued, inflicted) = record.queue().charge(charge, hold.since, now);
    cell.note_blocked_others(queued, inflicted);
}

impl HoldRef {
    /// Out of line, once per kind of lock: what a guard's drop takes is the call.
    #[inline(never)]
    fn end<R: Runtime>(self, lock: &Lock, share: Share, unlock: impl FnOnce(&Releasing)) {
        if share.is_exclusive() {
            lock.publish(0);
        }
        let charged_at = lock.record().map_or(0, |record| leave_record(record, self, share));
        let books = Books::<R>::open(self, lock.series(share.mode()), charged_at);
        unlock(&Releasing::new(lock.id(), EndCause::Release).by(self, charged_at));
        books.close();
    }
}
