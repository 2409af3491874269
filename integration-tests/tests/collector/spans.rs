//! From span attributes to labels and figures, and what reaches the trace store.

use std::time::Duration;

use integration_tests::otlp::{child_span, holder_link, root_span};
use integration_tests::{Stack, TraceStore, eventually, wait_for};
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use plock_core::BlockCause;

use crate::{SOON, figures, labels, sender, start};

/// A request that waited `wait` for the inventory.
fn request(name: &str, lock: &'static str, cause: &'static str, wait: Duration) -> Span {
    let totals = vec![
        KeyValue::new("lock.acquisitions", 7),
        KeyValue::new("lock.contentions", 1),
        KeyValue::new("lock.wait.time", wait.as_secs_f64()),
        KeyValue::new("lock.hold.time", 0.25),
        KeyValue::new("lock.nesting.max", 2),
        KeyValue::new("lock.worst.name", lock),
        KeyValue::new("lock.blocking.cause", cause),
    ];
    root_span(name, Duration::from_millis(100), totals)
}

fn slow_wait(parent: &Span, cause: &'static str, wait: Duration) -> Span {
    let attributes = vec![
        KeyValue::new("lock.name", "inventory"),
        KeyValue::new("lock.mode", "exclusive"),
        KeyValue::new("lock.phase", "wait"),
        KeyValue::new("lock.nesting.depth", 1),
        KeyValue::new("lock.blocking.cause", cause),
    ];
    child_span(parent, "lock wait", wait, attributes)
}

