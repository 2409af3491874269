use opentelemetry::trace::{
    SpanContext, TraceContextExt as _, TraceFlags, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::*;

const START: SystemTime = SystemTime::UNIX_EPOCH;

fn traced() -> (Slowest, SdkTracer, SdkTracerProvider) {
    let slowest = Slowest::default();
    let provider = SdkTracerProvider::builder().with_span_processor(slowest.clone()).build();
    (slowest, provider.tracer("test"), provider)
}

/// A span from `from` to `to` milliseconds; its context is what children are started in.
fn span(
    tracer: &SdkTracer,
    name: &'static str,
    parent: &Context,
    kind: SpanKind,
    milliseconds: (u64, u64),
    inside: impl FnOnce(&Context),
) {
    let at = |ms| START + Duration::from_millis(ms);
    let builder = tracer
        .span_builder(name)
        .with_kind(kind)
        .with_start_time(at(milliseconds.0))
        .with_attributes([
            KeyValue::new("lock.acquisitions", 2_i64),
            KeyValue::new("lock.wait.time", 0.5),
        ]);
    let span = builder.start_with_context(tracer, parent);
    let context = parent.with_span(span);
    inside(&context);
    context.span().end_with_timestamp(at(milliseconds.1));
}

#[test]
fn nothing_is_slowest_before_the_first_request() {
    let (slowest, tracer, _provider) = traced();
    assert!(slowest.tree().is_none());
    // Background work is not a request.
    span(&tracer, "pass", &Context::new(), SpanKind::Internal, (0, 900), |_| {});
    assert!(slowest.tree().is_none());
}

#[test]
fn slowest_request_is_kept_with_its_tree() {
    let (slowest, tracer, _provider) = traced();
    let none = Context::new();
    span(&tracer, "fast", &none, SpanKind::Server, (0, 10), |_| {});
    span(&tracer, "slow", &none, SpanKind::Server, (100, 150), |root| {
        span(&tracer, "second", root, SpanKind::Internal, (120, 150), |_| {});
        span(&tracer, "first", root, SpanKind::Internal, (110, 115), |first| {
            span(&tracer, "inner", first, SpanKind::Internal, (111, 112), |_| {});
        });
    });
    span(&tracer, "fast again", &none, SpanKind::Server, (200, 249), |_| {});

    let root = slowest.tree().expect("a request has ended");
    assert_eq!((root.name.as_str(), root.start_seconds), ("slow", 0.0));
    assert!((root.duration_seconds - 0.05).abs() < 1e-9);
    assert_eq!(root.attributes["lock.acquisitions"], 2);
    assert_eq!(root.attributes["lock.wait.time"], 0.5);
    let names: Vec<_> = root.children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(root.children[0].children[0].name, "inner");
    assert!((root.children[1].start_seconds - 0.02).abs() < 1e-9);
}

#[test]
fn work_that_outlives_its_request_joins_the_tree() {
    let (slowest, tracer, _provider) = traced();
    let mut request = Context::new();
    span(&tracer, "slow", &Context::new(), SpanKind::Server, (0, 50), |root| {
        request = root.clone();
    });
    span(&tracer, "invoice", &request, SpanKind::Internal, (40, 90), |_| {});
    let root = slowest.tree().expect("a request has ended");
    assert_eq!(root.children.len(), 1);
    assert_eq!(root.children[0].name, "invoice");
}

#[test]
fn request_with_a_remote_parent_is_a_root() {
    let (slowest, tracer, _provider) = traced();
    let remote = SpanContext::new(
        TraceId::from(7_u128),
        SpanId::from(9_u64),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let caller = Context::new().with_remote_span_context(remote);
    span(&tracer, "called", &caller, SpanKind::Server, (0, 5), |_| {});
    assert_eq!(slowest.tree().expect("a request has ended").name, "called");
}

#[test]
fn memory_is_bounded() {
    let (slowest, tracer, _provider) = traced();
    let mut roots = Vec::new();
    // Traces that never end.
    for _ in 0..OPEN_TRACES + 100 {
        let root = tracer.span_builder("open").start_with_context(&tracer, &Context::new());
        let root = Context::new().with_span(root);
        span(&tracer, "child", &root, SpanKind::Internal, (0, 1), |_| {});
        roots.push(root);
    }
    span(&tracer, "wide", &Context::new(), SpanKind::Server, (0, 50), |root| {
        for _ in 0..SPANS + 100 {
            span(&tracer, "child", root, SpanKind::Internal, (0, 1), |_| {});
        }
    });
    assert_eq!(slowest.tree().expect("a request has ended").children.len(), SPANS - 1);
    let traces = slowest.0.lock().expect("no panic inside");
    assert!(traces.open.len() <= OPEN_TRACES && traces.order.len() <= OPEN_TRACES);
}
