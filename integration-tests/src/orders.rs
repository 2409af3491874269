//! The orders service of `examples/orders` under its own load, as a child process.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{Process, example};

/// A little more than the service needs to start, or to end after its load.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running service.
#[derive(Debug)]
pub struct Orders {
    process: Process,
    url: String,
    client: reqwest::Client,
}

impl Orders {
    /// Builds the program if need be, starts it with `arguments` (`--scenario` and the like) and
    /// `environment`, and waits until it listens. Telemetry settings of this process do not count.
    ///
    /// # Errors
    ///
    /// If it does not build, ends early or does not listen in time.
    pub async fn start<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        arguments: &[&str],
        environment: impl IntoIterator<Item = (K, V)>,
        log: &Path,
    ) -> Result<Self> {
        let program = tokio::task::spawn_blocking(|| example("orders")).await??;
        let mut command = Command::new(program);
        command.args(["run", "--json"]).args(arguments);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
        command.env("NO_PROXY", "127.0.0.1").envs(environment);
        let mut process = Process::spawn(&mut command, log)?;
        let listening = process.told("{\"event\":\"listening\",", PATIENCE).await?;
        let listening: Value = serde_json::from_str(&format!("{{{listening}"))?;
        let url = listening["url"].as_str().context("no URL")?.to_owned();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
        Ok(Self { process, url, client })
    }

    /// Its process, to look at its memory.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.process.ensure_running().is_ok()
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Its scrape in the text format.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub async fn scrape(&self) -> Result<String> {
        let request = self.client.get(format!("{}/metrics", self.url));
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// Waits until the load is over and the service has ended, at most a minute longer than
    /// `load`, and returns its report: `load`, `snapshot` and `slowest`.
    ///
    /// # Errors
    ///
    /// If it ends with an error or without a report.
    pub async fn report(mut self, load: Duration) -> Result<Value> {
        let status = self.process.ended(load + PATIENCE).await?;
        let output = self.process.output()?;
        ensure!(status.success(), "{status}\n{output}");
        let report = output.lines().rfind(|line| line.starts_with("{\"event\":\"report\""));
        Ok(serde_json::from_str(report.context("no report")?)?)
    }
}
