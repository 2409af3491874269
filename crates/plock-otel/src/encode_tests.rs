use super::{SCOPE, Shown, scope_metrics};
use crate::Histograms;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    DataPointFlags, Exemplar, Metric, ScopeMetrics, exemplar,
};
use plock_core::{
    CLASSIC_BOUNDS_NS, Cause, Edge, Histogram, Kind, LockSeries, Mode, Open, SCALE, Snapshot,
    SpanRef,
};
use plock_semconv::{Family, InstrumentKind, Point, Value, families, metrics};
use prost::Message;

/// Two waits, one of them with an exemplar, three holds, an open hold, and an edge.
fn snapshot(open_hold: bool) -> Snapshot {
    let mut lock = LockSeries::default();
    lock.name = "stock".into();
    (lock.kind, lock.mode) = (Kind::Mutex, Mode::Exclusive);
    lock.outcomes = [3, 1, 0, 0, 0, 0];
    lock.wait[Cause::Holder as usize] = Histogram::of(&[40_000, 310_000_000]);
    lock.hold = Histogram::of(&[3, 150, 2_000_000_000]);
    lock.hold_suspended_ns = 1_000_000_000;
    lock.depth = [2, 1, 0, 0, 0, 0, 0, 0, 0];
    lock.depth_sum = 4;
    (lock.waiters, lock.holders) = (1, 1);
    lock.oldest_hold = open_hold.then(|| {
        let mut open = Open::default();
        open.age_ns = 1_500_000_000;
        open.owner = "GET /a".into();
        open
    });
    let mut slowest = plock_core::Exemplar::default();
    (slowest.ns, slowest.unix_ns) = (310_000_000, 1_500);
    slowest.span = SpanRef::new(0x0102, 0x0304, true);
    lock.wait_exemplars = vec![(Cause::Holder, slowest)];

    let mut edge = Edge::default();
    (edge.lock, edge.cause) = ("stock".into(), Cause::Holder);
    (edge.waiter, edge.holder) = ("GET /b".into(), "GET /a".into());
    (edge.waits, edge.wait_ns) = (2, 310_040_000);

    let mut snapshot = Snapshot::default();
    (snapshot.start_unix_ns, snapshot.unix_ns) = (1_000, 2_000);
    snapshot.clock = "manual".into();
    snapshot.overhead_ns = 250_000_000;
    snapshot.locks = vec![lock];
    snapshot.edges = vec![edge];
    snapshot
}

fn encoded(snapshot: &Snapshot, form: Histograms) -> Vec<Metric> {
    let (scope, _) = scope_metrics(snapshot, form, &Shown::default());
    let scope = ScopeMetrics::decode(&*scope).unwrap();
    assert_eq!(scope.scope.unwrap().name, SCOPE);
    scope.metrics
}

#[test]
fn a_request_without_an_exporter_has_the_same_metrics() {
    let snapshot = snapshot(true);
    let body = super::encode(&snapshot, Histograms::Classic);
    let request = ExportMetricsServiceRequest::decode(&*body).unwrap();
    let [resource] = &request.resource_metrics[..] else { panic!("{request:?}") };
    let [scope] = &resource.scope_metrics[..] else { panic!("{resource:?}") };
    assert_eq!(scope.metrics, encoded(&snapshot, Histograms::Classic));
}

fn find<'a>(encoded: &'a [Metric], name: &str) -> &'a Metric {
    let mut found = encoded.iter().filter(|metric| metric.name == name);
    let first = found.next().unwrap_or_else(|| panic!("{name} is encoded"));
    assert!(found.next().is_none(), "{name} is encoded once");
    first
}

fn assert_attributes(encoded: &[KeyValue], point: &Point<'_>) {
    let pairs: Vec<_> = encoded
        .iter()
        .map(|pair| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(StringValue(value)) => (pair.key.as_str(), value.as_str()),
            other => panic!("{} is {other:?}", pair.key),
        })
        .collect();
    let expected: Vec<_> = point.attributes().collect();
    assert_eq!(pairs, expected);
}

