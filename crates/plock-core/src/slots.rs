//! The holds of one owner: eight published slots, and a spill list behind them. Four are there as soon as
//! one is needed; the others are made for owners that ever hold more at once, and kept.
//!
//! # Protocol
//! A slot is free (`key == 0`) or carries one hold under a key that is never used again in its cell.
//!
//! | who | does | ordering |
//! |---|---|---|
//! | the owner, claiming | picks a free slot, fence, stores the fields, then the key | fields `Relaxed` between `fence(Release)` and key `Release` |
//! | whoever releases | stores 0 into the key | `Release`: the fields were read before |
//! | any reader | key, fields, fence, key again; equal and asked for = all of one hold | `Acquire`, `Relaxed`, `fence(Acquire)`, `Relaxed` |
//!
//! One owner claims at a time (a scope is polled by one thread, a task likewise, a thread is one),
//! and a key is released once, by the guard that carries it. So no slot operation needs a
//! read-modify-write. Holds beyond the slots are kept in a list under the owner's slow mutex and
//! counted; their depth is right, their details are not published.

use crate::Share;
use crate::published::Published;
use crate::sync::{AtomicPtr, AtomicU64, Ordering, fence};
use std::panic::Location;

/// Published holds per owner: as many as most ever have at once, and further ones.
const FIRST: usize = if cfg!(loom) { 1 } else { 4 };
const FURTHER: usize = if cfg!(loom) { 0 } else { 4 };
/// Low bits of a key that say which slot; this value says: none, spilled. Above them the owner's place
/// in the slab, then its running number of claims: so a key names a hold to everybody.
const SLOT_BITS: u32 = 4;
pub(crate) const SPILLED: u64 = (1 << SLOT_BITS) - 1;
const OWNER_BITS: u32 = 24;

/// All of a key but the slot. Claims wrap around after 68 thousand million; no cell has place 0, so
/// a key is never 0.
#[inline(always)]
pub(crate) const fn key_of(place: u64, claim: u64) -> u64 {
    claim << (SLOT_BITS + OWNER_BITS) | place
}

/// Where a key has its owner's place in the slab.
pub(crate) const fn place_of(owner: u32) -> u64 {
    (owner as u64) << SLOT_BITS
}

/// The owner's place in the slab.
#[expect(clippy::cast_possible_truncation, reason = "OWNER_BITS wide")]
pub(crate) const fn owner_of(key: u64) -> u32 {
    (key >> SLOT_BITS) as u32 & ((1 << OWNER_BITS) - 1)
}

/// What is known of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HoldInfo {
    /// Identity of the lock (its address; only compared).
    pub(crate) lock: usize,
    /// When it was claimed.
    pub(crate) since: u64,
    pub(crate) site: &'static Location<'static>,
    pub(crate) series: u32,
    pub(crate) share: Share,
    /// The owner's suspended time at the claim.
    pub(crate) suspended: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    key: AtomicU64,
    lock: AtomicU64,
    since: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    suspended: AtomicU64,
    /// Share and series in one word.
    what: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Slots {
    first: [Slot; FIRST],
    further: Published<[Slot; FURTHER]>,
}

impl Slots {
    pub(crate) fn new() -> Self {
        Self { first: std::array::from_fn(|_| Slot::default()), further: Published::nothing() }
    }

    /// Without a slot that could be used: each looks like that of a hold of which nothing can be read.
    pub(crate) fn none() -> Self {
        let this = Self::new();
        this.first.iter().for_each(|slot| slot.key.store(u64::MAX, Ordering::Relaxed));
        this
    }

    /// A slot that the next claim can have, and its number, unless the owner has many holds.
    #[inline(always)]
    pub(crate) fn free(&self) -> Option<(u64, &Slot)> {
        (0..).zip(&self.first).find(|(_, slot)| slot.is_free())
    }

    #[cold]
    fn further_free(&self) -> Option<(u64, &Slot)> {
        if self.further.get().is_none() {
            self.further.set(Box::leak(Box::default())); // as the cell of the owner, never freed
        }
        let further = self.further.get()?;
        (FIRST as u64..).zip(further).find(|(_, slot)| slot.is_free())
    }

    /// Publishes a hold under `key`, completed by the slot.
    pub(crate) fn claim(&self, key: u64, hold: &HoldInfo) -> u64 {
        let free = self.free().or_else(|| self.further_free());
        let Some((number, slot)) = free else { return key | SPILLED };
        slot.write(hold);
        slot.publish(key | number);
        key | number
    }

    /// Ends a hold. The caller has read what it needs. Spilled keys are not here.
    #[inline]
    pub(crate) fn release(&self, key: u64) {
        if let Some(slot) = self.slot(key) {
            slot.release();
        }
    }

    /// The hold with this key, unless it has ended.
    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<HoldInfo> {
        self.slot(key)?.read(key)
    }

    /// A write guard became a read guard: the same hold goes on in another mode. Only whoever has
    /// the guard calls this; a reader in between sees the one or the other.
    pub(crate) fn downgrade(&self, key: u64, series: u32, since: u64, suspended: u64) {
        if let Some(slot) = self.slot(key) {
            let (_, share) = parts(slot.what.load(Ordering::Relaxed));
            slot.what.store(what(series, share.downgraded()), Ordering::Relaxed);
            slot.since.store(since, Ordering::Relaxed);
            slot.suspended.store(suspended, Ordering::Relaxed);
        }
    }

