//! What was left out, counted by reason. Only slow paths come here.

use crate::{Dropped, clock, thread};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Writers: any slow path, by addition. Readers: snapshots. No other memory is published by it.
static COUNTS: [AtomicU64; Dropped::COUNT] = [const { AtomicU64::new(0) }; Dropped::COUNT];
/// Time spent on slow paths and collections, in nanoseconds; the rest is in `cost`. Writers and readers as above.
static OVERHEAD_NS: AtomicU64 = AtomicU64::new(0);

pub(crate) fn count(reason: Dropped, n: u64) {
    COUNTS[reason as usize].fetch_add(n, Relaxed);
}

pub(crate) fn counts() -> Vec<(Dropped, u64)> {
    let count = |reason: &Dropped| (*reason, COUNTS[*reason as usize].load(Relaxed));
    Dropped::ALL.iter().map(count).collect()
}

pub(crate) fn add_overhead(ns: u64) {
    OVERHEAD_NS.fetch_add(ns, Relaxed);
}

/// Of what happens often, one in so many is timed and counts for all of them. Prime, so that of things
/// that take turns each is met.
const TIMED: u64 = 61;

/// Something that is worth accounting begins here; `None` if this one is not timed.
pub(crate) fn overhead_began() -> Option<u64> {
    let nth = &thread::state().untimed;
    nth.set(nth.get().wrapping_add(1));
    nth.get().is_multiple_of(TIMED).then(clock::exact_now)
}

pub(crate) fn overhead_ended(began: Option<u64>) {
    if let Some(began) = began {
        add_overhead(clock::exact_now().saturating_sub(began).saturating_mul(TIMED));
    }
}

/// When telemetry was last delivered, in nanoseconds since the Unix epoch; 0 = never.
static LAST_EXPORT: AtomicU64 = AtomicU64::new(0);

/// Notes a delivery, so that every read-out can show how fresh the others are.
pub(crate) fn note_export(unix_ns: u64) {
    LAST_EXPORT.fetch_max(unix_ns, Relaxed);
}

pub(crate) fn last_export_unix_ns() -> Option<u64> {
    Some(LAST_EXPORT.load(Relaxed)).filter(|at| *at > 0)
}

pub(crate) fn overhead_ns() -> u64 {
    OVERHEAD_NS.load(Relaxed)
}
