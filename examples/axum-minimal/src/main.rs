//! The smallest axum service with plock: a changed import, a layer, and a line of set-up.
//!
//! `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run --package axum-minimal`, then
//! `curl -X POST http://127.0.0.1:3000/visits`; the scrape is at <http://127.0.0.1:3000/metrics>.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::post};
use plock::tokio::sync::Mutex; // was: tokio::sync::Mutex

type Visits = Arc<Mutex<u64>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _plock = plock::otel::init()?;
    let app = Router::new()
        .route("/visits", post(visit))
        .with_state(Visits::new(Mutex::new(0)))
        .layer(plock::tower::PlockLayer::new())
        .merge(plock::prometheus::router());
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).with_graceful_shutdown(interrupted()).await?;
    Ok(())
}

/// Counts a visit, and keeps the lock while it does something slow: what plock is there to show.
async fn visit(State(visits): State<Visits>) -> String {
    let mut count = visits.lock().await;
    *count += 1;
    tokio::time::sleep(Duration::from_millis(20)).await;
    format!("visit number {count}\n")
}

async fn interrupted() {
    // Without signals there is nothing to wait for, and the service ends.
    let _signal = tokio::signal::ctrl_c().await;
}
