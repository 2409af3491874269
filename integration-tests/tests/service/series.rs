//! Every series that a snapshot stands for, as Prometheus has to show them, and what it does show.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use integration_tests::Promql;
use integration_tests::promql::{Labels, Sample, Value as Shown};
use plock::Snapshot;
use plock_core::{CLASSIC_BOUNDS_NS, Histogram, SCALE, ZERO_THRESHOLD_NS, exponential_bound};
use plock_semconv::{Value, families, label_name, metrics};

/// How durations travel; depths are classic in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Classic,
    Native,
}

/// Figures by name and labels, `le` in one spelling.
pub(crate) type Series = BTreeMap<(String, Labels), Figure>;

/// What one series shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Figure {
    Number(f64),
    /// Count, sum, and count by upper limit.
    Native(f64, f64, BTreeMap<String, f64>),
}

/// Grows by looking at it, so that two looks cannot agree.
const RESTLESS: [&str; 2] =
    [metrics::TELEMETRY_OVERHEAD_TIME.name, metrics::TELEMETRY_LAST_EXPORT.name];

/// Every series of `snapshot`.
pub(crate) fn expected(snapshot: &Snapshot, form: Form) -> Series {
    let mut series = Series::new();
    for family in families(snapshot) {
        if RESTLESS.contains(&family.instrument.name) {
            continue;
        }
        let name = family.instrument.prometheus_name();
        for point in &family.points {
            let pair = |(key, value): (&str, &str)| (label_name(key), value.to_owned());
            let labels: Labels = point.attributes().map(pair).collect();
            let mut add = |suffix: &str, bound: Option<f64>, figure| {
                let mut labels = labels.clone();
                labels.extend(bound.map(|bound| ("le".to_owned(), bound.to_string())));
                let known = series.insert((format!("{name}{suffix}"), labels), figure);
                assert_eq!(known, None, "{name} has one point twice");
            };
            match &point.value {
                Value::Count(count) => add("", None, Figure::Number(*count as f64)),
                Value::Seconds(value) | Value::Gauge(value) => {
                    add("", None, Figure::Number(*value));
                }
                Value::Histogram { histogram, .. } if form == Form::Native => {
                    add("", None, native(histogram));
                }
                Value::Histogram { histogram, .. } => {
                    let bounds = CLASSIC_BOUNDS_NS.iter().map(|bound| seconds(*bound));
                    let (count, sum) = (histogram.count(), seconds(histogram.sum_ns()));
                    classic(bounds.zip(histogram.classic()), count, sum, add);
                }
                Value::Depth(depth) => {
                    let bounds = metrics::DEPTH_BOUNDS.iter().map(|bound| *bound as f64);
                    classic(bounds.zip(depth.cumulative), depth.count, depth.sum as f64, add);
                }
                other => panic!("a value of a new kind: {other:?}"),
            }
        }
    }
    series
}

fn classic(
    buckets: impl Iterator<Item = (f64, u64)>,
    count: u64,
    sum: f64,
    mut add: impl FnMut(&str, Option<f64>, Figure),
) {
    let count = count as f64;
    for (bound, cumulative) in buckets.map(|(bound, n)| (bound, n as f64)) {
        add("_bucket", Some(bound), Figure::Number(cumulative));
    }
    add("_bucket", Some(f64::INFINITY), Figure::Number(count));
    add("_count", None, Figure::Number(count));
    add("_sum", None, Figure::Number(sum));
}

fn native(histogram: &Histogram) -> Figure {
    const { assert!(SCALE == 3, "the resolution that `exponential_bound` is for") };
    let form = histogram.exponential();
    let zero = (seconds(ZERO_THRESHOLD_NS), form.zero_count);
    let above = (form.offset..).zip(form.counts).map(|(index, n)| (exponential_bound(index), n));
    let buckets = above.chain([zero]).filter(|(_, count)| *count > 0);
    let buckets = buckets.map(|(bound, count)| (limit(bound), count as f64)).collect();
    Figure::Native(histogram.count() as f64, seconds(histogram.sum_ns()), buckets)
}

/// Every direct series of plock that Prometheus has of the job `job`.
pub(crate) async fn stored(promql: &Promql, job: &str) -> Result<Series> {
    let skipped = "plock_request_.+|plock_slow_lock_.+|plock_telemetry_(overhead|last_export).+";
    let selector = format!("{{job='{job}',__name__=~'plock_.+',__name__!~'{skipped}'}}");
    let mut series = Series::new();
    for Sample { mut labels, value } in promql.instant(&selector).await? {
        labels.remove("job");
        labels.remove("instance");
        let name = labels.remove("__name__").unwrap_or_default();
        if let Some(bound) = labels.get_mut("le") {
            *bound = bound.parse::<f64>()?.to_string();
        }
        let figure = match value {
            Shown::Float(number) => Figure::Number(number),
            Shown::Histogram(native) => {
                let bucket = |(_, _, upper, count): &(u8, String, String, String)| {
                    anyhow::Ok((limit(upper.parse()?), count.parse()?))
                };
                let buckets = native.buckets.iter().map(bucket).collect::<Result<_>>()?;
                Figure::Native(native.count, native.sum, buckets)
            }
        };
        let known = series.insert((name, labels), figure);
        ensure!(known.is_none(), "{job} has a series twice: {known:?}");
    }
    Ok(series)
}

/// Fails with the first few differences.
pub(crate) fn ensure_equal(expected: &Series, stored: &Series) -> Result<()> {
    let missing = expected.iter().filter(|(key, _)| !stored.contains_key(*key));
    let missing = missing.map(|(key, figure)| format!("missing {key:?} {figure:?}"));
    let extra = stored.iter().filter(|(key, _)| !expected.contains_key(*key));
    let extra = extra.map(|(key, figure)| format!("not expected {key:?} {figure:?}"));
    let both = expected.iter().filter_map(|(key, figure)| Some((key, figure, stored.get(key)?)));
    let other = both
        .filter(|(_, figure, stored)| figure != stored)
        .map(|(key, figure, stored)| format!("{key:?} is {stored:?} and not {figure:?}"));
    let findings: Vec<_> = missing.chain(extra).chain(other).collect();
    let first: Vec<_> = findings.iter().take(20).map(String::as_str).collect();
    ensure!(findings.is_empty(), "{} differences:\n{}", findings.len(), first.join("\n"));
    Ok(())
}

/// A limit of an exponential bucket, to the digits that all implementations agree on.
fn limit(bound: f64) -> String {
    format!("{bound:.9e}")
}

pub(crate) fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
