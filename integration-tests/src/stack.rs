//! One running stack: a collector and a Prometheus with the shipped configuration on free loopback
//! ports, in a scratch directory. Either can be stopped, killed and started again on its ports, and
//! keeps its data (queue, time series) over that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{fs, thread};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ports::Ports;
use crate::process::Process;
use crate::{Promql, Tools, collector, eventually, repository};

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
}

/// What differs from the shipped configuration; see [`Stack::builder`].
#[derive(Debug, Clone)]
pub struct StackBuilder {
    trace_store: Option<String>,
    scrape_targets: BTreeMap<String, Vec<String>>,
    scrape_interval: String,
    native_scrapes: bool,
    hurry: u64,
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

    /// Makes alerts wait `times` less than they are shipped with, at least a second.
    #[must_use]
    pub const fn hurried_alerts(mut self, times: u64) -> Self {
        self.hurry = times;
        self
    }

    /// Sets one of the environment variables that `config.yaml` reads.
    #[must_use]
    pub fn collector_env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.collector_environment.insert(name.into(), value.into());
        self
    }

    /// Starts both processes and waits until they answer.
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
        };
        stack.write_prometheus_config()?;
        stack.spawn_prometheus()?;
        stack.spawn_collector()?;
        stack.await_prometheus().await?;
        stack.await_collector().await?;
        Ok(stack)
    }
}

/// A running collector and Prometheus. Dropping it ends both and removes their data, unless the
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
            hurry: 1,
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
        }
    }

    /// A client of this stack's Prometheus.
    #[must_use]
    pub fn promql(&self) -> Promql {
        Promql::new(&self.endpoints().prometheus)
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
        let processes = [self.collector.take(), self.prometheus.take()];
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
        self.prometheus = Some(Process::spawn(&mut command, &self.path("prometheus.log"))?);
        Ok(())
    }

    async fn await_prometheus(&mut self) -> Result<()> {
        let process = self.prometheus.as_mut().context("Prometheus does not run")?;
        let url = format!("http://127.0.0.1:{}/-/ready", self.ports.prometheus);
        await_ready(process, &self.client, &url).await.context("Prometheus")
    }

    /// The shipped file with this stack's interval, beside target files of its own; JSON is YAML.
    fn write_prometheus_config(&self) -> Result<()> {
        let shipped = repository().join("otel-collector/prometheus/prometheus.yml");
        let mut config: Value = serde_saphyr::from_str(&fs::read_to_string(shipped)?)?;
        config["global"]["scrape_interval"] = json!(self.settings.scrape_interval);
        config["global"]["scrape_timeout"] = json!(self.settings.scrape_interval);
        let jobs = config["scrape_configs"].as_array_mut().context("scrape_configs")?;
        if !self.settings.native_scrapes {
            jobs.iter_mut().for_each(|job| job["scrape_native_histograms"] = json!(false));
        }
        fs::write(self.path("prometheus.yml"), serde_json::to_string_pretty(&config)?)?;
        for file in config["rule_files"].as_array().context("rule_files")? {
            self.write_rules(file.as_str().context("rule file")?)?;
        }

        let mut targets = self.settings.scrape_targets.clone();
        let own = format!("127.0.0.1:{}", self.ports.self_metrics);
        targets.entry("otelcol".to_owned()).or_default().push(own);
        fs::create_dir_all(self.path("targets"))?;
        for job in config["scrape_configs"].as_array().context("scrape_configs")? {
            let file = job["file_sd_configs"][0]["files"][0].as_str().context("target file")?;
            let name = job["job_name"].as_str().context("job_name")?;
            let addresses = targets.remove(name).unwrap_or_default();
            let group = json!([{ "targets": addresses }]);
            // Prometheus reads a target file as soon as it changes: never a half-written one.
            fs::write(self.path("target.new"), group.to_string())?;
            fs::rename(self.path("target.new"), self.path(file))?;
        }
        ensure!(targets.is_empty(), "prometheus.yml has no job {:?}", targets.keys());
        Ok(())
    }

    /// The shipped rules, evaluated as often as this stack scrapes.
    fn write_rules(&self, file: &str) -> Result<()> {
        let shipped = repository().join("otel-collector/prometheus").join(file);
        let mut rules: Value = serde_saphyr::from_str(&fs::read_to_string(shipped)?)?;
        for group in rules["groups"].as_array_mut().context("groups")? {
            group["interval"] = json!(self.settings.scrape_interval);
            for rule in group["rules"].as_array_mut().context("rules")? {
                let Some(wait) = rule["for"].as_str() else { continue };
                let seconds = seconds(wait).with_context(|| format!("for: {wait}"))?;
                rule["for"] = json!(format!("{}s", (seconds / self.settings.hurry).max(1)));
            }
        }
        fs::write(self.path(file), serde_json::to_string_pretty(&rules)?)?;
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

/// A duration of one unit in Prometheus' notation: `30s`, `10m`, `3h`.
fn seconds(duration: &str) -> Option<u64> {
    let (number, unit) = duration.split_at_checked(duration.len().checked_sub(1)?)?;
    let unit = [("s", 1), ("m", 60), ("h", 3600)].into_iter().find(|it| it.0 == unit)?.1;
    Some(number.parse::<u64>().ok()? * unit)
}

/// The flags beside paths and addresses; `compose.yaml` has the same ones.
const PROMETHEUS_FLAGS: [&str; 2] =
    ["--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"];

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
