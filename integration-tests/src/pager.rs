//! Whom Alertmanager calls: an HTTP receiver of its webhooks that keeps what it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::promql::Labels;

/// An alert that came out, at the receiver that was called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Name of the receiver in Alertmanager's configuration.
    pub receiver: String,
    /// Labels of the alert.
    pub labels: Labels,
}

/// A receiver that listens on a loopback port until it is dropped.
#[derive(Debug)]
pub struct Pager {
    address: SocketAddr,
    calls: Calls,
    server: JoinHandle<()>,
}

type Calls = Arc<Mutex<Vec<Call>>>;

/// What Alertmanager sends, as far as it counts here.
#[derive(Deserialize)]
struct Notification {
    receiver: String,
    alerts: Vec<Notified>,
}

#[derive(Deserialize)]
struct Notified {
    status: String,
    labels: Labels,
}

impl Pager {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// If no loopback port can be bound.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let calls = Calls::default();
        let app = Router::new().route("/", post(take)).with_state(Arc::clone(&calls));
        let server = tokio::spawn(async move {
            // Ends only with the task; a failed connection is Alertmanager's to report.
            drop(axum::serve(listener, app).await);
        });
        Ok(Self { address, calls, server })
    }

    /// Where Alertmanager sends to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Every call so far, in order of arrival; repetitions are calls too.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(calls): State<Calls>, Json(notification): Json<Notification>) {
    let Notification { receiver, alerts } = notification;
    let firing = alerts.into_iter().filter(|alert| alert.status == "firing");
    let new = firing.map(|alert| Call { receiver: receiver.clone(), labels: alert.labels });
    calls.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
}
