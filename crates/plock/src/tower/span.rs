//! The span of a request, where the application has none.

use http::{HeaderMap, Request, StatusCode};
use opentelemetry::propagation::Extractor;
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// A server span that continues the caller's trace, or nothing inside another span.
pub(super) fn open<B>(request: &Request<B>, name: &str) -> Span {
    if !Span::current().is_none() {
        return Span::none();
    }
    let route = name.split_once(' ').map_or("", |(_, route)| route);
    let span = tracing::info_span!(
        "request",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = request.method().as_str(),
        http.route = route,
        http.response.status_code = Empty,
    );
    if !span.is_disabled() {
        let parent = opentelemetry::global::get_text_map_propagator(|propagator| {
            propagator.extract(&Headers(request.headers()))
        });
        // Fails only without an OpenTelemetry layer; then there is no trace to continue.
        let _ = span.set_parent(parent);
    }
    span
}

pub(super) fn finish(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
