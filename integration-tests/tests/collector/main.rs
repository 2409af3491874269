//! The collector and Prometheus with the shipped configuration: what is sent to them arrives, under
//! the documented names, exactly, also after either was away. All figures are scripted here, so no
//! part of plock's library takes part.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test, as the test itself does"
)]

mod config;
mod direct;
mod gateway;
mod live;
mod mapping;
mod outage;
mod spans;
mod storm;

use std::time::Duration;

use integration_tests::otlp::Sender;
use integration_tests::promql::{Labels, Sample};
use integration_tests::{Stack, StackBuilder, Tools};
use opentelemetry::KeyValue;

/// Deadline for something that takes a second or two on an idle machine.
const SOON: Duration = Duration::from_secs(60);

async fn start(builder: StackBuilder) -> Stack {
    let tools = tokio::task::spawn_blocking(Tools::ready).await.unwrap().unwrap();
    builder.start(&tools).await.unwrap()
}

/// Sends on behalf of instance `i-1` of the service `orders`.
fn sender(stack: &Stack) -> Sender {
    Sender::http(&stack.endpoints().otlp_http, "orders", "i-1")
}

/// The attributes of one lock's direct metrics.
fn lock(name: &'static str) -> Vec<KeyValue> {
    [("lock.name", name), ("lock.kind", "mutex"), ("lock.mode", "exclusive")]
        .map(|(key, value)| KeyValue::new(key, value))
        .into()
}

/// Labels and numbers of `samples`, without the labels that every series of the sender has.
fn figures(samples: Vec<Sample>) -> Vec<(Labels, f64)> {
    let strip = |sample: Sample| {
        let number = sample.number();
        let mut labels = sample.labels;
        assert_eq!(labels.remove("job").as_deref(), Some("orders"));
        assert_eq!(labels.remove("instance").as_deref(), Some("i-1"));
        labels.remove("__name__");
        (labels, number)
    };
    let mut figures: Vec<_> = samples.into_iter().map(strip).collect();
    figures.sort_by(|a, b| a.0.cmp(&b.0));
    figures
}

/// Labels written as in PromQL without quotes: `a=b c=d`.
fn labels(text: &str) -> Labels {
    let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.into(), value.into()));
    text.split(' ').filter_map(pair).collect()
}
