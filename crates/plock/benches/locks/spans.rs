//! What spans pay for a slow wait and the slow hold it waits for: a child span each, made when
//! the scope ends, and a link between them. The part of the SDK is in it; the finished spans are dropped.

use crate::harness::Row;
use opentelemetry::Context as Telemetry;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use plock::tokio::sync::Mutex;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

/// Less than the wait of the row takes and the hold that it waits for.
const SLOW: Duration = Duration::from_nanos(100);
/// Nothing is slow.
const NEVER: Duration = Duration::from_secs(3600);

pub(crate) fn all() -> Vec<Row> {
    vec![
        Row::counted("span/slow-wait-and-hold/bare", |n| slow_waits(sampled(), NEVER, n)),
        Row::counted("span/slow-wait-and-hold/full", |n| slow_waits(sampled(), SLOW, n)),
        Row::counted("span/slow-wait-and-hold-unsampled/bare", |n| {
            slow_waits(unsampled(), NEVER, n)
        }),
        Row::counted("span/slow-wait-and-hold-unsampled/full", |n| {
            slow_waits(unsampled(), SLOW, n)
        }),
    ]
}

/// Requests in turn, one that holds a lock and one that waits for it: two child spans, one with a link.
fn slow_waits(tracer: &SdkTracer, slow: Duration, operations: u64) -> Duration {
    observed();
    plock::set_slow_threshold(slow);
    let lock = Mutex::named("bench_slow_wait", ());
    let cx = &mut Context::from_waker(Waker::noop());
    let start = Instant::now();
    for _ in 0..operations {
        let entered = span(tracer).attach();
        let mut holder = pin!(plock::root("bench-holder", async {
            let _guard = lock.lock().await;
            tokio::task::yield_now().await;
        }));
        assert!(holder.as_mut().poll(cx).is_pending());
        drop(entered);
        let _entered = span(tracer).attach();
        let mut waiter = pin!(plock::root("bench-waiter", async { drop(lock.lock().await) }));
        assert!(waiter.as_mut().poll(cx).is_pending());
        assert!(holder.poll(cx).is_ready());
        assert!(waiter.poll(cx).is_ready());
    }
    let took = start.elapsed();
    plock::set_slow_threshold(NEVER);
    took
}

fn span(tracer: &SdkTracer) -> Telemetry {
    Telemetry::new().with_span(tracer.start("request"))
}

/// Installs the observer of spans, for the rest of the process.
fn observed() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let observer = plock_otel::SpanObserver::with_tracer(sampled().clone());
        assert!(plock_core::set_observer(Box::new(observer)).is_ok(), "this is the only one");
    });
}

fn sampled() -> &'static SdkTracer {
    static TRACER: OnceLock<SdkTracer> = OnceLock::new();
    TRACER.get_or_init(|| tracer(Sampler::AlwaysOn))
}

fn unsampled() -> &'static SdkTracer {
    static TRACER: OnceLock<SdkTracer> = OnceLock::new();
    TRACER.get_or_init(|| tracer(Sampler::AlwaysOff))
}

fn tracer(sampler: Sampler) -> SdkTracer {
    SdkTracerProvider::builder().with_sampler(sampler).build().tracer("bench")
}
