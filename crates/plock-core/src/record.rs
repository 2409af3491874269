//! What a lock knows about its contention: who waits, in order, who holds it together with others,
//! and how long each holder has kept it. Made at the first contention of a lock, gone with it.
//!
//! The queue lives under a mutex that only contended paths take. From it follows who is to blame for
//! how much: a holder that had the lock alone charges its hold to its label, a waiter takes the
//! difference of all charges between its block and its claim. Both ends are integers of one clock,
//! so the shares of a wait and the rest sum to its queue time exactly.

use crate::name::Label;
use crate::owner::{HoldRef, OwnerCell};
use crate::slots::{self, HoldInfo};
use crate::wait::Wait;
use crate::{Dropped, Kind, Mode, loss, slab};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Readers or permit holders a lock can name at once.
const HOLDERS: usize = 8;
/// Labels a lock charges separately; further ones share one more entry.
const CHARGED: usize = 32;
/// Attempts one lock keeps in order by name; further ones are timed only.
const QUEUED: usize = 65_536;
/// Cells looked at when a lock becomes contended for the first time.
const SCAN: u32 = 4096;

/// The owner and the hold behind a key; `None` once the hold has ended. The owner is the one it
/// counts for by now, if the scope that acquired has ended before its guard.
pub(crate) fn look_up(key: u64) -> Option<(&'static OwnerCell, HoldInfo)> {
    let cell = slab::get(slots::owner_of(key))?;
    let hold = cell.slots.get(key)?;
    Some((HoldRef { cell, key }.now_in(), hold))
}

#[derive(Debug)]
pub(crate) struct Record {
    /// First series of the lock's class.
    pub(crate) series: u32,
    /// Length of the queue, readable without the mutex.
    waiting: AtomicU32,
    /// Keys of readers or permit holders; 0 = free. Writers: acquire and release of those
    /// modes, by compare-and-swap. Readers: blocked attempts and snapshots. A name can be missing
    /// (`HOLDERS` full, or acquired while the record was being made), a count is never taken here.
    holders: [AtomicU64; HOLDERS],
    /// The exclusive hold, copied from the lock for snapshots; 0 = none known.
    pub(crate) who: AtomicU64,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
pub(crate) struct Queue {
    next: u64,
    waits: BTreeMap<u64, Arc<Wait>>,
    /// Time each label has held the lock while somebody waited, ever; permits count each.
    charged: Vec<Charge>,
    /// Sum of the block instants of all that are queued.
    since_sum: u128,
    /// Those among them that were queued before the present holder claimed.
    before: u64,
    before_since: u128,
    before_ticket: u64,
    /// Permits free if the queue were not there.
    pub(crate) free: u64,
}

/// Time a label is charged with, and where it last acquired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    pub(crate) label: Label,
    pub(crate) ns: u64,
    pub(crate) site: &'static Location<'static>,
}

static RECORDS: Mutex<Vec<Weak<Record>>> = Mutex::new(Vec::new());

impl Record {
    /// Makes the record of a lock and lists it for snapshots. `lock` finds those that hold it
    /// already: from here on they are tracked one by one.
    pub(crate) fn new(series: u32, kind: Kind, lock: usize, who: u64) -> Arc<Self> {
        let this = Arc::new(Self {
            series,
            waiting: AtomicU32::new(0),
            holders: [const { AtomicU64::new(0) }; HOLDERS],
            who: AtomicU64::new(who),
            queue: Mutex::default(),
        });
        let mut records = RECORDS.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() == records.capacity() {
            records.retain(|record| record.strong_count() > 0);
        }
        records.push(Arc::downgrade(&this));
        drop(records);
        if kind == Kind::Mutex {
            return this; // nobody holds it together with others
        }
        slab::each_live_of(SCAN, |cell| {
            for (key, hold) in cell.all_holds() {
                if hold.lock == lock && !hold.share.is_exclusive() {
                    this.add_holder(HoldRef { cell, key });
                }
            }
        });
        this
    }

    /// Every record whose lock is alive.
    pub(crate) fn all() -> Vec<Arc<Self>> {
        RECORDS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }

