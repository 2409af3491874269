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

use crate::{Dropped, coarse, loss};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::sync::{Mutex, OnceLock, PoisonError};
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

/// Nanoseconds per tick, times 2^64. One multiplication of which the upper word is all, because what a
/// release does between its clock read and its last store delays the next lock; a counter slower than one
/// tick per nanosecond is not used. Written once, before `MODE` first says `TSC`.
static TSC_RATE: AtomicU64 = AtomicU64::new(0);
/// The instant at which the counter was 0; wraps.
static TSC_ZERO: AtomicU64 = AtomicU64::new(0);

/// Added to the monotonic clock, so that leaving the counter is no step.
static MONOTONIC_OFFSET: AtomicU64 = AtomicU64::new(0);

/// Calibration needs this long between its two looks.
const CALIBRATION: Duration = Duration::from_millis(10);
/// The counter is given up when its rate leaves the monotonic clock's by more than this share.
const DRIFT_PER_MILLE: u64 = 10;
/// A rate is not judged by less time than this.
const SHORTEST_LOOK_NS: u64 = 100_000_000;
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
        return Some(tsc_now());
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
        TSC => tsc_now(),
        COARSE => coarse::now(),
        mode => other_now(mode),
    }
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
        TSC => tsc_now(),
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
        let (instant, ticks) = paired();
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
    if can_use_tsc() && age < CALIBRATION {
        std::thread::sleep(CALIBRATION - age);
    }
    maintain();
}

/// Calibrates the counter when that is possible by now, and leaves it when it has become unsound.
/// Called from slow paths and at every collection.
pub(crate) fn maintain() {
    match EXACT.load(Acquire) {
        MONOTONIC if can_use_tsc() => calibrate_tsc(),
        TSC => leave_unsound_tsc(),
        _ => {}
    }
    if is_coarse() && !coarse::keeps_pace(exact_now()) {
        use_exact();
        loss::count(Dropped::Clock, 1);
    }
}

fn calibrate_tsc() {
    if TSC_RATE.load(Relaxed) != 0 || epoch().instant.elapsed() < CALIBRATION {
        return; // measured before and found unsound, or too early
    }
    let (instant, ticks) = paired();
    let ns = saturating_ns(instant.duration_since(epoch().instant));
    let elapsed = ticks.wrapping_sub(epoch().ticks);
    let rate = (u128::from(ns) << 64).checked_div(u128::from(elapsed));
    let Some(rate) = rate.and_then(|rate| u64::try_from(rate.max(1)).ok()) else { return };
    TSC_RATE.store(rate, Relaxed);
    TSC_ZERO.store(ns.wrapping_sub(ticks_to_ns(ticks, rate)), Relaxed);
    change_exact(MONOTONIC, TSC);
}

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// Where the counter is on the time line.
    counter: u64,
    /// Nanoseconds of the monotonic clock since the epoch.
    monotonic: u64,
}

/// The last look that a rate was judged by.
static LAST_LOOK: Mutex<Option<Look>> = Mutex::new(None);

impl Look {
    fn now() -> Self {
        let (instant, ticks) = paired();
        let (rate, zero) = (TSC_RATE.load(Relaxed), TSC_ZERO.load(Relaxed));
        let counter = zero.wrapping_add(ticks_to_ns(ticks, rate));
        Self { counter, monotonic: saturating_ns(instant.duration_since(epoch().instant)) }
    }

    /// Whether the counter has kept pace since `before`; `None` if that is too short ago to tell.
    fn keeps_pace(self, before: Self) -> Option<bool> {
        let truth = self.monotonic.saturating_sub(before.monotonic);
        let counted = self.counter.saturating_sub(before.counter);
        (truth >= SHORTEST_LOOK_NS)
            .then(|| counted.abs_diff(truth) <= truth / 1000 * DRIFT_PER_MILLE)
    }
}

fn leave_unsound_tsc() {
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

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "the counter can only be read by an intrinsic")]
mod tsc {
    /// The raw counter.
    #[inline(always)]
    pub(super) fn ticks() -> u64 {
        // SAFETY: every x86_64 processor has the instruction. A kernel that forbids it to user
        // code (PR_SET_TSC) also hides it from its own clock source, and `vouched_for` says no.
        unsafe { core::arch::x86_64::_rdtsc() }
    }

    /// Whether processor and kernel call the counter invariant and synchronised.
    pub(super) fn vouched_for() -> bool {
        const INVARIANT: u32 = 1 << 8;
        let invariant = core::arch::x86_64::__cpuid(0x8000_0007).edx & INVARIANT != 0;
        let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        // kvm-clock reads the same counter with the host's scale, and is offered only with it.
        let kernel = std::fs::read_to_string(source);
        invariant && kernel.is_ok_and(|name| matches!(name.trim(), "tsc" | "kvm-clock"))
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn tsc_now() -> u64 {
    let (rate, zero) = (TSC_RATE.load(Relaxed), TSC_ZERO.load(Relaxed));
    zero.wrapping_add(ticks_to_ns(tsc::ticks(), rate))
}

#[inline(always)]
const fn ticks_to_ns(ticks: u64, rate: u64) -> u64 {
    ((ticks as u128 * rate as u128) >> 64) as u64
}

fn can_use_tsc() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static VOUCHED: OnceLock<bool> = OnceLock::new();
        *VOUCHED.get_or_init(tsc::vouched_for)
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Both clocks at nearly one moment: of a few tries the one with the least time in between.
fn paired() -> (Instant, u64) {
    #[cfg(target_arch = "x86_64")]
    {
        let one = || {
            let before = tsc::ticks();
            let instant = Instant::now();
            let width = tsc::ticks().saturating_sub(before);
            (width, instant, before + width / 2)
        };
        let best = (0..8).map(|_| one()).min_by_key(|(width, ..)| *width);
        best.map_or_else(|| (Instant::now(), 0), |(_, instant, ticks)| (instant, ticks))
    }
    #[cfg(not(target_arch = "x86_64"))]
    (Instant::now(), 0)
}

/// A clock that tests move by hand. Each thread has its own, which starts at 0, or shares one.
#[cfg(feature = "test-clock")]
pub mod manual {
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
}

/// Faults of the counter, for tests: what it does when a virtual machine is moved, stopped or badly
/// emulated.
#[cfg(all(feature = "test-clock", target_arch = "x86_64"))]
pub mod fault {
    use super::*;

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
        TSC_RATE.store(0, Relaxed);
        *last = None;
        calibrate_tsc();
    }

    /// The counter jumps, forwards or back.
    pub fn jump(ns: i64) {
        TSC_ZERO.fetch_add(ns.cast_unsigned(), Relaxed);
    }

    /// From now on the counter runs at so many thousandths of its speed.
    pub fn run_at(per_mille: u64) {
        let (rate, now) = (TSC_RATE.load(Relaxed), tsc_now());
        TSC_RATE.store(rate / 1000 * per_mille, Relaxed);
        TSC_ZERO.fetch_add(now.wrapping_sub(tsc_now()), Relaxed);
    }
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
