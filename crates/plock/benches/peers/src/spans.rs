//! A span for the wait and one for the hold, in the span of a request: with `tracing`, where the
//! subscriber makes the difference, and with `fastrace`.

use crate::harness::Row;
use crate::rows::{Rows, never};
use fastrace::collector::{Config, Reporter, SpanRecord};
use fastrace::future::FutureExt;
use fastrace::prelude::{LocalSpan, Span, SpanContext};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use std::hint::black_box;
use std::sync::OnceLock;
use tokio::sync::Mutex;
use tracing::{Instrument, info_span, subscriber};
use tracing_subscriber::{layer::SubscriberExt, registry};

/// Drops what it gets.
#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        black_box(spans);
        Ok(())
    }
}

impl Reporter for Nowhere {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        black_box(spans);
    }
}

static SPANS: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Keeps open spans, and does nothing with them.
pub(crate) fn with_registry() {
    subscriber::set_global_default(registry()).unwrap();
}

/// The defaults: everything is sampled, a queue of 2,048 spans, batches of 512.
pub(crate) fn with_opentelemetry() {
    let provider =
        SPANS.get_or_init(|| SdkTracerProvider::builder().with_batch_exporter(Nowhere).build());
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    subscriber::set_global_default(registry().with(layer)).unwrap();
}

pub(crate) fn with_reporter() {
    fastrace::set_reporter(Nowhere, Config::default());
}

pub(crate) fn tracing(rows: Rows<'_>) -> Vec<Row> {
    let rows = rows.within(|operations| Box::pin(operations.instrument(info_span!("request"))));
    let mut all = rows.awaited("tokio::Mutex", || Mutex::new(0), in_tracing_spans);
    all.push(rows.polled(|| never().instrument(info_span!("task"))));
    // 800 spans fit into the queue of the batch processor, which is empty again after the rest. Two
    // threads may overrun it: then spans are dropped, at the end of all the work for them.
    let flush = || {
        if let Some(provider) = SPANS.get() {
            provider.force_flush().unwrap();
        }
    };
    all.into_iter().map(|row| row.in_parts(400, flush)).collect()
}

async fn in_tracing_spans(mutex: &'static Mutex<u64>, operations: u64) {
    for _ in 0..operations {
        let wait = info_span!("lock.wait", lock = "orders");
        let mut guard = mutex.lock().instrument(wait).await;
        let hold = info_span!("lock.hold", lock = "orders").entered();
        *guard += 1;
        drop(guard);
        drop(hold);
    }
}

pub(crate) fn fastrace(rows: Rows<'_>) -> Vec<Row> {
    let mut all = rows.awaited("tokio::Mutex", || Mutex::new(0), in_fastrace_spans);
    all.push(rows.polled(|| never().in_span(root())));
    all.into_iter().map(|row| row.in_parts(1000, fastrace::flush)).collect()
}

/// A request of 100 operations: its spans stay with the thread until it ends.
async fn in_fastrace_spans(mutex: &'static Mutex<u64>, operations: u64) {
    let mut left = operations;
    while left > 0 {
        let part = left.min(100);
        let request = async {
            for _ in 0..part {
                let mut guard = mutex.lock().enter_on_poll("lock.wait").await;
                let hold = LocalSpan::enter_with_local_parent("lock.hold");
                *guard += 1;
                drop(guard);
                drop(hold);
            }
        };
        request.in_span(root()).await;
        left -= part;
    }
}

fn root() -> Span {
    Span::root("request", SpanContext::random())
}
