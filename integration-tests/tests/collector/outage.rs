//! Prometheus or the collector away for a while.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use integration_tests::otlp::Figures;
use integration_tests::promql::Promql;
use integration_tests::{Stack, eventually, wait_for};
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, metric};
use tokio::time::{MissedTickBehavior, interval};

use crate::{SOON, lock, sender, start};

/// Pace of the pushes: five samples a second.
const PACE: Duration = Duration::from_millis(200);

/// The stored values of the counter, oldest first.
async fn stored(promql: &Promql) -> anyhow::Result<Vec<f64>> {
    let series = promql.samples("plock_acquisitions_total[30m]").await?;
    anyhow::ensure!(series.len() == 1, "{} series", series.len());
    Ok(series[0].floats.iter().map(|sample| sample.1).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_direct_sample_is_there_after_prometheus_was_away() {
    let mut stack = start(Stack::builder()).await;
    let sender = sender(&stack);
    let series = Figures::new("plock.acquisitions", "{acquisition}", lock("inventory"));
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for sample in 1..=100_u32 {
        pace.tick().await;
        match sample {
            30 => stack.stop_prometheus().await.unwrap(),
            // 40 samples at this pace are 8 s.
            70 => stack.start_prometheus().await.unwrap(),
            _ => {}
        }
        sender.metrics(vec![series.counter(f64::from(sample))]).await.unwrap();
    }
    let all: Vec<_> = (1..=100).map(f64::from).collect();
    let promql = stack.promql();
    wait_for(SOON, all, || stored(&promql)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn cumulative_series_continue_after_the_collector_was_killed() {
    let mut stack = start(Stack::builder()).await;
    let sender = sender(&stack);
    let series = Figures::new("plock.acquisitions", "{acquisition}", lock("inventory"));
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut accepted = BTreeSet::new();
    let mut refused = 0;
    for sample in 1..=60_u32 {
        pace.tick().await;
        match sample {
            20 => stack.kill_collector().unwrap(),
            30 => stack.start_collector().await.unwrap(),
            _ => {}
        }
        match sender.metrics(vec![series.counter(f64::from(sample))]).await {
            Ok(()) => drop(accepted.insert(sample)),
            Err(_) => refused += 1,
        }
    }
    assert!((1..=10).contains(&refused), "{refused} pushes were refused, of ten");

    // Nothing that was accepted is lost, and the series neither restarts nor goes back.
    let promql = stack.promql();
    let values = eventually(SOON, async || {
        let values = stored(&promql).await?;
        let missing = accepted.iter().find(|it| !values.contains(&f64::from(**it)));
        anyhow::ensure!(missing.is_none(), "{missing:?} was accepted and is missing");
        Ok(values)
    });
    let values = values.await.unwrap();
    assert!(values.is_sorted(), "{values:?}");
    assert_eq!(values.last(), Some(&60.0));
    assert_eq!(promql.number("resets(plock_acquisitions_total[30m])").await.unwrap(), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_survives_a_restart_of_the_collector() {
    let mut stack = start(Stack::builder()).await;
    let sender = sender(&stack);
    let series = Figures::new("plock.acquisitions", "{acquisition}", lock("inventory"));
    stack.stop_prometheus().await.unwrap();
    // Prometheus keeps one sample per millisecond.
    let mut pace = interval(Duration::from_millis(20));
    for sample in 1..=20_u32 {
        pace.tick().await;
        sender.metrics(vec![series.counter(f64::from(sample))]).await.unwrap();
    }
    stack.kill_collector().unwrap();
    stack.start_prometheus().await.unwrap();
    stack.start_collector().await.unwrap();
    let all: Vec<_> = (1..=20).map(f64::from).collect();
    let promql = stack.promql();
    wait_for(SOON, all, || stored(&promql)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_and_what_is_refused_is_counted() {
    let mut stack = start(Stack::builder()).await;
    let sender = sender(&stack);
    let series = Figures::new("plock.acquisitions", "{acquisition}", lock("inventory"));
    // Prometheus takes cumulative sums only: this one is lost, and nothing else is.
    let mut delta = series.counter(1.0);
    if let Some(metric::Data::Sum(sum)) = &mut delta.data {
        sum.aggregation_temporality = AggregationTemporality::Delta.into();
    }
    sender.metrics(vec![delta]).await.unwrap();
    let failed = "otelcol_exporter_send_failed_metric_points{exporter='otlp_http/prometheus'}";
    let promql = stack.promql();
    wait_for(SOON, 1.0, || promql.number(failed)).await.unwrap();

    stack.stop_prometheus().await.unwrap();
    sender.metrics(vec![series.counter(1.0)]).await.unwrap();
    let own = stack.endpoints().self_metrics;
    let waits = eventually(SOON, async || {
        let body = reqwest::get(&own).await?.text().await?;
        let is_queue = |line: &&str| {
            line.starts_with("otelcol_exporter_queue_size{")
                && line.contains("otlp_http/prometheus")
        };
        let line = body.lines().find(is_queue).context("no queue size")?;
        anyhow::ensure!(!line.ends_with(" 0"), "{line}");
        Ok(())
    });
    waits.await.unwrap();
}
