//! One running stack: a collector and a Prometheus with the shipped configuration on free loopback
//! ports, in a scratch directory. Either can be stopped, killed and started again on its ports, and
//! keeps its data (queue, time series) over that.

mod config;
mod time_lapse;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::ports::Ports;
use crate::process::Process;
use crate::{Alertmanager, Promql, Tools, collector, eventually};

/// How long a process may take until it answers, on a machine that is busy compiling.
const READY: Duration = Duration::from_secs(60);

/// Where the processes of a [`Stack`] listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// OTLP over gRPC, what `OTEL_EXPORTER_OTLP_ENDPOINT` takes for that protocol.
    pub otlp_grpc: String,
    /// OTLP over HTTP, what `OTEL_EXPORTER_OTLP_ENDPOINT` takes for that protocol.
    pub otlp_http: String,
    /// Prometheus: the base of its HTTP API.
    pub prometheus: String,
    /// The collector's own scrape endpoint with everything it also pushes.
    pub pull: String,
    /// Metrics of the collector about itself.
    pub self_metrics: String,
    /// Answers 200 while the collector's pipelines are up.
    pub health: String,
    /// Alertmanager: the base of its HTTP API.
    pub alertmanager: String,
}

/// What differs from the shipped configuration; see [`Stack::builder`].
#[derive(Debug, Clone)]
pub struct StackBuilder {
    trace_store: Option<String>,
    scrape_targets: BTreeMap<String, Vec<String>>,
    scrape_interval: String,
    native_scrapes: bool,
    time_lapse: Option<u32>,
    pager: Option<(PathBuf, String)>,
    collector_environment: BTreeMap<String, String>,
}

impl StackBuilder {
    /// Sends kept traces to the OTLP/gRPC endpoint at `address` (host and port).
    #[must_use]
    pub fn trace_store(mut self, address: impl Into<String>) -> Self {
        self.trace_store = Some(address.into());
        self
    }

    /// Lets Prometheus scrape `target` (host and port) in the job `job` of the shipped
    /// `prometheus.yml`.
    #[must_use]
    pub fn scrape(mut self, job: impl Into<String>, target: impl Into<String>) -> Self {
        self.scrape_targets.entry(job.into()).or_default().push(target.into());
        self
    }

    /// Scrape interval in Prometheus' notation; `1s` unless told otherwise.
    #[must_use]
    pub fn scrape_interval(mut self, interval: impl Into<String>) -> Self {
        self.scrape_interval = interval.into();
        self
    }

    /// Lets Prometheus scrape classic histograms, as the servers do that know no native ones.
    #[must_use]
    pub const fn classic_scrapes(mut self) -> Self {
        self.native_scrapes = false;
        self
    }

    /// Runs the rules and Alertmanager as they are shipped, with all durations in them divided by
    /// `factor`. Otherwise rules are evaluated as often as Prometheus scrapes.
    #[must_use]
    pub const fn time_lapse(mut self, factor: u32) -> Self {
        self.time_lapse = Some(factor);
        self
    }

    /// Also starts Alertmanager, the program `alertmanager`, and lets all its receivers call `url`.
    #[must_use]
    pub fn pager(mut self, alertmanager: impl Into<PathBuf>, url: impl Into<String>) -> Self {
        self.pager = Some((alertmanager.into(), url.into()));
        self
    }

    /// Sets one of the environment variables that `config.yaml` reads.
    #[must_use]
    pub fn collector_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.collector_environment.insert(name.into(), value.into());
        self
    }

    /// Starts all processes and waits until they answer.
    ///
    /// # Errors
    ///
    /// If a process ends early (with the end of its log) or does not answer in time.
    pub async fn start(self, tools: &Tools) -> Result<Stack> {
        let ports = Ports::reserve()?;
        let mut stack = Stack {
            directory: tempfile::Builder::new().prefix("plock-stack-").tempdir()?,
            tools: tools.clone(),
            ports,
            settings: self,
            client: reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?,
            collector: None,
            prometheus: None,
            alertmanager: None,
        };
        stack.start_alertmanager().await?;
        stack.write_prometheus_config()?;
        stack.spawn_prometheus()?;
        stack.spawn_collector()?;
        stack.await_prometheus().await?;
        stack.await_collector().await?;
        Ok(stack)
    }
}

