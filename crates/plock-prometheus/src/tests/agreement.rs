//! The formats agree with each other and with a count by brute force, whatever was recorded.

use super::model::Histogram as Wire;
use super::parse::{self, Key, Scrape};
use super::script::{exemplar, lock, scope, scripted};
use crate::{Format, render};
use plock_core::{CLASSIC_BOUNDS_NS, Cause, Histogram, Kind, Mode, Snapshot, SpanRef};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn body(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    render(snapshot, Some(format.content_type())).body
}

/// All three formats read back: text, OpenMetrics, protobuf.
fn all(snapshot: &Snapshot) -> [Scrape; 3] {
    let text = |format| parse::text(std::str::from_utf8(&body(snapshot, format)).unwrap());
    [
        text(Format::Text),
        text(Format::OpenMetrics),
        parse::protobuf(&body(snapshot, Format::Protobuf)),
    ]
}

fn check_agreement(snapshot: &Snapshot) {
    let [text, openmetrics, protobuf] = all(snapshot);
    assert_eq!(text.samples, openmetrics.samples);
    assert_eq!(text.samples, protobuf.samples);
    assert_eq!(openmetrics.exemplars, protobuf.exemplars);
    assert_eq!(text.exemplars, BTreeMap::new());
    assert_eq!(openmetrics.types, protobuf.types);
    assert_eq!(openmetrics.helps, protobuf.helps);
    assert_eq!(openmetrics.units, protobuf.units);
    let family = |(name, kind): (&String, &String)| {
        (format!("{name}{}", if kind == "counter" { "_total" } else { "" }), kind.clone())
    };
    let with_suffix: BTreeMap<_, _> = openmetrics.types.iter().map(family).collect();
    assert_eq!(text.types, with_suffix, "0.0.4 types the series, OpenMetrics the family");
}

#[test]
fn the_formats_agree_on_the_script() {
    check_agreement(&scripted());
    check_agreement(&Snapshot::default());
    let [_, openmetrics, _] = all(&scripted());
    assert_eq!(openmetrics.exemplars.len(), 2, "the unsampled one is not shown");
}

#[test]
fn openmetrics_ends_with_its_mark_and_the_unit_is_part_of_the_name() {
    let body = String::from_utf8(body(&scripted(), Format::OpenMetrics)).unwrap();
    assert!(body.ends_with("\n# EOF\n"));
    assert_eq!(body.matches("# EOF").count(), 1);
    for (name, unit) in parse::text(&body).units {
        assert!(name.ends_with(&format!("_{unit}")), "{name}");
    }
}

