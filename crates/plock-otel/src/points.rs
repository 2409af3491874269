//! A metric with its points as OTLP. Every function writes one message, or a part of one, with the
//! numbers that its fields have in `opentelemetry/proto/metrics/v1/metrics.proto`.

use crate::Histograms;
use crate::encode::Series;
use plock_core::{CLASSIC_BOUNDS_NS, Exemplar, SCALE, ZERO_THRESHOLD_NS};
use plock_semconv::protobuf::Message;
use plock_semconv::{Instrument, InstrumentKind, Point, Value, metrics};

/// What all points of one request have in common.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) histograms: Histograms,
    pub(crate) start_unix_ns: u64,
    pub(crate) unix_ns: u64,
}

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`: plock's metrics are that whatever the SDK's own are.
const CUMULATIVE: u64 = 2;
/// `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`.
const NO_RECORDED_VALUE: u64 = 1;

/// A `Metric`, with one last point for each series that is `gone`.
pub(crate) fn metric(
    out: &mut Message<'_>,
    instrument: &Instrument,
    points: &[Point<'_>],
    gone: &[&Series],
    form: Form,
) {
    out.string(1, instrument.name);
    out.string(2, instrument.help);
    out.string(3, instrument.unit);
    match instrument.kind {
        InstrumentKind::Gauge => out.message(5, |out| {
            points.iter().for_each(|point| out.message(1, |out| number(out, point, form)));
            for (_, attributes) in gone {
                out.message(1, |out| gone_number(out, attributes, form));
            }
        }),
        InstrumentKind::Counter => out.message(7, |out| {
            points.iter().for_each(|point| out.message(1, |out| number(out, point, form)));
            out.varint(2, CUMULATIVE);
            out.varint(3, 1); // is_monotonic
        }),
        _ => {
            let durations = points.iter().all(|p| matches!(p.value, Value::Histogram { .. }));
            let exponentially = durations && form.histograms == Histograms::Exponential;
            let (field, write): (_, fn(&mut Message<'_>, &Point<'_>, Form)) =
                if exponentially { (10, exponential) } else { (9, classic) };
            out.message(field, |out| {
                points.iter().for_each(|point| out.message(1, |out| write(out, point, form)));
                out.varint(2, CUMULATIVE);
            });
        }
    }
}

/// A `NumberDataPoint`.
fn number(out: &mut Message<'_>, point: &Point<'_>, form: Form) {
    times(out, form);
    match point.value {
        Value::Count(n) => out.fixed64(6, n.min(i64::MAX.cast_unsigned())),
        Value::Seconds(value) | Value::Gauge(value) => out.double(4, value),
        _ => {} // a counter or gauge has no distribution
    }
    attributes(out, 7, point.attributes());
}

/// A `NumberDataPoint` without a value.
fn gone_number(out: &mut Message<'_>, known: &[(&str, String)], form: Form) {
    times(out, form);
    attributes(out, 7, known.iter().map(|(key, value)| (*key, &**value)));
    out.varint(8, NO_RECORDED_VALUE);
}

/// A `HistogramDataPoint`.
fn classic(out: &mut Message<'_>, point: &Point<'_>, form: Form) {
    times(out, form);
    match &point.value {
        Value::Histogram { histogram, exemplar } => {
            let count = histogram.count();
            let bounds = CLASSIC_BOUNDS_NS.map(seconds);
            buckets(out, seconds(histogram.sum_ns()), &histogram.classic(), count, &bounds);
            exemplar.iter().for_each(|e| out.message(8, |out| self::exemplar(out, e)));
            if count > 0 {
                out.double(12, seconds(histogram.max_ns()));
            }
        }
        Value::Depth(depth) => {
            let bounds = metrics::DEPTH_BOUNDS.map(whole);
            buckets(out, whole(depth.sum), &depth.cumulative, depth.count, &bounds);
        }
        _ => {} // a histogram's points are distributions
    }
    attributes(out, 9, point.attributes());
}

/// Count, sum, separate counts with the one above the last bound, and bounds.
fn buckets(out: &mut Message<'_>, sum: f64, cumulative: &[u64], count: u64, bounds: &[f64]) {
    out.fixed64(4, count);
    out.double(5, sum);
    let mut below = 0;
    let ends = cumulative.iter().copied().chain([count]);
    let separate = ends.map(|end| end.saturating_sub(std::mem::replace(&mut below, end)));
    out.packed_fixed64(6, separate);
    out.packed_fixed64(7, bounds.iter().map(|bound| bound.to_bits()));
}

/// An `ExponentialHistogramDataPoint`.
fn exponential(out: &mut Message<'_>, point: &Point<'_>, form: Form) {
    let Value::Histogram { histogram, exemplar } = &point.value else { return };
    let exponential = histogram.exponential();
    attributes(out, 1, point.attributes());
    times(out, form);
    out.fixed64(4, histogram.count());
    out.double(5, seconds(histogram.sum_ns()));
    out.zigzag(6, SCALE.into());
    out.fixed64(7, exponential.zero_count);
    out.message(8, |positive| {
        positive.zigzag(1, exponential.offset.into());
        positive.packed_varints(2, exponential.counts);
    });
    exemplar.iter().for_each(|e| out.message(11, |out| self::exemplar(out, e)));
    if histogram.count() > 0 {
        out.double(13, seconds(histogram.max_ns()));
    }
    out.double(14, seconds(ZERO_THRESHOLD_NS));
}

fn exemplar(out: &mut Message<'_>, of: &Exemplar) {
    out.fixed64(2, of.unix_ns);
    out.double(3, seconds(of.ns));
    out.bytes(4, &of.span.span_id.to_be_bytes());
    out.bytes(5, &of.span.trace_id.to_be_bytes());
}

/// In the same fields of every kind of point.
fn times(out: &mut Message<'_>, form: Form) {
    out.fixed64(2, form.start_unix_ns);
    out.fixed64(3, form.unix_ns);
}

/// One `KeyValue` each, with an `AnyValue` that is a string.
fn attributes<'k, 'v>(
    out: &mut Message<'_>,
    field: u32,
    pairs: impl Iterator<Item = (&'k str, &'v str)>,
) {
    for (key, value) in pairs {
        out.message(field, |pair| {
            pair.string(1, key);
            pair.message(2, |any| any.string(1, value));
        });
    }
}

fn seconds(ns: u64) -> f64 {
    whole(ns) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "the wire has doubles; exact below 2^53")]
const fn whole(n: u64) -> f64 {
    n as f64
}
