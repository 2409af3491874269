//! `cargo xtask bench` on every row, without a look at the times.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

#[test]
fn every_row_gives_one_valid_line() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["bench", "--quick", "--json"]).output().expect("it starts");
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    assert!(progress.contains("clock source: ") && progress.contains("rustc "), "{progress}");

    let rows: Vec<Value> = String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("one JSON object per line"))
        .collect();
    let mut names = BTreeSet::new();
    for row in &rows {
        let name = row["name"].as_str().expect("a name");
        assert!(names.insert(name), "{name} twice");
        if name.starts_with("size/") {
            assert!(row["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{row}");
            continue;
        }
        let number = |field: &str| row[field].as_f64().filter(|n| n.is_finite() && *n > 0.0);
        let [min, median, ratio] = ["ns_min", "ns_median", "ratio"].map(number);
        assert!(min.is_some() && min <= median, "{row}");
        assert_eq!(row["instructions"], Value::Null, "only counted on request: {row}");
        match name.split('/').collect::<Vec<&str>>()[..] {
            [_, _, "bare"] => assert_eq!(ratio, Some(1.0), "{row}"),
            [_, _, "clocked" | "full" | "coarse" | "off"] => assert!(ratio.is_some(), "{row}"),
            _ => assert!(matches!(name.split_once('/'), Some(("snapshot" | "encode", _))), "{row}"),
        }
    }
    for operation in [
        "tokio::Mutex/uncontended",
        "tokio::Mutex/uncontended-task",
        "tokio::Mutex/uncontended-unscoped",
        "tokio::Mutex/two-threads-own-locks",
        "tokio::Mutex/contended-1us",
        "tokio::Mutex/convoy-1us",
        "tokio::Mutex/convoy-1us-apart-1us",
        "tokio::Mutex/handed-over",
        "tokio::RwLock/uncontended-read",
        "tokio::RwLock/uncontended-write",
        "tokio::Semaphore/uncontended",
        "poll/timed",
        "tower/do-nothing",
    ] {
        for mode in ["bare", "full"] {
            let name = format!("{operation}/{mode}");
            assert!(names.contains(&*name), "no {name} in {names:?}");
        }
    }
}

#[test]
fn a_filter_that_matches_nothing_is_an_error_that_repeats_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["bench", "--quick", "--filter", "no-such-row"]).output();
    let output = output.expect("it starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("`no-such-row`"));
}
