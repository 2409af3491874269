//! Faults of the counter, for tests: what it does when a virtual machine is moved, stopped or badly
//! emulated.

use super::counter::{self, CALIBRATION, LAST_LOOK, RATE, ZERO};
use super::{EXACT, MODE, MONOTONIC, MONOTONIC_OFFSET, ON_MODE, epoch};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Has the counter calibrated and read again, whether or not anybody vouches for it, on a time
/// line that begins at the epoch.
pub fn use_counter() {
    let mut last = LAST_LOOK.lock().unwrap_or_else(PoisonError::into_inner);
    while epoch().instant.elapsed() < CALIBRATION {
        std::hint::spin_loop();
    }
    for mode in [&EXACT, &ON_MODE, &MODE] {
        mode.store(MONOTONIC, Release);
    }
    MONOTONIC_OFFSET.store(0, Relaxed);
    RATE.store(0, Relaxed);
    *last = None;
    counter::calibrate();
}

/// The counter jumps, forwards or back.
pub fn jump(ns: i64) {
    ZERO.fetch_add(ns.cast_unsigned(), Relaxed);
}

/// From now on the counter runs at so many thousandths of its speed.
pub fn run_at(per_mille: u64) {
    let (rate, now) = (RATE.load(Relaxed), counter::now());
    RATE.store(rate / 1000 * per_mille, Relaxed);
    ZERO.fetch_add(now.wrapping_sub(counter::now()), Relaxed);
}
