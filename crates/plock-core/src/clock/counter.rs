//! The time stamp counter: whether it can be trusted, how fast it runs, and whether it keeps pace.

use super::{MONOTONIC, MONOTONIC_OFFSET, TSC, change_exact, epoch, saturating_ns};
use crate::{Dropped, loss};
#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nanoseconds per tick, times 2^64. One multiplication of which the upper word is all, because what a
/// release does between its clock read and its last store delays the next lock; a counter slower than one
/// tick per nanosecond is not used. Written once, before `MODE` first says `TSC`.
pub(super) static RATE: AtomicU64 = AtomicU64::new(0);
/// The instant at which the counter was 0; wraps.
pub(super) static ZERO: AtomicU64 = AtomicU64::new(0);

/// Calibration needs this long between its two looks.
pub(super) const CALIBRATION: Duration = Duration::from_millis(10);
/// The counter is given up when its rate leaves the monotonic clock's by more than this share.
const DRIFT_PER_MILLE: u64 = 10;
/// A rate is not judged by less time than this.
pub(super) const SHORTEST_LOOK_NS: u64 = 100_000_000;

pub(super) fn calibrate() {
    if RATE.load(Relaxed) != 0 || epoch().instant.elapsed() < CALIBRATION {
        return; // measured before and found unsound, or too early
    }
    let (instant, ticks) = paired();
    let ns = saturating_ns(instant.duration_since(epoch().instant));
    let elapsed = ticks.wrapping_sub(epoch().ticks);
    let rate = (u128::from(ns) << 64).checked_div(u128::from(elapsed));
    let Some(rate) = rate.and_then(|rate| u64::try_from(rate.max(1)).ok()) else { return };
    RATE.store(rate, Relaxed);
    ZERO.store(ns.wrapping_sub(ticks_to_ns(ticks, rate)), Relaxed);
    change_exact(MONOTONIC, TSC);
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Where the counter is on the time line.
    pub(super) counter: u64,
    /// Nanoseconds of the monotonic clock since the epoch.
    pub(super) monotonic: u64,
}

/// The last look that a rate was judged by.
pub(super) static LAST_LOOK: Mutex<Option<Look>> = Mutex::new(None);

impl Look {
    pub(super) fn now() -> Self {
        let (instant, ticks) = paired();
        let (rate, zero) = (RATE.load(Relaxed), ZERO.load(Relaxed));
        let counter = zero.wrapping_add(ticks_to_ns(ticks, rate));
        Self { counter, monotonic: saturating_ns(instant.duration_since(epoch().instant)) }
    }

    /// Whether the counter has kept pace since `before`; `None` if that is too short ago to tell.
    pub(super) fn keeps_pace(self, before: Self) -> Option<bool> {
        let truth = self.monotonic.saturating_sub(before.monotonic);
        let counted = self.counter.saturating_sub(before.counter);
        (truth >= SHORTEST_LOOK_NS)
            .then(|| counted.abs_diff(truth) <= truth / 1000 * DRIFT_PER_MILLE)
    }
}

pub(super) fn leave_if_unsound() {
    let mut last = LAST_LOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let look = Look::now();
    let keeps_pace = last.map_or(Some(true), |before| look.keeps_pace(before));
    if keeps_pace.is_some() {
        *last = Some(look);
    }
    if keeps_pace == Some(false) {
        // The time line goes on from where the counter is, right or wrong: it has no step.
        MONOTONIC_OFFSET.store(look.counter.wrapping_sub(look.monotonic), Relaxed);
        change_exact(TSC, MONOTONIC);
        loss::count(Dropped::Clock, 1);
    }
}

/// The raw counter.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
#[expect(unsafe_code, reason = "the counter can only be read by an intrinsic")]
fn ticks() -> u64 {
    // SAFETY: every x86_64 processor has the instruction. A kernel that forbids it to user
    // code (PR_SET_TSC) also hides it from its own clock source, and `is_vouched_for` says no.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Whether processor and kernel call the counter invariant and synchronised.
#[cfg(target_arch = "x86_64")]
fn is_vouched_for() -> bool {
    const INVARIANT: u32 = 1 << 8;
    let invariant = core::arch::x86_64::__cpuid(0x8000_0007).edx & INVARIANT != 0;
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    // kvm-clock reads the same counter with the host's scale, and is offered only with it.
    let kernel = std::fs::read_to_string(source);
    invariant && kernel.is_ok_and(|name| matches!(name.trim(), "tsc" | "kvm-clock"))
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn now() -> u64 {
    let (rate, zero) = (RATE.load(Relaxed), ZERO.load(Relaxed));
    zero.wrapping_add(ticks_to_ns(ticks(), rate))
}

#[inline(always)]
const fn ticks_to_ns(ticks: u64, rate: u64) -> u64 {
    ((ticks as u128 * rate as u128) >> 64) as u64
}

pub(super) fn can_be_used() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static VOUCHED: OnceLock<bool> = OnceLock::new();
        *VOUCHED.get_or_init(is_vouched_for)
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Both clocks at nearly one moment: of a few tries the one with the least time in between.
pub(super) fn paired() -> (Instant, u64) {
    #[cfg(target_arch = "x86_64")]
    {
        let one = || {
            let before = ticks();
            let instant = Instant::now();
            let width = ticks().saturating_sub(before);
            (width, instant, before + width / 2)
        };
        let best = (0..8).map(|_| one()).min_by_key(|(width, ..)| *width);
        best.map_or_else(|| (Instant::now(), 0), |(_, instant, ticks)| (instant, ticks))
    }
    #[cfg(not(target_arch = "x86_64"))]
    (Instant::now(), 0)
}
