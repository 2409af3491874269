//! Totals and child spans on OpenTelemetry spans, made with either API.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of a test")]

use opentelemetry::trace::{
    FutureExt, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
    TracerProvider,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use plock_core::{Cause, Dropped, ScopeObserver, ScopeReport, SpanRef};
use plock_otel::SpanObserver;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

struct Setup {
    exporter: InMemorySpanExporter,
    tracer: SdkTracer,
    observer: SpanObserver,
    _provider: SdkTracerProvider,
}

fn setup() -> Setup {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let tracer = provider.tracer("test");
    let observer = SpanObserver::with_tracer(tracer.clone());
    Setup { exporter, tracer, observer, _provider: provider }
}

impl Setup {
    /// The only exported span.
    fn exported(&self) -> SpanData {
        let mut spans = self.exporter.get_finished_spans().unwrap();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.remove(0)
    }
}

fn report() -> ScopeReport {
    let mut report = ScopeReport::default();
    report.name = "GET /orders";
    report.acquisitions = 7;
    report.contentions = 2;
    report.wait_ns = 30_000_000;
    report.wait_max_ns = 25_000_000;
    report.blocked_ns = 27_000_000;
    report.hold_ns = 1_500_000_000;
    report.hold_max_ns = 1_000_000_000;
    report.nesting_max = 3;
    report.held_across_await = 1;
    report.worst_lock = Some("stock");
    report.cause = Some(Cause::Holder);
    report.blocker = Some("GET /reindex");
    report.blocked_others = 4;
    report.blocked_others_ns = 125_000_000;
    report
}

/// What [`report`] becomes.
fn totals() -> Vec<KeyValue> {
    vec![
        KeyValue::new("lock.acquisitions", 7),
        KeyValue::new("lock.contentions", 2),
        KeyValue::new("lock.wait.time", 0.03),
        KeyValue::new("lock.wait.max", 0.025),
        KeyValue::new("lock.blocked.time", 0.027),
        KeyValue::new("lock.hold.time", 1.5),
        KeyValue::new("lock.hold.max", 1.0),
        KeyValue::new("lock.nesting.max", 3),
        KeyValue::new("lock.held_across_await", 1),
        KeyValue::new("lock.worst.name", "stock"),
        KeyValue::new("lock.blocking.cause", "holder"),
        KeyValue::new("lock.blocker.site", "GET /reindex"),
        KeyValue::new("lock.blocked_others.count", 4),
        KeyValue::new("lock.blocked_others.time", 0.125),
    ]
}

fn attribute(span: &SpanData, key: &str) -> Value {
    let mut found = span.attributes.iter().filter(|pair| pair.key.as_str() == key);
    let value = found.next().unwrap_or_else(|| panic!("{key} is there")).value.clone();
    assert!(found.next().is_none(), "{key} is there once");
    value
}

fn dropped(reason: Dropped) -> u64 {
    plock_core::snapshot(false).dropped(reason)
}

#[test]
fn totals_are_on_the_span_once_with_exact_values() {
    let setup = setup();
    {
        let span = setup.tracer.start("request");
        let _current = Context::current_with_span(span).attach();
        let (_, handle) = setup.observer.started("GET /orders").unwrap();
        setup.observer.ended(handle, &report());
    }
    assert_eq!(setup.exported().attributes, totals());
}

#[test]
fn a_scope_without_locks_has_zeros_and_no_names() {
    let setup = setup();
    {
        let _current = Context::current_with_span(setup.tracer.start("request")).attach();
        let (_, handle) = setup.observer.started("GET /").unwrap();
        setup.observer.ended(handle, &ScopeReport::default());
    }
    let span = setup.exported();
    assert_eq!(span.attributes.len(), totals().len() - 3);
    assert_eq!(attribute(&span, "lock.acquisitions"), Value::I64(0));
    assert_eq!(attribute(&span, "lock.hold.time"), Value::F64(0.0));
}

#[test]
fn scopes_that_share_a_span_are_added_up_and_written_once() {
    let setup = setup();
    {
        let _current = Context::current_with_span(setup.tracer.start("request")).attach();
        let (outer_span, outer) = setup.observer.started("GET /orders").unwrap();
        let (inner_span, inner) = setup.observer.started("price").unwrap();
        assert_eq!(outer_span, inner_span);
        let mut longer = report();
        longer.wait_ns = 90_000_000;
        longer.wait_max_ns = 80_000_000;
        longer.nesting_max = 2;
        longer.worst_lock = Some("prices");
        longer.cause = Some(Cause::WriterPending);
        longer.blocker = Some("refresh");
        setup.observer.ended(inner, &longer);
        setup.observer.ended(outer, &report());
    }
    let span = setup.exported();
    assert_eq!(span.attributes.len(), totals().len());
    assert_eq!(attribute(&span, "lock.acquisitions"), Value::I64(14));
    assert_eq!(attribute(&span, "lock.wait.time"), Value::F64(0.12));
    assert_eq!(attribute(&span, "lock.wait.max"), Value::F64(0.08));
    assert_eq!(attribute(&span, "lock.nesting.max"), Value::I64(3));
    assert_eq!(attribute(&span, "lock.worst.name"), Value::from("prices"));
    assert_eq!(attribute(&span, "lock.blocking.cause"), Value::from("writer_pending"));
    assert_eq!(attribute(&span, "lock.blocker.site"), Value::from("refresh"));
}

#[test]
fn a_second_scope_after_the_totals_were_written_is_counted_not_doubled() {
    let setup = setup();
    let before = dropped(Dropped::Attributes);
    {
        let _current = Context::current_with_span(setup.tracer.start("request")).attach();
        for _ in 0..2 {
            let (_, handle) = setup.observer.started("step").unwrap();
            setup.observer.ended(handle, &report());
        }
    }
    assert_eq!(setup.exported().attributes, totals());
    assert_eq!(dropped(Dropped::Attributes) - before, totals().len() as u64);
}

#[test]
fn a_span_that_ended_before_its_scope_gets_nothing_more() {
    let setup = setup();
    let before = dropped(Dropped::Late);
    let context = Context::current_with_span(setup.tracer.start("request"));
    let handle = {
        let _current = context.clone().attach();
        setup.observer.started("late").unwrap().1
    };
    context.span().end();
    setup.observer.ended(handle, &report());
    assert_eq!(setup.exported().attributes, []);
    assert_eq!(dropped(Dropped::Late) - before, 1);
}

/// Counts the calls the SDK makes for spans.
#[derive(Debug, Default)]
struct Calls(AtomicU64);

#[derive(Debug)]
struct CountingProcessor(Arc<Calls>);

impl SpanProcessor for CountingProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.0.0.fetch_add(1, Relaxed);
    }
    fn on_end(&self, _: SpanData) {
        self.0.0.fetch_add(1, Relaxed);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn an_unsampled_span_costs_no_span_calls() {
    let calls = Arc::<Calls>::default();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(CountingProcessor(calls.clone()))
        .with_sampler(Sampler::AlwaysOff)
        .build();
    let tracer = provider.tracer("test");
    let observer = SpanObserver::with_tracer(tracer.clone());
    let _current = Context::current_with_span(tracer.start("request")).attach();
    assert!(observer.started("GET /").is_none());
    let current = observer.current().unwrap();
    assert!(!current.sampled && !current.is_linkable(), "known, but nothing to link to");
    assert_eq!(calls.0.load(Relaxed), 0);
}

#[test]
fn without_a_span_there_is_nothing_to_annotate() {
    let observer = setup().observer;
    assert!(observer.started("GET /").is_none());
    assert_eq!(observer.current(), None);

    let remote = SpanContext::new(
        TraceId::from(7),
        SpanId::from(9),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let _current = Context::new().with_remote_span_context(remote).attach();
    assert!(observer.started("GET /").is_none(), "a remote parent is no span to write on");
    assert_eq!(observer.current(), Some(SpanRef::new(7, 9, true)));
}

#[test]
fn telemetry_of_telemetry_is_left_alone() {
    let setup = setup();
    let _current = Context::current_with_span(setup.tracer.start("export")).attach();
    let _suppressed = Context::enter_telemetry_suppressed_scope();
    assert!(setup.observer.started("GET /").is_none());
    assert_eq!(setup.observer.current(), None);
}

#[test]
fn the_identity_is_that_of_the_current_span() {
    let setup = setup();
    let context = Context::current_with_span(setup.tracer.start("request"));
    let identity = context.span().span_context().clone();
    let started = pollster::block_on(
        async { setup.observer.started("GET /").map(|(span, _)| span) }.with_context(context),
    );
    let span = started.unwrap();
    assert_eq!(span.trace_id.to_be_bytes(), identity.trace_id().to_bytes());
    assert_eq!(span.span_id.to_be_bytes(), identity.span_id().to_bytes());
    assert!(span.is_linkable());
}

#[cfg(feature = "tracing")]
mod with_tracing {
    use super::{attribute, report, setup, totals};
    use opentelemetry::Value;
    use plock_core::ScopeObserver;
    use tracing::Instrument;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn totals_are_on_the_span_of_the_instrumented_future() {
        let setup = setup();
        let layer = tracing_opentelemetry::layer().with_tracer(setup.tracer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let handler = async {
                let (span, handle) = setup.observer.started("GET /orders").unwrap();
                assert_eq!(setup.observer.current(), Some(span));
                setup.observer.ended(handle, &report());
            };
            let span = tracing::info_span!("request", route = "/orders");
            pollster::block_on(handler.instrument(span));
        });
        let span = setup.exported();
        assert_eq!(span.name, "request");
        assert_eq!(attribute(&span, "route"), Value::from("/orders"));
        for total in totals() {
            assert_eq!(attribute(&span, total.key.as_str()), total.value);
        }
    }

    #[test]
    fn a_scope_does_not_keep_a_tracing_span_open() {
        let setup = setup();
        let layer = tracing_opentelemetry::layer().with_tracer(setup.tracer.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        let handle = tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request");
            let _entered = span.enter();
            setup.observer.started("left over").unwrap().1
        });
        assert_eq!(setup.exported().name, "request");
        drop(handle);
    }
}
