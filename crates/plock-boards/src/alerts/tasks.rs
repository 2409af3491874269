//! Alerts about tasks: who keeps workers, who has to wait for one, what piles up.

use plock_semconv::attributes::TASK_NAME;
use plock_semconv::metrics::{TASK_POLL_DURATION, TASK_SCHEDULE_DELAY, TASKS};

use super::{Alert, Severity};
use crate::Options;
use crate::boards::{self, Place};
use crate::query::{Scope, labels, sum};

const TASK: [&str; 3] = ["job", "instance", TASK_NAME];

pub(super) fn all(options: &Options) -> Vec<Alert> {
    let limits = &options.thresholds;
    vec![
        long_polls(options, Severity::Warning, limits.long_poll_seconds, boards::LONG_POLLS),
        long_polls(options, Severity::Critical, limits.blocked_poll_seconds, boards::BLOCKED_POLLS),
        delay(options, Severity::Warning, limits.schedule_delay_seconds, "10m"),
        delay(options, Severity::Critical, limits.schedule_stall_seconds, "15m"),
        leak(options),
    ]
}

/// A share, so that a cold start calls nobody.
fn long_polls(options: &Options, severity: Severity, bound: f64, place: Place) -> Alert {
    let limits = &options.thresholds;
    let poll = Scope::rules(&options.selector, "10m").of(&TASK_POLL_DURATION);
    let count = poll.total().count(&TASK);
    let expr = format!(
        "({}) / ({} > 0) > {} and on ({}) ({count} >= {})",
        poll.above(bound, &TASK),
        poll.count(&TASK),
        limits.long_poll_share,
        labels(&TASK),
        limits.min_samples,
    );
    Alert {
        name: "PlockLongPolls",
        severity,
        expr,
        wait: Some("10m"),
        keep: Some("5m"),
        summary: "A task keeps its worker for long in single polls.",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the polls of {{{{ $labels.task_name }}}} in \
             {{{{ $labels.instance }}}} of {{{{ $labels.job }}}} take longer than {} ms.",
            bound * 1000.0
        ),
        because: "Ten milliseconds delay every task of the worker noticeably, fifty are blocking \
            code; one in a hundred is a habit and not an accident.",
        drawn: Some(limits.long_poll_share),
        options: match severity {
            Severity::Critical => &["blocked_poll_seconds", "long_poll_share", "min_samples"],
            _ => &["long_poll_seconds", "long_poll_share", "min_samples"],
        },
        window: None,
        place,
        variables: &[("job", "job"), ("instance", "instance")],
    }
}

fn delay(options: &Options, severity: Severity, limit: f64, wait: &'static str) -> Alert {
    let process = ["job", "instance"];
    let delay = Scope::rules(&options.selector, "10m").of(&TASK_SCHEDULE_DELAY);
    let expr = format!(
        "{} > {limit} and on ({}) ({} >= {})",
        delay.quantile(0.99, &process),
        labels(&process),
        delay.total().count(&process),
        options.thresholds.min_samples,
    );
    Alert {
        name: "PlockSchedulingDelayHigh",
        severity,
        expr,
        wait: Some(wait),
        keep: Some("5m"),
        summary: "Woken tasks wait long until a worker polls them.",
        description:
            "99 of 100 woken tasks in {{ $labels.instance }} of {{ $labels.job }} are polled \
             within {{ $value | humanizeDuration }} only."
                .to_owned(),
        because: "Five milliseconds are more than a healthy runtime ever needs; at a hundred every \
            request is slow.",
        drawn: Some(limit),
        options: match severity {
            Severity::Critical => &["schedule_stall_seconds", "min_samples"],
            _ => &["schedule_delay_seconds", "min_samples"],
        },
        window: None,
        place: boards::SCHEDULE_DELAY,
        variables: &[("job", "job"), ("instance", "instance")],
    }
}

/// The floor of now above the ceiling of before: a burst cannot do that.
fn leak(options: &Options) -> Alert {
    let limits = &options.thresholds;
    let by = ["job", TASK_NAME];
    let live = sum(&by, &Scope::rules(&options.selector, "").of(&TASKS).now());
    let on = labels(&by);
    let expr = format!(
        "{live} > {} and on ({on}) (min_over_time({live}[10m:1m]) > {} * \
         max_over_time({live}[10m:1m] offset 30m))",
        limits.task_leak_tasks, limits.task_leak_growth,
    );
    Alert {
        name: "PlockTaskLeak",
        severity: Severity::Warning,
        expr,
        wait: Some("15m"),
        keep: None,
        summary: "Tasks of one name become more and more.",
        description:
            "{{ $value | humanize }} tasks {{ $labels.task_name }} of {{ $labels.job }} are alive, \
             and their number only rises."
                .to_owned(),
        because: "Five thousand tasks of one name are many, and the lowest number of the last ten \
            minutes above the highest of half an hour before is growth, not a burst.",
        drawn: Some(limits.task_leak_tasks),
        options: &["task_leak_tasks", "task_leak_growth"],
        window: None,
        place: boards::TASKS,
        variables: &[("job", "job")],
    }
}
