//! A real collector and Prometheus behind the service, and queries that show what arrived.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use integration_tests::promql::{Labels, Sample};
use integration_tests::{Promql, Stack, Tools, TraceStore, eventually};
use serde::Serialize;

use super::progress;

/// Until the last export has gone through the collector and into Prometheus.
const ARRIVAL: Duration = Duration::from_secs(30);
/// Series shown of each answer.
const SHOWN: usize = 4;

/// Counts what the report counts as acquired.
const ACQUIRED: &str = "sum(plock_acquisitions_total{lock_outcome=\"acquired\"})";

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
        "sum by (lock_name, lock_blocking_cause) (plock_request_wait_time_seconds_sum) > 0",
    ),
];

/// One query with what it gave.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    why: &'static str,
    query: &'static str,
    series: Vec<Series>,
    /// Why there is no series.
    nothing: Option<String>,
}

#[derive(Debug, Serialize)]
struct Series {
    labels: Labels,
    value: f64,
}

/// The running collector and Prometheus.
#[derive(Debug)]
pub(crate) struct Backend {
    stack: Stack,
    /// Where traces end, so that they do not queue up.
    _store: TraceStore,
}

impl Backend {
    pub(crate) async fn start() -> Result<Self> {
        progress("building the collector and Prometheus (minutes the first time, then cached)")?;
        let tools = Tools::ready()?;
        progress("starting the collector and Prometheus")?;
        let store = TraceStore::start()?;
        let stack = Stack::builder().trace_store(store.address()).start(&tools).await?;
        progress(&format!("Prometheus listens on {}", stack.endpoints().prometheus))?;
        Ok(Self { stack, _store: store })
    }

    /// Where the service sends to.
    pub(crate) fn otlp(&self) -> String {
        self.stack.endpoints().otlp_http
    }

    /// A client of the Prometheus.
    pub(crate) fn promql(&self) -> Promql {
        self.stack.promql()
    }

    /// Runs every query once Prometheus knows all that the report knows, so that both tell the
    /// same numbers. `acquisitions` is how many the report counts.
    pub(super) async fn ask(&self, acquisitions: u64) -> Result<Vec<Answer>> {
        progress("waiting for the last export to reach Prometheus")?;
        let prometheus = self.promql();
        let deadline = Instant::now() + ARRIVAL;
        let complete = eventually(ARRIVAL, || async {
            let arrived = prometheus.number(ACQUIRED).await?;
            ensure!(arrived >= acquisitions as f64, "{arrived} of {acquisitions} acquisitions");
            Ok(())
        });
        if let Err(error) = complete.await {
            progress(&format!("the figures of Prometheus are not complete: {error:#}"))?;
        }
        let mut answers = Vec::new();
        for (why, query) in QUERIES {
            let patience = deadline.saturating_duration_since(Instant::now());
            let samples = eventually(patience, || async {
                let samples = prometheus.instant(query).await?;
                ensure!(!samples.is_empty(), "no series");
                Ok(samples)
            });
            answers.push(match samples.await {
                Ok(samples) => {
                    let mut series: Vec<_> = samples.iter().map(Series::new).collect();
                    series.sort_by(|a, b| b.value.total_cmp(&a.value));
                    series.truncate(SHOWN);
                    Answer { why, query, series, nothing: None }
                }
                Err(error) => {
                    Answer { why, query, series: Vec::new(), nothing: Some(format!("{error:#}")) }
                }
            });
        }
        Ok(answers)
    }

    /// The queries with their answers, as text.
    pub(super) fn draw(&self, answers: &[Answer]) -> String {
        let mut text = format!("Queries to try at {}/query\n", self.stack.endpoints().prometheus);
        for Answer { why, query, series, nothing } in answers {
            // Writing to a string cannot fail.
            let _written = writeln!(text, "\n{why}\n  {query}");
            for Series { labels, value } in series {
                let labels: Vec<_> = labels.iter().map(|(key, it)| format!("{key}={it}")).collect();
                let _written = writeln!(text, "    {{{}}} {value:.4}", labels.join(", "));
            }
            if let Some(reason) = nothing {
                let _written = writeln!(text, "    {reason}");
            }
        }
        text
    }

    /// Ends both, or says how to.
    pub(crate) async fn end(mut self, keep: bool) -> Result<()> {
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

impl Series {
    fn new(sample: &Sample) -> Self {
        Self { labels: sample.labels.clone(), value: sample.number() }
    }
}
