//! What the pictures show: orders services under load, exporting to a real collector and Prometheus.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use integration_tests::{Promql, eventually};

use super::answer::Window;
use crate::demo::collector::Backend;
use crate::demo::service::Orders;
use crate::demo::{Scenario, progress};

/// What rates look back by.
pub(super) const RATE_INTERVAL: &str = "15s";

/// Before this much time has passed, they look back beyond the begin of the load.
const SETTLED_SECONDS: u64 = 20;

/// How much longer than its load the data of a service may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to look for a moment at which somebody waits.
const BUSY: Duration = Duration::from_secs(20);

/// How often the wait for data says how far it is, in seconds of data.
const TOLD_EVERY: u64 = 10;

/// Services under load, and what they report to. Dropping it ends them all.
#[derive(Debug)]
pub(super) struct Live {
    backend: Backend,
    services: Vec<Orders>,
}

impl Live {
    /// Starts one service for each scenario; their load outlasts `seconds` of data.
    pub(super) async fn start(
        program: &Path,
        scenarios: &[Scenario],
        seconds: NonZeroU64,
    ) -> Result<Self> {
        let backend = Backend::start().await?;
        let load = seconds.saturating_add(SETTLED_SECONDS + 2 * PATIENCE.as_secs());
        let mut services = Vec::new();
        for scenario in scenarios {
            let scenario = scenario.to_possible_value().context("a hidden scenario")?;
            let endpoint = backend.otlp();
            let started = Orders::start(program, scenario.get_name(), load, Some(&endpoint)).await;
            services.push(started.with_context(|| scenario.get_name().to_owned())?);
        }
        Ok(Self { backend, services })
    }

    /// Waits until every service has `seconds` of data with rates, and returns that range with a
    /// Prometheus that stays at its end.
    pub(super) async fn data(&self, seconds: NonZeroU64) -> Result<(Promql, Window)> {
        let promql = self.backend.promql();
        let wanted = seconds.get() + SETTLED_SECONDS;
        progress(&format!("waiting for {wanted} s of data"))?;
        let told = Cell::new(0);
        let deadline = Duration::from_secs(wanted) + PATIENCE;
        let enough = eventually(deadline, async || {
            let services = promql.number("count(plock_build_info)").await?;
            ensure!(services == self.services.len() as f64, "{services} services report");
            let seconds = promql.number("min(count_over_time(plock_build_info[1h]))").await?;
            if seconds >= (told.get() + TOLD_EVERY) as f64 {
                told.set(told.get() + TOLD_EVERY);
                progress(&format!("{seconds} s"))?;
            }
            ensure!(seconds >= wanted as f64, "{seconds} of {wanted} s of data");
            Ok(())
        });
        enough.await.context("the services do not report as expected")?;
        // A moment at which nobody waits shows little; with quiet habits there is no other.
        let busy = eventually(BUSY, async || {
            let waits = promql.number("sum(plock_block_edges{lock_holder!=\"unknown\"})").await?;
            ensure!(waits >= 3.0, "{waits} waits");
            promql.number("time()").await
        });
        let end = match busy.await {
            Ok(end) => end,
            Err(_) => promql.number("time()").await?,
        };
        let (length, step) = (Duration::from_secs(seconds.get()), Duration::from_secs(1));
        Ok((promql.at(end), Window { end, length, step }))
    }

    pub(super) async fn end(self) -> Result<()> {
        drop(self.services);
        self.backend.end(false).await
    }
}