fn assert_exemplars(encoded: &[Exemplar], point: &Point<'_>) {
    let Value::Histogram { exemplar: Some(exemplar), .. } = &point.value else {
        return assert!(encoded.is_empty());
    };
    assert_eq!(encoded.len(), 1);
    assert_eq!(encoded[0].trace_id, [&[0; 14][..], &[1, 2]].concat());
    assert_eq!(encoded[0].span_id, [0, 0, 0, 0, 0, 0, 3, 4]);
    assert_eq!(encoded[0].time_unix_nano, exemplar.unix_ns);
    assert_eq!(encoded[0].value, Some(exemplar::Value::AsDouble(0.31)));
}

fn assert_numbers(metric: &Metric, family: &Family<'_>) {
    let points = match (&metric.data, family.instrument.kind) {
        (Some(Data::Sum(sum)), InstrumentKind::Counter) => {
            assert!(sum.is_monotonic);
            assert_eq!(sum.aggregation_temporality, 2, "cumulative");
            &sum.data_points
        }
        (Some(Data::Gauge(gauge)), InstrumentKind::Gauge) => &gauge.data_points,
        other => panic!("{}: {other:?}", metric.name),
    };
    assert_eq!(points.len(), family.points.len());
    for (encoded, point) in points.iter().zip(&family.points) {
        assert_attributes(&encoded.attributes, point);
        assert_eq!((encoded.start_time_unix_nano, encoded.time_unix_nano), (1_000, 2_000));
        let expected = match point.value {
            Value::Count(n) => Number::AsInt(n.try_into().unwrap()),
            Value::Seconds(value) | Value::Gauge(value) => Number::AsDouble(value),
            ref other => panic!("{other:?}"),
        };
        assert_eq!(encoded.value, Some(expected));
        assert_eq!(encoded.flags, 0);
    }
}