/// A running collector and Prometheus. Dropping it ends them and removes their data, unless the
/// thread panics: then the directory with logs and data stays and its path is in the output.
#[derive(Debug)]
pub struct Stack {
    directory: TempDir,
    tools: Tools,
    ports: Ports,
    settings: StackBuilder,
    client: reqwest::Client,
    collector: Option<Process>,
    prometheus: Option<Process>,
    alertmanager: Option<Process>,
}

impl Stack {
    /// A stack with short intervals, fit for tests: derived metrics every second, traces decided
    /// after one second, scrapes every second.
    #[must_use]
    pub fn builder() -> StackBuilder {
        let intervals =
            [("DERIVED_INTERVAL", "1s"), ("RED_INTERVAL", "1s"), ("DECISION_WAIT", "1s")];
        StackBuilder {
            trace_store: None,
            scrape_targets: BTreeMap::new(),
            scrape_interval: "1s".to_owned(),
            native_scrapes: true,
            time_lapse: None,
            pager: None,
            collector_environment: intervals.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        }
    }

    /// Where to send and to ask.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        let ports = &self.ports;
        Endpoints {
            otlp_grpc: format!("http://127.0.0.1:{}", ports.otlp_grpc),
            otlp_http: format!("http://127.0.0.1:{}", ports.otlp_http),
            prometheus: format!("http://127.0.0.1:{}", ports.prometheus),
            pull: format!("http://127.0.0.1:{}/metrics", ports.pull),
            self_metrics: format!("http://127.0.0.1:{}/metrics", ports.self_metrics),
            health: format!("http://127.0.0.1:{}/", ports.health),
            alertmanager: format!("http://127.0.0.1:{}", ports.alertmanager),
        }
    }

    /// A client of this stack's Prometheus.
    #[must_use]
    pub fn promql(&self) -> Promql {
        Promql::new(&self.endpoints().prometheus)
    }

    /// A client of this stack's Alertmanager.
    #[must_use]
    pub fn alertmanager(&self) -> Alertmanager {
        Alertmanager::new(&self.endpoints().alertmanager)
    }

    /// Lets Prometheus scrape `target` (host and port) in the job `job` from now on.
    ///
    /// # Errors
    ///
    /// If `prometheus.yml` has no such job.
    pub fn scrape(&mut self, job: &str, target: &str) -> Result<()> {
        self.settings.scrape_targets.entry(job.to_owned()).or_default().push(target.to_owned());
        self.write_prometheus_config()
    }

    /// The directory with configuration, logs and data.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Everything the collector has written to its log, over all its starts.
    ///
    /// # Errors
    ///
    /// If the log cannot be read.
    pub fn collector_log(&self) -> Result<String> {
        Ok(fs::read_to_string(self.path("collector.log"))?)
    }

    /// Ends the collector in order: it empties what it can and keeps its queue.
    ///
    /// # Errors
    ///
    /// If it does not run or does not end in time.
    pub async fn stop_collector(&mut self) -> Result<()> {
        self.collector.take().context("the collector does not run")?.stop().await?;
        Ok(())
    }

    /// Ends the collector as a crash would.
    ///
    /// # Errors
    ///
    /// If it does not run.
    pub fn kill_collector(&mut self) -> Result<()> {
        self.collector.take().context("the collector does not run")?.kill()
    }

    /// Starts the collector on its ports and with its queue of before.
    ///
    /// # Errors
    ///
    /// If it runs already, ends early or does not answer in time.
    pub async fn start_collector(&mut self) -> Result<()> {
        self.spawn_collector()?;
        self.await_collector().await
    }

    /// Ends Prometheus in order.
    ///
    /// # Errors
    ///
    /// If it does not run or does not end in time.
    pub async fn stop_prometheus(&mut self) -> Result<()> {
        self.prometheus.take().context("Prometheus does not run")?.stop().await?;
        Ok(())
    }

    /// Starts Prometheus on its port and with its time series of before.
    ///
    /// # Errors
    ///
    /// If it runs already, ends early or does not answer in time.
    pub async fn start_prometheus(&mut self) -> Result<()> {
        self.spawn_prometheus()?;
        self.await_prometheus().await
    }

    /// Detaches the stack: the processes and their directory outlive this process.
    ///
    /// Returns the directory and the process ids to end.
    #[must_use]
    pub fn leave_running(mut self) -> (PathBuf, Vec<u32>) {
        let processes = [self.collector.take(), self.prometheus.take(), self.alertmanager.take()];
        let ids = processes.into_iter().flatten().map(Process::leave_running).collect();
        self.directory.disable_cleanup(true);
        (self.directory.path().to_owned(), ids)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn spawn_collector(&mut self) -> Result<()> {
        ensure!(self.collector.is_none(), "the collector runs already");
        let prometheus = self.endpoints().prometheus;
        let directory = self.directory.path();
        let mut command = collector::command(&self.tools, &[], &self.ports, &prometheus, directory);
        command
            .envs(self.settings.trace_store.iter().map(|address| ("TRACE_STORE", address)))
            .envs(&self.settings.collector_environment);
        self.collector = Some(Process::spawn(&mut command, &self.path("collector.log"))?);
        Ok(())
    }

    async fn await_collector(&mut self) -> Result<()> {
        let process = self.collector.as_mut().context("the collector does not run")?;
        let url = format!("http://127.0.0.1:{}/", self.ports.health);
        await_ready(process, &self.client, &url).await.context("collector")
    }

    fn spawn_prometheus(&mut self) -> Result<()> {
        ensure!(self.prometheus.is_none(), "Prometheus runs already");
        let mut command = Command::new(&self.tools.prometheus);
        command
            .arg(format!("--config.file={}", self.path("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", self.path("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.ports.prometheus))
            .args(PROMETHEUS_FLAGS);
        if let Some(factor) = self.settings.time_lapse {
            for (flag, usual) in TIMES {
                command.arg(format!("{flag}={}", time_lapse::divided(usual, factor)?));
            }
        }
        self.prometheus = Some(Process::spawn(&mut command, &self.path("prometheus.log"))?);
        Ok(())
    }

    async fn await_prometheus(&mut self) -> Result<()> {
        let process = self.prometheus.as_mut().context("Prometheus does not run")?;
        let url = format!("http://127.0.0.1:{}/-/ready", self.ports.prometheus);
        await_ready(process, &self.client, &url).await.context("Prometheus")
    }

    async fn start_alertmanager(&mut self) -> Result<()> {
        let Some((program, url)) = &self.settings.pager else { return Ok(()) };
        let file = self.write_alertmanager_config(url)?;
        let base = self.endpoints().alertmanager;
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", self.path("alertmanager").display()))
            .arg(format!("--web.listen-address={}", base.trim_start_matches("http://")))
            .arg("--cluster.listen-address=")
            .current_dir(program.parent().context("a program in no directory")?)
            .env("NO_PROXY", "127.0.0.1");
        let mut process = Process::spawn(&mut command, &self.path("alertmanager.log"))?;
        await_ready(&mut process, &self.client, &format!("{base}/-/ready"))
            .await
            .context("Alertmanager")?;
        self.alertmanager = Some(process);
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if thread::panicking() {
            self.directory.disable_cleanup(true);
            #[expect(clippy::print_stderr, reason = "a failing test tells where its evidence is")]
            {
                eprintln!("logs and data are kept in {}", self.directory.path().display());
            }
        }
    }
}

/// The flags beside paths and addresses; `compose.yaml` has the same ones.
const PROMETHEUS_FLAGS: [&str; 2] =
    ["--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"];

/// Flags that say how long a value counts and how often a firing alert is sent again, with what they
/// are unless told otherwise.
const TIMES: [(&str, &str); 2] =
    [("--query.lookback-delta", "5m"), ("--rules.alert.resend-delay", "1m")];

pub(crate) async fn await_ready(
    process: &mut Process,
    client: &reqwest::Client,
    url: &str,
) -> Result<()> {
    let start = std::time::Instant::now();
    loop {
        process.ensure_running()?;
        let answer = eventually(Duration::from_millis(500), || async {
            Ok(client.get(url).send().await?.error_for_status()?)
        });
        match answer.await {
            Ok(_) => return Ok(()),
            Err(error) if start.elapsed() > READY => return Err(error),
            Err(_) => {}
        }
    }
}
