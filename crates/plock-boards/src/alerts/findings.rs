//! Alerts about what is wrong for certain: one is enough, so they wait for nothing.

use plock_semconv::attributes::LOCK_DEADLOCK;
use plock_semconv::metrics::{DEADLOCKS, POISONED};

use super::locks::{LOCK, THIS_LOCK};
use super::{Alert, Severity};
use crate::query::Scope;
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
    ]
}
