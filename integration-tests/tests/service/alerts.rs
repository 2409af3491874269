//! The alerts over a real service: a bad habit raises the alert that is about it, with the right
//! names, and none that is about something else; without bad habits there is none.
//!
//! How long polls and quick waits are depends on how busy the machine is that runs the test, so
//! alerts about them are not looked at here. A machine that is too busy for the service makes even a
//! clean one wait for its pool: it gets more than one try to be silent.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_tests::promql::Labels;
use integration_tests::{Orders, Stack, TraceStore};

use crate::start;

/// How much less alerts wait where they shall fire: half a minute becomes one second.
const HURRY: u64 = 30;

/// How much less they wait where they shall not: half a minute becomes ten seconds.
const CALM: u64 = 3;

/// Length of the load: longer than the delay of the alerts about what is blocked now.
const LOAD: Duration = Duration::from_secs(25);

/// Runs of which one has to be silent.
const ATTEMPTS: u32 = 3;

/// Alerts about what is blocked, and about plock itself: the machine does not cause them.
const CERTAIN: &str = "PlockHeldTooLong|PlockLockStuck|PlockRootBlocker|PlockPoolStall\
    |PlockDeadlockDetected|PlockLockPoisoned|PlockNamesFolded|PlockSpansLost|PlockExportFailing\
    |PlockTelemetrySilent\
    |PlockServiceSilent|PlockCollectorDropping|PlockCollectorQueueFull|PlockWatchdog";

/// Labels of every such alert that fired while the service had the habit `scenario`, without the one
/// that always does.
async fn raised(scenario: &str, hurry: u64) -> Vec<Labels> {
    let store = TraceStore::start().unwrap();
    let builder = Stack::builder().trace_store(store.address()).hurried_alerts(hurry);
    let stack = start(builder).await;
    let endpoint = stack.endpoints().otlp_http;
    let seconds = LOAD.as_secs().to_string();
    let log = stack.directory().join("orders.log");
    let arguments = ["--scenario", scenario, "--seconds", &seconds];
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "500"),
    ];
    let orders = Orders::start(&arguments, environment, &log).await.unwrap();
    orders.report(LOAD).await.unwrap();
    let fired =
        format!("count_over_time(ALERTS{{alertname=~\"{CERTAIN}\", alertstate=\"firing\"}}[5m])");
    let fired = stack.promql().instant(&fired).await.unwrap();
    let mut labels: Vec<_> = fired.into_iter().map(|sample| sample.labels).collect();
    let all = labels.len();
    labels.retain(|labels| labels["alertname"] != "PlockWatchdog");
    assert!(labels.len() < all, "alerts are evaluated");
    labels
}

fn names(raised: &[Labels]) -> BTreeSet<&str> {
    raised.iter().map(|labels| labels["alertname"].as_str()).collect()
}

/// Whether an alert `name` fired whose `label` is `value`.
fn has(raised: &[Labels], name: &str, label: &str, value: &str) -> bool {
    let mut same = raised.iter().filter(|labels| labels["alertname"] == name);
    same.any(|labels| labels.get(label).is_some_and(|it| it == value))
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_clean() {
    let mut last = Vec::new();
    for _ in 0..ATTEMPTS {
        last = raised("clean", CALM).await;
        if last.is_empty() {
            return;
        }
    }
    panic!("{last:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_hold_across_await() {
    let raised = raised("hold-across-await", HURRY).await;
    assert!(has(&raised, "PlockRootBlocker", "lock_holder", "orders.reindexer"), "{raised:#?}");
    assert!(!names(&raised).contains("PlockLockStuck"), "each hold ends: {raised:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_pool() {
    let raised = raised("pool", HURRY).await;
    assert!(has(&raised, "PlockPoolStall", "lock_name", "orders.pool"), "{raised:#?}");
    // The slow report keeps all permits now and then, and so is the root of everybody who waits; what
    // waits behind a pool that is too small does so ever longer.
    let right = BTreeSet::from(["PlockPoolStall", "PlockRootBlocker", "PlockLockStuck"]);
    assert!(names(&raised).is_subset(&right), "{raised:#?}");
}
