//! The two exporters: the application's metrics with plock's own appended, and spans. Both report
//! what they could not deliver; neither keeps anything for later, because metrics are cumulative
//! and the span queue is the SDK's.

use crate::encode::{RESOURCE_METRICS, SCOPE, SCOPE_METRICS, Shown, scope_metrics};
use crate::env::Env;
use crate::settings::Settings;
use crate::target::{Protocol, Target};
use crate::transport::{Closing, Request, Transport, Wire};
use crate::{Error, Histograms};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::SpanData;
use plock_core::Dropped;
use plock_semconv::protobuf::Message;
use prost::Message as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Exports what the application's own `SdkMeterProvider` collected, together with plock's metrics,
/// in one OTLP request.
///
/// [`init`](crate::init) sets it up. It is public for applications that build their provider
/// themselves; they also call [`Builder::meter_provider`](crate::Builder::meter_provider), because
/// the SDK does not call an exporter while it has nothing to export.
///
/// The SDK's instruments follow `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`. plock's own
/// metrics are always cumulative: their consumers are made for that, and a lost request then loses
/// resolution, not counts.
///
/// Use it with the SDK's thread-based `PeriodicReader`: an export blocks its thread.
///
/// ```
/// use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
///
/// # fn set_up() -> Result<(), plock_otel::Error> {
/// let exporter = plock_otel::MetricExporter::from_env()?;
/// let provider = SdkMeterProvider::builder()
///     .with_reader(PeriodicReader::builder(exporter).build())
///     .build();
/// let _guard = plock_otel::Builder::new().meter_provider(provider).init()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct MetricExporter {
    transport: Transport,
    histograms: Histograms,
    temporality: Temporality,
    shown: Mutex<Shown>,
    shut_down: AtomicBool,
}

impl MetricExporter {
    /// An exporter to the receiver that the `OTEL_EXPORTER_OTLP_*` variables name.
    ///
    /// # Errors
    /// If one of the variables cannot be meant.
    pub fn from_env() -> Result<Self, Error> {
        let env = |name: &str| std::env::var_os(name);
        let settings = Settings::read(&Env::new(&env))?;
        let target = settings.metrics.clone().ok_or_else(|| {
            Error::variable("OTEL_METRICS_EXPORTER", "none", "otlp where an exporter is built")
        })?;
        let histograms = settings.histograms.unwrap_or_default();
        Self::new(target, histograms, settings.temporality, Arc::default())
    }

    pub(crate) fn new(
        target: Target,
        histograms: Histograms,
        temporality: Temporality,
        closing: Arc<Closing>,
    ) -> Result<Self, Error> {
        let budget = target.timeout;
        let transport = Transport::new(wire(target)?, budget, closing, "metrics");
        let (shown, shut_down) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { transport, histograms, temporality, shown, shut_down })
    }

    fn send(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let snapshot = plock_core::snapshot(true);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let (own, showing) = scope_metrics(&snapshot, self.histograms, &shown);
        let outcome = self.transport.send(&Request::Metrics(request(metrics, &own)));
        shown.settle(showing, outcome.is_ok());
        match outcome {
            Ok(reply) => {
                if let Some(at) = self.transport.last_success_unix_ns() {
                    plock_core::note_export(at);
                }
                plock_core::count_dropped(Dropped::Export, u64::from(reply.rejected > 0));
                Ok(())
            }
            Err(message) => {
                plock_core::count_dropped(Dropped::Export, 1);
                Err(OTelSdkError::InternalFailure(message))
            }
        }
    }
}

/// The application's metrics with plock's `own` scope in the same resource.
fn request(metrics: &ResourceMetrics, own: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(own.len() + 4096);
    for mut resource in ExportMetricsServiceRequest::from(metrics).resource_metrics {
        // The instrument that keeps the SDK calling is among plock's own metrics too.
        resource.scope_metrics.retain(|s| s.scope.as_ref().is_none_or(|s| s.name != SCOPE));
        Message::new(&mut body).message(RESOURCE_METRICS, |out| {
            out.append(&resource.encode_to_vec());
            out.bytes(SCOPE_METRICS, own);
        });
    }
    body
}

impl PushMetricExporter for MetricExporter {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        if self.shut_down.load(Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        self.send(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(()) // nothing is held back
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.shut_down.store(true, Relaxed);
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        self.temporality
    }
}

/// Spans that went into a queue and spans that came out; what is missing was dropped on the way.
#[derive(Debug, Default)]
pub(crate) struct SpanTally {
    pub(crate) entered: AtomicU64,
    pub(crate) left: AtomicU64,
}

/// Exports spans.
#[derive(Debug)]
pub(crate) struct SpanExporter {
    transport: Transport,
    resource: ResourceAttributesWithSchema,
    tally: Arc<SpanTally>,
}

impl SpanExporter {
    pub(crate) fn new(
        target: Target,
        closing: Arc<Closing>,
        tally: Arc<SpanTally>,
    ) -> Result<Self, Error> {
        let budget = target.timeout;
        let transport = Transport::new(wire(target)?, budget, closing, "spans");
        Ok(Self { transport, resource: ResourceAttributesWithSchema::default(), tally })
    }
}

impl opentelemetry_sdk::trace::SpanExporter for SpanExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        self.tally.left.fetch_add(count, Relaxed);
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let request = ExportTraceServiceRequest { resource_spans };
        let request = Request::Traces(request.encode_to_vec());
        match self.transport.send(&request) {
            Ok(reply) => {
                plock_core::count_dropped(Dropped::Spans, reply.rejected);
                Ok(())
            }
            Err(message) => {
                plock_core::count_dropped(Dropped::Spans, count);
                Err(OTelSdkError::InternalFailure(message))
            }
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

pub(crate) fn wire(target: Target) -> Result<Box<dyn Wire>, Error> {
    match target.protocol {
        #[cfg(feature = "http-proto")]
        Protocol::HttpProtobuf => Ok(Box::new(crate::http::Http::new(target)?)),
        #[cfg(feature = "grpc")]
        Protocol::Grpc => Ok(Box::new(crate::grpc::Grpc::new(target)?)),
        #[cfg(not(all(feature = "http-proto", feature = "grpc")))]
        protocol => Err(Error::other(format!("plock-otel was built without {protocol:?}"))),
    }
}
