//! plock on OpenTelemetry: who waited for which lock, on the spans of the requests and as metrics
//! over OTLP.
//!
//! ```no_run
//! # fn main() -> Result<(), plock_otel::Error> {
//! let _guard = plock_otel::init()?; // reads the standard OTEL_* variables
//! // ... serve until shutdown; dropping the guard sends what is left
//! # Ok(())
//! # }
//! ```
//!
//! # Spans
//! [`SpanObserver`] writes the totals of each scope onto the span it ran in, once, and adds child
//! spans `lock wait` and `lock hold` for its longest waits and holds, with a link to the span that
//! held the lock. Unsampled spans cost nothing.
//!
//! # Metrics
//! [`MetricExporter`] sends what the application's instruments recorded and plock's own metrics in
//! one request. plock's metrics are exact, cumulative and never sampled; exemplars lead to traces.
//!
//! # Never in the way
//! Exports run on threads of their own, and over HTTP or gRPC without the service's runtime, so they
//! go on when all its workers are stuck. A receiver that is absent or slow costs memory for one
//! request and the SDK's span queue, no more; what could not be delivered is counted in
//! `plock.telemetry.dropped`.
//!
//! # Variables
//! | variable | values |
//! |---|---|
//! | `OTEL_SDK_DISABLED` | `true`, `false` |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | text; `key=value,...` |
//! | `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER` | `otlp`, `none` |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `always_on`, `always_off`, `traceidratio`, each also `parentbased_`; 0 to 1 |
//! | `OTEL_PROPAGATORS` | `tracecontext`, `baggage`, `none` |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS`, `_TIMEOUT`, `_PROTOCOL`, `_COMPRESSION`, `_INSECURE` | also per signal: `OTEL_EXPORTER_OTLP_TRACES_...`, `OTEL_EXPORTER_OTLP_METRICS_...` |
//! | `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION` | `explicit_bucket_histogram`, `base2_exponential_bucket_histogram` |
//! | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative`, `delta`, `lowmemory`; for the SDK's instruments |
//! | `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_METRIC_EXPORT_TIMEOUT` | milliseconds |
//! | `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` | milliseconds; numbers |
//! | `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `_EVENT_`, `_LINK_` | numbers |
//!
//! Any other value is an [`Error`] that names the variable, the value and what is allowed.
//!
//! # Features
//! | feature | for |
//! |---|---|
//! | `http-proto` (default) | OTLP over HTTP with protobuf bodies |
//! | `grpc` | OTLP over gRPC |
//! | `gzip` | compressed requests |
//! | `tls` | https endpoints |
//! | `tracing` | spans of the `tracing` crate, and a subscriber where there is none |

#[cfg(not(any(feature = "http-proto", feature = "grpc")))]
compile_error!("plock-otel needs a transport: enable the feature `http-proto` or `grpc`");

mod encode;
mod env;
mod error;
mod export;
#[cfg(feature = "grpc")]
mod grpc;
mod guard;
#[cfg(feature = "http-proto")]
mod http;
mod points;
mod settings;
mod setup;
mod spans;
#[cfg(feature = "tracing")]
mod subscriber;
mod tally;
mod target;
mod totals;
mod transport;

#[cfg(test)]
#[cfg(feature = "http-proto")]
#[path = "../tests/receiver/mod.rs"]
mod receiver;

pub use encode::encode;
pub use error::Error;
pub use export::MetricExporter;
pub use guard::Guard;
pub use setup::{Builder, Histograms};
pub use spans::SpanObserver;

/// Sets everything up from the standard `OTEL_*` variables: spans, metrics, propagators, and with
/// the feature `tracing` a subscriber where there is none. See [`Builder`] for choices.
///
/// # Errors
/// If a variable cannot be meant, or plock is set up already. Nothing is installed then.
pub fn init() -> Result<Guard, Error> {
    Builder::new().init()
}
