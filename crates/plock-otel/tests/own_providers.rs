//! An application with its own providers and subscriber: plock joins them and takes nothing over.
#![cfg(feature = "tracing")]

use opentelemetry::Value;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use plock_core::{NoTasks, Scope, ScopeName};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

#[test]
fn the_applications_own_providers_are_used_and_left_alone() {
    let spans = InMemorySpanExporter::default();
    let tracers = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    let metrics = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(metrics.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();

    let guard = plock_otel::Builder::new()
        .tracer_provider(tracers.clone())
        .meter_provider(meters.clone())
        .no_subscriber()
        .init()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(guard.layer());
    tracing::subscriber::set_global_default(subscriber).expect("plock has installed none");

    let mut scope = Scope::root(ScopeName::new("GET /"));
    let request = async {
        let mut inner = pin!(poll_fn(|_| {
            let sampled =
                opentelemetry::Context::map_current(|cx| cx.span().span_context().is_sampled());
            Poll::Ready(sampled)
        }));
        let sampled = poll_fn(|cx| scope.poll::<NoTasks, _>(inner.as_mut(), cx)).await;
        scope.end::<NoTasks>(true, || {});
        sampled
    };
    assert!(pollster::block_on(request.instrument(tracing::info_span!("request"))));
    let exported = spans.get_finished_spans().unwrap();
    assert_eq!(exported.len(), 1);
    let acquisitions =
        exported[0].attributes.iter().filter(|pair| pair.key.as_str() == "lock.acquisitions");
    assert_eq!(acquisitions.map(|pair| &pair.value).collect::<Vec<_>>(), [&Value::I64(0)]);

    meters.force_flush().unwrap();
    let names: Vec<_> = metrics
        .get_finished_metrics()
        .unwrap()
        .iter()
        .flat_map(|of| of.scope_metrics())
        .flat_map(|of| of.metrics())
        .map(|metric| metric.name().to_owned())
        .collect();
    assert_eq!(names, ["plock.build_info"], "the SDK has a reason to call the exporter");

    guard.shutdown().unwrap();
    drop(guard);
    tracing::info_span!("after").in_scope(|| {});
    assert_eq!(spans.get_finished_spans().unwrap().len(), 2, "the application's provider goes on");
}
