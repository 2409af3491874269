#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers made for the test"
)]

use super::*;
use proptest::prelude::*;

#[test]
fn every_limit_and_its_neighbours_fall_into_the_right_bucket() {
    for (i, limit) in LIMITS.iter().enumerate().take(BUCKETS - 1) {
        assert_eq!(bucket(*limit), i, "limit {limit}");
        assert_eq!(bucket(limit + 1), i + 1, "just above {limit}");
    }
    assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    assert_eq!(bucket(0), 0);
}

#[test]
fn the_exponential_limits_are_the_true_powers() {
    // limit^8 * 2^-i <= (1e9)^8 < (limit + 1)^8 * 2^-i, decided in exact integer arithmetic.
    for index in MIN_INDEX..=MAX_INDEX {
        let (limit, upper) = (exponential_limit(index), index + 1);
        assert!(!above(limit, upper), "limit of {index} is too large");
        assert!(above(limit + 1, upper), "limit of {index} is too small");
    }
}

/// Whether `v` nanoseconds are more than `2^(upper/8)` seconds.
fn above(v: u64, upper: i32) -> bool {
    let left = power(u128::from(v));
    let right = power(1_000_000_000);
    if upper >= 0 {
        left > shift(&right, upper as u32)
    } else {
        shift(&left, upper.unsigned_abs()) > right
    }
}

/// `v^8` as big-endian base 2^32 digits of fixed length.
fn power(v: u128) -> Vec<u32> {
    let mut digits = vec![1u32];
    for _ in 0..8 {
        digits = multiply(&digits, v);
    }
    pad(digits)
}

fn multiply(little: &[u32], by: u128) -> Vec<u32> {
    let mut carry = 0u128;
    let mut out = Vec::new();
    for d in little {
        let x = u128::from(*d) * by + carry;
        out.push(x as u32);
        carry = x >> 32;
    }
    while carry > 0 {
        out.push(carry as u32);
        carry >>= 32;
    }
    out
}

fn pad(mut little: Vec<u32>) -> Vec<u32> {
    little.resize(40, 0);
    little.reverse();
    little
}

fn shift(big: &[u32], by: u32) -> Vec<u32> {
    let mut little: Vec<u32> = big.iter().rev().copied().collect();
    for _ in 0..by {
        little = multiply(&little, 2);
        little.truncate(40);
    }
    pad(little)
}

fn durations() -> impl Strategy<Value = Vec<u64>> {
    let near_limit = (0..BUCKETS - 1, 0..3u64).prop_map(|(i, d)| LIMITS[i] + d - 1);
    prop::collection::vec(
        prop_oneof![near_limit, 0..40u64, 0..20_000_000_000u64, any::<u64>()],
        0..200,
    )
}

proptest! {
    #[test]
    fn both_read_outs_agree_with_a_brute_force_count(values in durations()) {
        let histogram = Histogram::of(&values);
        prop_assert_eq!(histogram.count(), values.len() as u64);
        for (bound, count) in CLASSIC_BOUNDS_NS.iter().zip(histogram.classic()) {
            prop_assert_eq!(count, values.iter().filter(|v| *v <= bound).count() as u64);
        }
        let exponential = histogram.exponential();
        let zero = values.iter().filter(|v| **v <= ZERO_THRESHOLD_NS).count() as u64;
        prop_assert_eq!(exponential.zero_count, zero);
        for (i, count) in exponential.counts.iter().enumerate() {
            let index = exponential.offset + i as i32;
            let low = if index == MIN_INDEX { ZERO_THRESHOLD_NS } else { exponential_limit(index - 1) };
            let high = if index > MAX_INDEX { u64::MAX } else { exponential_limit(index) };
            let expected = values.iter().filter(|v| **v > low.max(ZERO_THRESHOLD_NS) && **v <= high).count();
            prop_assert_eq!(*count, expected as u64, "index {}", index);
        }
    }

    #[test]
    fn merging_is_associative_commutative_and_conserving(a in durations(), b in durations(), c in durations()) {
        let whole: Vec<u64> = a.iter().chain(&b).chain(&c).copied().collect();
        let (ha, hb, hc) = (Histogram::of(&a), Histogram::of(&b), Histogram::of(&c));
        let mut left = ha.clone();
        left.merge(&hb);
        left.merge(&hc);
        let mut right = hc.clone();
        right.merge(&hb);
        right.merge(&ha);
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(&left, &Histogram::of(&whole));
        let mut rebuilt = left.since(&ha);
        rebuilt.merge(&ha);
        prop_assert_eq!(rebuilt, left);
    }

    #[test]
    fn a_quantile_is_at_most_one_bucket_above_the_true_value(mut values in durations(), q in 0.0..1.0f64) {
        values.sort_unstable();
        let Some(found) = Histogram::of(&values).quantile_ns(q) else { return Ok(()) };
        let rank = ((q * values.len() as f64).ceil() as usize).max(1);
        let exact = values[rank - 1];
        prop_assert!(found >= exact);
        prop_assert_eq!(bucket(found), bucket(exact));
    }
}
