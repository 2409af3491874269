//! `cargo xtask demo` as somebody runs it: the real service, built and started by the command.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("demo").args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn json_report_names_locks_edges_and_the_slowest_request() {
    let output = demo(&["--seconds", "3", "--json"]).output().expect("the command starts");
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["load"]["errors"], serde_json::json!({}));
    let scrape = report["scrape_url"].as_str().expect("a URL");
    assert!(progress.contains(scrape), "the scrape URL is told while it can be used: {progress}");

    // Most expensive first: in the default scenario the reindexer keeps the inventory.
    let worst = &report["locks"][0];
    assert_eq!(worst["name"], "inventory", "{report:#}");
    assert_eq!(worst["worst_holder"]["owner"], "orders.reindexer");
    assert_eq!(worst["causes"][0]["cause"], "holder");
    assert!(worst["wait"]["p99_seconds"].as_f64() >= worst["wait"]["p50_seconds"].as_f64());
    // Locks of tokio, of the standard library and of parking_lot in one table, and the pool with them.
    let locks = report["locks"].as_array().expect("rows");
    for name in ["inventory", "terms", "views", "orders.pool"] {
        let used = |row: &&Value| row["name"] == name && row["acquisitions"].as_u64() > Some(0);
        assert!(locks.iter().any(|row| used(&row)), "no {name}: {report:#}");
    }
    let edge = &report["edges"][0];
    assert_eq!((&edge["lock"], &edge["holder"]), (&worst["name"], &worst["worst_holder"]["owner"]));
    for finding in report["findings"].as_array().expect("rows") {
        assert_eq!(
            (&finding["kind"], &finding["pool"]),
            (&"pool_under_lock".into(), &"orders.pool".into())
        );
    }
    assert_eq!(report["slowest"]["attributes"]["lock.worst.name"], "inventory");
}

#[test]
fn interrupt_ends_with_the_report() {
    // Without a limit that anybody would wait for.
    let mut child = demo(&["--seconds", "3600", "--scenario", "clean"]).spawn().expect("starts");
    let mut progress = BufReader::new(child.stderr.take().expect("piped")).lines();
    // A look at the service under load: it takes a few locks by itself when it starts.
    let acquisitions = |line: &str| {
        line.split_once(" acquisitions")?.0.split(' ').next_back()?.parse::<u64>().ok()
    };
    let under_load = |line: &String| acquisitions(line).is_some_and(|count| count > 50);
    let seen = progress.by_ref().map_while(Result::ok).find(under_load);
    assert!(seen.is_some(), "the command ended before it showed anything");
    kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
    let mut report = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut report).expect("UTF-8");
    assert!(child.wait().expect("it ends").success());
    for part in [
        "0 errors",
        "Locks, most waited for first",
        "Who blocks whom",
        "wrong for certain",
        "The slowest request",
    ] {
        assert!(report.contains(part), "no `{part}` in:\n{report}");
    }
    assert!(!report.contains('\u{1b}'), "no colours and no cursor movement outside a terminal");
}
