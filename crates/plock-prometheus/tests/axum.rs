//! The scrape inside an axum application.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

async fn ask(
    app: Router,
    method: Method,
    path: &str,
    accept: &[&str],
) -> (StatusCode, String, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(path);
    for line in accept {
        request = request.header(ACCEPT, *line);
    }
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
    (status, kind.unwrap_or_default(), body)
}

#[tokio::test]
async fn a_route_of_ones_own_negotiates() {
    let app = || Router::new().route("/m", get(plock_prometheus::handler));
    let (status, kind, body) = ask(app(), Method::GET, "/m", &[]).await;
    assert_eq!(
        (status, kind.as_str()),
        (StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(String::from_utf8(body).unwrap().contains("\nplock_build_info{"));

    let (_, kind, body) = ask(app(), Method::GET, "/m", &["application/openmetrics-text"]).await;
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    assert!(body.ends_with(b"# EOF\n"));
}

#[tokio::test]
async fn a_header_in_several_lines_is_one_header() {
    let accept = ["text/plain;q=0.5", "application/openmetrics-text;version=1.0.0;q=0.9"];
    let (_, kind, _) = ask(plock_prometheus::router(), Method::GET, "/metrics", &accept).await;
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
}

#[tokio::test]
async fn the_router_merges_into_an_application_with_state() {
    let own = Router::new().route("/", get(async || "shop"));
    let app: Router = own.merge(plock_prometheus::router()).with_state(7u32);
    let (status, _, body) = ask(app.clone(), Method::GET, "/healthz", &[]).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"ok\n"[..]));
    let (status, _, body) = ask(app.clone(), Method::GET, "/", &[]).await;
    assert_eq!((status, &body[..]), (StatusCode::OK, &b"shop"[..]));
    let (status, _, body) = ask(app.clone(), Method::HEAD, "/metrics", &[]).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 0));
    let (status, ..) = ask(app, Method::POST, "/metrics", &[]).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn the_handler_needs_no_tokio_runtime() {
    let (status, _, body) =
        pollster::block_on(ask(plock_prometheus::router(), Method::GET, "/metrics", &[]));
    assert_eq!(status, StatusCode::OK);
    assert!(body.starts_with(b"# HELP plock_"));
}
