//! Sends one OTLP request within a time budget: retries with back-off and jitter where the protocol
//! allows it, and keeps no queue. Runs on the SDK's own export threads, never on the service's.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Pause before the first retry; doubles up to [`LAST_PAUSE`], each with up to half of it as jitter.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// Time for the last request of a process, below the five seconds that the SDK waits for it.
const LAST_BUDGET: Duration = Duration::from_secs(4);

/// One request of either signal, encoded.
#[derive(Debug)]
pub(crate) enum Request {
    Metrics(Vec<u8>),
    Traces(Vec<u8>),
}

/// What the receiver said about a request it took.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Data points or spans it refused.
    pub(crate) rejected: u64,
    pub(crate) message: String,
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) retry: Retry,
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    Never,
    BackOff,
    /// Not before this time has passed; the receiver asked for it.
    After(Duration),
}

/// One attempt over one protocol.
pub(crate) trait Wire: Send + Sync + fmt::Debug {
    fn attempt(&self, request: &Request, timeout: Duration) -> Result<Reply, Failure>;
}

/// Set when the process shuts down: pauses end, and requests get one short attempt.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    closed: Mutex<bool>,
    changed: Condvar,
}

/// A wire with its budget and the state of its deliveries.
#[derive(Debug)]
pub(crate) struct Transport {
    wire: Box<dyn Wire>,
    budget: Duration,
    closing: Arc<Closing>,
    what: &'static str,
    failing: AtomicBool,
    last_success_unix_ns: AtomicU64,
}

impl Request {
    /// What an answer to it says. The receiver has taken the request, so an answer that cannot be
    /// read changes nothing.
    pub(crate) fn reply(&self, answer: &[u8]) -> Reply {
        let partial = match self {
            Self::Metrics(_) => ExportMetricsServiceResponse::decode(answer)
                .ok()
                .and_then(|answer| answer.partial_success)
                .map(|partial| (partial.rejected_data_points, partial.error_message)),
            Self::Traces(_) => ExportTraceServiceResponse::decode(answer)
                .ok()
                .and_then(|answer| answer.partial_success)
                .map(|partial| (partial.rejected_spans, partial.error_message)),
        };
        let (rejected, message) = partial.unwrap_or_default();
        Reply { rejected: rejected.try_into().unwrap_or(0), message }
    }
}

impl Closing {
    pub(crate) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn is_closed(&self) -> bool {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, at most until the process shuts down; says whether it does.
    fn pause(&self, time: Duration) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.changed.wait_timeout_while(closed, time, |closed| !*closed);
        *wait.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Transport {
    pub(crate) fn new(
        wire: Box<dyn Wire>,
        budget: Duration,
        closing: Arc<Closing>,
        what: &'static str,
    ) -> Self {
        let (failing, last_success_unix_ns) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { wire, budget, closing, what, failing, last_success_unix_ns }
    }

    /// When a request was last taken in full or in part, in nanoseconds since the Unix epoch.
    pub(crate) fn last_success_unix_ns(&self) -> Option<u64> {
        match self.last_success_unix_ns.load(Relaxed) {
            0 => None,
            at => Some(at),
        }
    }

    /// Sends, and retries within the budget. The first failure in a row and the recovery are
    /// logged, not each of them.
    pub(crate) fn send(&self, request: &Request) -> Result<Reply, String> {
        let outcome = self.attempts(request);
        match &outcome {
            Ok(reply) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
                self.last_success_unix_ns.store(now, Relaxed);
                if self.failing.swap(false, Relaxed) {
                    report(&format!("export of {} works again", self.what));
                }
                if reply.rejected > 0 {
                    report(&format!(
                        "receiver refused {} {}: {}",
                        reply.rejected, self.what, reply.message
                    ));
                }
            }
            Err(message) => {
                if !self.failing.swap(true, Relaxed) {
                    report(&format!("export of {} fails: {message}", self.what));
                }
            }
        }
        outcome
    }

    fn attempts(&self, request: &Request) -> Result<Reply, String> {
        let last = self.closing.is_closed();
        let budget = if last { self.budget.min(LAST_BUDGET) } else { self.budget };
        let deadline = Instant::now() + budget;
        let mut pause = FIRST_PAUSE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = match self.wire.attempt(request, left) {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let wait = match failure.retry {
                Retry::Never => return Err(failure.message),
                Retry::BackOff => pause.mul_f64(1.0 + random_share() / 2.0),
                Retry::After(time) => time,
            };
            let in_time = wait < deadline.saturating_duration_since(Instant::now());
            if !in_time || self.closing.pause(wait) {
                return Err(failure.message);
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }
}

/// 64 random bits, from the keys the standard library takes from the operating system.
pub(crate) fn random_bits() -> u64 {
    RandomState::new().hash_one(0)
}

fn random_share() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let bits = (random_bits() >> 11) as f64;
    bits / (1u64 << 53) as f64
}

/// Tells the operator. The target keeps it out of the spans that are being exported.
fn report(message: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "plock_otel", "{message}");
    #[cfg(not(feature = "tracing"))]
    let _: &str = message; // counted in the metrics; there is nobody to tell
}

#[cfg(test)]
#[cfg(feature = "http-proto")]
#[path = "transport_tests.rs"]
mod tests;
