//! What [`init`](crate::init) returns: flushes and shuts down what it set up, and nothing else.

use crate::transport::Closing;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Keeps the telemetry of the process going; dropping it sends what is left and stops it.
///
/// Flushing and shutting down block the calling thread until the receiver has answered or the time
/// limit has passed (`OTEL_EXPORTER_OTLP_TIMEOUT`; at most five seconds per signal on shutdown).
/// In async code call them through `spawn_blocking`. They cannot deadlock, not even on a
/// current-thread runtime: the exporters need nothing of the service's runtime.
///
/// ```
/// # fn main() -> Result<(), plock_otel::Error> {
/// # if std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_none() { return Ok(()) }
/// let guard = plock_otel::init()?;
/// // ... serve ...
/// guard.shutdown()?; // or simply drop it
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "dropping the guard ends the telemetry of the process"]
pub struct Guard {
    tracer_provider: Option<SdkTracerProvider>,
    meter_provider: Option<SdkMeterProvider>,
    tracer: Option<SdkTracer>,
    closing: Arc<Closing>,
    shut_down: AtomicBool,
}

impl Guard {
    pub(crate) const fn new(
        tracer_provider: Option<SdkTracerProvider>,
        meter_provider: Option<SdkMeterProvider>,
        tracer: Option<SdkTracer>,
        closing: Arc<Closing>,
    ) -> Self {
        let shut_down = AtomicBool::new(false);
        Self { tracer_provider, meter_provider, tracer, closing, shut_down }
    }

    /// Where spans go; `None` if spans are off. It is the application's own provider if that was
    /// given.
    #[must_use]
    pub const fn tracer(&self) -> Option<&SdkTracer> {
        self.tracer.as_ref()
    }

    /// Sends everything recorded so far: spans first, then metrics, whose figures then include
    /// what happened to the spans.
    ///
    /// # Errors
    /// If something could not be delivered. It is counted in `plock.telemetry.dropped`.
    pub fn force_flush(&self) -> Result<(), crate::Error> {
        if self.shut_down.load(Relaxed) {
            return Ok(());
        }
        let spans = self.tracer_provider.as_ref().map_or(Ok(()), SdkTracerProvider::force_flush);
        let metrics = self.meter_provider.as_ref().map_or(Ok(()), SdkMeterProvider::force_flush);
        outcome(spans, metrics)
    }

    /// Sends everything and stops. Only the first call does something.
    ///
    /// # Errors
    /// If something could not be delivered.
    pub fn shutdown(&self) -> Result<(), crate::Error> {
        if self.shut_down.swap(true, Relaxed) {
            return Ok(());
        }
        self.closing.close();
        let spans = self.tracer_provider.as_ref().map_or(Ok(()), SdkTracerProvider::shutdown);
        let metrics = self.meter_provider.as_ref().map_or(Ok(()), SdkMeterProvider::shutdown);
        outcome(spans, metrics)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The transport has reported what failed; there is nobody left to return it to.
        drop(self.shutdown());
    }
}

fn outcome(spans: OTelSdkResult, metrics: OTelSdkResult) -> Result<(), crate::Error> {
    for (what, outcome) in [("spans", spans), ("metrics", metrics)] {
        outcome.map_err(|error| crate::Error::other(format!("{what} not delivered: {error}")))?;
    }
    Ok(())
}
