//! One wait with known phases, through the real core: child spans, their times, and the link to the
//! span that held the lock.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of a test")]

use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracer, SdkTracerProvider, SpanData,
};
use plock_core::{
    Attempt, Dropped, Kind, Lock, NoTasks, Permits, Scope, ScopeName, Share, Start, manual,
};
use plock_otel::SpanObserver;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, SystemTime};

const MS: u64 = 1_000_000;

struct Telemetry {
    exporter: InMemorySpanExporter,
    sampled: SdkTracer,
    unsampled: SdkTracer,
}

/// One observer per process.
fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        manual::install();
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let sampled = provider.tracer("test");
        let observer = SpanObserver::with_tracer(provider.tracer("plock"));
        assert!(plock_core::set_observer(Box::new(observer)).is_ok());
        let off = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
        Telemetry { exporter, sampled, unsampled: off.tracer("test") }
    })
}

/// A scope that is polled by hand inside a span.
struct Request {
    scope: Scope,
    context: Context,
}

impl Request {
    fn new(tracer: &SdkTracer, name: &'static str) -> Self {
        let context = Context::current_with_span(tracer.start(name));
        Self { scope: Scope::root(ScopeName::new(name)), context }
    }

    /// Polls the scope once, at this moment.
    fn at<T>(&mut self, ms: u64, mut run: impl FnMut(&mut TaskContext<'_>) -> T) -> T {
        manual::set(ms * MS);
        let _current = self.context.clone().attach();
        let future = pin!(poll_fn(|cx| Poll::Ready(run(cx))));
        match self.scope.poll::<NoTasks, _>(future, &TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(out) => out,
            Poll::Pending => panic!("ready at once"),
        }
    }

    fn end(mut self, ms: u64) -> opentelemetry::trace::SpanContext {
        manual::set(ms * MS);
        self.scope.end::<NoTasks>(true, || {});
        self.context.span().end();
        self.context.span().span_context().clone()
    }
}

/// A request holds a lock from 1 ms to 51 ms; another one asks at 11 ms, is polled at 81 ms and
/// holds it for 1 ms. Returns the spans of the holder and the waiter.
fn convoy(holder: &SdkTracer, name: &'static str) -> [opentelemetry::trace::SpanContext; 2] {
    let (share, site) = (Share::EXCLUSIVE, Location::caller());
    let permits = Permits::new(Lock::named(Kind::Mutex, name), 1);
    let mut first = Request::new(holder, "GET /reindex");
    let mut second = Request::new(&telemetry().sampled, "GET /orders");

    let mut hold = first.at(1, |_| {
        assert!(permits.take(1));
        permits.lock().acquired::<NoTasks>(Start::now(), share, site)
    });
    let mut attempt = second.at(11, |cx| {
        let (attempt, polled) =
            Attempt::begin::<NoTasks>(&permits, Start::now(), share, 1, site, cx);
        assert!(polled.is_pending());
        attempt
    });
    first.at(51, |_| permits.release::<NoTasks>(&mut hold, share, 1));
    let first = first.end(51);
    let mut hold = second.at(81, |cx| {
        assert!(attempt.poll(&permits, cx).is_ready(), "it was handed over");
        attempt.claimed::<NoTasks>(&permits, share, site)
    });
    second.at(82, |_| permits.release::<NoTasks>(&mut hold, share, 1));
    [first, second.end(82)]
}

fn children(parent: &opentelemetry::trace::SpanContext) -> Vec<SpanData> {
    let spans = telemetry().exporter.get_finished_spans().unwrap();
    spans.into_iter().filter(|span| span.parent_span_id == parent.span_id()).collect()
}

fn attribute(span: &SpanData, key: &str) -> Value {
    let mut found = span.attributes.iter().filter(|pair| pair.key.as_str() == key);
    let value = found.next().unwrap_or_else(|| panic!("{key} is there")).value.clone();
    assert!(found.next().is_none(), "{key} is there once");
    value
}

fn took(span: &SpanData) -> Duration {
    span.end_time.duration_since(span.start_time).unwrap()
}

#[test]
fn a_slow_wait_is_a_child_span_linked_to_the_holder() {
    let [holder, waiter] = convoy(&telemetry().sampled, "details-linked");

    let waits = children(&waiter);
    assert_eq!(waits.len(), 1, "the hold of 1 ms is below the threshold");
    let wait = &waits[0];
    assert_eq!(wait.name, "lock wait");
    assert_eq!(wait.span_context.trace_id(), waiter.trace_id());
    assert_eq!(took(wait), Duration::from_millis(70));
    for (key, value) in [
        ("lock.name", Value::from("details-linked")),
        ("lock.kind", Value::from("mutex")),
        ("lock.mode", Value::from("exclusive")),
        ("lock.phase", Value::from("wait")),
        ("lock.blocking.cause", Value::from("held_exclusive")),
        ("lock.end.cause", Value::from("release")),
        ("lock.blocker.site", Value::from("GET /reindex")),
        ("lock.nesting.depth", Value::from(1)),
        ("lock.queue.time", Value::from(0.04)),
        ("lock.claim.delay", Value::from(0.03)),
        ("lock.claim.cause", Value::from("run_queue")),
        ("precision", Value::from("scope")),
        ("code.function.name", Value::from("plock_otel::details")),
        ("code.file.path", Value::from(file!())),
    ] {
        assert_eq!(attribute(wait, key), value, "{key}");
    }
    assert!(matches!(attribute(wait, "code.line.number"), Value::I64(line) if line > 0));
    let link = &wait.links.links[0];
    assert_eq!(wait.links.links.len(), 1);
    assert_eq!(link.span_context.trace_id(), holder.trace_id());
    assert_eq!(link.span_context.span_id(), holder.span_id());
    assert!(link.span_context.is_sampled());
    assert_eq!(link.attributes.len(), 1);
    assert_eq!(link.attributes[0].key.as_str(), "lock.link.role");
    assert_eq!(link.attributes[0].value, Value::from("holder"));

    let holds = children(&holder);
    assert_eq!(holds.len(), 1);
    let hold = &holds[0];
    assert_eq!((&*hold.name, took(hold)), ("lock hold", Duration::from_millis(50)));
    assert_eq!(attribute(hold, "lock.phase"), Value::from("hold"));
    assert!(hold.links.links.is_empty());
    assert!(hold.start_time > SystemTime::UNIX_EPOCH);

    let spans = telemetry().exporter.get_finished_spans().unwrap();
    let of = |context: &opentelemetry::trace::SpanContext| {
        spans.iter().find(|span| span.span_context == *context).unwrap()
    };
    assert_eq!(attribute(of(&waiter), "lock.wait.time"), Value::from(0.07));
    assert_eq!(attribute(of(&waiter), "lock.hold.max"), Value::from(0.001));
    assert_eq!(attribute(of(&waiter), "lock.blocker.site"), Value::from("GET /reindex"));
    assert_eq!(attribute(of(&holder), "lock.blocked_others.count"), Value::from(1));
    assert_eq!(attribute(of(&holder), "lock.blocked_others.time"), Value::from(0.04));
}

#[test]
fn a_holder_that_is_not_sampled_is_not_linked_but_counted() {
    let telemetry = telemetry();
    let missing = || plock_core::snapshot(false).dropped(Dropped::Links);
    let before = missing();
    let [holder, waiter] = convoy(&telemetry.unsampled, "details-unlinked");
    let waits = children(&waiter);
    assert_eq!(waits.len(), 1);
    assert!(waits[0].links.links.is_empty());
    assert_eq!(attribute(&waits[0], "lock.blocker.site"), Value::from("GET /reindex"));
    assert_eq!(missing() - before, 1);
    assert!(children(&holder).is_empty(), "nothing is written for what is not sampled");
}
