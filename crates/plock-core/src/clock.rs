//! The only place that reads time. Every instant is a whole number of nanoseconds on one time line
//! (nanoseconds since plock's first look at a clock), whichever source produced it, so that the
//! source can change while locks are held.
//!
//! | mode | source | cost | used |
//! |---|---|---|---|
//! | off | none | one load | recording switched off |
//! | tsc | invariant time stamp counter, rate measured against the monotonic clock | ~10 ns | after calibration, where the processor and the kernel vouch for the counter |
//! | monotonic | `std::time::Instant` | ~25 ns | before calibration, elsewhere, and after an anomaly |
//! | coarse | a word that a thread sets to one of the above every millisecond (`coarse`) | one load | chosen with [`set_clock`] |
//! | manual | a number of the thread's, or of several | ~1 ns | tests (feature `test-clock`) |
//!
//! Instants from two cores may disagree by a few nanoseconds (the counter read is not ordered with
//! the load that delivered the other stamp), so every difference saturates at zero.

mod counter;
#[cfg(all(feature = "test-clock", target_arch = "x86_64"))]
pub mod fault;
#[cfg(feature = "test-clock")]
pub mod manual;

use crate::{Dropped, coarse, loss};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const OFF: u8 = 0;
const TSC: u8 = 1;
const MONOTONIC: u8 = 2;
const COARSE: u8 = 3;
#[cfg(feature = "test-clock")]
const MANUAL: u8 = 4;

/// Which source is read; any thread may change it, any may read a stale value without harm. Stored with
/// `Release` and loaded with `Acquire`: whoever sees a source sees what it is read with.
static MODE: AtomicU8 = AtomicU8::new(MONOTONIC);
/// The mode to return to when recording is switched on again.
static ON_MODE: AtomicU8 = AtomicU8::new(MONOTONIC);
/// The best source there is: the same, or what the coarse clock is set by.
static EXACT: AtomicU8 = AtomicU8::new(MONOTONIC);

/// Added to the monotonic clock, so that leaving the counter is no step.
static MONOTONIC_OFFSET: AtomicU64 = AtomicU64::new(0);

/// Nothing that is filed takes longer: the clock jumped (19 hours).
const IMPOSSIBLE_NS: u64 = 1 << 46;

/// Whether anything is recorded.
#[inline]
pub(crate) fn is_on() -> bool {
    MODE.load(Relaxed) != OFF
}

/// Switches recording on or off for the whole process, at any time and from any thread.
///
/// Guards keep what they were acquired with: one acquired while recording was on is accounted when
/// it is released, one acquired while it was off is not, so gauges stay balanced.
pub fn set_enabled(enabled: bool) {
    MODE.store(if enabled { ON_MODE.load(Acquire) } else { OFF }, Release);
}

/// Whether recording is switched on.
#[must_use]
pub fn is_enabled() -> bool {
    is_on()
}

/// How finely time is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// To the nanosecond. An uncontended acquisition reads the time twice, which is most of what it costs.
    #[default]
    Exact,
    /// To the millisecond: reading it is one load. Counts, holders, blame and depths are as exact as ever;
    /// each duration is off by up to a millisecond, and for what is shorter than that a hold or a wait
    /// counts as nothing most times and as a millisecond some times, so that sums come out right over
    /// many. A thread named `plock-clock` wakes up every millisecond.
    Coarse,
}

/// Chooses the clock for the whole process, at any time and from any thread; what is held or waited for
/// meanwhile is measured by both. A coarse clock whose thread does not get to run is left at the next
/// collection, which [`Snapshot::clock`](crate::Snapshot::clock) and [`Dropped::Clock`] tell.
///
/// # Errors
/// If the thread of the coarse clock cannot be started; the clock is then the one it was.
///
/// # Examples
/// ```
/// plock_core::set_clock(plock_core::Clock::Coarse)?;
/// assert_eq!(plock_core::snapshot(false).clock, "coarse");
/// plock_core::set_clock(plock_core::Clock::Exact)?;
/// assert_ne!(plock_core::snapshot(false).clock, "coarse");
/// # std::io::Result::Ok(())
/// ```
pub fn set_clock(clock: Clock) -> std::io::Result<()> {
    match clock {
        Clock::Exact => use_exact(),
        Clock::Coarse => coarse::begin(|| go_on_with(COARSE))?,
    }
    Ok(())
}

fn use_exact() {
    go_on_with(EXACT.load(Acquire));
}

/// Recording goes on by this source, now or once it is switched on.
fn go_on_with(mode: u8) {
    ON_MODE.store(mode, Release);
    let is_on = |before: u8| (before != OFF).then_some(mode);
    let _ = MODE.fetch_update(Release, Relaxed, is_on);
}

pub(crate) fn is_coarse() -> bool {
    ON_MODE.load(Relaxed) == COARSE
}

