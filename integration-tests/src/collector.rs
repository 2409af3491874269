//! One collector process with the shipped configuration on ports of its own: that of a [`Stack`], or one
//! more beside it, an agent or a gateway.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::ports::Ports;
use crate::process::Process;
use crate::stack::await_ready;
use crate::{Stack, Tools, repository};

/// The command of a collector that keeps its queue in `directory`: `config.yaml`, and on top of it
/// `overlays`, paths below `otel-collector/`.
pub(crate) fn command(
    tools: &Tools,
    overlays: &[&str],
    ports: &Ports,
    prometheus: &str,
    directory: &Path,
) -> Command {
    let mut command = Command::new(&tools.collector);
    let loopback = |port: u16| format!("127.0.0.1:{port}");
    for file in ["config.yaml"].iter().chain(overlays) {
        command.arg("--config").arg(repository().join("otel-collector").join(file));
    }
    command
        .env("OTLP_GRPC", loopback(ports.otlp_grpc))
        .env("OTLP_HTTP", loopback(ports.otlp_http))
        .env("AGENTS", loopback(ports.agents))
        .env("HEALTH", loopback(ports.health))
        .env("PULL", loopback(ports.pull))
        .env("SELF_PORT", ports.self_metrics.to_string())
        .env("PROMETHEUS", prometheus)
        .env("QUEUE_DIR", directory.join("queue"));
    command
}

/// A running collector beside that of a [`Stack`]. Dropping it ends it.
#[derive(Debug)]
pub struct Collector {
    command: Command,
    process: Option<Process>,
    ports: Ports,
    directory: TempDir,
}

impl Collector {
    /// Starts a collector that pushes to the Prometheus of `stack`, with `overlays` on top of
    /// `config.yaml` and, beside the addresses, the variables of `environment`.
    ///
    /// # Errors
    ///
    /// If it ends early (with the end of its log) or does not answer in time.
    pub async fn start(
        stack: &Stack,
        tools: &Tools,
        overlays: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let ports = Ports::reserve()?;
        let directory = tempfile::Builder::new().prefix("plock-collector-").tempdir()?;
        let prometheus = stack.endpoints().prometheus;
        let mut command = command(tools, overlays, &ports, &prometheus, directory.path());
        command.envs(environment.iter().copied());
        let mut collector = Self { command, process: None, ports, directory };
        collector.start_again().await.with_context(|| format!("collector with {overlays:?}"))?;
        Ok(collector)
    }

    /// Ends it as a crash would.
    ///
    /// # Errors
    ///
    /// If it does not run.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().context("the collector does not run")?.kill()
    }

    /// Starts it on its ports and with its queue of before.
    ///
    /// # Errors
    ///
    /// If it ends early (with the end of its log) or does not answer in time.
    pub async fn start_again(&mut self) -> Result<()> {
        let log = self.directory.path().join("collector.log");
        let process = self.process.insert(Process::spawn(&mut self.command, &log)?);
        let url = format!("http://127.0.0.1:{}/", self.ports.health);
        await_ready(process, &reqwest::Client::new(), &url).await
    }

    /// OTLP over HTTP, for applications.
    #[must_use]
    pub fn otlp_http(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.otlp_http)
    }

    /// Host and port of OTLP over gRPC for agents, if this is a gateway.
    #[must_use]
    pub fn agents(&self) -> String {
        format!("127.0.0.1:{}", self.ports.agents)
    }

    /// What it has to scrape.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn pull(&self) -> Result<String> {
        Ok(reqwest::get(format!("http://127.0.0.1:{}/metrics", self.ports.pull))
            .await?
            .text()
            .await?)
    }

    /// Its metrics about itself.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn self_metrics(&self) -> Result<String> {
        let url = format!("http://127.0.0.1:{}/metrics", self.ports.self_metrics);
        Ok(reqwest::get(url).await?.text().await?)
    }
}
