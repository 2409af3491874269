//! Whom a lock names of those that hold it together: readers and permit holders, by the keys of their
//! holds.
//!
//! # Protocol
//! | who | does | ordering |
//! |---|---|---|
//! | an acquisition | swaps its key for a free entry (0), else for one whose hold has ended | `Release`: the hold was published before |
//! | its release | swaps 0 for its key; if that fails it was not named | `Relaxed`: a free entry says nothing |
//! | a blocked attempt, a snapshot | loads each entry and looks the hold up under its key | `Acquire` |
//!
//! Each swap is a compare-and-swap, and a key is used once: so of two that want one entry one gets it,
//! and nobody's name is lost but by its own release. Models: `an_entry_names_one_holder`,
//! `whoever_is_named_holds`, `whoever_holds_keeps_its_name`.

use crate::sync::{AtomicU64, Ordering};

/// Readers or permit holders a lock can name at once.
const HOLDERS: usize = if cfg!(loom) { 1 } else { 8 };

#[derive(Debug)]
pub(crate) struct Holders([AtomicU64; HOLDERS]);

impl Holders {
    pub(crate) fn none() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }

    /// Names a holder; false if there is no room. `is_over` says whether a hold has ended: one that
    /// ended while the record was being made has left its key behind.
    pub(crate) fn add(&self, key: u64, is_over: impl Fn(u64) -> bool) -> bool {
        let swap = |entry: &AtomicU64, known: u64| {
            // ORDERING: Release pairs with Acquire in `keys`; the hold was published before.
            entry.compare_exchange(known, key, Ordering::Release, Ordering::Relaxed).is_ok()
        };
        // ORDERING: Acquire as in `keys`: a hold that is only about to be seen is not over.
        let stale = |entry: &AtomicU64| Some(entry.load(Ordering::Acquire)).filter(|k| is_over(*k));
        self.0.iter().any(|entry| entry.load(Ordering::Relaxed) == key) // found by the scan already
            || self.0.iter().any(|entry| swap(entry, 0))
            || self.0.iter().any(|entry| stale(entry).is_some_and(|known| swap(entry, known)))
    }

    /// Takes a name out again; false if it was not there.
    pub(crate) fn remove(&self, key: u64) -> bool {
        self.0.iter().any(|entry| {
            entry.compare_exchange(key, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        })
    }

    /// The keys of all that are named.
    pub(crate) fn keys(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|entry| entry.load(Ordering::Acquire)).filter(|key| *key != 0)
    }
}
