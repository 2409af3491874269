//! The protobuf format: families as length-delimited messages, every histogram of durations with
//! its classic and its native buckets.

use crate::model::{
    Bucket, BucketSpan, Counter, Exemplar, Gauge, Histogram, LabelPair, Metric, MetricFamily,
    MetricType, Timestamp,
};
use plock_core::{CLASSIC_BOUNDS_NS, Exponential, SCALE, ZERO_THRESHOLD_NS};
use plock_semconv::{DepthHistogram, Family, InstrumentKind, Point, Value, label_name, metrics};
use prost::Message as _;

pub(crate) fn encode(families: &[Family<'_>], start_unix_ns: u64) -> Vec<u8> {
    let created = (start_unix_ns > 0).then(|| timestamp(start_unix_ns));
    families.iter().flat_map(|f| family(f, created).encode_length_delimited_to_vec()).collect()
}

fn family(family: &Family<'_>, created: Option<Timestamp>) -> MetricFamily {
    let kind = match family.instrument.kind {
        InstrumentKind::Counter => MetricType::Counter,
        InstrumentKind::Histogram => MetricType::Histogram,
        _ => MetricType::Gauge,
    };
    MetricFamily {
        name: Some(family.instrument.prometheus_name()),
        help: Some(family.instrument.help.to_owned()),
        r#type: Some(kind.into()),
        metric: family.points.iter().map(|point| metric(point, created)).collect(),
        unit: family.instrument.prometheus_unit().map(str::to_owned),
    }
}

fn metric(point: &Point<'_>, created: Option<Timestamp>) -> Metric {
    let labels = point.attributes().map(|(key, value)| label(label_name(key), value));
    let counter = |value| Some(Counter { value: Some(value), created_timestamp: created });
    let empty = Metric { label: labels.collect(), gauge: None, counter: None, histogram: None };
    match &point.value {
        Value::Count(n) => Metric { counter: counter(crate::number(*n)), ..empty },
        Value::Seconds(v) => Metric { counter: counter(*v), ..empty },
        Value::Gauge(v) => Metric { gauge: Some(Gauge { value: Some(*v) }), ..empty },
        Value::Histogram { histogram, exemplar } => {
            Metric { histogram: Some(durations(histogram, *exemplar, created)), ..empty }
        }
        Value::Depth(d) => Metric { histogram: Some(depths(d, created)), ..empty },
        _ => empty,
    }
}

fn durations(
    of: &plock_core::Histogram,
    exemplar: Option<&plock_core::Exemplar>,
    created: Option<Timestamp>,
) -> Histogram {
    let exemplar = exemplar.filter(|e| e.span.is_linkable()).map(|e| (e.ns, self::exemplar(e)));
    let mut pending = exemplar.clone();
    let mut bucket = |limit_ns: u64, upper_bound, count| Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(upper_bound),
        exemplar: pending.take_if(|(ns, _)| *ns <= limit_ns).map(|(_, exemplar)| exemplar),
    };
    let bounds = CLASSIC_BOUNDS_NS.iter().zip(of.classic());
    let mut buckets: Vec<_> =
        bounds.map(|(ns, count)| bucket(*ns, crate::seconds(*ns), count)).collect();
    buckets.push(bucket(u64::MAX, f64::INFINITY, of.count()));

    let native = of.exponential();
    let (positive_span, positive_delta) = spans(&native);
    Histogram {
        sample_count: Some(of.count()),
        sample_sum: Some(crate::seconds(of.sum_ns())),
        bucket: buckets,
        created_timestamp: created,
        schema: Some(SCALE),
        zero_threshold: Some(crate::seconds(ZERO_THRESHOLD_NS)),
        zero_count: Some(native.zero_count),
        positive_span,
        positive_delta,
        exemplars: exemplar.into_iter().map(|(_, exemplar)| exemplar).collect(),
    }
}

/// Classic only: small whole numbers have no use for exponential buckets.
fn depths(of: &DepthHistogram, created: Option<Timestamp>) -> Histogram {
    let bounds = metrics::DEPTH_BOUNDS.map(crate::number).into_iter().chain([f64::INFINITY]);
    let bucket = |(bound, count)| Bucket {
        cumulative_count: Some(count),
        upper_bound: Some(bound),
        exemplar: None,
    };
    Histogram {
        sample_count: Some(of.count),
        sample_sum: Some(crate::number(of.sum)),
        bucket: bounds.zip(of.cumulative.into_iter().chain([of.count])).map(bucket).collect(),
        created_timestamp: created,
        ..Histogram::default()
    }
}

/// Empty buckets that cost less as zeros than as the gap before a new span.
const MAX_ZEROS: i32 = 2;

/// Occupied buckets as spans, and every count as difference to the one before.
///
/// Prometheus numbers a bucket by its upper limit, OpenTelemetry by its lower one: hence the 1.
fn spans(native: &Exponential) -> (Vec<BucketSpan>, Vec<i64>) {
    let (mut spans, mut deltas) = (Vec::<(i32, u32)>::new(), Vec::new());
    let (mut next, mut last) = (0, 0);
    let occupied = (native.offset + 1..).zip(&native.counts).filter(|(_, count)| **count > 0);
    for (index, count) in occupied {
        let gap = index - next;
        let zeros = match spans.last_mut() {
            Some((_, length)) if gap <= MAX_ZEROS => {
                *length += gap.unsigned_abs() + 1;
                gap
            }
            _ => {
                spans.push((gap, 1));
                0
            }
        };
        for count in (0..zeros).map(|_| 0).chain([count.cast_signed()]) {
            deltas.push(count - last);
            last = count;
        }
        next = index + 1;
    }
    let span = |(offset, length)| BucketSpan { offset: Some(offset), length: Some(length) };
    (spans.into_iter().map(span).collect(), deltas)
}

fn exemplar(of: &plock_core::Exemplar) -> Exemplar {
    let trace = label("trace_id".to_owned(), &format!("{:032x}", of.span.trace_id));
    let span = label("span_id".to_owned(), &format!("{:016x}", of.span.span_id));
    Exemplar {
        label: vec![trace, span],
        value: Some(crate::seconds(of.ns)),
        timestamp: Some(timestamp(of.unix_ns)),
    }
}

fn label(name: String, value: &str) -> LabelPair {
    LabelPair { name: Some(name), value: Some(value.to_owned()) }
}

fn timestamp(unix_ns: u64) -> Timestamp {
    let nanos = (unix_ns % 1_000_000_000) as i32;
    Timestamp { seconds: (unix_ns / 1_000_000_000).cast_signed(), nanos }
}

#[cfg(test)]
#[path = "protobuf_tests.rs"]
mod tests;
