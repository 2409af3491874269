//! The service under observation: built by cargo, run as a child, asked over HTTP, ended by SIGTERM.

use std::io::{BufRead, BufReader};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use plock_core::Snapshot;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, Lines};
use tokio::process::{Child, ChildStdout};

use super::progress;
use super::tree::Span;

/// For one look at the service: it is busy, not gone, when an answer takes long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running orders service.
#[derive(Debug)]
pub(crate) struct Orders {
    child: Child,
    events: Lines<tokio::io::BufReader<ChildStdout>>,
    url: String,
    client: reqwest::Client,
}

/// What the service says at its end.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) load: Load,
    pub(super) snapshot: Snapshot,
    pub(super) slowest: Option<Span>,
}

/// How the load fared.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(super) struct Load {
    pub(super) seconds: f64,
    pub(super) offered_rate: f64,
    pub(super) achieved_rate: f64,
    pub(super) requests: u64,
    pub(super) errors: std::collections::BTreeMap<String, u64>,
    pub(super) latency: Latency,
}

/// Latency of the good answers, from their scheduled arrival.
#[derive(Debug, Deserialize, serde::Serialize)]
pub(super) struct Latency {
    pub(super) p50_seconds: f64,
    pub(super) p99_seconds: f64,
    pub(super) max_seconds: f64,
}

/// One line of the service's standard output.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Listening { url: String },
    Report(Box<Outcome>),
}

/// Builds the service, optimised or not, and returns its program. Cargo's own progress goes to
/// standard error.
pub(crate) fn build(release: bool) -> Result<PathBuf> {
    progress("building examples/orders (some minutes the first time)")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo)
        .args(["build", "--package", "orders", "--message-format", "json-render-diagnostics"])
        .args(release.then_some("--release"))
        .current_dir(integration_tests::repository())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let messages = BufReader::new(build.stdout.take().context("cargo has no output")?);
    let mut program = None;
    for message in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(&message?)?;
        if message["target"]["name"] == "orders" && message["executable"].is_string() {
            program = message["executable"].as_str().map(PathBuf::from);
        }
    }
    ensure!(build.wait()?.success(), "examples/orders does not build");
    program.context("cargo did not say where the program is")
}

impl Orders {
    /// Starts the service under load and waits until it listens.
    pub(crate) async fn start(
        program: &Path,
        scenario: &str,
        seconds: NonZeroU64,
        otlp: Option<&str>,
    ) -> Result<Self> {
        let mut command = tokio::process::Command::new(program);
        command
            .args(["run", "--json", "--scenario", scenario, "--seconds", &seconds.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // Ctrl-C reaches only us; we end the service in order.
            .process_group(0)
            .kill_on_drop(true);
        match otlp {
            Some(endpoint) => command
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
                .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
                .env("OTEL_METRIC_EXPORT_INTERVAL", "1000")
                .env("OTEL_BSP_SCHEDULE_DELAY", "500"),
            None => {
                command.env("OTEL_TRACES_EXPORTER", "none").env("OTEL_METRICS_EXPORTER", "none")
            }
        };
        let mut child = command.spawn().context("cannot start orders")?;
        let stdout = child.stdout.take().context("orders has no output")?;
        let mut events = tokio::io::BufReader::new(stdout).lines();
        let Event::Listening { url } = next(&mut events).await? else {
            bail!("orders reported before it listened");
        };
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { child, events, url, client })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot> {
        let url = format!("{}/api/v1/snapshot", self.url);
        let answer = self.client.get(url).send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// What it reports when its load is over. Cancel safe: nothing of a line is lost.
    pub(super) async fn outcome(&mut self) -> Result<Outcome> {
        match next(&mut self.events).await? {
            Event::Report(outcome) => Ok(*outcome),
            Event::Listening { .. } => bail!("orders listened twice"),
        }
    }

    /// Asks it to stop the load and report.
    pub(super) fn terminate(&self) -> Result<()> {
        let id = self.child.id().context("orders has ended already")?;
        let id = rustix::process::Pid::from_raw(i32::try_from(id)?).context("process id 0")?;
        Ok(rustix::process::kill_process(id, rustix::process::Signal::TERM)?)
    }
}

async fn next(events: &mut Lines<tokio::io::BufReader<ChildStdout>>) -> Result<Event> {
    let line = events.next_line().await?.context("orders ended without a report")?;
    serde_json::from_str(&line).with_context(|| format!("orders said: {line:.200}"))
}
