//! The table, spelled out a second time: a rename must be a decision made twice.

use plock_semconv::spans::{SpanAttribute, SpanValue};
use plock_semconv::{Instrument, InstrumentKind, attributes, derived, label_name, metrics, spans};
use std::collections::BTreeSet;

const COUNTER: InstrumentKind = InstrumentKind::Counter;
const GAUGE: InstrumentKind = InstrumentKind::Gauge;
const HISTOGRAM: InstrumentKind = InstrumentKind::Histogram;

/// OpenTelemetry name, kind, unit, Prometheus labels, Prometheus name.
type Row = (&'static str, InstrumentKind, &'static str, &'static str, &'static str);

const L: &str = "lock_name lock_kind lock_mode";

#[rustfmt::skip]
const DIRECT: &[Row] = &[
    ("plock.acquisitions", COUNTER, "{acquisition}", "L lock_outcome", "plock_acquisitions_total"),
    ("plock.wait.duration", HISTOGRAM, "s", "L lock_cause", "plock_wait_duration_seconds"),
    ("plock.hold.duration", HISTOGRAM, "s", "L", "plock_hold_duration_seconds"),
    ("plock.hold.suspended.time", COUNTER, "s", "L", "plock_hold_suspended_time_seconds_total"),
    ("plock.blocked", COUNTER, "{attempt}", "lock_name lock_cause lock_holder", "plock_blocked_total"),
    ("plock.blocked.time", COUNTER, "s", "lock_name lock_cause lock_waiter lock_holder", "plock_blocked_time_seconds_total"),
    ("plock.waiters", GAUGE, "{waiter}", "L", "plock_waiters"),
    ("plock.holders", GAUGE, "{holder}", "L", "plock_holders"),
    ("plock.held", GAUGE, "s", "L lock_stage lock_holder", "plock_held_seconds"),
    ("plock.block.edges", GAUGE, "{edge}", "lock_name lock_waiter lock_holder", "plock_block_edges"),
    ("plock.nesting.depth", HISTOGRAM, "{lock}", "lock_name", "plock_nesting_depth"),
    ("plock.deadlocks", COUNTER, "{deadlock}", "lock_deadlock precision", "plock_deadlocks_total"),
    ("plock.poisoned", COUNTER, "{panic}", "lock_name", "plock_poisoned_total"),
    ("plock.findings", COUNTER, "{finding}", "lock_name lock_finding", "plock_findings_total"),
    ("plock.findings.time", COUNTER, "s", "lock_name lock_finding", "plock_findings_time_seconds_total"),
    ("plock.task.poll.duration", HISTOGRAM, "s", "task_name", "plock_task_poll_duration_seconds"),
    ("plock.task.schedule.delay", HISTOGRAM, "s", "task_name", "plock_task_schedule_delay_seconds"),
    ("plock.task.idle.time", COUNTER, "s", "task_name task_idle", "plock_task_idle_time_seconds_total"),
    ("plock.tasks", GAUGE, "{task}", "task_name", "plock_tasks"),
    ("plock.tasks.spawned", COUNTER, "{task}", "task_name", "plock_tasks_spawned_total"),
    ("plock.tasks.finished", COUNTER, "{task}", "task_name", "plock_tasks_finished_total"),
    ("plock.pool.acquire.duration", HISTOGRAM, "s", "pool_name", "plock_pool_acquire_duration_seconds"),
    ("plock.pool.in_use", GAUGE, "{connection}", "pool_name", "plock_pool_in_use"),
    ("plock.pool.size", GAUGE, "{connection}", "pool_name", "plock_pool_size"),
    ("plock.pool.waiters", GAUGE, "{waiter}", "pool_name", "plock_pool_waiters"),
    ("plock.telemetry.dropped", COUNTER, "{record}", "reason", "plock_telemetry_dropped_total"),
    ("plock.telemetry.overhead.time", COUNTER, "s", "", "plock_telemetry_overhead_time_seconds_total"),
    ("plock.telemetry.last_export", GAUGE, "s", "", "plock_telemetry_last_export_seconds"),
    ("plock.build_info", GAUGE, "", "version clock", "plock_build_info"),
];

