//! Agents in front of gateways: wherever the spans of an instance come in, each sum is made at one
//! gateway and is whole, and so is each trace.

use std::collections::BTreeSet;
use std::fs;

use integration_tests::otlp::{Sender, child_span, root_span};
use integration_tests::{Collector, Stack, Tools, TraceStore, repository, wait_for};
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{SOON, start};

const AGENT: &str = "kubernetes/gateway/agent.yaml";
const GATEWAY: &str = "kubernetes/gateway/gateway.yaml";

/// Two agents in front of two gateways that push to one Prometheus.
struct Tiers {
    agents: [Collector; 2],
    gateways: [Collector; 2],
    stack: Stack,
}

impl Tiers {
    async fn start(store: &TraceStore) -> Self {
        let tools = tokio::task::spawn_blocking(Tools::ready).await.unwrap().unwrap();
        let stack = start(Stack::builder()).await;
        let store = store.address();
        let quick = [
            ("DERIVED_INTERVAL", "1s"),
            ("RED_INTERVAL", "1s"),
            ("DECISION_WAIT", "3s"),
            ("KEEP_PERCENT", "0"),
            ("TRACE_STORE", &store),
        ];
        let gateway = || Collector::start(&stack, &tools, &[GATEWAY], &quick);
        let (one, other) = tokio::join!(gateway(), gateway());
        let gateways = [one.unwrap(), other.unwrap()];
        let [one, other] = gateways.each_ref().map(Collector::agents);
        let found = format!("{{static: {{hostnames: ['{one}', '{other}']}}}}");
        let environment = [quick.as_slice(), &[("GATEWAYS", &found)]].concat();
        let agent = || Collector::start(&stack, &tools, &[AGENT], &environment);
        let (one, other) = tokio::join!(agent(), agent());
        Self { agents: [one.unwrap(), other.unwrap()], gateways, stack }
    }

    /// Senders of one and the same instance, through each agent.
    fn senders(&self) -> [Sender; 2] {
        self.agents.each_ref().map(|agent| Sender::http(&agent.otlp_http(), "orders", "i-1"))
    }
}

fn request(lock: &'static str) -> Span {
    let totals = vec![
        KeyValue::new("lock.acquisitions", 3),
        KeyValue::new("lock.contentions", 0),
        // Whatever the order, sums of it are exact.
        KeyValue::new("lock.wait.time", 0.25),
        KeyValue::new("lock.worst.name", lock),
        KeyValue::new("lock.blocking.cause", "queue"),
    ];
    root_span("request", std::time::Duration::from_millis(300), totals)
}

