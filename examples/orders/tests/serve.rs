//! `orders serve`: the routes answer, and a request to terminate ends it in order.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::process::Stdio;
use std::time::Duration;

use plock::{Mode, Outcome, Snapshot};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// Far more than an orderly end takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

struct Served {
    child: Child,
    events: Lines<BufReader<ChildStdout>>,
    url: String,
}

#[tokio::test]
async fn routes_answer_and_tell_what_they_locked() {
    let mut served = serve(&[]).await;
    let client = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", served.url);
    let get = async |path: &str| client.get(url(path)).send().await.expect("an answer");

    assert_eq!(get("/healthz").await.status(), 200);
    assert_eq!(get("/products/100000").await.status(), 404);
    assert_eq!(get("/orders/100000").await.status(), 404);
    let lamp: Value = get("/products?text=blue%20lamp").await.json().await.expect("JSON");
    let id = &lamp[0]["id"];
    let price = client.put(url(&format!("/products/{id}/price")));
    let price = price.json(&json!({ "price_cents": 4200 })).send().await.expect("an answer");
    assert_eq!(price.status(), 204);

    let cart = json!({ "customer": 1, "lines": [{ "product": id, "quantity": 2 }] });
    let placed = client.post(url("/orders")).json(&cart).send().await.expect("an answer");
    assert_eq!(placed.status(), 201);
    let placed: Value = placed.json().await.expect("JSON");
    let order = get(&format!("/orders/{}", placed["order"])).await;
    let order: Value = order.json().await.expect("JSON");
    assert_eq!(order["total_cents"], 8400);
    assert_eq!(order["lines"], json!([{ "product": id, "quantity": 2, "price_cents": 4200 }]));

    let greedy = json!({ "customer": 1, "lines": [{ "product": id, "quantity": 1_000_000_000 }] });
    let greedy = client.post(url("/orders")).json(&greedy).send().await.expect("an answer");
    assert_eq!(greedy.status(), 409);

    let terms = client.put(url("/terms")).json(&json!({ "pieces": 1, "lines": 1 }));
    assert_eq!(terms.send().await.expect("an answer").status(), 204);
    let limited = client.post(url("/orders")).json(&cart).send().await.expect("an answer");
    assert_eq!(limited.status(), 422);
    for _ in 0..2 {
        assert_eq!(get(&format!("/products/{id}")).await.status(), 200);
    }
    let views: Value = get("/reports/views").await.json().await.expect("JSON");
    assert_eq!(views, json!([{ "product": id, "views": 2 }]));

    let snapshot: Snapshot = get("/api/v1/snapshot").await.json().await.expect("a snapshot");
    let inventory = snapshot.lock("inventory", Mode::Exclusive).expect("it is registered");
    assert!(inventory.outcome(Outcome::Acquired) >= 2);
    let placed = snapshot.scope("POST /orders").expect("a scope for each route");
    assert_eq!((placed.started, placed.finished), (3, 3));
    let holds = |name, mode| snapshot.lock(name, mode).expect("it is registered").hold.count();
    assert_eq!((holds("terms", Mode::Shared), holds("terms", Mode::Exclusive)), (3, 1));
    assert_eq!(holds("views", Mode::Exclusive), 3, "two views and the report");
    let scrape = get("/metrics").await.text().await.expect("text");
    assert!(scrape.contains("plock_acquisitions_total{lock_name=\"inventory\""), "{scrape}");
    let slowest: Value = get("/api/v1/slowest").await.json().await.expect("JSON");
    assert!(slowest["attributes"]["lock.acquisitions"].is_number(), "{slowest:#}");

    served.terminate();
    let report = served.event().await;
    assert_eq!(report["event"], "report");
    assert_eq!(report["load"], Value::Null, "nobody asked for load");
    assert!(served.ended_well().await);
}

#[tokio::test]
async fn interrupted_load_is_reported() {
    let mut served = serve(&["run", "--rate", "200"]).await;
    let client = reqwest::Client::new();
    let asked = async || {
        let url = format!("{}/api/v1/snapshot", served.url);
        let snapshot: Snapshot = client.get(url).send().await.ok()?.json().await.ok()?;
        let requests = snapshot.scopes.iter().filter(|scope| scope.name.contains(" /"));
        Some(requests.map(|scope| scope.finished).sum::<u64>())
    };
    let under_load = async {
        while asked().await.is_none_or(|finished| finished < 50) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, under_load).await.expect("the load arrives");
    served.terminate();
    let report = served.event().await;
    let load = &report["load"];
    assert!(load["requests"].as_u64() >= Some(50), "{load:#}");
    assert_eq!(load["requests"], load["latency"]["requests"], "all were answered: {load:#}");
    assert!(served.ended_well().await);
}

#[tokio::test]
async fn impossible_arguments_are_refused_by_name() {
    for (arguments, complaint) in [
        (["--rate", "0"], "arrivals per second between"),
        (["--rate", "NaN"], "arrivals per second between"),
        (["--seconds", "0"], "--seconds"),
        (["--scenario", "chaos"], "hold-across-await"),
        (["--port", "70000"], "--port"),
    ] {
        let arguments = [&["run"], &arguments[..]].concat();
        let output = orders(&arguments).output().await.expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(complaint), "{arguments:?}: {errors}");
    }
}

impl Served {
    fn terminate(&self) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        kill_process(id.expect("it runs"), Signal::TERM).expect("it runs");
    }

    async fn event(&mut self) -> Value {
        let line = timeout(PATIENCE, self.events.next_line()).await.expect("it says something");
        let line = line.expect("UTF-8").expect("it says more before it ends");
        serde_json::from_str(&line).expect("one JSON object a line")
    }

    async fn ended_well(&mut self) -> bool {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("once").success()
    }
}

fn orders(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orders"));
    command
        .args(arguments)
        .arg("--json")
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "none")
        .kill_on_drop(true);
    command
}

async fn serve(arguments: &[&str]) -> Served {
    let arguments = if arguments.is_empty() { &["serve"] } else { arguments };
    let mut child = orders(arguments).stdout(Stdio::piped()).spawn().expect("it starts");
    let events = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut served = Served { child, events, url: String::new() };
    let listening = served.event().await;
    assert_eq!(listening["event"], "listening");
    served.url = listening["url"].as_str().expect("a URL").to_owned();
    served
}
