//! The scrape as an axum handler, and a router around it.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

/// Answers a scrape; for a route of one's own.
///
/// ```
/// let app: axum::Router =
///     axum::Router::new().route("/internal/metrics", axum::routing::get(plock_prometheus::handler));
/// # drop(app);
/// ```
pub async fn handler(headers: HeaderMap) -> impl IntoResponse {
    // A header may come in several lines, which mean the same as one with commas.
    let lines: Vec<_> =
        headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    let content = crate::scrape(Some(&lines.join(",")));
    ([(CONTENT_TYPE, content.content_type)], content.body)
}

/// `/metrics` for the scraper and `/healthz` for a liveness probe, to be merged into an application.
///
/// # Panics
/// Never by itself; merging panics if the application has one of the two routes already.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/metrics", get(handler)).route("/healthz", get(async || "ok\n"))
}
