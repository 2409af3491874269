use super::*;

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
