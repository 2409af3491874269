//! Scripted OTLP: spans and cumulative metrics as an instrumented service would send them, with
//! figures that a test knows, over HTTP or gRPC.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge,
    Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    exemplar, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span};
use opentelemetry_proto::transform::common::tonic::Attributes;
use prost::Message;
use tonic::transport::Channel;

/// A sender on behalf of one service instance. A clone shares its connections.
#[derive(Debug, Clone)]
pub struct Sender {
    resource: Resource,
    transport: Transport,
}

#[derive(Debug, Clone)]
enum Transport {
    Http { client: reqwest::Client, base: String },
    Grpc(Channel),
}

impl Sender {
    /// Sends protobuf over HTTP to `endpoint`, on behalf of `service` and its `instance`.
    #[must_use]
    pub fn http(endpoint: &str, service: &str, instance: &str) -> Self {
        let transport =
            Transport::Http { client: reqwest::Client::new(), base: endpoint.to_owned() };
        Self { resource: resource(service, instance), transport }
    }

    /// Sends over gRPC to `endpoint`, on behalf of `service` and its `instance`.
    ///
    /// # Errors
    ///
    /// If `endpoint` is not a URL.
    pub fn grpc(endpoint: &str, service: &str, instance: &str) -> Result<Self> {
        let channel = Channel::from_shared(endpoint.to_owned())?.connect_lazy();
        Ok(Self { resource: resource(service, instance), transport: Transport::Grpc(channel) })
    }

    /// The same sender without `service.instance.id`, as most SDKs are unless told otherwise.
    #[must_use]
    pub fn without_instance(mut self) -> Self {
        self.resource.attributes.retain(|attribute| attribute.key != "service.instance.id");
        self
    }

    /// Sends `spans` in one request.
    ///
    /// # Errors
    ///
    /// If the receiver does not accept all of them.
    pub async fn spans(&self, spans: Vec<Span>) -> Result<()> {
        let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
        let resource = Some(self.resource.clone());
        let resource_spans =
            vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
        let request = ExportTraceServiceRequest { resource_spans };
        match &self.transport {
            Transport::Http { client, base } => post(client, base, "v1/traces", &request).await,
            Transport::Grpc(channel) => {
                TraceServiceClient::new(channel.clone()).export(request).await?;
                Ok(())
            }
        }
    }

    /// Sends `metrics` in one request.
    ///
    /// # Errors
    ///
    /// If the receiver does not accept all of them.
    pub async fn metrics(&self, metrics: Vec<Metric>) -> Result<()> {
        let scope_metrics =
            vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
        let resource = Some(self.resource.clone());
        let metrics = ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() };
        let request = ExportMetricsServiceRequest { resource_metrics: vec![metrics] };
        match &self.transport {
            Transport::Http { client, base } => post(client, base, "v1/metrics", &request).await,
            Transport::Grpc(channel) => {
                MetricsServiceClient::new(channel.clone()).export(request).await?;
                Ok(())
            }
        }
    }
}

/// A root span of a new trace that ends now and took `duration`.
#[must_use]
pub fn root_span(name: &str, duration: Duration, attributes: Vec<KeyValue>) -> Span {
    let end = now();
    Span {
        trace_id: random_id::<16>(),
        span_id: random_id::<8>(),
        name: name.to_owned(),
        kind: span::SpanKind::Server.into(),
        start_time_unix_nano: end - nanos(duration),
        end_time_unix_nano: end,
        attributes: Attributes::from(attributes).0,
        ..Span::default()
    }
}

/// A child of `parent` that starts with it and took `duration`.
#[must_use]
pub fn child_span(
    parent: &Span,
    name: &str,
    duration: Duration,
    attributes: Vec<KeyValue>,
) -> Span {
    Span {
        trace_id: parent.trace_id.clone(),
        parent_span_id: parent.span_id.clone(),
        kind: span::SpanKind::Internal.into(),
        start_time_unix_nano: parent.start_time_unix_nano,
        end_time_unix_nano: parent.start_time_unix_nano + nanos(duration),
        ..root_span(name, duration, attributes)
    }
}

/// A link to `target`, the span that held the lock.
#[must_use]
pub fn holder_link(target: &Span) -> span::Link {
    span::Link {
        trace_id: target.trace_id.clone(),
        span_id: target.span_id.clone(),
        attributes: Attributes::from([KeyValue::new("lock.link.role", "holder")]).0,
        ..span::Link::default()
    }
}

/// One series of cumulative figures that began at `start`: the part that all kinds share.
#[derive(Debug, Clone)]
pub struct Figures {
    name: &'static str,
    unit: &'static str,
    attributes: Vec<KeyValue>,
    start: u64,
}

impl Figures {
    /// A series of the metric `name` with the given unit and attributes, counting from now.
    #[must_use]
    pub fn new(name: &'static str, unit: &'static str, attributes: Vec<KeyValue>) -> Self {
        Self { name, unit, attributes, start: now() }
    }

    /// The series as a counter that stands at `value`.
    #[must_use]
    pub fn counter(&self, value: f64) -> Metric {
        self.metric(metric::Data::Sum(Sum {
            data_points: vec![self.number(value)],
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        }))
    }

