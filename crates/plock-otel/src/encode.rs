//! A snapshot as OTLP metrics: encodes what [`families`] says, and adds nothing to it.

use crate::Histograms;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, DataPointFlags, Exemplar, ExponentialHistogram,
    ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, exemplar,
};
use plock_core::{CLASSIC_BOUNDS_NS, SCALE, Snapshot, ZERO_THRESHOLD_NS};
use plock_semconv::{DepthHistogram, Family, Instrument, InstrumentKind, Point, Value};
use plock_semconv::{families, metrics};
use prost::Message;
use std::collections::BTreeSet;

/// Name of the instrumentation scope of plock's metrics and child spans.
pub(crate) const SCOPE: &str = "plock";

/// plock's histograms are cumulative whatever the SDK's own are.
const CUMULATIVE: i32 = AggregationTemporality::Cumulative as i32;

/// Identity of a point of an instrument whose points vanish.
type Series = (&'static str, Vec<(&'static str, String)>);

/// The vanishing points a receiver may still show. When one is gone, one last point without a value
/// has to say so, or its last value lingers.
#[derive(Debug, Default)]
pub(crate) struct Shown(BTreeSet<Series>);

/// What a request shows, to be kept if it arrived.
#[derive(Debug)]
pub(crate) struct Showing(BTreeSet<Series>);

impl Shown {
    /// Notes the outcome of a request. Nothing is forgotten before a receiver has heard of it.
    pub(crate) fn settle(&mut self, showing: Showing, delivered: bool) {
        if delivered {
            self.0 = showing.0;
        } else {
            self.0.extend(showing.0);
        }
    }
}

/// Times that every point of one snapshot carries.
#[derive(Clone, Copy)]
struct Times {
    start: u64,
    now: u64,
}

/// plock's metrics of a snapshot as the body of one OTLP request (protobuf), without a resource: for an
/// application that has a way of its own to a receiver. [`MetricExporter`](crate::MetricExporter) is
/// the usual way.
///
/// ```
/// use plock_otel::Histograms;
///
/// let body = plock_otel::encode(&plock_core::snapshot(false), Histograms::Exponential);
/// assert!(!body.is_empty());
/// ```
#[must_use]
pub fn encode(snapshot: &Snapshot, histograms: Histograms) -> Vec<u8> {
    let (own, _) = scope_metrics(snapshot, histograms, &Shown::default());
    let resource = ResourceMetrics { scope_metrics: vec![own], ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }.encode_to_vec()
}

/// All metrics of a snapshot under the scope `plock`.
pub(crate) fn scope_metrics(
    snapshot: &Snapshot,
    histograms: Histograms,
    shown: &Shown,
) -> (ScopeMetrics, Showing) {
    let times = Times { start: snapshot.start_unix_ns, now: snapshot.unix_ns };
    let mut showing = BTreeSet::new();
    let mut out = Vec::new();
    for family in &families(snapshot) {
        if family.instrument.transient {
            showing.extend(family.points.iter().map(|point| series(family.instrument, point)));
        }
        out.push(metric(family, histograms, times));
    }
    for gone in shown.0.difference(&showing) {
        add_gone(&mut out, gone, times);
    }
    let scope = InstrumentationScope {
        name: SCOPE.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..InstrumentationScope::default()
    };
    let metrics = ScopeMetrics { scope: Some(scope), metrics: out, schema_url: String::new() };
    (metrics, Showing(showing))
}

fn series(instrument: &'static Instrument, point: &Point<'_>) -> Series {
    let attributes = point.attributes().map(|(key, value)| (key, value.to_owned()));
    (instrument.name, attributes.collect())
}

/// One last point without a value for a series that is gone.
fn add_gone(out: &mut Vec<Metric>, (name, attributes): &Series, times: Times) {
    let attributes = attributes.iter().map(|(key, value)| attribute(key, value)).collect();
    let point = NumberDataPoint {
        flags: DataPointFlags::NoRecordedValueMask as u32,
        value: None,
        ..number(attributes, Number::AsDouble(0.0), times)
    };
    let same = out.iter_mut().find(|metric| metric.name == *name);
    if let Some(Data::Gauge(gauge)) = same.and_then(|metric| metric.data.as_mut()) {
        gauge.data_points.push(point);
    } else if let Some(instrument) = metrics::ALL.iter().find(|i| i.name == *name) {
        out.push(gauge(instrument, vec![point]));
    }
}