const LOCKS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const REQUESTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_whole_and_each_stream_is_at_one_gateway() {
    let store = TraceStore::start().unwrap();
    let tiers = Tiers::start(&store).await;
    let mut sending = JoinSet::new();
    for sender in tiers.senders() {
        sending.spawn(async move {
            for _ in 0..REQUESTS / 2 {
                for lock in LOCKS {
                    sender.spans(vec![request(lock)]).await.unwrap();
                }
            }
        });
    }
    sending.join_all().await;

    let promql = tiers.stack.promql();
    // For each lock: acquisitions, waits, time waited and calls.
    let expected: BTreeSet<_> = LOCKS.map(|lock| (lock.to_owned(), [120, 40, 10, 40])).into();
    let sums = async || {
        let names = [
            "plock_request_acquisitions_total",
            "plock_request_wait_time_seconds_count",
            "plock_request_wait_time_seconds_sum",
            "traces_span_metrics_calls_total",
        ];
        let mut found = BTreeSet::new();
        for lock in LOCKS {
            let mut sums = [0; 4];
            for (sum, name) in sums.iter_mut().zip(names) {
                let number = promql.number(&format!("{name}{{lock_name='{lock}'}}")).await?;
                #[expect(clippy::cast_possible_truncation, reason = "whole and small, or wrong")]
                let whole = number as i32;
                anyhow::ensure!(f64::from(whole) == number, "{name} of {lock} is {number}");
                *sum = whole;
            }
            found.insert((lock.to_owned(), sums));
        }
        Ok(found)
    };
    wait_for(SOON, expected, sums).await.unwrap();
    let resets = "sum(resets(plock_request_acquisitions_total[10m]))";
    assert_eq!(promql.number(resets).await.unwrap(), 0.0);

    let [one, other] = &tiers.gateways;
    let (one_has, other_has) = (streams(one).await, streams(other).await);
    assert!(!one_has.is_empty() && !other_has.is_empty(), "{one_has:?} {other_has:?}");
    assert_eq!(one_has.intersection(&other_has).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(one_has.len() + other_has.len(), 4 * LOCKS.len());
    for gateway in &tiers.gateways {
        let own = gateway.self_metrics().await.unwrap();
        let points =
            own.lines().filter(|it| it.starts_with("otelcol_deltatocumulative_datapoints"));
        let (lost, taken): (Vec<_>, Vec<_>) = points.partition(|it| it.contains("error="));
        assert!(lost.is_empty() && !taken.is_empty(), "{lost:?} {taken:?}");
    }
    for agent in &tiers.agents {
        assert_eq!(streams(agent).await, BTreeSet::new(), "an agent keeps no sum");
    }
}

/// The series of sums that a collector has: of each histogram its count.
async fn streams(collector: &Collector) -> BTreeSet<String> {
    let text = collector.pull().await.unwrap();
    let lines = text.lines().filter_map(|line| line.rsplit_once(' ')).map(|it| it.0);
    let of_requests =
        lines.filter(|it| it.starts_with("plock_request") || it.starts_with("traces_span_metrics"));
    let sums = of_requests.filter(|it| it.contains("_total{") || it.contains("_count{"));
    sums.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_kept_whole_when_its_spans_come_through_two_agents() {
    let store = TraceStore::start().unwrap();
    let tiers = Tiers::start(&store).await;
    let [one, other] = tiers.senders();
    let mut sent = BTreeSet::new();
    for _ in 0..16 {
        let quiet = request("quiet");
        let blocked = vec![KeyValue::new("lock.contentions", 1)];
        let blocked = child_span(&quiet, "blocked", std::time::Duration::from_millis(1), blocked);
        sent.extend([quiet.span_id.clone(), blocked.span_id.clone()]);
        one.spans(vec![quiet]).await.unwrap();
        other.spans(vec![blocked]).await.unwrap();
    }
    let stored =
        async || Ok(store.spans().into_iter().map(|it| it.span_id).collect::<BTreeSet<_>>());
    wait_for(SOON, sent, stored).await.unwrap();
    for gateway in &tiers.gateways {
        let own = gateway.self_metrics().await.unwrap();
        let decided = own.lines().any(|it| it.starts_with("otelcol_receiver_accepted_spans"));
        assert!(decided, "each gateway has a part of the traces");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_for_a_gateway_that_is_away_waits_and_its_sums_begin_at_zero() {
    let store = TraceStore::start().unwrap();
    let mut tiers = Tiers::start(&store).await;
    let [sender, _] = tiers.senders();
    let promql = tiers.stack.promql();
    // For each lock: its acquisitions, and how often they fell.
    let figures = async || {
        let mut found = Vec::new();
        for lock in LOCKS {
            let series = format!("plock_request_acquisitions_total{{lock_name='{lock}'}}");
            let resets = promql.number(&format!("resets({series}[10m])")).await?;
            found.push((lock, promql.number(&series).await?, resets));
        }
        Ok(found)
    };
    let send = async |times: usize| {
        for lock in LOCKS.repeat(times) {
            sender.spans(vec![request(lock)]).await.unwrap();
        }
    };
    send(2).await;
    wait_for(SOON, LOCKS.map(|lock| (lock, 6.0, 0.0)).to_vec(), figures).await.unwrap();

    let at_one = streams(&tiers.gateways[0]).await;
    tiers.gateways[0].kill().unwrap();
    send(1).await;
    tiers.gateways[0].start_again().await.unwrap();
    let expected = LOCKS.map(|lock| {
        let series = "plock_request_acquisitions_total{";
        let name = format!("lock_name=\"{lock}\"");
        let was_away = at_one.iter().any(|it| it.starts_with(series) && it.contains(&name));
        if was_away { (lock, 3.0, 1.0) } else { (lock, 9.0, 0.0) }
    });
    let away = expected.iter().filter(|it| it.2 > 0.0).count();
    assert!((1..LOCKS.len()).contains(&away), "each gateway has a part of the streams");
    wait_for(SOON, expected.to_vec(), figures).await.unwrap();
}

#[test]
fn both_tiers_are_valid_as_kubernetes_starts_them() {
    let tools = Tools::ready().unwrap();
    let set: Value = yaml("daemon-set.yaml");
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap();
    let gateways = variables.iter().find(|it| it["name"] == "GATEWAYS").unwrap();
    for overlay in [AGENT, GATEWAY] {
        let output = std::process::Command::new(&tools.collector)
            .args(["validate", "--config", "config.yaml", "--config", overlay])
            .env("GATEWAYS", gateways["value"].as_str().unwrap())
            .current_dir(repository().join("otel-collector"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{overlay}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn yaml(file: &str) -> Value {
    let path = repository().join("otel-collector/kubernetes/gateway").join(file);
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
