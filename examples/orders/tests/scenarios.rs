//! The real program under its own load, one scenario after the other: every request is answered, and
//! the lock that the scenario is about shows why it was waited for and who made others wait.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use plock::{Cause, Edge, FindingKind, Histogram, LockSeries, Mode, Outcome, Snapshot};

/// What the program reports at its end.
#[derive(Debug, serde::Deserialize)]
struct Report {
    load: Load,
    snapshot: Snapshot,
    slowest: Option<Span>,
}

#[derive(Debug, serde::Deserialize)]
struct Load {
    requests: u64,
    errors: std::collections::BTreeMap<String, u64>,
    latency: Latency,
}

#[derive(Debug, serde::Deserialize)]
struct Latency {
    requests: u64,
}

#[derive(Debug, serde::Deserialize)]
struct Span {
    name: String,
    duration_seconds: f64,
    attributes: serde_json::Map<String, serde_json::Value>,
    children: Vec<Self>,
}

#[test]
fn clean_answers_everything_and_uses_locks_of_every_kind() {
    let report = run("clean");
    for (name, mode) in [
        ("inventory", Mode::Exclusive),
        ("catalogue", Mode::Shared),
        ("catalogue", Mode::Exclusive),
        ("orders.pool", Mode::Permit),
        // These block threads: one of the standard library's, one of parking_lot's.
        ("terms", Mode::Shared),
        ("views", Mode::Exclusive),
        ("worker", Mode::Permit),
    ] {
        let series = report.series(name, mode);
        assert!(series.outcome(Outcome::Acquired) > 0, "{name} {mode} was never acquired");
        assert_eq!(series.holders, 0, "{name} {mode} is held after the end");
        assert_eq!(series.waiters, 0, "{name} {mode} is waited for after the end");
    }
    // No guard of a lock that blocks threads is alive at an await.
    assert_eq!(report.snapshot.findings, []);
}

#[test]
fn convoy_queues_orders_behind_orders() {
    let report = run("convoy");
    let inventory = report.series("inventory", Mode::Exclusive);
    // Forty short sections an order: the mutex is taken far more often than there are requests.
    assert!(inventory.outcome(Outcome::Acquired) > 10 * report.load.requests);
    assert!(inventory.contentions() > report.load.requests, "{inventory:#?}");
    // What it costs is the handing over: the mutex belongs to tasks that have not run yet.
    let wait = |cause: Cause| inventory.wait[cause as usize].sum_ns();
    assert!(wait(Cause::Scheduler) > wait(Cause::Unknown), "{inventory:#?}");
    assert!(wait(Cause::Unknown) * 10 < inventory.wait_total().sum_ns(), "{inventory:#?}");
    let top = report.top_edge("inventory");
    assert_eq!((top.waiter.as_str(), top.holder.as_str()), ("POST /orders", "POST /orders"));
}

#[test]
fn hold_across_await_blames_the_reindexer() {
    let report = run("hold-across-await");
    let inventory = report.series("inventory", Mode::Exclusive);
    assert_eq!(main_cause(inventory), Cause::Holder, "{inventory:#?}");
    let worst = inventory.worst_hold.as_ref().expect("a hold");
    assert_eq!(worst.owner, "orders.reindexer");
    assert!(worst.site.contains("inventory.rs"), "{worst:?}");
    // The reindexer was parked at its query for nearly all of the time that the mutex was held.
    assert!(inventory.hold_suspended_ns * 2 > inventory.hold.sum_ns(), "{inventory:#?}");
    let top = report.top_edge("inventory");
    assert_eq!(top.holder, "orders.reindexer", "{top:?}");

    // Its query has to wait for a connection now and then, and whoever needs the mutex with it.
    let other = report.snapshot.findings.iter().find(|it| {
        (it.kind, &*it.lock, &*it.pool) != (FindingKind::PoolUnderLock, "inventory", "orders.pool")
    });
    assert_eq!(other, None);

    let slowest = report.slowest.as_ref().expect("a request was traced");
    assert!(["POST /orders", "GET /stock/{id}"].contains(&slowest.name.as_str()), "{slowest:#?}");
    assert_eq!(slowest.attributes["lock.worst.name"], "inventory", "{slowest:#?}");
    let wait = slowest.children.iter().find(|child| child.name == "lock wait").expect("its wait");
    assert_eq!(wait.attributes["lock.name"], "inventory");
    assert!(wait.duration_seconds <= slowest.duration_seconds);
}

