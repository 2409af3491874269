//! What a lock knows about its contention: who waits, and who holds it together with others. Made at
//! the first contention of a lock, gone with it.
//!
//! Every acquisition and release of such a lock looks here for waiters, on whatever processor. So nothing is
//! written here by those that have it alone: with a copy of who that is, for snapshots, two threads that
//! hammered one lock took three times as long. A snapshot finds the holder among all open holds instead.

use crate::owner::{HoldRef, OwnerCell};
use crate::queue::Queue;
use crate::slots::{self, HoldInfo};
use crate::sync::{Mutex, MutexGuard};
use crate::{Dropped, Kind, Mode, holders, loss, slab};
use smallvec::SmallVec;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicUsize, fence};
use std::sync::{Arc, Mutex as Unmodelled, PoisonError, Weak};

/// Cells looked at when a lock becomes contended for the first time.
const SCAN: u32 = 4096;

/// The owner and the hold behind a key; `None` once the hold has ended. The owner is the one it
/// counts for by now, if the scope that acquired has ended before its guard.
pub(crate) fn look_up(key: u64) -> Option<(&'static OwnerCell, HoldInfo)> {
    let cell = slab::get(slots::owner_of(key))?;
    let hold = cell.holds().slots.get(key)?;
    Some((HoldRef { cell, key }.now_in(), hold))
}

#[derive(Debug)]
pub(crate) struct Record {
    /// First series of the lock's class.
    pub(crate) series: u32,
    kind: Kind,
    /// Length of the queue, readable without the mutex.
    waiting: AtomicU32,
    /// Readers or permit holders. A name can be missing (there was no room, or it was acquired while
    /// the record was being made), a count is never taken here.
    together: holders::Holders,
    /// Identity of the lock when somebody queued last: it stays where it is while anybody does.
    lock: AtomicUsize,
    queue: Mutex<Queue>,
}

/// Who holds a lock, as it was looked up.
pub(crate) type Holder = (&'static OwnerCell, HoldInfo);
/// One, unless they are readers or permit holders.
pub(crate) type Holders = SmallVec<[Holder; 1]>;

static RECORDS: Unmodelled<Vec<Weak<Record>>> = Unmodelled::new(Vec::new());

impl Record {
    /// Makes the record of a lock and lists it for snapshots. `lock` finds those that hold it
    /// already: from here on they are tracked one by one.
    pub(crate) fn new(series: u32, kind: Kind, lock: usize) -> Arc<Self> {
        let this = Arc::new(Self {
            series,
            kind,
            waiting: AtomicU32::new(0),
            together: holders::Holders::none(),
            lock: AtomicUsize::new(lock),
            queue: Mutex::new(Queue::default()),
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

    /// Names the holder of a lock that has been contended before. Who has it alone is named by the lock.
    #[inline]
    pub(crate) fn note_holder(&self, hold: HoldRef, mode: Mode) {
        match mode {
            Mode::Exclusive => {}
            Mode::Shared | Mode::Permit => self.add_holder(hold),
        }
    }

    /// The same hold ends. Whether it was named: one that was not is charged to nobody.
    #[inline]
    pub(crate) fn note_release(&self, hold: HoldRef, mode: Mode) -> bool {
        match mode {
            Mode::Exclusive => true,
            Mode::Shared | Mode::Permit => self.remove_holder(hold),
        }
    }

    #[cold]
    pub(crate) fn add_holder(&self, hold: HoldRef) {
        if !self.together.add(hold.key, |known| look_up(known).is_none()) {
            loss::count(Dropped::Holders, 1);
        }
    }

    #[cold]
    pub(crate) fn remove_holder(&self, hold: HoldRef) -> bool {
        self.together.remove(hold.key)
    }

    /// Whoever holds the lock; `who` has it alone.
    pub(crate) fn holders(&self, who: u64) -> Holders {
        let alone = (who != 0).then(|| look_up(who)).flatten();
        if self.kind == Kind::Mutex {
            return alone.into_iter().collect();
        }
        alone.into_iter().chain(self.together.keys().filter_map(look_up)).collect()
    }

    /// Says where the lock is, which somebody queues for.
    pub(crate) fn note_lock(&self, lock: usize) {
        self.lock.store(lock, Relaxed);
    }

    /// Where the lock is, if anybody queues for it.
    pub(crate) fn lock(&self) -> usize {
        self.lock.load(Relaxed)
    }

    /// Says that the queue gets longer, to a holder that is about to let go: either it sees that, or whoever
    /// looks from here on sees that it has let go.
    pub(crate) fn announce(&self, queue: &Queue) {
        self.waiting.store(queue.len() + 1, Relaxed);
        // ORDERING: a store, then the loads of the look. The holder's side, a store of 0 and a load of this,
        // has no fence of its own: it would cost every release of a lock that was ever contended.
        fence(SeqCst);
    }

    /// Says how long the queue is; the caller has changed it.
    pub(crate) fn note_waiting(&self, queue: &Queue) {
        self.waiting.store(queue.len(), Relaxed);
    }
}
