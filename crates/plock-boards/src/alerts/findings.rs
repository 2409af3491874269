//! Alerts about what is wrong for certain. One is enough, so they wait for nothing; but for what costs
//! nobody anything until the pool is small.

use plock_core::FindingKind;
use plock_semconv::attributes::{LOCK_DEADLOCK, LOCK_FINDING, LOCK_NAME};
use plock_semconv::metrics::{DEADLOCKS, FINDINGS, FINDINGS_TIME, POISONED};

use super::locks::{LOCK, THIS_LOCK};
use super::{Alert, Severity};
use crate::query::{Scope, sum};
use crate::{Options, boards};

pub(super) fn all(options: &Options) -> Vec<Alert> {
    let scope = Scope::rules(&options.selector, "10m");
    vec![
        Alert {
            name: "PlockDeadlockDetected",
            severity: Severity::Critical,
            expr: scope.of(&DEADLOCKS).happened(&["job", "instance", LOCK_DEADLOCK]),
            wait: None,
            keep: Some("1h"),
            summary: "A thread waits for a lock that it has itself.",
            description: "{{ $value | printf \"%.0f\" }} times in ten minutes a thread of {{ \
                $labels.instance }} of {{ $labels.job }} began to wait for itself (deadlock: {{ \
                $labels.lock_deadlock }})."
                .to_owned(),
            because: "Such a thread never goes on, nor does what runs on it, and it is counted \
                before it stops: there is nothing to wait for.",
            drawn: None,
            options: &[],
            window: None,
            place: boards::DEADLOCKS,
            variables: &[("job", "job"), ("instance", "instance")],
        },
        Alert {
            name: "PlockLockPoisoned",
            severity: Severity::Warning,
            expr: scope.of(&POISONED).happened(&LOCK),
            wait: None,
            keep: Some("1h"),
            summary: "A lock is poisoned: somebody panicked while holding it.",
            description: "{{ $labels.lock_name }} in {{ $labels.instance }} of {{ $labels.job }} \
                was poisoned by {{ $value | printf \"%.0f\" }} panics in ten minutes."
                .to_owned(),
            because: "One panic under a lock is one too many, and it happens once: there is \
                nothing to wait for.",
            drawn: None,
            options: &[],
            window: None,
            place: boards::PANICS,
            variables: THIS_LOCK,
        },
        guard_across_await(&scope),
        wait_while_holding(options),
    ]
}

fn guard_across_await(scope: &Scope) -> Alert {
    let across = scope.of(&FINDINGS).is(LOCK_FINDING, FindingKind::AcrossAwait.as_str());
    Alert {
        name: "PlockGuardAcrossAwait",
        severity: Severity::Warning,
        expr: across.happened(&LOCK),
        wait: None,
        keep: Some("1h"),
        summary: "A guard that blocks threads is kept across an await.",
        description: "{{ $value | printf \"%.0f\" }} times in ten minutes a guard of {{ \
            $labels.lock_name }} in {{ $labels.instance }} of {{ $labels.job }} was alive while its \
            task waited."
            .to_owned(),
        because: "It takes two such tasks on one worker to stop that worker for good, and one shows \
            that the code does it: there is nothing to wait for.",
        drawn: None,
        options: &[],
        window: None,
        place: boards::MISTAKES,
        variables: THIS_LOCK,
    }
}

fn wait_while_holding(options: &Options) -> Alert {
    let limit = options.thresholds.wait_while_holding;
    let by = ["job", "instance", LOCK_NAME, LOCK_FINDING];
    let waiting = sum(&by, &Scope::rules(&options.selector, "5m").of(&FINDINGS_TIME).rate());
    Alert {
        name: "PlockWaitWhileHolding",
        severity: Severity::Warning,
        expr: format!("{waiting} > {limit}"),
        wait: Some("5m"),
        keep: Some("15m"),
        summary: "Tasks wait for a pool or a lock with something in hand that others need.",
        description:
            "{{ $value | printf \"%.2f\" }} tasks on average in {{ $labels.instance }} of {{ \
            $labels.job }} wait with a lock or a connection in hand; the lock is {{ \
            $labels.lock_name }} ({{ $labels.lock_finding }})."
                .to_owned(),
        because: "At one twentieth of a task the lock is kept, or the pool smaller by one, for three \
            seconds of each minute and for nothing; below that nobody notices.",
        drawn: Some(limit),
        options: &["wait_while_holding"],
        window: None,
        place: boards::WHILE_HOLDING,
        variables: &[("job", "job"), ("instance", "instance")],
    }
}
