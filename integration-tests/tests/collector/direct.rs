//! Direct metrics pass the collector unchanged, pushed and pulled.

use std::time::Duration;

use integration_tests::otlp::{Figures, Sender, root_span};
use integration_tests::promql::Value;
use integration_tests::{Stack, eventually, wait_for};
use opentelemetry::KeyValue;

use crate::{SOON, figures, labels, lock, start};

#[tokio::test(flavor = "multi_thread")]
async fn direct_metrics_arrive_exactly_with_their_exemplars() {
    let stack = start(Stack::builder()).await;
    let sender = Sender::grpc(&stack.endpoints().otlp_grpc, "orders", "i-1").unwrap();
    let promql = stack.promql();
    let with = |key: &'static str, value: &'static str| {
        let mut attributes = lock("inventory");
        attributes.push(KeyValue::new(key, value));
        attributes
    };
    let trace = root_span("GET /orders", Duration::from_millis(400), vec![]);
    let acquisitions =
        Figures::new("plock.acquisitions", "{acquisition}", with("lock.outcome", "acquired"));
    let wait = Figures::new("plock.wait.duration", "s", with("lock.cause", "holder"));
    let hold = Figures::new("plock.hold.duration", "s", lock("inventory"));
    let waiters = Figures::new("plock.waiters", "{waiter}", lock("inventory"));
    sender
        .metrics(vec![
            acquisitions.counter(500.0),
            wait.histogram(&[0.1, 0.3, 0.5], &[0.05, 0.2, 0.4], Some(&trace)),
            hold.exponential(&[0.01, 0.02, 0.4], Some(&trace)),
            waiters.gauge(2.0),
        ])
        .await
        .unwrap();

    // Derived metrics of the same service must not bring a second description of it.
    let totals = vec![KeyValue::new("lock.acquisitions", 1)];
    sender.spans(vec![root_span("GET /", Duration::from_millis(1), totals)]).await.unwrap();
    wait_for(SOON, 1.0, || promql.number("plock_request_acquisitions_total")).await.unwrap();
    wait_for(SOON, 1.0, || promql.number("sum(traces_span_metrics_calls_total)")).await.unwrap();
    assert_eq!(promql.number("count(target_info{job='orders'})").await.unwrap(), 1.0);

    let own = "lock_name=inventory lock_kind=mutex lock_mode=exclusive";
    let read = async |query: &str| Ok(figures(promql.instant(query).await?));
    let expected = vec![(labels(&format!("{own} lock_outcome=acquired")), 500.0)];
    wait_for(SOON, expected, || read("plock_acquisitions_total")).await.unwrap();
    let expected = vec![(labels(own), 2.0)];
    wait_for(SOON, expected, || read("plock_waiters")).await.unwrap();
    let expected = vec![(labels(&format!("{own} lock_cause=holder le=0.3")), 2.0)];
    let bucket = || read("plock_wait_duration_seconds_bucket{le='0.3'}");
    wait_for(SOON, expected, bucket).await.unwrap();

    let hold = promql.instant("plock_hold_duration_seconds").await.unwrap();
    let Value::Histogram(native) = &hold[0].value else { panic!("not native: {hold:?}") };
    assert_eq!(native.count, 3.0);
    assert!((native.sum - 0.43).abs() < 1e-9, "{native:?}");

    let trace_id: String = trace.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    for series in ["plock_wait_duration_seconds_bucket", "plock_hold_duration_seconds"] {
        let found = eventually(SOON, async || {
            let all = promql.exemplars(series, SOON).await?;
            let exemplar = all.first().and_then(|it| it.exemplars.first()).cloned();
            exemplar.ok_or_else(|| anyhow::anyhow!("no exemplar on {series}"))
        });
        let exemplar = found.await.unwrap();
        assert_eq!(exemplar.labels["trace_id"], trace_id);
        assert!((exemplar.value - 0.4).abs() < 1e-9);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pull_endpoint_serves_the_same_series_with_exemplars() {
    let stack = start(Stack::builder()).await;
    let sender = Sender::http(&stack.endpoints().otlp_http, "orders", "i-1");
    let mut attributes = lock("inventory");
    attributes.push(KeyValue::new("lock.cause", "holder"));
    let trace = root_span("GET /orders", Duration::from_millis(400), vec![]);
    let wait = Figures::new("plock.wait.duration", "s", attributes);
    sender.metrics(vec![wait.histogram(&[0.1, 0.3], &[0.2], Some(&trace))]).await.unwrap();

    let client = reqwest::Client::new();
    let line = eventually(SOON, async || {
        let accept = "application/openmetrics-text;version=1.0.0";
        let request = client.get(stack.endpoints().pull).header("accept", accept);
        let body = request.send().await?.text().await?;
        let mut lines =
            body.lines().filter(|it| it.starts_with("plock_wait_duration_seconds_bucket"));
        let line = lines.find(|it| it.contains("le=\"0.3\"")).map(str::to_owned);
        line.ok_or_else(|| anyhow::anyhow!("no such bucket:\n{body}"))
    });
    let line = line.await.unwrap();
    let (series, exemplar) = line.split_once(" # ").unwrap();
    assert!(series.ends_with("} 1"), "{series}");
    for label in
        ["lock_name=\"inventory\"", "lock_cause=\"holder\"", "job=\"orders\"", "instance=\"i-1\""]
    {
        assert!(series.contains(label), "{label} in {series}");
    }
    assert!(!series.contains("otel_scope"), "{series}");
    assert!(exemplar.contains("trace_id="), "{exemplar}");
}
