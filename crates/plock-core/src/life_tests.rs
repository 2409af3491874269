use super::*;

/// An owner whose cell has been used that often.
fn worn(count: u64, foreign: u64) -> Tally {
    Tally {
        claimed: AtomicU64::new(count),
        released: AtomicU64::new(count.wrapping_sub(foreign)),
        foreign: AtomicU64::new(foreign),
    }
}

#[test]
fn guards_are_counted_right_across_the_wrap_of_every_count() {
    for tally in [worn(u64::MAX, 0), worn(u64::MAX, u64::MAX), worn(3, u64::MAX - 1)] {
        let mut ending = Ending::default();
        let first = tally.claimed();
        let numbers: Vec<_> = (0..4).map(|_| tally.claim()).collect();
        assert_eq!(numbers, [1, 2, 3, 4].map(|n| first.wrapping_add(n)));
        assert_eq!(tally.live(), 4);
        tally.release();
        tally.release_foreign(&mut ending);
        tally.release_foreign(&mut ending);
        assert_eq!(tally.live(), 1);
        tally.end(&mut ending);
        assert!(!tally.is_over(&ending));
        tally.release_foreign(&mut ending);
        assert!(tally.is_over(&ending));
    }
}
