//! The dashboards over a real service: every query of every panel gives data while the orders service
//! is under load, pushed and scraped, and a slow wait leads to its trace.

use std::collections::HashSet;

use anyhow::ensure;
use integration_tests::dashboards::{Panel, Substitution, shipped};
use integration_tests::panels::{self, Points, Reasons};
use integration_tests::{Orders, Stack, TraceStore, eventually};

use crate::{LOAD, SOON, start};

/// What has nothing to show for this service.
const EMPTY: Reasons<'static> = &[
    ("Four or more at once", "the service never takes that many locks at once"),
    ("Firing alerts", "nothing goes on for as long as an alert waits"),
    ("Alerts of the objective", "nothing goes on for as long as an alert waits"),
    ("Lost by the collector", "the collector tells of failures only after the first"),
];

#[tokio::test(flavor = "multi_thread")]
async fn dashboards_live() {
    let _turn = LOAD.lock().await;
    let store = TraceStore::start().unwrap();
    let mut stack = start(Stack::builder().trace_store(store.address())).await;
    let endpoint = stack.endpoints().otlp_http;
    let log = stack.directory().join("orders.log");
    // The load ends with the test, which takes some fifteen seconds.
    let orders = Orders::start(
        &["--scenario", "hold-across-await"],
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
            ("OTEL_BSP_SCHEDULE_DELAY", "500"),
        ],
        &log,
    );
    let orders = orders.await.unwrap();
    stack.scrape("plock", orders.address()).unwrap();

    let promql = stack.promql();
    for (path, board) in shipped().unwrap() {
        // Metrics that come from spans are pushed by the collector, never scraped.
        let jobs: &[&str] =
            if board.uid == "plock-requests" { &["orders"] } else { &["orders", "plock"] };
        for job in jobs {
            let selection = Substitution::everything(&board, "15s").select("job", job);
            let points = panels::give_data(&promql, &board, &selection, EMPTY, SOON).await;
            let points =
                points.unwrap_or_else(|error| panic!("{}, {job}: {error:#}", path.display()));
            let promised = board.panels().any(|it| it.title.starts_with("Wait") && has_points(it));
            let points: Vec<_> = points.iter().filter(|it| it.panel.starts_with("Wait")).collect();
            assert_eq!(
                promised,
                !points.is_empty(),
                "{}, {job}: waits lead to traces",
                path.display()
            );
            for points in points {
                lead_to_traces(&store, points).await;
            }
        }
    }
    drop(orders);
}

fn has_points(panel: &Panel) -> bool {
    panel.targets.iter().any(|target| target.exemplar)
}

/// Every slow wait is in the store. Of the durations that spans have, some are: the traces of quick
/// requests without contention are kept by chance only.
async fn lead_to_traces(store: &TraceStore, points: &Points) {
    let ids = points.series.iter().flat_map(|series| &series.exemplars);
    let ids: HashSet<_> = ids.map(|point| point.labels["trace_id"].clone()).collect();
    let by_chance = points.query.contains("traces_span_metrics");
    let found = eventually(SOON, async || {
        let spans = store.spans();
        let stored: HashSet<_> = spans.iter().map(|span| hexadecimal(&span.trace_id)).collect();
        let missing = ids.difference(&stored).count();
        let enough = missing == 0 || (by_chance && missing < ids.len());
        ensure!(enough, "{missing} of {} points in `{}` lead nowhere", ids.len(), points.panel);
        Ok(())
    });
    found.await.unwrap();
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
