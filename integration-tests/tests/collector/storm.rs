//! Many small requests at once: the obvious pipeline loses one in a hundred of them.

use std::time::Duration;

use integration_tests::Stack;
use integration_tests::otlp::{Sender, root_span};
use integration_tests::wait_for;
use opentelemetry::KeyValue;
use tokio::task::JoinSet;

use crate::{SOON, sender, start};

const CONNECTIONS: usize = 8;
const REQUESTS: usize = 500;

#[tokio::test(flavor = "multi_thread")]
async fn four_thousand_requests_over_eight_connections_arrive_as_four_thousand() {
    let stack = start(Stack::builder()).await;
    let mut senders = JoinSet::new();
    for _ in 0..CONNECTIONS {
        // A client of its own is a connection of its own.
        let sender = Sender::http(&stack.endpoints().otlp_http, "orders", "i-1");
        senders.spawn(async move {
            for _ in 0..REQUESTS {
                sender.spans(vec![request("storm")]).await.unwrap();
            }
        });
    }
    senders.join_all().await;

    let promql = stack.promql();
    let count = async |name: &str| {
        promql.number(&format!("plock_request_wait_time_seconds_count{{lock_name='{name}'}}")).await
    };
    wait_for(SOON, 4000.0, || count("storm")).await.unwrap();
    // Something later has passed through, and the figure still stands.
    sender(&stack).spans(vec![request("later")]).await.unwrap();
    wait_for(SOON, 1.0, || count("later")).await.unwrap();
    assert_eq!(count("storm").await.unwrap(), 4000.0);
    let total = promql.number("plock_request_acquisitions_total{lock_name='storm'}").await;
    assert_eq!(total.unwrap(), 4000.0);
    let log = stack.collector_log().unwrap();
    let failed: Vec<_> = log.lines().filter(|line| line.contains("\terror\t")).collect();
    assert_eq!(failed, [""; 0]);
}

fn request(lock: &'static str) -> opentelemetry_proto::tonic::trace::v1::Span {
    let totals = vec![
        KeyValue::new("lock.acquisitions", 1),
        KeyValue::new("lock.contentions", 0),
        KeyValue::new("lock.wait.time", 0.001),
        KeyValue::new("lock.nesting.max", 1),
        KeyValue::new("lock.worst.name", lock),
        KeyValue::new("lock.blocking.cause", "queue"),
    ];
    root_span("storm", Duration::from_millis(10), totals)
}
