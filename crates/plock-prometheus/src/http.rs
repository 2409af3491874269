//! The scrape as an axum handler, and routers around it.

use axum::Router;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tokio::runtime::Handle;

/// Answers a scrape; for a route of one's own.
///
/// Encoding hundreds of locks takes milliseconds, so it happens on the runtime's pool of blocking
/// threads and no task waits behind it. If that pool is exhausted, the scrape waits too: a separate
/// endpoint (feature `server`) does not.
///
/// ```
/// let app: axum::Router =
///     axum::Router::new().route("/internal/metrics", axum::routing::get(plock_prometheus::handler));
/// # drop(app);
/// ```
pub async fn handler(headers: HeaderMap) -> Response {
    let Ok(runtime) = Handle::try_current() else { return answer(&headers) };
    let answered = runtime.spawn_blocking(move || answer(&headers)).await;
    // It fails when the runtime is being shut down.
    answered.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// `/metrics` for the scraper and `/healthz` for a liveness probe, to be merged into an application.
///
/// # Panics
/// Never by itself; merging panics if the application has one of the two routes already.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    routes(get(handler))
}

/// The same for a thread that has nothing else to do.
#[cfg(feature = "server")]
pub(crate) fn inline_router() -> Router {
    routes(get(async |headers: HeaderMap| answer(&headers)))
}

fn routes<S: Clone + Send + Sync + 'static>(metrics: MethodRouter<S>) -> Router<S> {
    Router::new().route("/metrics", metrics).route("/healthz", get(async || "ok\n"))
}

fn answer(headers: &HeaderMap) -> Response {
    // A header may come in several lines, which mean the same as one with commas.
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let content = crate::scrape(Some(&lines.collect::<Vec<_>>().join(",")));
    ([(CONTENT_TYPE, content.content_type)], content.body).into_response()
}
