//! The set-up of plock in a service that has a span provider of its own: here to keep the slowest
//! request in memory as well. A service without such wishes calls `plock::otel::init()` and is done;
//! see `examples/axum-minimal`.

use anyhow::Context;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracerProvider, TracerProviderBuilder},
};

use tracing_subscriber::{
    Layer as _, filter::LevelFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::slowest::Slowest;

const NAME: &str = "orders";

/// What has to stay alive until the end, and be shut down then.
#[derive(Debug)]
pub(crate) struct Telemetry {
    plock: plock::otel::Guard,
    spans: SdkTracerProvider,
}

/// Connects plock with spans and metrics as the standard `OTEL_*` variables say.
pub(crate) fn start(slowest: Slowest) -> anyhow::Result<Telemetry> {
    // The same instance on spans and metrics, or they could not be joined.
    let instance = KeyValue::new("service.instance.id", format!("{:016x}", fastrand::u64(..)));
    let mut resource = Resource::builder().with_attribute(instance.clone());
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name(NAME);
    }
    let spans =
        SdkTracerProvider::builder().with_resource(resource.build()).with_span_processor(slowest);
    let spans = exported(spans)?.build();
    global::set_tracer_provider(spans.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    let plock = plock::otel::Builder::new()
        .service_name(NAME)
        .resource_attribute(instance)
        .tracer_provider(spans.clone())
        .no_subscriber()
        .init()?;
    // Standard output belongs to the report.
    let output = fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::WARN);
    tracing_subscriber::registry().with(plock.layer()).with(output).try_init()?;
    Ok(Telemetry { plock, spans })
}

/// Sends the spans over OTLP too, unless `OTEL_TRACES_EXPORTER` is `none`.
fn exported(spans: TracerProviderBuilder) -> anyhow::Result<TracerProviderBuilder> {
    if std::env::var("OTEL_TRACES_EXPORTER").is_ok_and(|exporter| exporter == "none") {
        return Ok(spans);
    }
    let exporter = SpanExporter::builder().with_http().build().context("set up span export")?;
    Ok(spans.with_batch_exporter(exporter))
}

impl Telemetry {
    /// Sends what is left. Blocks until the receiver has answered or its time is over.
    pub(crate) fn shut_down(self) {
        // A receiver that is away is no reason to end with an error: the requests were answered.
        let _delivered = self.spans.shutdown();
        let _delivered = self.plock.shutdown();
    }
}
