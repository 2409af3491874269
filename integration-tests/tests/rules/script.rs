//! Cases as a test file of promtool.

use std::collections::BTreeMap;

use plock_boards::Options;
use serde_json::{Value, json};

use crate::shipped;

/// What happens, and what one alert makes of it.
pub(crate) struct Case {
    pub(crate) alert: &'static str,
    pub(crate) name: &'static str,
    /// Time between two values of a series.
    pub(crate) step: &'static str,
    /// Metric, labels besides job and instance, values in promtool's notation.
    pub(crate) series: &'static [(&'static str, &'static str, &'static str)],
    pub(crate) at: &'static str,
    /// None where the alert shall be silent.
    pub(crate) fires: &'static [Fires],
}

/// One alert that fires.
pub(crate) struct Fires {
    pub(crate) severity: &'static str,
    pub(crate) labels: &'static [(&'static str, &'static str)],
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// Where it leads, below the address of Grafana.
    pub(crate) leads: &'static str,
}

/// Labels that every series has unless it names others.
const PROCESS: &str = "job=\"orders\",instance=\"a\"";

/// Rules are evaluated once a step, so all cases have to have the same.
pub(crate) fn test_file<'a>(step: &str, cases: impl Iterator<Item = &'a Case>) -> Value {
    let files = ["prometheus/rules.yml", "prometheus/alerts.yml"].map(shipped);
    json!({
        "rule_files": files,
        "evaluation_interval": step,
        // A figure that an alert takes is recorded before.
        "group_eval_order": ["plock-locks", "plock-slo", "plock-slo-days"],
        "tests": cases.filter(|case| case.step == step).map(test).collect::<Vec<_>>(),
    })
}

fn test(case: &Case) -> Value {
    let series = case.series.iter().map(|(metric, labels, values)| {
        let process = if labels.contains("job=") { "" } else { PROCESS };
        let separator = if process.is_empty() || labels.is_empty() { "" } else { "," };
        json!({"series": format!("{metric}{{{process}{separator}{labels}}}"), "values": values})
    });
    let fires: Vec<_> = case.fires.iter().map(|it| expected(case.alert, it)).collect();
    json!({
        "name": format!("{}: {}", case.alert, case.name),
        "interval": case.step,
        "input_series": series.collect::<Vec<_>>(),
        "alert_rule_test": [
            {"eval_time": case.at, "alertname": case.alert, "exp_alerts": fires},
        ],
    })
}

fn expected(alert: &str, fires: &Fires) -> Value {
    let fixed = [("severity", fires.severity), ("component", "plock")];
    let labels: BTreeMap<_, _> = fires.labels.iter().copied().chain(fixed).collect();
    let options = Options::default();
    json!({
        "exp_labels": labels,
        "exp_annotations": {
            "summary": fires.summary,
            "description": fires.description,
            "runbook_url": format!("{}/{alert}.md", options.runbook_url),
            "dashboard": format!("{}/d/{}", options.grafana_url, fires.leads),
        },
    })
}