#[rustfmt::skip]
const DERIVED: &[Row] = &[
    ("plock.request.wait.time", HISTOGRAM, "s", "D", "plock_request_wait_time_seconds"),
    ("plock.request.hold.time", HISTOGRAM, "s", "D", "plock_request_hold_time_seconds"),
    ("plock.request.nesting.depth", HISTOGRAM, "{lock}", "D", "plock_request_nesting_depth"),
    ("plock.request.acquisitions", COUNTER, "{acquisition}", "D", "plock_request_acquisitions_total"),
    ("plock.slow_lock.duration", HISTOGRAM, "s", "D lock_mode lock_phase", "plock_slow_lock_duration_seconds"),
];

fn check(all: &[&Instrument], rows: &[Row]) {
    assert_eq!(all.len(), rows.len());
    for (instrument, (name, kind, unit, labels, prometheus)) in all.iter().zip(rows) {
        assert_eq!(instrument.name, *name);
        assert_eq!(instrument.kind, *kind, "{name}");
        assert_eq!(instrument.unit, *unit, "{name}");
        assert_eq!(instrument.prometheus_name(), *prometheus);
        let derived = "lock_name lock_blocking_cause lock_nesting_max service_name";
        let expected = labels.replace('L', L).replace('D', derived);
        let found: Vec<String> = instrument.attributes.iter().map(|key| label_name(key)).collect();
        assert_eq!(found.join(" "), expected, "{name}");
    }
}

#[test]
fn direct_metrics_are_spelled_as_agreed() {
    check(metrics::ALL, DIRECT);
}

#[test]
fn derived_metrics_are_spelled_as_agreed() {
    check(derived::ALL, DERIVED);
}

#[test]
fn names_are_unique_and_keep_to_their_namespace() {
    let all = || metrics::ALL.iter().chain(derived::ALL);
    let names: BTreeSet<String> = all().map(|i| i.prometheus_name()).collect();
    assert_eq!(names.len(), all().count());
    for instrument in all() {
        assert!(instrument.name.starts_with(metrics::METRIC_PREFIX), "{}", instrument.name);
        assert!(!instrument.help.is_empty() && !instrument.help.ends_with('.'));
        for key in instrument.attributes {
            let outside = [
                attributes::PRECISION,
                attributes::REASON,
                attributes::VERSION,
                attributes::CLOCK,
                derived::SERVICE_NAME,
            ];
            let prefixes =
                [attributes::LOCK_PREFIX, attributes::TASK_PREFIX, attributes::POOL_PREFIX];
            let inside = prefixes.iter().any(|p| key.starts_with(p));
            assert!(inside || outside.contains(key), "{key}");
        }
    }
}

#[test]
fn only_gauges_of_open_operations_are_transient() {
    let transient: Vec<_> = metrics::ALL.iter().filter(|i| i.transient).map(|i| i.name).collect();
    assert_eq!(transient, ["plock.held", "plock.block.edges"]);
}

#[test]
fn span_attributes_are_spelled_as_agreed() {
    let spelled = |all: &[SpanAttribute]| {
        let unit = |value| match value {
            SpanValue::Int => "int",
            SpanValue::Seconds => "s",
            SpanValue::String => "string",
            other => panic!("no unit for {other:?}"),
        };
        all.iter().map(|a| format!("{} {}", a.key, unit(a.value))).collect::<Vec<_>>()
    };
    assert_eq!(
        spelled(spans::SCOPE_ATTRIBUTES),
        [
            "lock.acquisitions int",
            "lock.contentions int",
            "lock.wait.time s",
            "lock.wait.max s",
            "lock.blocked.time s",
            "lock.hold.time s",
            "lock.hold.max s",
            "lock.nesting.max int",
            "lock.held_across_await int",
            "lock.worst.name string",
            "lock.blocking.cause string",
            "lock.blocker.site string",
            "lock.blocked_others.count int",
            "lock.blocked_others.time s",
        ]
    );
    assert_eq!(
        spelled(spans::CHILD_ATTRIBUTES),
        [
            "lock.name string",
            "lock.kind string",
            "lock.mode string",
            "lock.phase string",
            "lock.end.cause string",
            "lock.nesting.depth int",
            "lock.queue.time s",
            "lock.claim.delay s",
            "lock.claim.cause string",
            "precision string",
            "code.function.name string",
            "code.file.path string",
            "code.line.number int",
        ]
    );
    assert_eq!((spans::WAIT_SPAN, spans::HOLD_SPAN), ("lock wait", "lock hold"));
    assert_eq!((spans::PHASE_WAIT, spans::PHASE_HOLD), ("wait", "hold"));
    assert_eq!((spans::LINK_ROLE, spans::LINK_ROLE_HOLDER), ("lock.link.role", "holder"));
}
