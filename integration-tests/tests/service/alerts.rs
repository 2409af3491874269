//! The alerts over a real service: a bad habit raises the alert that is about it, with the right
//! names, and no other one about locks; without bad habits there is none.
//!
//! How long polls and quick waits are depends on how busy the machine is that runs the test, so
//! alerts about them are not looked at here.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_tests::promql::Labels;
use integration_tests::{Orders, Stack, TraceStore};

use crate::start;

/// How much less alerts wait here: half a minute becomes one second.
const HURRY: u64 = 30;

/// Length of the load: many times the delay of the alerts about what is blocked now.
const LOAD: Duration = Duration::from_secs(20);

/// Alerts about what is blocked, and about plock itself: the machine does not cause them.
const CERTAIN: &str = "PlockHeldTooLong|PlockLockStuck|PlockRootBlocker|PlockPoolStall\
    |PlockLockPoisoned|PlockNamesFolded|PlockSpansLost|PlockExportFailing|PlockTelemetrySilent\
    |PlockServiceSilent|PlockCollectorDropping|PlockCollectorQueueFull|PlockWatchdog";

/// Labels of every such alert that fired while the service had the habit `scenario`, without the one
/// that always does.
async fn raised(scenario: &str) -> Vec<Labels> {
    let store = TraceStore::start().unwrap();
    let builder = Stack::builder().trace_store(store.address()).hurried_alerts(HURRY);
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

#[tokio::test(flavor = "multi_thread")]
async fn alerts_clean() {
    let raised = raised("clean").await;
    assert!(raised.is_empty(), "{raised:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_hold_across_await() {
    let raised = raised("hold-across-await").await;
    assert_eq!(names(&raised), BTreeSet::from(["PlockRootBlocker"]), "{raised:#?}");
    let holders: BTreeSet<_> = raised.iter().map(|it| it["lock_holder"].as_str()).collect();
    assert!(holders.contains("orders.reindexer"), "{holders:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_pool() {
    let raised = raised("pool").await;
    assert_eq!(names(&raised), BTreeSet::from(["PlockPoolStall"]), "{raised:#?}");
    assert!(raised.iter().all(|it| it["lock_name"] == "orders.pool"), "{raised:#?}");
}
