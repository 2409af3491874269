use super::counter::{LAST_LOOK, Look, SHORTEST_LOOK_NS};
use super::*;
use std::sync::{Mutex, PoisonError};

/// The clock is one for all: one test at a time changes it or relies on it.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn durations_beyond_the_word_saturate() {
    assert_eq!(saturating_ns(Duration::MAX), u64::MAX);
    assert_eq!(saturating_ns(Duration::from_nanos(u64::MAX)), u64::MAX);
    assert_eq!(saturating_ns(Duration::ZERO), 0);
}

#[test]
fn instants_map_onto_the_wall_clock_and_stay_in_its_range() {
    let wall = WallClock { unix_ns: 1_000, at: 500 };
    assert_eq!(wall.convert(500), 1_000);
    assert_eq!(wall.convert(400), 900);
    assert_eq!(wall.convert(501), 1_000, "another core's clock may be ahead by a little");
    assert_eq!(WallClock { unix_ns: 10, at: 500 }.convert(0), 0);
}

/// Whatever the source, a stretch of time is as long as the standard library's clock says.
#[test]
fn the_clock_in_use_runs_as_fast_as_the_monotonic_one() {
    let _one = alone();
    calibrate();
    let off = || {
        let (instant, began) = (Instant::now(), now());
        while instant.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let (truth, measured) = (saturating_ns(instant.elapsed()), now() - began);
        measured.abs_diff(truth)
    };
    // The two looks of a try may be torn apart by the scheduler, but not in ten of them.
    let best = (0..10).map(|_| off()).min().unwrap();
    assert!(best < 200_000, "{} is off by {best} ns in 20 ms", mode_name());
}

/// The first look of a test.
const BEFORE: Look = Look { counter: 5_000, monotonic: 1_000 };

fn after(counter: u64, monotonic: u64) -> Option<bool> {
    let now = Look { counter: BEFORE.counter + counter, monotonic: BEFORE.monotonic + monotonic };
    now.keeps_pace(BEFORE)
}

#[test]
fn the_counter_is_judged_by_its_rate_over_long_enough_a_time() {
    const S: u64 = 1_000_000_000;
    assert_eq!(after(S, S), Some(true));
    assert_eq!((after(S / 1000 * 1010, S), after(S / 1000 * 990, S)), (Some(true), Some(true)));
    assert_eq!((after(S / 1000 * 1011, S), after(S / 1000 * 989, S)), (Some(false), Some(false)));
    assert_eq!(after(2 * SHORTEST_LOOK_NS, SHORTEST_LOOK_NS - 1), None, "too short to judge");
    assert_eq!(after(2 * SHORTEST_LOOK_NS, SHORTEST_LOOK_NS), Some(false));
    let back = Look { counter: 0, monotonic: BEFORE.monotonic + S };
    assert_eq!(back.keeps_pace(BEFORE), Some(false), "it stood still or went back");
    assert_eq!(BEFORE.keeps_pace(back), None, "looks in the wrong order tell nothing");
}

#[test]
fn only_what_is_longer_than_anything_takes_is_a_jump() {
    assert!(!has_jumped(7, 7 + IMPOSSIBLE_NS) && has_jumped(7, 8 + IMPOSSIBLE_NS));
    assert!(!has_jumped(IMPOSSIBLE_NS * 2, 0), "back is no time at all");
}

/// Where the counter is left the time line has neither gap nor step, however far the clocks are apart.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_time_line_has_no_step_where_the_counter_is_left() {
    const APART: u64 = 1 << 40;
    let _one = alone();
    fault::use_counter();
    fault::jump(APART.cast_signed());
    *LAST_LOOK.lock().unwrap() = Some(Look { counter: 0, monotonic: 0 });
    let step = || {
        MODE.store(TSC, Release);
        while Look::now().monotonic < SHORTEST_LOOK_NS {}
        *LAST_LOOK.lock().unwrap() = Some(Look { counter: 0, monotonic: 0 });
        let (before, began) = (now(), Instant::now());
        counter::leave_if_unsound();
        let (after, took) = (now(), saturating_ns(began.elapsed()));
        assert_eq!(mode_name(), "monotonic");
        assert!(before > APART && after >= before, "from {before} to {after}");
        (after - before).abs_diff(took)
    };
    // The looks may be torn apart by the scheduler, but not in ten tries.
    let best = (0..10).map(|_| step()).min().unwrap();
    assert!(best < 20_000, "a step of {best} ns");
}

/// A ticker that does not run, as after a fork.
#[test]
fn a_coarse_clock_that_stands_still_is_left_at_the_next_look() {
    let _one = alone();
    calibrate();
    let losses = || loss::counts().into_iter().find(|(of, _)| *of == Dropped::Clock).map(|of| of.1);
    let before = losses();
    while coarse::keeps_pace(exact_now()) {
        std::thread::yield_now(); // a second at most
    }
    go_on_with(COARSE); // nobody has been told to set it
    assert_eq!(mode_name(), "coarse");
    maintain();
    assert_ne!(mode_name(), "coarse");
    assert_eq!(losses().unwrap_or(0), before.unwrap_or(0) + 1);
}
