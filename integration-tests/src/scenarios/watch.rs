//! Services in their scenarios, with a real Prometheus and Alertmanager behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Alerts, Fate, OF_THE_MACHINE, Scenario, identity};
use crate::{Call, Orders, Pager, Stack, Tools, TraceStore};

/// How often services report, and how often rules are meant to be evaluated.
const INTERVAL: Duration = Duration::from_secs(15);

/// Services, one of each scenario, with Prometheus and Alertmanager behind them. Dropping it ends them
/// all.
#[derive(Debug)]
pub struct Watch {
    stack: Stack,
    /// None where no Alertmanager can be had.
    pager: Option<Pager>,
    _store: TraceStore,
    services: Vec<(&'static Scenario, Orders)>,
    speed: u32,
    start: Instant,
    /// What Alertmanager had, and the names of what kept it silent.
    held: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Watch {
    /// Starts everything, with rules in a time-lapse of `speed`. Where no Alertmanager can be had
    /// only Prometheus is watched; `missing` is told why.
    ///
    /// # Errors
    ///
    /// If something does not start.
    pub async fn start(
        scenarios: &[&'static Scenario],
        speed: u32,
        missing: impl FnOnce(&anyhow::Error),
    ) -> Result<Self> {
        let (tools, alertmanager) =
            tokio::task::spawn_blocking(|| (Tools::ready(), Tools::alertmanager())).await?;
        let store = TraceStore::start()?;
        let mut builder = Stack::builder().trace_store(store.address()).time_lapse(speed);
        let pager = match alertmanager {
            Ok(program) => {
                let pager = Pager::start().await?;
                builder = builder.pager(program, pager.url());
                Some(pager)
            }
            Err(error) => {
                missing(&error);
                None
            }
        };
        let stack = builder.start(&tools?).await?;
        let endpoint = stack.endpoints().otlp_http;
        let interval = (INTERVAL / speed).as_millis().to_string();
        let mut services = Vec::new();
        for scenario in scenarios {
            let log = stack.directory().join(format!("{}.log", scenario.name));
            let arguments = [&["--scenario", scenario.name], scenario.load].concat();
            let environment = [
                ("OTEL_SERVICE_NAME", scenario.name),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
                ("OTEL_METRIC_EXPORT_INTERVAL", &interval),
            ];
            services.push((*scenario, Orders::start(&arguments, environment, &log).await?));
        }
        let (start, held) = (Instant::now(), BTreeMap::new());
        Ok(Self { stack, pager, _store: store, services, speed, start, held })
    }

    /// How long it has been watched, in the time of the rules.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed() * self.speed
    }

    /// Looks once, and returns what each scenario has raised so far; what is about none of them is
    /// under the name `""`.
    ///
    /// # Errors
    ///
    /// If a service has ended, or Prometheus or Alertmanager does not answer.
    pub async fn look(&mut self) -> Result<BTreeMap<String, Alerts>> {
        for (scenario, service) in &mut self.services {
            ensure!(service.is_running(), "the service in scenario {} has ended", scenario.name);
        }
        if self.pager.is_some() {
            self.ask_alertmanager().await?;
        }
        let since = self.start.elapsed().as_secs() + 1;
        let fired = format!("count_over_time(ALERTS{{alertstate=\"firing\"}}[{since}s])");
        let fired = self.stack.promql().instant(&fired).await?;
        let calls = self.pager.as_ref().map(Pager::calls).unwrap_or_default();
        let names = self.services.iter().map(|(scenario, _)| scenario.name);
        let mut raised: BTreeMap<String, Alerts> =
            names.chain([""]).map(|name| (name.to_owned(), Alerts::new())).collect();
        for sample in &fired {
            let name = sample.labels.get("alertname").map_or("", String::as_str);
            if self.speed > 1 && OF_THE_MACHINE.contains(&name) {
                continue;
            }
            let (job, alert) = identity(&sample.labels);
            let fate = self.fate(&(job.clone(), alert.clone()), &calls);
            let of = if raised.contains_key(&job) { job } else { String::new() };
            raised.entry(of).or_default().insert(alert, fate);
        }
        Ok(raised)
    }

    async fn ask_alertmanager(&mut self) -> Result<()> {
        let alerts = self.stack.alertmanager().alerts().await?;
        let names: BTreeMap<_, _> = alerts
            .iter()
            .map(|it| (it.fingerprint.as_str(), it.labels["alertname"].as_str()))
            .collect();
        for alert in &alerts {
            let by = alert.status.inhibited_by.iter();
            let by = by.map(|it| names.get(it.as_str()).map_or("?", |name| *name).to_owned());
            self.held.entry(identity(&alert.labels)).or_default().extend(by);
        }
        Ok(())
    }

    /// In the words of the table where it is one of them.
    fn fate(&self, alert: &(String, String), calls: &[Call]) -> String {
        if self.pager.is_none() {
            return "fires".to_owned();
        }
        let Some(by) = self.held.get(alert) else { return "not in Alertmanager".to_owned() };
        let called = calls.iter().filter(|call| identity(&call.labels) == *alert);
        let called: BTreeSet<_> = called.map(|call| call.receiver.as_str()).collect();
        let list = |names: Vec<&str>| names.join(" and ");
        let (called, by) =
            (list(called.into_iter().collect()), list(by.iter().map(String::as_str).collect()));
        match (called.as_str(), by.as_str()) {
            ("", "") => "not sent on".to_owned(),
            (called, "") => format!("calls {called}"),
            ("", by) => format!("silent by {by}"),
            (called, by) => format!("calls {called}, silent by {by}"),
        }
    }

    /// What is right after [`COMPLETE`](super::COMPLETE): the tables of the scenarios, and the alert that always fires.
    #[must_use]
    pub fn right(&self) -> BTreeMap<String, Alerts> {
        let of = |(scenario, _): &(&'static Scenario, Orders)| {
            (scenario.name.to_owned(), scenario.right())
        };
        let always =
            Alerts::from([("PlockWatchdog".into(), Fate::Calls("dead-man-switch").to_string())]);
        let mut right: BTreeMap<_, _> = self.services.iter().map(of).collect();
        right.insert(String::new(), always);
        if self.pager.is_none() {
            let fates = right.values_mut().flat_map(Alerts::values_mut);
            fates.for_each(|fate| "fires".clone_into(fate));
        }
        right
    }
}
