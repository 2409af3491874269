//! A real OTLP/HTTP receiver on a free loopback port, with answers a test can script.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;
use std::collections::VecDeque;
use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for what has to happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// What the receiver answers to one request; after the script it accepts everything.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// This status, with a `Retry-After` if one is given.
    Status(u16, Option<&'static str>),
    /// Accepted, but this many data points refused.
    Rejected(i64),
    /// Nothing, ever.
    Hang,
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    /// The body, decompressed.
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<(Vec<Received>, VecDeque<Answer>)>,
    arrived: Condvar,
}

impl Receiver {
    /// Listens, and gives these answers first.
    pub(crate) fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket tokio can use");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let script = script.into_iter().collect();
        let inner = Mutex::new((Vec::new(), script));
        let shared = Arc::new(Shared { inner, arrived: Condvar::new() });
        let router = axum::Router::new().fallback(take).with_state(shared.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, router).await.expect("serving");
            });
        });
        Self { url, shared }
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.shared.inner.lock().expect("no panic").0.clone()
    }

    /// Waits until the requests are as wanted, and returns them.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let inner = self.shared.inner.lock().expect("no panic");
        let missing = |inner: &mut (Vec<Received>, VecDeque<Answer>)| !wanted(&inner.0);
        let wait = self.shared.arrived.wait_timeout_while(inner, DEADLINE, missing);
        let (inner, timeout) = wait.expect("no panic");
        let there = || inner.0.iter().map(|r| format!("{} {:?} ago", r.path, r.at.elapsed()));
        assert!(!timeout.timed_out(), "not received in time: {:?}", there().collect::<Vec<_>>());
        inner.0.clone()
    }
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("bound"))
}

async fn take(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut plain = body.to_vec();
    if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        plain.clear();
        flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).expect("valid gzip");
    }
    let received =
        Received { at: Instant::now(), path: uri.path().to_owned(), headers, body: plain };
    let answer = {
        let mut inner = shared.inner.lock().expect("no panic");
        inner.0.push(received);
        inner.1.pop_front()
    };
    shared.arrived.notify_all();
    match answer {
        None => StatusCode::OK.into_response(),
        Some(Answer::Hang) => std::future::pending().await,
        Some(Answer::Status(code, after)) => {
            let status = StatusCode::from_u16(code).expect("a status");
            let after = after.map(|after| [("retry-after", after)]);
            (status, after.unwrap_or([("x-no-hint", "")])).into_response()
        }
        Some(Answer::Rejected(rejected_data_points)) => {
            let error_message = "too old".to_owned();
            let partial_success =
                Some(ExportMetricsPartialSuccess { rejected_data_points, error_message });
            ExportMetricsServiceResponse { partial_success }.encode_to_vec().into_response()
        }
    }
}
