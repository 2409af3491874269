//! What an owner has to do with locks: its guards, how many, and what its span will say of them. Most
//! scopes that wait for something have never acquired anything; so this is beside the cell, made when
//! its first owner acquires that does, and kept with it. A hold is named by its cell all the same.

use crate::life::Tally;
use crate::owner::Totals;
use crate::slots::{self, HoldInfo, Slot, Slots};
use std::sync::LazyLock;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Holds {
    pub(crate) slots: Slots,
    pub(crate) tally: Tally,
    pub(crate) totals: Totals,
}

/// Those of all cells in which nobody has acquired anything: no slot is free, so who claims finds that it
/// has to make some, and until then nothing is written. In place of a null, which the fast path had to look for.
static NONE: LazyLock<Holds> = LazyLock::new(|| Holds::with(Slots::none()));

impl Holds {
    fn with(slots: Slots) -> Self {
        Self { slots, tally: Tally::new(), totals: Totals::default() }
    }

    /// What a new cell has. A model has its own from the start, since nothing of a model may be static.
    pub(super) fn at_first() -> &'static Self {
        if cfg!(loom) { Self::new() } else { &NONE }
    }

    /// As the cell, never freed.
    pub(super) fn new() -> &'static Self {
        Box::leak(Box::new(Self::with(Slots::new())))
    }

    pub(super) fn are_none(&self) -> bool {
        !cfg!(loom) && std::ptr::eq(self, &raw const *NONE)
    }

    /// Its owner is over, and all of its guards.
    pub(super) fn clear(&self) {
        if !self.are_none() {
            self.totals.clear();
        }
    }

    /// Enters a hold of the owner at `place`, in a slot known to be free; only the owner calls this.
    /// Returns its key.
    #[inline(always)]
    pub(crate) fn claim_in(&self, slot: (u64, &Slot), place: u64, hold: &HoldInfo) -> u64 {
        slot.1.write(hold);
        let key = slots::key_of(place, self.tally.claim()) | slot.0;
        slot.1.publish(key);
        key
    }

    /// Ends a hold in this slot, on the owner's own path.
    #[inline]
    pub(crate) fn release_in(&self, slot: &Slot) {
        slot.release();
        self.tally.release();
    }

    /// The owner has so many guards, on its whole path.
    #[inline(always)]
    pub(crate) fn note_depth(&self, depth: u64) {
        if depth > u64::from(self.totals.nesting_max.load(Relaxed)) {
            let depth = u32::try_from(depth).unwrap_or(u32::MAX);
            self.totals.nesting_max.store(depth, Relaxed);
        }
    }

    /// A hold of the owner that it released itself.
    #[inline]
    pub(crate) fn note_hold(&self, series: u32, ns: u64) {
        self.totals.hold.add(ns);
        if ns > self.totals.hold_max.get() {
            self.totals.hold_max.set(ns);
            self.totals.hold_max_series.store(series, Relaxed);
        }
    }
}
