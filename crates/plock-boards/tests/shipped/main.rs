//! What is checked in below `otel-collector/`, against the rules that boards, alerts and runbooks
//! have to keep. Each rule comes with a way to break it, so none can be satisfied by chance; a
//! failure names the rule and the panel or alert.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test, as the test itself does"
)]

mod alerts;
mod boards;
mod linter;
mod queries;
mod runbooks;

use std::fs;
use std::path::PathBuf;

use plock_boards::grafana::Dashboard;
use plock_boards::{Options, files};

/// One rule over everything of one kind.
struct Rule<T> {
    name: &'static str,
    about: &'static str,
    /// Adds a line for every place that breaks it.
    check: fn(&[T], &mut Vec<String>),
    /// Breaks it.
    spoil: fn(&mut Vec<T>),
}

/// Every rule holds for what is shipped, and notices when it does not.
fn hold<T: Clone>(rules: &[Rule<T>], shipped: &[T]) {
    let mut broken = Vec::new();
    for rule in rules {
        let mut findings = Vec::new();
        (rule.check)(shipped, &mut findings);
        broken.extend(findings.iter().map(|it| format!("{} ({}): {it}", rule.name, rule.about)));
        let mut spoiled = shipped.to_vec();
        (rule.spoil)(&mut spoiled);
        let mut noticed = Vec::new();
        (rule.check)(&spoiled, &mut noticed);
        assert!(noticed.len() > findings.len(), "{} does not notice what breaks it", rule.name);
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../otel-collector")
}

fn read(path: &str) -> String {
    let path = folder().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The checked-in dashboards, which hold nothing that the schema does not know.
fn dashboards() -> Vec<Dashboard> {
    let mut names: Vec<_> = fs::read_dir(folder().join("grafana/dashboards"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let board = |name: &String| {
        let board: Dashboard =
            serde_json::from_str(&read(&format!("grafana/dashboards/{name}"))).unwrap();
        assert_eq!(*name, format!("{}.json", board.uid));
        board
    };
    names.iter().map(board).collect()
}

#[test]
fn d12_checked_in_files_are_as_generated_byte_for_byte() {
    let generated = files(&Options::default()).unwrap();
    assert_eq!(generated, files(&Options::default()).unwrap(), "twice the same");
    for file in &generated {
        let shipped = read(&file.path);
        let differs = shipped.lines().zip(file.text.lines()).find(|(one, other)| one != other);
        assert!(shipped == file.text, "{}: {differs:?}; run `cargo xtask boards`", file.path);
    }
    let boards = generated.iter().filter(|file| file.path.starts_with("grafana/dashboards/"));
    assert_eq!(boards.count(), dashboards().len(), "no board that is not generated");
}

#[test]
fn a3_thresholds_and_selector_of_a_user_reach_rules_boards_and_runbooks() {
    let mut options = Options::default();
    options.thresholds.lock_stuck_seconds = 42.0;
    options.selector = "namespace=\"shop\"".to_owned();
    let files = files(&options).unwrap();
    let text = |path: &str| &files.iter().find(|file| file.path == path).unwrap().text;
    let alerts: Vec<_> = text("prometheus/alerts.yml").split_whitespace().collect();
    assert!(alerts.join(" ").contains("> 42"));
    assert!(text("grafana/dashboards/plock-overview.json").contains("\"value\": 42.0"));
    let page = plock_boards::runbook("PlockLockStuck", None, &options);
    assert!(page.contains("`lock_stuck_seconds` = 42"));
    // Every series of plock is asked for with it, in recording rules and alerts.
    for path in ["prometheus/rules.yml", "prometheus/alerts.yml"] {
        let groups: serde_json::Value = serde_saphyr::from_str(text(path)).unwrap();
        let groups = groups["groups"].as_array().unwrap().iter();
        for rule in groups.flat_map(|group| group["rules"].as_array().unwrap()) {
            let parsed = promql_parser::parser::parse(rule["expr"].as_str().unwrap()).unwrap();
            for selector in queries::Usage::of(&parsed).selectors {
                let name = selector.name.unwrap_or_default();
                let chosen = selector.matchers.matchers.iter().any(|it| it.name == "namespace");
                assert!(chosen || !name.starts_with("plock_"), "{name} in {rule}");
            }
        }
    }
}

#[test]
fn k2_the_provisioned_data_sources_are_those_that_boards_begin_with() {
    let sources: serde_json::Value =
        serde_saphyr::from_str(&read("grafana/provisioning/datasources/plock.yaml")).unwrap();
    let sources = sources["datasources"].as_array().unwrap();
    for board in dashboards() {
        for variable in board.variables().iter().filter(|it| it.kind == "datasource") {
            let chosen = sources.iter().find(|it| it["uid"] == variable.current["value"]);
            assert_eq!(
                chosen.unwrap()["type"],
                variable.query,
                "{}: ${}",
                board.uid,
                variable.name
            );
        }
    }
    // From a trace to the figures of the lock.
    let to_metrics = sources.iter().map(|it| &it["jsonData"]["tracesToMetrics"]["queries"]);
    let queries: Vec<_> = to_metrics.filter_map(|it| it.as_array()).flatten().collect();
    assert!(!queries.is_empty());
    for query in queries {
        let text = query["query"].as_str().unwrap().replace("$$__tags", "lock_name=\"a\"");
        let usage = queries::Usage::of(&promql_parser::parser::parse(&text).unwrap());
        assert!(usage.names().all(|name| queries::instrument(name).is_some()), "{text}");
    }
}

#[test]
fn boards_hold() {
    hold(boards::RULES, &dashboards());
}

#[test]
fn the_linter_of_grafana_holds() {
    hold(linter::RULES, &dashboards());
}

#[test]
fn alerts_hold() {
    hold(alerts::RULES, &alerts::shipped());
}

#[test]
fn runbooks_hold() {
    hold(runbooks::RULES, &runbooks::shipped());
}