    /// The series as a gauge that stands at `value`.
    #[must_use]
    pub fn gauge(&self, value: f64) -> Metric {
        self.metric(metric::Data::Gauge(Gauge { data_points: vec![self.number(value)] }))
    }

    /// The series as a classic histogram of `values`, with the last one as exemplar of `trace`.
    #[must_use]
    pub fn histogram(&self, bounds: &[f64], values: &[f64], trace: Option<&Span>) -> Metric {
        let mut bucket_counts = vec![0; bounds.len() + 1];
        for value in values {
            bucket_counts[bounds.partition_point(|bound| bound < value)] += 1;
        }
        self.metric(metric::Data::Histogram(Histogram {
            data_points: vec![HistogramDataPoint {
                attributes: self.attributes(),
                start_time_unix_nano: self.start,
                time_unix_nano: now(),
                count: values.len() as u64,
                sum: Some(values.iter().sum()),
                bucket_counts,
                explicit_bounds: bounds.to_vec(),
                exemplars: exemplars(values, trace),
                ..HistogramDataPoint::default()
            }],
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
        }))
    }

    /// The series as an exponential histogram (scale 3) of positive `values`, with the last one as
    /// exemplar of `trace`.
    #[must_use]
    pub fn exponential(&self, values: &[f64], trace: Option<&Span>) -> Metric {
        const SCALE: i32 = 3;
        #[expect(clippy::cast_possible_truncation, reason = "logarithms of seconds are small")]
        let index = |value: &f64| (value.log2() * f64::from(1 << SCALE)).ceil() as i32 - 1;
        let offset = values.iter().map(index).min().unwrap_or(0);
        let mut bucket_counts = Vec::new();
        for value in values {
            let place = usize::try_from(index(value) - offset).unwrap_or(0);
            bucket_counts.resize(bucket_counts.len().max(place + 1), 0);
            bucket_counts[place] += 1;
        }
        self.metric(metric::Data::ExponentialHistogram(ExponentialHistogram {
            data_points: vec![ExponentialHistogramDataPoint {
                attributes: self.attributes(),
                start_time_unix_nano: self.start,
                time_unix_nano: now(),
                count: values.len() as u64,
                sum: Some(values.iter().sum()),
                scale: SCALE,
                positive: Some(Buckets { offset, bucket_counts }),
                exemplars: exemplars(values, trace),
                ..ExponentialHistogramDataPoint::default()
            }],
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
        }))
    }

    fn metric(&self, data: metric::Data) -> Metric {
        Metric {
            name: self.name.to_owned(),
            unit: self.unit.to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn number(&self, value: f64) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.start,
            time_unix_nano: now(),
            value: Some(number_data_point::Value::AsDouble(value)),
            ..NumberDataPoint::default()
        }
    }

    fn attributes(&self) -> Vec<opentelemetry_proto::tonic::common::v1::KeyValue> {
        Attributes::from(self.attributes.clone()).0
    }
}

async fn post(
    client: &reqwest::Client,
    base: &str,
    path: &str,
    request: &impl Message,
) -> Result<()> {
    let response = client
        .post(format!("{base}/{path}"))
        .header("content-type", "application/x-protobuf")
        .body(request.encode_to_vec())
        .send()
        .await?;
    response.error_for_status().context("OTLP over HTTP")?;
    Ok(())
}

fn exemplars(values: &[f64], trace: Option<&Span>) -> Vec<Exemplar> {
    let pair = trace.zip(values.last());
    pair.map(|(span, value)| Exemplar {
        time_unix_nano: now(),
        trace_id: span.trace_id.clone(),
        span_id: span.span_id.clone(),
        value: Some(exemplar::Value::AsDouble(*value)),
        ..Exemplar::default()
    })
    .into_iter()
    .collect()
}

fn resource(service: &str, instance: &str) -> Resource {
    let attributes = [
        KeyValue::new("service.name", service.to_owned()),
        KeyValue::new("service.instance.id", instance.to_owned()),
        KeyValue::new("service.version", "1.2"),
    ];
    Resource { attributes: Attributes::from(attributes).0, ..Resource::default() }
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope { name: "plock".to_owned(), ..InstrumentationScope::default() })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Bytes that no other span of this process has; the hasher is seeded by the operating system.
fn random_id<const N: usize>() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let random = RandomState::new();
    std::iter::repeat_with(|| random.hash_one(NEXT.fetch_add(1, Ordering::Relaxed)).to_le_bytes())
        .flatten()
        .take(N)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_belongs_to_the_bucket_below() {
        let figures = Figures::new("plock.wait.duration", "s", vec![]);
        let metric = figures.histogram(&[0.1, 0.3], &[0.05, 0.1, 0.3, 0.4], None);
        let Some(metric::Data::Histogram(histogram)) = metric.data else { panic!("a histogram") };
        assert_eq!(histogram.data_points[0].bucket_counts, [2, 1, 1]);
    }

    #[test]
    fn ids_are_as_long_as_asked_and_distinct() {
        assert_eq!(random_id::<16>().len(), 16);
        assert_ne!(random_id::<8>(), random_id::<8>());
    }
}
