//! What users deploy, under the tools of those who take it: rules and alerts under promtool (every
//! alert fires when it shall, with these very words, and is silent just below its threshold or when
//! it was too short), and routes under amtool.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test, as the test itself does"
)]

#[macro_use]
mod words;
mod cases;
mod script;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use integration_tests::{Tools, repository};
use plock_boards::{Options, runbooks};
use serde_json::{Value, json};

use crate::cases::CASES;
use crate::script::Case;

fn shipped(path: &str) -> PathBuf {
    repository().join("otel-collector").join(path)
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Runs promtool and returns what it says, and whether it is content.
fn promtool(arguments: &[&str], files: &[&Path]) -> (bool, String) {
    let tools = Tools::ready().unwrap();
    let output = Command::new(tools.promtool).args(arguments).args(files).output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&told).into_owned())
}

#[test]
fn a7_promtool_finds_nothing_to_complain_about() {
    let lint = ["check", "rules", "--lint=all", "--lint-fatal"];
    let files = ["prometheus/rules.yml", "prometheus/alerts.yml"].map(shipped);
    let (content, told) = promtool(&lint, &[&files[0], &files[1]]);
    assert!(content, "{told}");
}

#[test]
fn a7_the_form_for_kubernetes_has_the_same_groups() {
    let resource = yaml(&shipped("kubernetes/prometheus-operator/prometheus-rule.yaml"));
    assert_eq!(resource["kind"], "PrometheusRule");
    let groups = |path| yaml(&shipped(path))["groups"].as_array().unwrap().clone();
    let both = [groups("prometheus/rules.yml"), groups("prometheus/alerts.yml")].concat();
    assert_eq!(resource["spec"]["groups"], json!(both));
    let scratch = tempfile::tempdir().unwrap();
    let spec = scratch.path().join("spec.yml");
    fs::write(&spec, resource["spec"].to_string()).unwrap();
    let lint = ["check", "rules", "--lint=all", "--lint-fatal"];
    let (content, told) = promtool(&lint, &[&spec]);
    assert!(content, "{told}");
}

fn amtool(arguments: &[&str]) -> (bool, String) {
    let tools = Tools::ready().unwrap();
    let config = shipped("alertmanager/alertmanager.yml");
    let output = Command::new(tools.amtool).args(arguments).arg(&config).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a6_alertmanager_accepts_its_configuration() {
    let (content, told) = amtool(&["check-config"]);
    assert!(content, "{told}");
}

#[test]
fn a6_each_severity_calls_whom_it_should() {
    let tools = Tools::ready().unwrap();
    let config = format!("--config.file={}", shipped("alertmanager/alertmanager.yml").display());
    let cases = [("critical", "on-call"), ("warning", "tickets"), ("info", "dead-man-switch")];
    for (severity, receiver) in cases {
        let output = Command::new(&tools.amtool)
            .args(["config", "routes", "test", &config, "component=plock"])
            .arg(format!("severity={severity}"))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), receiver, "{severity}");
    }
    // Alerts of others go where they went before.
    let other = Command::new(&tools.amtool)
        .args(["config", "routes", "test", &config, "severity=critical"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&other.stdout).trim(), "tickets");
}

/// What promtool says of `cases`, or of what `change` makes of them.
fn tested<'a>(
    step: &str,
    cases: impl Iterator<Item = &'a Case>,
    change: fn(String) -> String,
) -> (bool, String) {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("cases.yml");
    fs::write(&file, change(script::test_file(step, cases).to_string())).unwrap();
    promtool(&["test", "rules"], &[&file])
}

#[test]
fn a1_every_alert_fires_and_stays_silent_within_minutes() {
    let (content, told) = tested("15s", CASES.iter(), |it| it);
    assert!(content, "{told}");
}

#[test]
fn a1_every_alert_fires_and_stays_silent_within_hours() {
    let (content, told) = tested("1m", CASES.iter(), |it| it);
    assert!(content, "{told}");
}

/// Otherwise a test file that promtool does not read would pass.
#[test]
fn promtool_notices_a_wrong_word() {
    let stuck = CASES.iter().filter(|case| case.alert == "PlockLockStuck");
    let change = |it: String| it.replace("does not get a lock", "did not get a lock");
    let (content, told) = tested("15s", stuck, change);
    assert!(!content && told.contains("PlockLockStuck"), "{told}");
}

#[test]
fn a1_every_alert_has_a_case_that_fires_and_one_that_is_silent() {
    let of = |fires: bool| -> BTreeSet<_> {
        let cases = CASES.iter().filter(|case| case.fires.is_empty() != fires);
        cases.map(|case| case.alert).collect()
    };
    let alerts: BTreeSet<_> = runbooks(&Options::default()).into_iter().collect();
    assert_eq!(of(true), alerts);
    // The watchdog has no condition, so nothing silences it.
    let conditional: BTreeSet<_> =
        alerts.into_iter().filter(|alert| *alert != "PlockWatchdog").collect();
    assert_eq!(of(false), conditional);
    let rules = yaml(&shipped("prometheus/alerts.yml"));
    let rules = rules["groups"].as_array().unwrap().iter();
    for rule in rules.flat_map(|group| group["rules"].as_array().unwrap()) {
        let (name, severity) = (&rule["alert"], &rule["labels"]["severity"]);
        let window = rule["labels"]["window"].as_str();
        let fires = CASES.iter().filter(|case| name == case.alert).flat_map(|case| case.fires);
        let mut same = fires.filter(|fired| severity == fired.severity);
        let tested = same.any(|it| {
            let told = it.labels.iter().find(|label| label.0 == "window").map(|label| label.1);
            told == window
        });
        assert!(tested, "{name} {severity} {window:?} never fires in a case");
    }
}
