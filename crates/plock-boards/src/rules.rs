//! Recording rules: figures that more than one alert or board needs, or over a window too long to
//! read anew each time. Named `level:metric:operation`.
//!
//! Every rule keeps `job` and `instance`, so boards can follow the chosen ones and add up. A rule
//! reads the series of its metrics once per evaluation; how many that are stands in
//! `otel-collector/README.md`.

use plock_core::{Kind, Outcome};
use plock_semconv::attributes::{LOCK_KIND, LOCK_NAME, LOCK_OUTCOME};
use plock_semconv::metrics::{ACQUISITIONS, BLOCKED_TIME, WAIT_DURATION};

use crate::Options;
use crate::alerts::Severity;
use crate::query::{Metric, Scope, share, sum};

/// Windows of the objective, each recorded.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// Window of the figures about one lock.
const RECENT: &str = "5m";

/// A pair of windows over which the budget of the objective must not be used up too fast: the long
/// one shows that it matters, the short one that it still goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Burn {
    pub(crate) factor: f64,
    pub(crate) long: &'static str,
    pub(crate) short: &'static str,
    pub(crate) wait: &'static str,
    pub(crate) severity: Severity,
}

/// From 2 % of a month's budget in an hour to all of it in a month.
pub(crate) const BURNS: [Burn; 4] = [
    Burn { factor: 14.4, long: "1h", short: "5m", wait: "2m", severity: Severity::Critical },
    Burn { factor: 6.0, long: "6h", short: "30m", wait: "15m", severity: Severity::Critical },
    Burn { factor: 3.0, long: "1d", short: "2h", wait: "1h", severity: Severity::Warning },
    Burn { factor: 1.0, long: "3d", short: "6h", wait: "3h", severity: Severity::Warning },
];

/// One recording rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) record: String,
    pub(crate) expr: String,
}

/// Rules that are evaluated at the same interval.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) interval: &'static str,
    pub(crate) rules: Vec<Rule>,
}

/// Kinds that are held for the length of a section. A permit is kept for as long as the work takes,
/// and whoever waits for a message may do so for ever.
pub(crate) const SECTIONS: [&str; 2] = [Kind::Mutex.as_str(), Kind::Rwlock.as_str()];

const PROCESS: [&str; 2] = ["job", "instance"];
const LOCK: [&str; 3] = ["job", "instance", LOCK_NAME];

/// Share of attempts that may be outside the objective.
pub(crate) fn budget(options: &Options) -> f64 {
    // 1 - 0.999 is not 0.001 in binary.
    ((1.0 - options.thresholds.slo_objective) * 1e9).round() / 1e9
}

/// Waiting seconds per second, by lock.
pub(crate) fn blocked_time() -> String {
    format!("job_instance_lock_name:{}:rate{RECENT}", BLOCKED_TIME.openmetrics_name())
}

/// Share of attempts that waited, by lock that is held for sections.
pub(crate) fn contended() -> String {
    format!(
        "job_instance_lock_name:{}_contended:ratio_rate{RECENT}",
        ACQUISITIONS.openmetrics_name()
    )
}

/// Attempts that had the right to wait, per second.
pub(crate) fn attempts(window: &str) -> String {
    format!("job_instance:{}:rate{window}", ACQUISITIONS.openmetrics_name())
}

/// Waits longer than the objective allows, per second.
pub(crate) fn slow_waits(window: &str) -> String {
    format!("job_instance:{}_slow:rate{window}", WAIT_DURATION.openmetrics_name())
}

/// Every group, in the order of the file.
pub(crate) fn groups(options: &Options) -> Vec<Group> {
    let (long, short): (Vec<_>, Vec<_>) = WINDOWS.into_iter().partition(|it| it.ends_with('d'));
    vec![
        Group { name: "plock-locks", interval: "15s", rules: locks(options) },
        Group { name: "plock-slo", interval: "30s", rules: objective(options, &short) },
        Group { name: "plock-slo-days", interval: "5m", rules: objective(options, &long) },
    ]
}

fn tried(attempts: &Metric, keys: &[&str]) -> String {
    sum(keys, &attempts.is_not(LOCK_OUTCOME, Outcome::WouldBlock.as_str()).rate())
}

fn locks(options: &Options) -> Vec<Rule> {
    let scope = Scope::rules(&options.selector, RECENT);
    let waits = scope.of(&WAIT_DURATION).is_one_of(LOCK_KIND, &SECTIONS).count(&LOCK);
    let attempts = scope.of(&ACQUISITIONS).is_one_of(LOCK_KIND, &SECTIONS);
    vec![
        Rule { record: blocked_time(), expr: sum(&LOCK, &scope.of(&BLOCKED_TIME).rate()) },
        Rule { record: contended(), expr: share(&waits, &tried(&attempts, &LOCK)) },
    ]
}

fn objective(options: &Options, windows: &[&str]) -> Vec<Rule> {
    let bound = options.thresholds.slo_wait_seconds;
    let both = |window: &&str| {
        let scope = Scope::rules(&options.selector, window);
        let slow = scope.of(&WAIT_DURATION).above(bound, &PROCESS);
        let rule = |record, expr| Rule { record, expr };
        [
            rule(slow_waits(window), slow),
            rule(attempts(window), tried(&scope.of(&ACQUISITIONS), &PROCESS)),
        ]
    };
    windows.iter().flat_map(both).collect()
}
