//! Alerts about locks: what is stuck now, and what gets worse.

use plock_core::{Kind, Mode};
use plock_semconv::attributes::{
    LOCK_HOLDER, LOCK_KIND, LOCK_MODE, LOCK_NAME, LOCK_STAGE, STAGE_HELD, STAGE_WAITING,
};
use plock_semconv::metrics::{
    ACQUISITIONS, BLOCK_EDGES, BLOCKED_TIME, HELD, HOLD_DURATION, WAIT_DURATION, WAITERS,
};

use super::{Alert, Severity};
use crate::Options;
use crate::boards::{self, POOLS};
use crate::query::{Scope, labels, max, named_holders, roots, sum};
use crate::rules::{self, SECTIONS};

pub(super) const LOCK: [&str; 3] = ["job", "instance", LOCK_NAME];
const HOLDER: [&str; 4] = ["job", "instance", LOCK_NAME, LOCK_HOLDER];

/// What the links of these alerts choose on the board.
pub(super) const THIS_LOCK: &[(&str, &str)] =
    &[("job", "job"), ("instance", "instance"), ("lock", "lock_name")];

/// Nobody is harmed by a lock that nobody waits for.
fn somebody_waits(scope: &Scope) -> String {
    format!("and on ({}) ({} > 0)", labels(&LOCK), sum(&LOCK, &scope.of(&WAITERS).now()))
}

/// What is blocked at this moment.
pub(super) fn now(options: &Options) -> Vec<Alert> {
    let limits = &options.thresholds;
    let scope = Scope::rules(&options.selector, "5m");
    let holds = scope.of(&HELD).is_one_of(LOCK_KIND, &SECTIONS);
    let held = max(&HOLDER, &holds.is(LOCK_STAGE, STAGE_HELD).now());
    let waits = scope.of(&HELD).is_one_of(LOCK_KIND, &[SECTIONS, POOLS].concat());
    let waited = max(&HOLDER, &waits.is(LOCK_STAGE, STAGE_WAITING).now());
    let edges = scope.of(&BLOCK_EDGES);
    let sections = scope.of(&WAITERS).is_one_of(LOCK_KIND, &SECTIONS).now();
    let in_sections = format!("{} and on ({}) {sections}", named_holders(&edges), labels(&LOCK));
    let root = roots(&in_sections, &edges);
    vec![
        Alert {
            name: "PlockHeldTooLong",
            severity: Severity::Warning,
            expr: format!("{held} > {} {}", limits.held_too_long_seconds, somebody_waits(&scope)),
            wait: Some("30s"),
            keep: Some("5m"),
            summary: "A lock is held for long while somebody waits for it.",
            description:
                "{{ $labels.lock_holder }} in {{ $labels.instance }} of {{ $labels.job }} has \
                 held {{ $labels.lock_name }} for {{ $value | humanizeDuration }} while \
                 others wait for it."
                    .to_owned(),
            because: "Half a second is half of a usual budget of one second; with nobody waiting \
                it hurts nobody.",
            drawn: Some(limits.held_too_long_seconds),
            options: &["held_too_long_seconds"],
            window: None,
            place: boards::HOLDS_NOW,
            variables: THIS_LOCK,
        },
        Alert {
            name: "PlockLockStuck",
            severity: Severity::Critical,
            expr: format!("{waited} > {}", limits.lock_stuck_seconds),
            wait: Some("30s"),
            keep: Some("10m"),
            summary: "A task does not get a lock that it waits for.",
            description: "A task in {{ $labels.instance }} of {{ $labels.job }} has waited for \
                {{ $labels.lock_name }} for {{ $value | humanizeDuration }}; \
                {{ $labels.lock_holder }} holds it."
                .to_owned(),
            because: "Ten seconds are longer than common timeouts of requests: whoever waits \
                fails.",
            drawn: Some(limits.lock_stuck_seconds),
            options: &["lock_stuck_seconds"],
            window: None,
            place: boards::OLDEST_WAIT,
            variables: THIS_LOCK,
        },
        Alert {
            name: "PlockRootBlocker",
            severity: Severity::Warning,
            expr: format!("{root} >= {}", limits.root_victims),
            wait: Some("30s"),
            keep: Some("5m"),
            summary: "One holder blocks several tasks and waits for nobody itself.",
            description:
                "{{ $labels.lock_holder }} in {{ $labels.instance }} of {{ $labels.job }} blocks \
                 {{ $value }} waits and is not blocked itself."
                    .to_owned(),
            because: "Three direct victims are a line, not a pair that met by chance. Permits are \
                left out: whoever has one is not alone, and a pool has an alert of its own.",
            drawn: Some(limits.root_victims),
            options: &["root_victims"],
            window: None,
            place: boards::ROOTS,
            variables: &[("job", "job"), ("instance", "instance"), ("holder", "lock_holder")],
        },
        pool_stall(options, &scope),
    ]
}

fn pool_stall(options: &Options, scope: &Scope) -> Alert {
    let limits = &options.thresholds;
    let on = format!("and on ({})", labels(&LOCK));
    let wait = scope.of(&WAIT_DURATION).is_one_of(LOCK_KIND, &POOLS);
    let expr = format!(
        "{} > {} {on} ({} > 0) {on} ({} >= {})",
        wait.quantile(0.99, &LOCK),
        limits.pool_wait_seconds,
        sum(&LOCK, &scope.of(&WAITERS).is_one_of(LOCK_KIND, &POOLS).now()),
        wait.total().count(&LOCK),
        limits.min_samples,
    );
    Alert {
        name: "PlockPoolStall",
        severity: Severity::Critical,
        expr,
        wait: Some("1m"),
        keep: Some("5m"),
        summary: "Callers wait long for a permit of a pool.",
        description: "99 of 100 callers that had to wait for {{ $labels.lock_name }} in {{ \
            $labels.instance }} of {{ $labels.job }} waited up to {{ $value | humanizeDuration }}, \
            and more are in line."
            .to_owned(),
        because: "Users notice 0.3 s; a line of callers and long waits together are saturation, \
            either alone is normal under load.",
        drawn: Some(limits.pool_wait_seconds),
        options: &["pool_wait_seconds", "min_samples"],
        window: None,
        place: boards::POOL_WAIT,
        variables: THIS_LOCK,
    }
}