/// The native buckets of a message by their index, written from the description of the format.
fn native(wire: &Wire) -> BTreeMap<i32, i64> {
    let mut deltas = wire.positive_delta.iter();
    let (mut buckets, mut index, mut count) = (BTreeMap::new(), 0, 0);
    for span in &wire.positive_span {
        index += span.offset();
        for _ in 0..span.length() {
            count += deltas.next().expect("one delta per bucket");
            assert!(count >= 0);
            buckets.insert(index, count);
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None, "one bucket per delta");
    buckets
}

fn hold_of(snapshot: &Snapshot) -> Wire {
    let families = parse::families(&body(snapshot, Format::Protobuf));
    let hold = families.iter().find(|f| f.name() == "plock_hold_duration_seconds").unwrap();
    hold.metric[0].histogram.clone().unwrap()
}

/// Bucket `i` of schema 3 takes values above `2^((i-1)/8)` and up to `2^(i/8)` seconds.
fn in_native_bucket(ns: u64, index: i32) -> bool {
    let eighths = |i: i32| 2f64.powf(f64::from(i) / 8.0) * 1e9;
    eighths(index - 1) < ns as f64 && ns as f64 <= eighths(index)
}

fn durations() -> impl Strategy<Value = Vec<u64>> {
    let any_size = (0u32..41, any::<u64>()).prop_map(|(bits, n)| n % (1 << bits));
    let near_a_bound =
        (prop::sample::select(&CLASSIC_BOUNDS_NS[..]), 0u64..3).prop_map(|(b, d)| b + d - 1);
    // The overflow bucket has no true upper limit: stay below it.
    let value = prop_oneof![any_size, near_a_bound].prop_map(|ns| ns.min(1_024_000_000_000));
    prop::collection::vec(value, 0..60)
}

proptest! {
    #[test]
    fn classic_and_native_counts_are_those_of_a_brute_force(values in durations()) {
        let mut orders = lock("orders", Kind::Mutex, Mode::Exclusive);
        orders.hold = Histogram::of(&values);
        let mut snapshot = Snapshot::default();
        snapshot.locks = vec![orders];
        let wire = hold_of(&snapshot);

        prop_assert_eq!(wire.sample_count(), values.len() as u64);
        prop_assert_eq!(wire.sample_sum(), values.iter().sum::<u64>() as f64 / 1e9);
        for bucket in &wire.bucket {
            let at_most = values.iter().filter(|ns| **ns as f64 / 1e9 <= bucket.upper_bound());
            prop_assert_eq!(bucket.cumulative_count(), at_most.count() as u64, "le {}", bucket.upper_bound());
        }
        prop_assert_eq!(wire.schema(), 3);
        let zeros = values.iter().filter(|ns| **ns as f64 / 1e9 <= wire.zero_threshold());
        prop_assert_eq!(wire.zero_count(), zeros.count() as u64);
        let buckets = native(&wire);
        let mut total = wire.zero_count() as i64;
        for (index, count) in &buckets {
            let inside = values.iter().filter(|ns| in_native_bucket(**ns, *index)).count();
            prop_assert_eq!(*count, inside as i64, "native bucket {}", index);
            total += count;
        }
        prop_assert_eq!(total, values.len() as i64, "no value is lost between the buckets");
    }

    #[test]
    fn the_formats_agree_on_anything(
        names in prop::collection::btree_set("\\PC{1,12}|[\"\\\\\n,={}# a]{1,6}", 1..4),
        values in durations(),
        counts in any::<[u32; 6]>(),
        (trace, span) in (1u128.., 1u64..),
    ) {
        let mut snapshot = Snapshot::default();
        for name in &names {
            let mut series = lock(name, Kind::Rwlock, Mode::Shared);
            series.outcomes = counts.map(u64::from);
            series.wait[Cause::Queue as usize] = Histogram::of(&values);
            series.hold = Histogram::of(&values[values.len() / 2..]);
            let span = SpanRef::new(trace, span, true);
            series.hold_exemplar = series.hold.max_ns().checked_sub(1).map(|ns| exemplar(ns + 1, span));
            snapshot.locks.push(series);
            let mut task = scope(name);
            task.poll = Histogram::of(&values);
            snapshot.scopes.push(task);
        }
        check_agreement(&snapshot);
    }

    #[test]
    fn label_values_survive_the_text_formats(name in any::<String>().prop_filter("never empty", |s| !s.is_empty())) {
        let mut snapshot = Snapshot::default();
        snapshot.locks = vec![lock(&name, Kind::Mutex, Mode::Exclusive)];
        for scrape in all(&snapshot) {
            let (key, _) = first(&scrape, "plock_holders");
            let label = key.1.iter().find(|(label, _)| label == "lock_name").unwrap();
            prop_assert_eq!(&label.1, &name);
        }
    }
}

fn first<'a>(scrape: &'a Scrape, series: &str) -> (&'a Key, f64) {
    let sample = scrape.samples.iter().find(|(key, _)| key.0 == series).unwrap();
    (sample.0, *sample.1)
}

#[test]
fn an_empty_series_is_still_a_native_histogram() {
    let mut snapshot = Snapshot::default();
    snapshot.locks = vec![lock("orders", Kind::Mutex, Mode::Exclusive)];
    let wire = hold_of(&snapshot);
    assert!(wire.zero_threshold() > 0.0, "this is how Prometheus tells it from a classic one");
    assert_eq!((wire.sample_count(), wire.zero_count()), (0, 0));
    assert_eq!(native(&wire), BTreeMap::new());
}

#[test]
fn an_exemplar_lies_in_the_bucket_that_shows_it() {
    let span = SpanRef::new(5, 6, true);
    let cases = CLASSIC_BOUNDS_NS.iter().flat_map(|bound| [bound - 1, *bound, bound + 1]);
    for ns in cases.chain([0, u64::MAX]) {
        let mut orders = lock("orders", Kind::Mutex, Mode::Exclusive);
        orders.hold = Histogram::of(&[ns]);
        orders.hold_exemplar = Some(exemplar(ns, span));
        let mut snapshot = Snapshot::default();
        snapshot.locks = vec![orders];
        let wire = hold_of(&snapshot);
        let shown: Vec<_> = wire.bucket.iter().filter(|b| b.exemplar.is_some()).collect();
        let first = wire.bucket.iter().find(|b| b.cumulative_count() == 1).unwrap();
        assert_eq!(shown, [first], "{ns}");
        assert_eq!(wire.exemplars.as_slice(), first.exemplar.as_slice());
        check_agreement(&snapshot);
    }
}