    /// Permits were split off or merged in.
    pub(crate) fn set_weight(&self, key: u64, weight: u32) {
        if let Some(slot) = self.slot(key) {
            let (series, share) = parts(slot.what.load(Ordering::Relaxed));
            slot.what.store(what(series, Share::new(share.mode(), weight)), Ordering::Relaxed);
        }
    }

    /// Marks the holds by guards of a thread, and calls `f` for each that was not marked yet. Only
    /// whoever polls the owner calls this.
    pub(crate) fn strand(&self, mut f: impl FnMut(&HoldInfo)) {
        for (key, hold) in self.each() {
            if let Some((slot, share)) = self.slot(key).zip(hold.share.stranded()) {
                slot.what.store(what(hold.series, share), Ordering::Relaxed);
                f(&hold);
            }
        }
    }

    /// Every hold that could be read whole.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u64, HoldInfo)> {
        self.first.iter().chain(self.further.get().into_iter().flatten()).filter_map(|slot| {
            // ORDERING: pairs with Release in `publish`; makes the fields of that key visible.
            let key = slot.key.load(Ordering::Acquire);
            (key != 0).then(|| slot.read(key)).flatten().map(|hold| (key, hold))
        })
    }

    /// Where the hold with this key is, unless it is spilled.
    #[inline]
    pub(crate) fn slot(&self, key: u64) -> Option<&Slot> {
        let further = || self.further.get()?.get((key & SPILLED) as usize - FIRST);
        self.usual_slot(key).or_else(further)
    }

    /// The same if it is one of the first.
    #[inline(always)]
    pub(crate) fn usual_slot(&self, key: u64) -> Option<&Slot> {
        self.first.get((key & SPILLED) as usize)
    }
}

/// Bits of a series number.
const SERIES_BITS: u32 = 16;

#[inline(always)]
const fn what(series: u32, share: Share) -> u64 {
    share.0 << SERIES_BITS | series as u64
}

const fn parts(what: u64) -> (u32, Share) {
    let series = what & ((1 << SERIES_BITS) - 1);
    (series as u32, Share(what >> SERIES_BITS))
}

impl Slot {
    #[inline(always)]
    fn is_free(&self) -> bool {
        self.key.load(Ordering::Relaxed) == 0
    }

    /// When the hold was claimed; the guard that carries it needs no double read.
    #[inline(always)]
    pub(crate) fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    /// The owner's suspended time at the claim; for the guard as well.
    #[inline(always)]
    pub(crate) fn suspended(&self) -> u64 {
        self.suspended.load(Ordering::Relaxed)
    }

    /// Ends the hold. The caller has read what it needs.
    #[inline(always)]
    pub(crate) fn release(&self) {
        self.key.store(0, Ordering::Release);
    }

    /// Writes all that is known of a hold but its key.
    #[inline(always)]
    pub(crate) fn write(&self, hold: &HoldInfo) {
        // ORDERING: pairs with the Acquire fence in `read`; keeps the new fields behind the old
        // key's end, so a reader that saw a new field sees the key changed.
        fence(Ordering::Release);
        self.lock.store(hold.lock as u64, Ordering::Relaxed);
        self.since.store(hold.since, Ordering::Relaxed);
        self.site.store(std::ptr::from_ref(hold.site).cast_mut(), Ordering::Relaxed);
        self.suspended.store(hold.suspended, Ordering::Relaxed);
        self.what.store(what(hold.series, hold.share), Ordering::Relaxed);
    }

    /// Publishes what has been written.
    #[inline(always)]
    pub(crate) fn publish(&self, key: u64) {
        // ORDERING: pairs with Acquire in `read` and `each`; publishes the fields.
        self.key.store(key, Ordering::Release);
    }

    fn read(&self, key: u64) -> Option<HoldInfo> {
        // ORDERING: pairs with Release in `publish`; makes the fields of that key visible.
        if self.key.load(Ordering::Acquire) != key {
            return None;
        }
        let site = self.site.load(Ordering::Relaxed);
        let (lock, since) = (self.lock.load(Ordering::Relaxed), self.since.load(Ordering::Relaxed));
        let suspended = self.suspended.load(Ordering::Relaxed);
        let (series, share) = parts(self.what.load(Ordering::Relaxed));
        // ORDERING: pairs with the Release fence in `write`; a field of a later hold seen above
        // makes the key change visible below.
        fence(Ordering::Acquire);
        if self.key.load(Ordering::Relaxed) != key {
            return None;
        }
        #[expect(unsafe_code, reason = "a static location is kept in an atomic pointer")]
        // SAFETY: only `write` stores here, and only pointers made from `&'static Location`.
        let site = unsafe { site.as_ref() }?;
        #[expect(clippy::cast_possible_truncation, reason = "was a usize")]
        let lock = lock as usize;
        Some(HoldInfo { lock, since, site, series, share, suspended })
    }
}

#[cfg(all(test, not(loom)))]
#[path = "slots_tests.rs"]
mod tests;