#[test]
fn writer_behind_readers_makes_readers_wait_for_a_writer() {
    let report = run("writer-behind-readers");
    let readers = report.series("catalogue", Mode::Shared);
    assert_eq!(main_cause(readers), Cause::WriterPending, "{readers:#?}");
    let writers = report.series("catalogue", Mode::Exclusive);
    assert!(writers.contentions() > 0, "{writers:#?}");
    let worst = readers.worst_hold.as_ref().expect("a hold");
    assert_eq!(worst.owner, "GET /products/export");
    // The readers stand behind a writer, and the writer behind the export: it is charged with both.
    let top = report.top_edge("catalogue");
    assert_eq!(top.holder, "GET /products/export", "{top:?}");
    let export = report.edges("catalogue", "GET /products/export");
    assert!(export.clone().any(|edge| edge.waiter == "PUT /products/{id}/price" && edge.waits > 0));
}

#[test]
fn pool_runs_out_of_connections_behind_the_slow_report() {
    let report = run("pool");
    let pool = report.series("orders.pool", Mode::Permit);
    assert_eq!(main_cause(pool), Cause::Permits, "{pool:#?}");
    // The report and the reindexer ask the same slow question; everything else is quick.
    let slow = ["GET /reports/sales", "orders.reindexer"];
    let worst = pool.worst_hold.as_ref().expect("a hold");
    assert!(slow.contains(&worst.owner.as_str()), "{worst:?}");
    // Quick requests let go just before each wait ends; it is the slow ones that are charged.
    let top = report.top_edge("orders.pool");
    assert!(slow.contains(&top.holder.as_str()), "{top:?}");
}

impl Report {
    fn series(&self, name: &str, mode: Mode) -> &LockSeries {
        self.snapshot.lock(name, mode).unwrap_or_else(|| panic!("no lock {name} {mode}"))
    }

    fn edges<'a>(
        &'a self,
        lock: &'a str,
        holder: &'a str,
    ) -> impl Iterator<Item = &'a Edge> + Clone {
        self.snapshot.edges.iter().filter(move |edge| edge.lock == lock && edge.holder == holder)
    }

    /// The edge of this lock that cost its waiter most, of those that name a scope as the holder:
    /// on a busy machine more time may go by between two holders than with one.
    fn top_edge(&self, lock: &str) -> &Edge {
        let named = |edge: &&Edge| edge.lock == lock && self.snapshot.scope(&edge.holder).is_some();
        let edges = self.snapshot.edges.iter().filter(named);
        edges.max_by_key(|edge| edge.wait_ns).unwrap_or_else(|| panic!("nobody waited for {lock}"))
    }
}

fn main_cause(series: &LockSeries) -> Cause {
    let by_cause = Cause::ALL.iter().zip(&series.wait).map(|(cause, wait)| (wait.sum_ns(), *cause));
    by_cause.max().expect("there are causes").1
}

/// Runs the program for two seconds of load and checks what holds in every scenario.
#[track_caller]
fn run(scenario: &str) -> Report {
    // One at a time: their waits are about each other's processor time otherwise.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new(env!("CARGO_BIN_EXE_orders"))
        .args(["--scenario", scenario, "--seconds", "2", "--json"])
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "none")
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let lines = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let last = lines.lines().last().expect("a report");
    let report: Report = serde_json::from_str(last).expect("the report is JSON");

    assert!(report.load.requests > 0);
    assert!(report.load.errors.is_empty(), "{:?}\n{errors}", report.load.errors);
    assert_eq!(report.load.latency.requests, report.load.requests, "every request was answered");
    for series in &report.snapshot.locks {
        let held: Histogram = series.hold.clone();
        assert_eq!(held.count(), series.outcome(Outcome::Acquired), "holds of {}", series.name);
    }
    report
}
