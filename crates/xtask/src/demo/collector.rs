//! A real collector and Prometheus behind the service, and queries that show what arrived.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::time::Duration;

use anyhow::{Result, ensure};
use integration_tests::promql::Sample;
use integration_tests::{Stack, Tools, eventually};

use super::progress;

/// Until the last export has gone through the collector and into Prometheus.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Series shown of each answer.
const SHOWN: usize = 4;

/// What to ask: why, and the query.
const QUERIES: [(&str, &str); 4] = [
    (
        "who blocked whom, seconds of waiting (direct)",
        "topk(4, sum by (lock_name, lock_waiter, lock_holder) (plock_blocked_time_seconds_total))",
    ),
    (
        "contended share of each lock (direct)",
        "sum by (lock_name) (plock_blocked_total) / on (lock_name) sum by (lock_name) (plock_acquisitions_total)",
    ),
    (
        "seconds locks were held with the holder parked at an await (direct)",
        "sum by (lock_name) (plock_hold_suspended_time_seconds_total) > 0",
    ),
    (
        "seconds requests waited, by lock and cause (from their spans)",
        "sum by (lock_name, lock_blocking_cause) (plock_request_wait_time_seconds_sum)",
    ),
];

/// The running collector and Prometheus.
#[derive(Debug)]
pub(super) struct Backend {
    stack: Stack,
}

impl Backend {
    pub(super) async fn start() -> Result<Self> {
        progress("building the collector and Prometheus (minutes the first time, then cached)")?;
        let tools = Tools::ready()?;
        progress("starting the collector and Prometheus")?;
        let stack = Stack::builder().start(&tools).await?;
        progress(&format!("Prometheus listens on {}", stack.endpoints().prometheus))?;
        Ok(Self { stack })
    }

    /// Where the service sends to.
    pub(super) fn otlp(&self) -> String {
        self.stack.endpoints().otlp_http
    }

    /// Runs every query once it has an answer, and prints both.
    pub(super) async fn try_queries(&self) -> Result<()> {
        progress("asking Prometheus")?;
        let prometheus = self.stack.promql();
        let base = self.stack.endpoints().prometheus;
        let mut text = format!("\nQueries to try at {base}/query\n");
        for (why, query) in QUERIES {
            let answer = eventually(ARRIVAL, || async {
                let samples = prometheus.instant(query).await?;
                ensure!(!samples.is_empty(), "no series yet");
                Ok(samples)
            });
            write!(text, "\n{why}\n  {query}\n")?;
            match answer.await {
                Ok(samples) => {
                    for sample in samples.iter().take(SHOWN) {
                        writeln!(text, "    {}", line(sample))?;
                    }
                }
                Err(error) => writeln!(text, "    no answer: {error:#}")?,
            }
        }
        Ok(writeln!(stdout(), "{text}")?)
    }

    /// Ends both, or says how to.
    pub(super) async fn end(mut self, keep: bool) -> Result<()> {
        if !keep {
            self.stack.stop_collector().await?;
            return self.stack.stop_prometheus().await;
        }
        let base = self.stack.endpoints().prometheus;
        let (directory, ids) = self.stack.leave_running();
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        progress(&format!("Prometheus stays at {base}, the collector beside it. To end them:"))?;
        progress(&format!("  kill {} && rm -r {}", ids.join(" "), directory.display()))
    }
}

fn line(sample: &Sample) -> String {
    let labels: Vec<String> = sample.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{{{}}} {:.4}", labels.join(", "), sample.number())
}