    pub(crate) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        self.waiting.load(Relaxed) > 0
    }

    /// Names the holder of a lock that has been contended before.
    #[inline]
    pub(crate) fn note_holder(&self, hold: HoldRef, mode: Mode) {
        match mode {
            // ORDERING: pairs with Acquire where a snapshot looks the word up.
            Mode::Exclusive => self.who.store(hold.key, Release),
            Mode::Shared | Mode::Permit => self.add_holder(hold),
        }
    }

    /// The same hold ends. Whether it was named: one that was not is charged to nobody.
    #[inline]
    pub(crate) fn note_release(&self, hold: HoldRef, mode: Mode) -> bool {
        match mode {
            Mode::Exclusive => {
                self.who.store(0, Release);
                true
            }
            Mode::Shared | Mode::Permit => self.remove_holder(hold),
        }
    }

    #[cold]
    pub(crate) fn add_holder(&self, hold: HoldRef) {
        let word = hold.key;
        if self.holders.iter().any(|slot| slot.load(Relaxed) == word) {
            return; // found by the scan and by itself
        }
        // ORDERING: Release pairs with Acquire in `holders`; the hold was published before.
        let claim = |slot: &AtomicU64| slot.compare_exchange(0, word, Release, Relaxed).is_ok();
        if self.holders.iter().any(claim) {
            return;
        }
        // A hold that ended while the record was being made has left its word behind.
        let replace = |slot: &AtomicU64| {
            let known = slot.load(Acquire);
            look_up(known).is_none() && slot.compare_exchange(known, word, Release, Relaxed).is_ok()
        };
        if !self.holders.iter().any(replace) {
            loss::count(Dropped::Holders, 1);
        }
    }

    #[cold]
    pub(crate) fn remove_holder(&self, hold: HoldRef) -> bool {
        let word = hold.key;
        let remove = |slot: &AtomicU64| slot.compare_exchange(word, 0, Release, Relaxed).is_ok();
        self.holders.iter().any(remove)
    }

    /// The readers or permit holders that are known.
    pub(crate) fn holders(&self) -> impl Iterator<Item = (&'static OwnerCell, HoldInfo)> {
        self.holders
            .iter()
            .map(|slot| slot.load(Acquire))
            .filter(|word| *word != 0)
            .filter_map(look_up)
    }

    /// Puts an attempt into the queue; its ticket is its place. `free` counts if it is the first.
    pub(crate) fn enqueue(&self, queue: &mut Queue, wait: Arc<Wait>, free: u64) -> Option<u64> {
        if queue.waits.len() >= QUEUED {
            loss::count(Dropped::Waits, 1);
            return None;
        }
        if queue.waits.is_empty() {
            (queue.before, queue.before_since) = (0, 0);
            queue.free = free;
        }
        let ticket = queue.next;
        queue.next += 1;
        queue.since_sum += u128::from(wait.since);
        queue.waits.insert(ticket, wait);
        self.waiting.store(queue.len(), Relaxed);
        Some(ticket)
    }

    pub(crate) fn dequeue(&self, queue: &mut Queue, ticket: u64) {
        let Some(wait) = queue.waits.remove(&ticket) else { return };
        let since = u128::from(wait.since);
        queue.since_sum -= since;
        if ticket < queue.before_ticket && queue.before > 0 {
            queue.before -= 1;
            queue.before_since = queue.before_since.saturating_sub(since);
        }
        self.waiting.store(queue.len(), Relaxed);
    }
}

impl Queue {
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.waits.len()).unwrap_or(u32::MAX)
    }

    /// Those queued before `ticket`.
    pub(crate) fn ahead(&self, ticket: u64) -> impl Iterator<Item = &Arc<Wait>> {
        self.waits.range(..ticket).map(|(_, wait)| wait)
    }

    /// Everyone queued, first come first.
    pub(crate) fn waits(&self) -> impl Iterator<Item = &Arc<Wait>> {
        self.waits.values()
    }

    /// A waiter has claimed: all that are queued now wait for it from the start of its hold.
    pub(crate) fn claimed(&mut self, weight: u64) {
        self.before = u64::from(self.len());
        self.before_since = self.since_sum;
        self.before_ticket = self.next;
        self.free = self.free.saturating_sub(weight);
    }

    /// A hold of `since..end` by `label` ends, alone on the lock. Returns how many wait and how
    /// much of their waiting fell into the hold.
    pub(crate) fn charge(&mut self, charge: Charge, since: u64, end: u64) -> (u64, u64) {
        let held = end.saturating_sub(since);
        self.add(Charge { ns: held, ..charge });
        let queued = u64::from(self.len());
        let later = queued.saturating_sub(self.before);
        let later_since = self.since_sum.saturating_sub(self.before_since);
        let during = (u128::from(later) * u128::from(end)).saturating_sub(later_since);
        let inflicted = u128::from(self.before) * u128::from(held) + during;
        (queued, u64::try_from(inflicted).unwrap_or(u64::MAX))
    }

    /// Charges a label without asking whom it kept waiting: it did not hold the lock alone.
    pub(crate) fn add(&mut self, charge: Charge) {
        if let Some(known) = self.charged.iter_mut().find(|known| known.label == charge.label) {
            known.ns += charge.ns;
            known.site = charge.site;
        } else if self.charged.len() < CHARGED || charge.label == Label::OVERFLOW {
            self.charged.push(charge);
        } else {
            loss::count(Dropped::Edges, 1);
            self.add(Charge { label: Label::OVERFLOW, ..charge });
        }
    }

    pub(crate) fn charged(&self) -> &[Charge] {
        &self.charged
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
