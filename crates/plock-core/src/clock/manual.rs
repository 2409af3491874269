//! A clock that tests move by hand. Each thread has its own, which starts at 0, or shares one.

use super::{EXACT, MANUAL, MODE, ON_MODE, Relaxed};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static SHARED: Cell<Option<&'static AtomicU64>> = const { Cell::new(None) };
}

/// Switches the whole process to the manual clock. There is no way back.
pub fn install() {
    for mode in [&EXACT, &ON_MODE, &MODE] {
        mode.store(MANUAL, Relaxed);
    }
}

/// From now on this thread's clock is `clock`, as is that of every thread that says the same: so the
/// time of a thread that is blocked can be moved.
pub fn share(clock: &'static AtomicU64) {
    SHARED.set(Some(clock));
}

/// Sets this thread's clock, in nanoseconds.
pub fn set(ns: u64) {
    match SHARED.get() {
        Some(shared) => shared.store(ns, SeqCst),
        None => NOW.set(ns),
    }
}

/// Moves this thread's clock forward, in nanoseconds.
pub fn advance(ns: u64) {
    set(now() + ns);
}

/// This thread's clock, in nanoseconds.
#[must_use]
pub fn now() -> u64 {
    SHARED.get().map_or_else(|| NOW.get(), |shared| shared.load(SeqCst))
}