/// The best source there is has become another one.
fn change_exact(from: u8, to: u8) {
    EXACT.store(to, Release);
    for mode in [&ON_MODE, &MODE] {
        let _ = mode.compare_exchange(from, to, Release, Relaxed);
    }
}

/// The present instant, or `None` when recording is switched off.
#[inline]
pub(crate) fn start() -> Option<u64> {
    let mode = MODE.load(Acquire);
    #[cfg(target_arch = "x86_64")]
    if mode == TSC {
        return Some(counter::now());
    }
    match mode {
        COARSE => Some(coarse::now()),
        OFF => None,
        mode => Some(other_now(mode)),
    }
}

/// The present instant, whether recording is on or off.
#[inline]
pub(crate) fn now() -> u64 {
    match MODE.load(Acquire) {
        #[cfg(target_arch = "x86_64")]
        TSC => counter::now(),
        COARSE => coarse::now(),
        mode => other_now(mode),
    }
}

/// The same by a source that is read in line, so that there is nothing to be kept for after a call. The
/// second one is told by another word: asked of one word, both questions go before the counter.
#[inline(always)]
pub(crate) fn quick_now() -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    if MODE.load(Acquire) == TSC {
        return Some(counter::now());
    }
    (ON_MODE.load(Acquire) == COARSE).then(coarse::now)
}

#[cold]
#[inline(never)]
fn other_now(mode: u8) -> u64 {
    match mode {
        #[cfg(feature = "test-clock")]
        MANUAL => manual::now(),
        OFF => in_mode(ON_MODE.load(Acquire)),
        _ => monotonic_now(),
    }
}

fn in_mode(mode: u8) -> u64 {
    match mode {
        #[cfg(target_arch = "x86_64")]
        TSC => counter::now(),
        COARSE => coarse::now(),
        #[cfg(feature = "test-clock")]
        MANUAL => manual::now(),
        _ => monotonic_now(),
    }
}

/// The present instant by the best source there is.
pub(crate) fn exact_now() -> u64 {
    in_mode(EXACT.load(Acquire))
}

/// Whether a test moves the clock by hand.
pub(crate) fn is_manual() -> bool {
    !matches!(EXACT.load(Relaxed), TSC | MONOTONIC)
}

/// Whether the clock has jumped forwards since `from`: nothing takes so long.
#[inline]
pub(crate) const fn has_jumped(from: u64, to: u64) -> bool {
    to.saturating_sub(from) > IMPOSSIBLE_NS
}

struct Epoch {
    instant: Instant,
    unix_ns: u64,
    ticks: u64,
}

/// The origin of the time line, taken at the first look at any clock.
fn epoch() -> &'static Epoch {
    static EPOCH: OnceLock<Epoch> = OnceLock::new();
    EPOCH.get_or_init(|| {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (instant, ticks) = counter::paired();
        Epoch { instant, unix_ns: saturating_ns(unix), ticks }
    })
}

fn monotonic_now() -> u64 {
    saturating_ns(epoch().instant.elapsed()).wrapping_add(MONOTONIC_OFFSET.load(Relaxed))
}

fn saturating_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// When the process's counters began, in nanoseconds since the Unix epoch.
pub(crate) fn start_unix_ns() -> u64 {
    epoch().unix_ns
}

/// Maps instants onto the wall clock as it is now; taken once per batch of conversions.
#[derive(Clone, Copy)]
pub(crate) struct WallClock {
    unix_ns: u64,
    at: u64,
}

impl WallClock {
    pub(crate) fn now() -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { unix_ns: saturating_ns(unix), at: now() }
    }

    pub(crate) const fn unix_ns(&self) -> u64 {
        self.unix_ns
    }

    pub(crate) const fn convert(&self, instant: u64) -> u64 {
        self.unix_ns.saturating_sub(self.at.saturating_sub(instant))
    }
}

/// The name of the source in use.
pub(crate) fn mode_name() -> &'static str {
    match MODE.load(Relaxed) {
        OFF => "off",
        TSC => "tsc",
        MONOTONIC => "monotonic",
        COARSE => "coarse",
        _ => "manual",
    }
}

/// Waits until the cheap clock is calibrated, at most about 10 ms from the first use of plock.
/// Without it, calibration happens at the first collection that late. No effect where the
/// processor or the kernel does not vouch for the counter.
pub fn calibrate() {
    let age = epoch().instant.elapsed();
    if counter::can_be_used() && age < counter::CALIBRATION {
        std::thread::sleep(counter::CALIBRATION - age);
    }
    maintain();
}

/// Calibrates the counter when that is possible by now, and leaves it when it has become unsound.
/// Called from slow paths and at every collection.
pub(crate) fn maintain() {
    match EXACT.load(Acquire) {
        MONOTONIC if counter::can_be_used() => counter::calibrate(),
        TSC => counter::leave_if_unsound(),
        _ => {}
    }
    if is_coarse() && !coarse::keeps_pace(exact_now()) {
        use_exact();
        loss::count(Dropped::Clock, 1);
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
