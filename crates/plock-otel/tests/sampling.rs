//! What reaches the span SDK, and what does not: spans that are not sampled cost no call, a scope
//! with 10,000 slow waits has eight child spans, and the figures are the same whatever is sampled.
#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use opentelemetry::trace::noop::NoopTracer;
use opentelemetry::trace::{FutureExt, SpanContext, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, Value};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    InMemorySpanExporter, Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use plock::manual;
use plock::tokio::sync::Mutex;
use plock_otel::SpanObserver;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

const MS: u64 = 1_000_000;

/// Counts the calls the SDK makes for spans.
#[derive(Clone, Debug, Default)]
struct CountingProcessor(Arc<AtomicU64>);

impl SpanProcessor for CountingProcessor {
    fn on_start(&self, _: &mut Span, _: &Context) {
        self.0.fetch_add(1, Relaxed);
    }
    fn on_end(&self, _: SpanData) {
        self.0.fetch_add(1, Relaxed);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

struct Telemetry {
    sampled: SdkTracer,
    unsampled: SdkTracer,
    /// Calls for spans of both tracers, and for those that plock makes.
    calls: CountingProcessor,
    exporter: InMemorySpanExporter,
    /// The counter is one, so tests take turns.
    turn: std::sync::Mutex<()>,
}

/// One observer per process. Its own tracer samples everything it is asked for.
fn telemetry() -> &'static Telemetry {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        manual::install();
        let (calls, exporter) = (CountingProcessor::default(), InMemorySpanExporter::default());
        let on = SdkTracerProvider::builder()
            .with_span_processor(calls.clone())
            .with_simple_exporter(exporter.clone())
            .with_sampler(Sampler::AlwaysOn)
            .build();
        let off = SdkTracerProvider::builder()
            .with_span_processor(calls.clone())
            .with_sampler(Sampler::AlwaysOff)
            .build();
        let observer = SpanObserver::with_tracer(on.tracer("plock"));
        assert!(plock::set_observer(Box::new(observer)).is_ok());
        let (sampled, unsampled) = (on.tracer("test"), off.tracer("test"));
        Telemetry { sampled, unsampled, calls, exporter, turn: std::sync::Mutex::default() }
    })
}

/// Returns from one poll of whoever calls this; goes on at the next.
async fn step() {
    let mut stepped = false;
    let once = |_: &mut TaskContext<'_>| match std::mem::replace(&mut stepped, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    };
    poll_fn(once).await;
}

type Polled<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A request: a root scope inside a span, polled by hand.
fn request<'a>(context: Context, name: &str, future: impl Future<Output = ()> + 'a) -> Polled<'a> {
    Box::pin(plock::root(name, future).with_context(context))
}

fn poll_at(ns: u64, future: &mut Polled<'_>) -> bool {
    manual::set(ns);
    future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_ready()
}

/// Scopes that hold, wait, give up and nest, in spans from `span`. Returns the span calls this cost,
/// and the figures of its lock and scopes, without their names and exemplars.
fn script(run: &'static str, lock: &'static str, span: &dyn Fn() -> Context) -> (u64, String) {
    manual::set(0);
    let calls = telemetry().calls.0.load(Relaxed);
    let mutex = Mutex::named(lock, ());
    let mut holder = request(span(), &format!("{run} holder"), async {
        let guard = mutex.lock().await;
        step().await;
        drop(guard);
        plock::scope(format!("{run} step"), async { drop(mutex.lock().await) }).await;
    });
    let mut waiter = request(span(), &format!("{run} waiter"), async { drop(mutex.lock().await) });
    let mut quitter =
        request(span(), &format!("{run} quitter"), async { drop(mutex.lock().await) });
    assert!(!poll_at(MS, &mut holder));
    assert!(!poll_at(11 * MS, &mut quitter));
    assert!(!poll_at(12 * MS, &mut waiter));
    manual::set(40 * MS);
    drop(quitter);
    assert!(!poll_at(51 * MS, &mut holder), "the waiter is before its second turn");
    assert!(poll_at(81 * MS, &mut waiter));
    assert!(poll_at(99 * MS, &mut holder));
    drop((holder, waiter)); // and with them the spans

    let mut seen = plock::snapshot();
    let figures = seen.locks.iter_mut().find(|series| series.name == lock).unwrap();
    assert_eq!((figures.contentions(), figures.holders, figures.waiters), (3, 0, 0));
    figures.hold_exemplar = None;
    figures.wait_exemplars.clear();
    let figures = format!("{figures:?}");
    seen.edges.retain(|edge| edge.lock == lock);
    seen.scopes.retain(|scope| scope.name.starts_with(run));
    assert_eq!((seen.edges.is_empty(), seen.scopes.len()), (false, 4));
    let all =
        format!("{figures} {:?} {:?}", seen.edges, seen.scopes).replace(lock, "").replace(run, "");
    (telemetry().calls.0.load(Relaxed) - calls, all)
}

