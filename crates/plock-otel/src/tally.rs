//! Finds out how many spans the SDK's queue dropped. The batch processor drops a span without
//! telling anybody when its queue is full; here every span that goes in is counted, the exporter
//! counts what comes out, and what is missing beyond the queue's capacity was dropped.

use crate::export::SpanTally;
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};
use plock_core::Dropped;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct TallyProcessor {
    inner: BatchSpanProcessor,
    tally: Arc<SpanTally>,
    /// Spans that may be under way.
    capacity: u64,
    /// Dropped spans that are counted already.
    counted: AtomicU64,
}

impl TallyProcessor {
    pub(crate) const fn new(
        inner: BatchSpanProcessor,
        tally: Arc<SpanTally>,
        capacity: u64,
    ) -> Self {
        Self { inner, tally, capacity, counted: AtomicU64::new(0) }
    }

    /// Counts what must have been dropped if at most `under_way` spans are still on their way.
    fn settle(&self, under_way: u64) {
        let (left, entered) = (self.tally.left.load(Relaxed), self.tally.entered.load(Relaxed));
        let dropped = entered.saturating_sub(left).saturating_sub(under_way);
        let counted = self.counted.fetch_max(dropped, Relaxed);
        plock_core::count_dropped(Dropped::Spans, dropped.saturating_sub(counted));
    }
}

impl SpanProcessor for TallyProcessor {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.tally.entered.fetch_add(1, Relaxed);
            self.settle(self.capacity);
        }
        self.inner.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let outcome = self.inner.shutdown_with_timeout(timeout);
        // Nothing is under way any more: now the figure is exact.
        self.settle(0);
        outcome
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}