/// What gets worse, or happened between two looks.
pub(super) fn trends(options: &Options) -> Vec<Alert> {
    let limits = &options.thresholds;
    let scope = Scope::rules(&options.selector, "10m");
    let lock_of_job = ["job", LOCK_NAME];
    let holds = scope.of(&HOLD_DURATION).is_one_of(LOCK_KIND, &SECTIONS);
    let long = holds.total().above(limits.held_too_long_seconds, &LOCK);
    let before = format!("avg_over_time({}[1d] offset 1h)", rules::blocked_time());
    let recent = sum(&lock_of_job, &scope.of(&BLOCKED_TIME).rate());
    let usual = format!("clamp_min({}, {})", sum(&lock_of_job, &before), limits.surge_floor);
    vec![
        Alert {
            name: "PlockLongHolds",
            severity: Severity::Warning,
            expr: format!("{long} > {}", limits.long_holds),
            wait: None,
            keep: Some("15m"),
            summary: "A lock was held for long several times.",
            description: "{{ $labels.lock_name }} in {{ $labels.instance }} of {{ $labels.job }} \
                was held longer than the limit {{ $value | printf \"%.0f\" }} times in ten minutes."
                .to_owned(),
            because: "Catches holds between two scrapes; more than three rule out a one-off. The \
                window of ten minutes is the delay, so there is no other.",
            drawn: Some(limits.held_too_long_seconds),
            options: &["long_holds", "held_too_long_seconds"],
            window: None,
            place: boards::HOLDS,
            variables: THIS_LOCK,
        },
        Alert {
            name: "PlockConvoy",
            severity: Severity::Warning,
            expr: format!(
                "{} > {} and {} > {}",
                rules::blocked_time(),
                limits.convoy_waiters,
                rules::contended(),
                limits.convoy_contended
            ),
            wait: Some("10m"),
            keep: Some("5m"),
            summary: "Tasks stand in line for a lock all the time, and most attempts wait.",
            description: "{{ $value | humanize }} tasks on average stand in line for {{ \
                $labels.lock_name }} in {{ $labels.instance }} of {{ $labels.job }}, and most \
                attempts wait."
                .to_owned(),
            because: "A lock that is taken 80 % of the time has three in line. The share of time it \
                is held would hide what the hand-overs take, which is much where holds are short.",
            drawn: Some(limits.convoy_waiters),
            options: &["convoy_waiters", "convoy_contended"],
            window: None,
            place: boards::AGAINST_BEFORE,
            variables: THIS_LOCK,
        },
        Alert {
            name: "PlockContentionSurge",
            severity: Severity::Warning,
            expr: format!("{recent} > {} * {usual}", limits.surge_factor),
            // A convoy that begins at once is known after fourteen minutes, and says more.
            wait: Some("15m"),
            keep: Some("5m"),
            summary: "Tasks wait for a lock much more than during the last day.",
            description: "{{ $value | humanize }} tasks on average wait for {{ $labels.lock_name \
                }} of {{ $labels.job }}, several times the mean of the last day."
                .to_owned(),
            because: "Four times the usual is a regression, often after a deployment; the floor \
                keeps idle services silent.",
            drawn: Some(limits.surge_floor),
            options: &["surge_factor", "surge_floor"],
            window: None,
            place: boards::AGAINST_BEFORE,
            variables: &[("job", "job"), ("lock", "lock_name")],
        },
        writer_starved(options, &scope),
    ]
}

fn writer_starved(options: &Options, scope: &Scope) -> Alert {
    let limits = &options.thresholds;
    let (kind, write) = (Kind::Rwlock.as_str(), Mode::Exclusive.as_str());
    let on = format!("and on ({})", labels(&LOCK));
    let wait = scope.of(&WAIT_DURATION).is(LOCK_KIND, kind).is(LOCK_MODE, write);
    let reads = scope.of(&ACQUISITIONS).is(LOCK_KIND, kind).is(LOCK_MODE, Mode::Shared.as_str());
    let expr = format!(
        "{} > {} {on} ({} > 0) {on} ({} >= {})",
        wait.quantile(0.99, &LOCK),
        limits.writer_wait_seconds,
        sum(&LOCK, &reads.rate()),
        wait.total().count(&LOCK),
        limits.min_samples,
    );
    Alert {
        name: "PlockWriterStarved",
        severity: Severity::Warning,
        expr,
        wait: Some("5m"),
        keep: Some("5m"),
        summary: "Writers wait long for a lock that readers get.",
        description: "99 of 100 writers that had to wait for {{ $labels.lock_name }} in {{ \
            $labels.instance }} of {{ $labels.job }} waited up to {{ $value | humanizeDuration }} \
            while readers got through."
            .to_owned(),
        because: "A second is far above any read; the mixed percentile hides it, as readers are \
            many.",
        drawn: Some(limits.writer_wait_seconds),
        options: &["writer_wait_seconds", "min_samples"],
        window: None,
        place: boards::WAITS_BY_MODE,
        variables: THIS_LOCK,
    }
}