fn assert_classic(metric: &Metric, family: &Family<'_>) {
    let Some(Data::Histogram(data)) = &metric.data else { panic!("{}", metric.name) };
    assert_eq!(data.aggregation_temporality, 2, "cumulative");
    assert_eq!(data.data_points.len(), family.points.len());
    for (encoded, point) in data.data_points.iter().zip(&family.points) {
        assert_attributes(&encoded.attributes, point);
        assert_exemplars(&encoded.exemplars, point);
        assert_eq!((encoded.start_time_unix_nano, encoded.time_unix_nano), (1_000, 2_000));
        assert_eq!(encoded.bucket_counts.len(), encoded.explicit_bounds.len() + 1);
        assert_eq!(encoded.bucket_counts.iter().sum::<u64>(), encoded.count);
        let at_most = |i: usize| encoded.bucket_counts[..=i].iter().sum::<u64>();
        match &point.value {
            Value::Histogram { histogram, .. } => {
                assert_eq!(encoded.count, histogram.count());
                for (i, bound) in CLASSIC_BOUNDS_NS.into_iter().enumerate() {
                    assert_eq!(encoded.explicit_bounds[i], bound as f64 / 1e9);
                    assert_eq!(at_most(i), histogram.count_at_most(bound));
                }
            }
            Value::Depth(depth) => {
                assert_eq!((encoded.count, encoded.sum), (depth.count, Some(depth.sum as f64)));
                for (i, cumulative) in depth.cumulative.into_iter().enumerate() {
                    assert_eq!(at_most(i), cumulative);
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

fn assert_exponential(metric: &Metric, family: &Family<'_>) {
    let Some(Data::ExponentialHistogram(data)) = &metric.data else { panic!("{}", metric.name) };
    assert_eq!(data.aggregation_temporality, 2, "cumulative");
    assert_eq!(data.data_points.len(), family.points.len());
    for (encoded, point) in data.data_points.iter().zip(&family.points) {
        assert_attributes(&encoded.attributes, point);
        assert_exemplars(&encoded.exemplars, point);
        let Value::Histogram { histogram, .. } = &point.value else { panic!("a duration") };
        assert_eq!((encoded.scale, encoded.zero_threshold), (SCALE, 8e-9));
        assert_eq!(encoded.count, histogram.count());
        let positive = encoded.positive.as_ref().unwrap();
        let counted = encoded.zero_count + positive.bucket_counts.iter().sum::<u64>();
        assert_eq!(counted, encoded.count);
        assert!(encoded.negative.is_none());
    }
}

#[test]
fn every_family_is_encoded_in_either_form() {
    let snapshot = snapshot(true);
    for form in [Histograms::Classic, Histograms::Exponential] {
        let encoded = encoded(&snapshot, form);
        let families = families(&snapshot);
        assert_eq!(encoded.len(), families.len());
        assert!(families.len() > 10, "the snapshot covers most of the table");
        for family in &families {
            let instrument = family.instrument;
            let metric = find(&encoded, instrument.name);
            assert_eq!((&*metric.unit, &*metric.description), (instrument.unit, instrument.help));
            let duration = *instrument != metrics::NESTING_DEPTH;
            match instrument.kind {
                InstrumentKind::Histogram if form == Histograms::Exponential && duration => {
                    assert_exponential(metric, family);
                }
                InstrumentKind::Histogram => assert_classic(metric, family),
                _ => assert_numbers(metric, family),
            }
        }
    }
}

#[test]
fn known_figures_have_known_encodings() {
    let classic = encoded(&snapshot(true), Histograms::Classic);
    let Some(Data::Histogram(wait)) = &find(&classic, "plock.wait.duration").data else { panic!() };
    let wait = &wait.data_points[0];
    assert_eq!((wait.count, wait.sum, wait.max), (2, Some(0.31004), Some(0.31)));
    // 40 us is at most 0.1 ms, 310 ms at most 0.5 s.
    let expected: Vec<u64> = (0..16).map(|i| u64::from(i == 3 || i == 11)).collect();
    assert_eq!(wait.bucket_counts, expected);

    let exponential = encoded(&snapshot(true), Histograms::Exponential);
    let data = &find(&exponential, "plock.hold.duration").data;
    let Some(Data::ExponentialHistogram(hold)) = data else { panic!() };
    let hold = &hold.data_points[0];
    assert_eq!((hold.count, hold.zero_count, hold.sum), (3, 1, Some(2.000_000_153)));
    // 2^(1/8) per bucket, limits inclusive: 150 ns is in (2^(-182/8), 2^(-181/8)] s, 2 s in (.., 2^(8/8)].
    let positive = hold.positive.as_ref().unwrap();
    assert_eq!(positive.offset, -182);
    assert_eq!((positive.bucket_counts[0], positive.bucket_counts.len()), (1, 190));
    assert_eq!(positive.bucket_counts[189], 1);
}

#[test]
fn a_vanished_point_gets_one_last_point_without_value() {
    let held = |metrics: &[Metric]| -> Vec<(u32, Option<Number>)> {
        let Some(metric) = metrics.iter().find(|m| m.name == metrics::HELD.name) else {
            return Vec::new();
        };
        let Some(Data::Gauge(gauge)) = &metric.data else { panic!("a gauge") };
        gauge.data_points.iter().map(|point| (point.flags, point.value)).collect()
    };
    let gone = vec![(DataPointFlags::NoRecordedValueMask as u32, None)];
    let mut shown = Shown::default();
    let mut step = |open: bool, delivered: bool| {
        let (scope, showing) = scope_metrics(&snapshot(open), Histograms::Classic, &shown);
        shown.settle(showing, delivered);
        let scope = ScopeMetrics::decode(&*scope).unwrap();
        held(&scope.metrics)
    };
    assert_eq!(step(true, true), [(0, Some(Number::AsDouble(1.5)))]);
    assert_eq!(step(false, false), gone, "not delivered");
    assert_eq!(step(false, true), gone, "so once more");
    assert_eq!(step(false, true), [], "and no longer");
    assert_eq!(step(true, false).len(), 1);
    assert_eq!(step(false, true), gone, "it may have arrived although no answer came");
}