fn turn() -> std::sync::MutexGuard<'static, ()> {
    telemetry().turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn sampling() {
    let _turn = turn();
    let telemetry = telemetry();
    let in_span = |tracer: &SdkTracer| Context::current_with_span(tracer.start("request"));
    let (of_sampled, sampled) = script("run-s", "lock-s", &|| in_span(&telemetry.sampled));
    let (of_unsampled, unsampled) = script("run-u", "lock-u", &|| in_span(&telemetry.unsampled));
    let disabled = || Context::current_with_span(NoopTracer::new().start("request"));
    let (of_disabled, disabled) = script("run-d", "lock-d", &disabled);
    let (of_none, none) = script("run-n", "lock-n", &Context::new);

    // Started and ended: three requests, a hold of 50 ms, waits of 29, 69 and 48 ms.
    assert_eq!(of_sampled, 2 * (3 + 4));
    assert_eq!((of_unsampled, of_disabled, of_none), (0, 0, 0));
    assert_eq!(unsampled, sampled);
    assert_eq!(disabled, sampled);
    assert_eq!(none, sampled);
}

#[test]
fn bounded_detail() {
    const WAITS: u64 = 10_000;
    let _turn = turn();
    let telemetry = telemetry();
    let mutex = Mutex::named("bounded", ());
    let context = Context::current_with_span(telemetry.sampled.start("request"));
    let parent = context.span().span_context().clone();
    let mut holder = request(Context::new(), "bounded holder", async {
        for _ in 0..WAITS {
            let guard = mutex.lock().await;
            step().await;
            drop(guard);
            step().await;
        }
    });
    let mut waiter = request(context, "bounded waiter", async {
        for _ in 0..WAITS {
            drop(mutex.lock().await);
            step().await;
        }
    });
    // Waits of 20 ms and 1 to 10,000 us, neither rising nor falling.
    let mut now = MS;
    let mut sum = 0;
    for turn in 0..WAITS {
        let wait = 20 * MS + ((turn * 7_919) % WAITS + 1) * 1_000;
        assert!(!poll_at(now, &mut holder));
        assert!(!poll_at(now, &mut waiter));
        now += wait;
        sum += wait;
        assert!(!poll_at(now, &mut holder));
        assert!(!poll_at(now, &mut waiter));
    }
    assert!(poll_at(now, &mut waiter));
    drop(waiter);

    let spans = telemetry.exporter.get_finished_spans().unwrap();
    let mut kept: Vec<u64> = spans.iter().filter_map(|span| child_us(span, &parent)).collect();
    kept.sort_unstable();
    assert_eq!(kept, (29_993..=30_000).collect::<Vec<_>>());
    let request = spans.iter().find(|span| span.span_context == parent).unwrap();
    let attribute = |key| {
        let found = request.attributes.iter().find(|pair| pair.key.as_str() == key);
        found.unwrap_or_else(|| panic!("{key} is there")).value.clone()
    };
    assert_eq!(attribute("lock.contentions"), Value::I64(10_000));
    assert_eq!(attribute("lock.wait.time"), Value::F64(Duration::from_nanos(sum).as_secs_f64()));
    assert_eq!(attribute("lock.wait.max"), Value::F64(0.03));
}

/// The length of a wait that is a child of this span.
fn child_us(span: &SpanData, parent: &SpanContext) -> Option<u64> {
    let is_child = span.parent_span_id == parent.span_id();
    let took = span.end_time.duration_since(span.start_time).unwrap().as_micros();
    is_child.then(|| {
        assert_eq!(span.name, "lock wait");
        u64::try_from(took).unwrap()
    })
}