fn metric(family: &Family<'_>, histograms: Histograms, times: Times) -> Metric {
    let instrument = family.instrument;
    let points = || family.points.iter().map(|point| (attributes(point), &point.value));
    match instrument.kind {
        InstrumentKind::Gauge => gauge(instrument, numbers(points(), times)),
        InstrumentKind::Counter => {
            let data_points = numbers(points(), times);
            let sum = Sum { data_points, aggregation_temporality: CUMULATIVE, is_monotonic: true };
            named(instrument, Data::Sum(sum))
        }
        _ => {
            let durations =
                family.points.iter().all(|p| matches!(p.value, Value::Histogram { .. }));
            if histograms == Histograms::Exponential && durations {
                let data_points = points().filter_map(|(a, v)| exponential(a, v, times)).collect();
                let data =
                    ExponentialHistogram { data_points, aggregation_temporality: CUMULATIVE };
                return named(instrument, Data::ExponentialHistogram(data));
            }
            let data_points = points().filter_map(|(a, v)| classic(a, v, times)).collect();
            let data = Histogram { data_points, aggregation_temporality: CUMULATIVE };
            named(instrument, Data::Histogram(data))
        }
    }
}

fn gauge(instrument: &Instrument, data_points: Vec<NumberDataPoint>) -> Metric {
    named(instrument, Data::Gauge(Gauge { data_points }))
}

fn named(instrument: &Instrument, data: Data) -> Metric {
    Metric {
        name: instrument.name.into(),
        description: instrument.help.into(),
        unit: instrument.unit.into(),
        metadata: Vec::new(),
        data: Some(data),
    }
}

fn attributes(point: &Point<'_>) -> Vec<KeyValue> {
    point.attributes().map(|(key, value)| attribute(key, value)).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(any_value::Value::StringValue(value.into())) };
    KeyValue { key: key.into(), value: Some(value), ..KeyValue::default() }
}

fn numbers<'a>(
    points: impl Iterator<Item = (Vec<KeyValue>, &'a Value<'a>)>,
    times: Times,
) -> Vec<NumberDataPoint> {
    let points = points.filter_map(|(attributes, value)| {
        let value = match value {
            Value::Count(n) => Number::AsInt(i64::try_from(*n).unwrap_or(i64::MAX)),
            Value::Seconds(value) | Value::Gauge(value) => Number::AsDouble(*value),
            _ => return None, // a counter or gauge has no distribution
        };
        Some(number(attributes, value, times))
    });
    points.collect()
}

fn number(attributes: Vec<KeyValue>, value: Number, times: Times) -> NumberDataPoint {
    NumberDataPoint {
        attributes,
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn classic(
    attributes: Vec<KeyValue>,
    value: &Value<'_>,
    times: Times,
) -> Option<HistogramDataPoint> {
    let point = HistogramDataPoint {
        attributes,
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        ..HistogramDataPoint::default()
    };
    match value {
        Value::Histogram { histogram, exemplar } => Some(HistogramDataPoint {
            count: histogram.count(),
            sum: Some(seconds(histogram.sum_ns())),
            bucket_counts: separate(&histogram.classic(), histogram.count()),
            explicit_bounds: CLASSIC_BOUNDS_NS.map(seconds).to_vec(),
            exemplars: exemplar.map(exemplar_of).into_iter().collect(),
            max: (histogram.count() > 0).then(|| seconds(histogram.max_ns())),
            ..point
        }),
        Value::Depth(DepthHistogram { cumulative, count, sum, .. }) => Some(HistogramDataPoint {
            count: *count,
            sum: Some(whole(*sum)),
            bucket_counts: separate(cumulative, *count),
            explicit_bounds: metrics::DEPTH_BOUNDS.map(whole).to_vec(),
            ..point
        }),
        _ => None, // a histogram's points are distributions
    }
}

fn exponential(
    attributes: Vec<KeyValue>,
    value: &Value<'_>,
    times: Times,
) -> Option<ExponentialHistogramDataPoint> {
    let Value::Histogram { histogram, exemplar } = value else { return None };
    let form = histogram.exponential();
    Some(ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        count: histogram.count(),
        sum: Some(seconds(histogram.sum_ns())),
        scale: SCALE,
        zero_count: form.zero_count,
        zero_threshold: seconds(ZERO_THRESHOLD_NS),
        positive: Some(Buckets { offset: form.offset, bucket_counts: form.counts }),
        exemplars: exemplar.map(exemplar_of).into_iter().collect(),
        max: (histogram.count() > 0).then(|| seconds(histogram.max_ns())),
        ..ExponentialHistogramDataPoint::default()
    })
}

/// Separate counts, the one above the last bound included, from cumulative ones.
fn separate(cumulative: &[u64], count: u64) -> Vec<u64> {
    let mut below = 0;
    let ends = cumulative.iter().copied().chain([count]);
    ends.map(|end| end.saturating_sub(std::mem::replace(&mut below, end))).collect()
}

fn exemplar_of(exemplar: &plock_core::Exemplar) -> Exemplar {
    Exemplar {
        time_unix_nano: exemplar.unix_ns,
        trace_id: exemplar.span.trace_id.to_be_bytes().to_vec(),
        span_id: exemplar.span.span_id.to_be_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(seconds(exemplar.ns))),
        filtered_attributes: Vec::new(),
    }
}

fn seconds(ns: u64) -> f64 {
    whole(ns) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "the wire has doubles; exact below 2^53")]
const fn whole(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
