//! What a user may decide: thresholds, selection, addresses. Every dashboard, rule, alert and runbook
//! takes its numbers from here, so that a line in a graph and the alert it stands for are one figure.

use anyhow::{Result, ensure};
use plock_core::CLASSIC_BOUNDS_NS;
use serde::{Deserialize, Serialize};

/// Everything that can differ from one installation to the next.
///
/// ```
/// use plock_boards::Options;
///
/// let mut options = Options::default();
/// assert!(options.validate().is_ok());
/// options.thresholds.held_too_long_seconds = 0.4;
/// let error = options.validate().unwrap_err().to_string();
/// assert!(error.contains("held_too_long_seconds") && error.contains("0.3, 0.5"), "{error}");
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Options {
    /// Matchers added to every selector of rules and alerts, for example `namespace="shop"`.
    pub selector: String,
    /// Where links in alerts find Grafana.
    pub grafana_url: String,
    /// Where links in alerts find the runbooks: a folder with one page per alert.
    pub runbook_url: String,
    /// When alerts fire and where graphs draw a line.
    pub thresholds: Thresholds,
}

/// When alerts fire. Seconds, shares of one, or counts, as the names say.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Thresholds {
    /// Age of a hold with somebody waiting; half of a usual budget of one second.
    pub held_too_long_seconds: f64,
    /// Age of a hold with somebody waiting that no request survives.
    pub lock_stuck_seconds: f64,
    /// Holds over `held_too_long_seconds` in ten minutes; three rule out a one-off.
    pub long_holds: f64,
    /// Wait for a permit, 99th percentile, that a caller notices.
    pub pool_wait_seconds: f64,
    /// Tasks behind one root: three are a convoy, not a pair.
    pub root_victims: f64,
    /// Tasks in line on average; a lock that is taken 80 % of the time has three.
    pub convoy_waiters: f64,
    /// Share of attempts that wait.
    pub convoy_contended: f64,
    /// How many times the waiting of the last day.
    pub surge_factor: f64,
    /// Tasks waiting on average below which nothing is a surge.
    pub surge_floor: f64,
    /// Tasks that wait, on average, for a pool with a lock in hand or for a lock with a connection in use.
    pub wait_while_holding: f64,
    /// Wait of writers, 99th percentile, while readers get through.
    pub writer_wait_seconds: f64,
    /// A poll longer than this delays the other tasks of its worker.
    pub long_poll_seconds: f64,
    /// A poll longer than this is blocking code.
    pub blocked_poll_seconds: f64,
    /// Share of polls that may be longer.
    pub long_poll_share: f64,
    /// Time from wake-up to poll, 99th percentile.
    pub schedule_delay_seconds: f64,
    /// The same, when everything stalls.
    pub schedule_stall_seconds: f64,
    /// Live tasks of one name below which nothing is a leak.
    pub task_leak_tasks: f64,
    /// How far the lowest count now is above the highest of before.
    pub task_leak_growth: f64,
    /// A wait up to this is within the objective.
    pub slo_wait_seconds: f64,
    /// Share of attempts that shall be within.
    pub slo_objective: f64,
    /// Age of the last successful push; four missed pushes of the default interval of 30 s.
    pub export_age_seconds: f64,
    /// Share of one core that recording may take: what plock promises.
    pub overhead_share: f64,
    /// Share of data that the collector may refuse or fail to deliver.
    pub collector_loss_share: f64,
    /// How full a queue of the collector may be.
    pub collector_queue_share: f64,
    /// Observations below which a percentile or a share is noise.
    pub min_samples: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            selector: String::new(),
            grafana_url: "http://127.0.0.1:3000".to_owned(),
            runbook_url: format!(
                "{}/blob/main/otel-collector/runbooks",
                env!("CARGO_PKG_REPOSITORY")
            ),
            thresholds: Thresholds::default(),
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            held_too_long_seconds: 0.5,
            lock_stuck_seconds: 10.0,
            long_holds: 3.0,
            pool_wait_seconds: 0.3,
            root_victims: 3.0,
            convoy_waiters: 3.0,
            convoy_contended: 0.5,
            surge_factor: 4.0,
            surge_floor: 0.05,
            wait_while_holding: 0.05,
            writer_wait_seconds: 1.0,
            long_poll_seconds: 0.01,
            blocked_poll_seconds: 0.05,
            long_poll_share: 0.01,
            schedule_delay_seconds: 0.005,
            schedule_stall_seconds: 0.1,
            task_leak_tasks: 5000.0,
            task_leak_growth: 1.2,
            slo_wait_seconds: 0.01,
            slo_objective: 0.999,
            export_age_seconds: 120.0,
            overhead_share: 0.01,
            collector_loss_share: 0.01,
            collector_queue_share: 0.8,
            min_samples: 20.0,
        }
    }
}

impl Options {
    /// Checks what a rule cannot: a count of longer waits or holds is exact only at a bucket limit.
    ///
    /// # Errors
    ///
    /// With the option and what it may be.
    pub fn validate(&self) -> Result<()> {
        let it = &self.thresholds;
        let counted = [
            ("held_too_long_seconds", it.held_too_long_seconds),
            ("long_poll_seconds", it.long_poll_seconds),
            ("blocked_poll_seconds", it.blocked_poll_seconds),
            ("slo_wait_seconds", it.slo_wait_seconds),
        ];
        let bounds = bucket_bounds();
        for (name, value) in counted {
            let listed: Vec<_> = bounds.iter().map(ToString::to_string).collect();
            let listed = listed.join(", ");
            ensure!(bounds.contains(&value), "{name} = {value} is no bucket limit: {listed}");
        }
        let objective = it.slo_objective;
        ensure!(objective > 0.0 && objective < 1.0, "slo_objective = {objective} is no share");
        Ok(())
    }
}

/// Limits of the classic buckets of durations, in seconds.
#[must_use]
pub fn bucket_bounds() -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^53 ns")]
    let seconds = |ns: &u64| *ns as f64 / 1e9;
    CLASSIC_BOUNDS_NS.iter().map(seconds).collect()
}