#[tokio::test(flavor = "multi_thread")]
async fn span_totals_arrive_exactly_under_the_documented_labels() {
    let stack = start(Stack::builder()).await;
    let (sender, promql) = (sender(&stack), stack.promql());
    for batch in 0..5 {
        let mut spans = Vec::new();
        for place in 1..=4 {
            let wait = Duration::from_millis(20 * place);
            let root = request("GET /orders", "inventory", "holder", wait);
            spans.push(slow_wait(&root, "held_exclusive", wait));
            spans.push(root);
        }
        if batch == 0 {
            // Not a name, not a cause, deeper than the label goes, nothing known but the count.
            let mut odd = request("GET /odd", "user 42 <x>", "bogus", Duration::ZERO);
            odd.attributes.retain(|it| it.key != "lock.nesting.max");
            spans.push(odd);
            let mut deep = request("GET /deep", "crate::module::lock", "queue", Duration::ZERO);
            deep.attributes.retain(|it| it.key != "lock.nesting.max");
            let depth = root_span("", Duration::ZERO, vec![KeyValue::new("lock.nesting.max", 17)]);
            deep.attributes.extend(depth.attributes);
            // One span of a sampler that kept one in two stands for two.
            deep.trace_state = "ot=th:8".to_owned();
            spans.push(deep);
            spans.push(root_span("no locks", Duration::ZERO, vec![]));
        }
        sender.spans(spans).await.unwrap();
    }

    let inventory =
        "lock_name=inventory lock_blocking_cause=holder lock_nesting_max=2 service_name=orders";
    let deep = "lock_name=crate::module::lock lock_blocking_cause=queue lock_nesting_max=4+ service_name=orders";
    let odd = "lock_name=__invalid__ lock_blocking_cause=unknown lock_nesting_max=none service_name=orders";
    let expect = |by_labels: &[(&str, f64)]| {
        let mut expected: Vec<_> =
            by_labels.iter().map(|(it, value)| (labels(it), *value)).collect();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        expected
    };
    let all = [(inventory, 140.0), (deep, 14.0), (odd, 7.0)];
    let read = async |query: &str| Ok(figures(promql.instant(query).await?));
    wait_for(SOON, expect(&all), || read("plock_request_acquisitions_total")).await.unwrap();
    let all = [(inventory, 20.0), (deep, 2.0), (odd, 1.0)];
    wait_for(SOON, expect(&all), || read("plock_request_wait_time_seconds_count")).await.unwrap();
    wait_for(SOON, expect(&all), || read("plock_request_hold_time_seconds_count")).await.unwrap();
    let depths = [(inventory, 20.0), (deep, 2.0)];
    wait_for(SOON, expect(&depths), || read("plock_request_nesting_depth_count")).await.unwrap();

    let slow = "lock_name=inventory lock_blocking_cause=holder lock_nesting_max=1 service_name=orders lock_mode=exclusive lock_phase=wait";
    let count = || read("plock_slow_lock_duration_seconds_count");
    wait_for(SOON, expect(&[(slow, 20.0)]), count).await.unwrap();

    for (query, expected) in [
        ("plock_request_wait_time_seconds_sum{lock_name='inventory'}", 1.0),
        ("plock_request_hold_time_seconds_sum{lock_name='inventory'}", 5.0),
        ("plock_slow_lock_duration_seconds_sum", 1.0),
        ("plock_request_nesting_depth_sum{lock_nesting_max='4+'}", 34.0),
        // Bounds are inclusive: 20 ms and 40 ms are below 50 ms.
        ("plock_request_wait_time_seconds_bucket{lock_name='inventory',le='0.05'}", 10.0),
        ("plock_request_wait_time_seconds_bucket{lock_name='inventory',le='0.3'}", 20.0),
        // Requests without locks are not in the durations; one of the others stands for two.
        ("sum(traces_span_metrics_calls_total)", 23.0),
        // Joins need one series of the target: the one that direct metrics bring.
        (
            "count(plock_request_acquisitions_total * on (job, instance) group_left () group by (job, instance) (target_info or plock_request_acquisitions_total))",
            3.0,
        ),
    ] {
        let number = eventually(SOON, async || {
            let number = promql.number(query).await?;
            anyhow::ensure!((number - expected).abs() < 1e-9, "{query}: {number}, not {expected}");
            Ok(())
        });
        number.await.unwrap();
    }
    let exemplars = promql.exemplars("traces_span_metrics_duration_seconds_bucket", SOON).await;
    assert!(!exemplars.unwrap().is_empty(), "request durations lead to traces");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exact_cause_folds_to_the_label_that_direct_metrics_use() {
    let stack = start(Stack::builder()).await;
    let root = root_span("GET /", Duration::from_secs(1), vec![]);
    let slow = |cause: &BlockCause| slow_wait(&root, cause.as_str(), Duration::from_secs(1));
    sender(&stack).spans(BlockCause::ALL.iter().map(slow).collect()).await.unwrap();

    let mut expected = std::collections::BTreeMap::<String, f64>::new();
    for cause in BlockCause::ALL {
        *expected.entry(cause.cause().as_str().to_owned()).or_default() += 1.0;
    }
    let promql = stack.promql();
    wait_for(SOON, expected, async || {
        let samples = promql.instant("plock_slow_lock_duration_seconds_count").await?;
        Ok(samples
            .into_iter()
            .map(|it| (it.labels["lock_blocking_cause"].clone(), it.number()))
            .collect())
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_without_an_instance_have_the_label_that_dashboards_select_by() {
    let stack = start(Stack::builder()).await;
    let root = request("GET /orders", "inventory", "holder", Duration::from_millis(20));
    sender(&stack).without_instance().spans(vec![root]).await.unwrap();
    let promql = stack.promql();
    for name in ["plock_request_acquisitions_total", "traces_span_metrics_calls_total"] {
        let query = format!("sum by (job, instance) ({name})");
        let expected = vec![labels("job=orders instance=none")];
        let read = async || {
            Ok(promql.instant(&query).await?.into_iter().map(|it| it.labels).collect::<Vec<_>>())
        };
        wait_for(SOON, expected, read).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_keeps_victim_and_culprit_with_the_link_between_them() {
    let store = TraceStore::start().unwrap();
    let builder = Stack::builder().trace_store(store.address()).collector_env("KEEP_PERCENT", "0");
    let stack = start(builder).await;
    let quiet = vec![KeyValue::new("lock.acquisitions", 1), KeyValue::new("lock.contentions", 0)];
    let quiet = root_span("quiet", Duration::from_millis(1), quiet);
    let blocked = vec![KeyValue::new("lock.blocked_others.count", 1)];
    let holder = root_span("holder", Duration::from_millis(300), blocked);
    let victim = request("victim", "inventory", "holder", Duration::from_millis(250));
    let mut wait = slow_wait(&victim, "held_exclusive", Duration::from_millis(250));
    wait.links.push(holder_link(&holder));
    let sender = sender(&stack);
    sender.spans(vec![quiet]).await.unwrap();
    sender.spans(vec![holder.clone(), wait.clone(), victim.clone()]).await.unwrap();

    // Every trace is decided in order of arrival, so the quiet one was decided by then.
    let mut sent = [holder.clone(), wait.clone(), victim].map(|span| span.span_id);
    sent.sort();
    wait_for(SOON, sent.to_vec(), async || {
        let mut ids: Vec<_> = store.spans().into_iter().map(|span| span.span_id).collect();
        ids.sort();
        Ok(ids)
    })
    .await
    .unwrap();
    let spans = store.spans();
    let stored = spans.iter().find(|span| span.name == "lock wait").unwrap();
    assert_eq!(stored.links[0].trace_id, holder.trace_id);
    assert_eq!(stored.links[0].span_id, holder.span_id);
    assert_eq!(stored.attributes, wait.attributes, "the store has what the application wrote");
}
