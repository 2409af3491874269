//! Everything as files below `otel-collector/`.

use anyhow::{Context, Result, ensure};
use promql_parser::parser;
use serde::Serialize;
use serde_saphyr::{LitStr, SerializerOptions};

use crate::alerts::{self, Alert};
use crate::{Options, alertmanager, boards, rules};

/// One generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Where it is, below the folder with the collector's configuration.
    pub path: String,
    /// What is in it.
    pub text: String,
}

const GENERATED: &str = "# Written by `cargo xtask boards`; change the generator, not this file.\n";

/// Every file that the generator writes, by path.
///
/// # Errors
///
/// If the options contradict themselves, or make an expression that is no PromQL.
pub fn files(options: &Options) -> Result<Vec<File>> {
    options.validate()?;
    let mut files = Vec::new();
    for board in boards::all(options) {
        let text = serde_json::to_string_pretty(&board)? + "\n";
        files.push(File { path: format!("grafana/dashboards/{}.json", board.uid), text });
    }
    let (rules, alerts) = (recording(options)?, alerting(options)?);
    files.push(yaml("prometheus/rules.yml", &Rules { groups: rules.clone() })?);
    files.push(yaml("prometheus/alerts.yml", &Rules { groups: alerts.clone() })?);
    files.push(yaml("alertmanager/alertmanager.yml", &alertmanager::configuration())?);
    let groups = [rules, alerts].concat();
    files.push(yaml(
        "kubernetes/prometheus-operator/prometheus-rule.yaml",
        &Resource::new(Rules { groups }),
    )?);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

#[derive(Clone, Debug, Serialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Clone, Debug, Serialize)]
struct Group {
    name: &'static str,
    interval: &'static str,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, Serialize)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<&'static str>,
    #[serde(serialize_with = "literal")]
    expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    wait: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_for: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Labels>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Annotations>,
}

#[derive(Clone, Debug, Serialize)]
struct Labels {
    severity: &'static str,
    component: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Annotations {
    summary: &'static str,
    description: String,
    runbook_url: String,
    dashboard: String,
}

/// What the Prometheus operator takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Rules,
}

#[derive(Debug, Serialize)]
struct Metadata {
    name: &'static str,
    labels: KubernetesLabels,
}

#[derive(Debug, Serialize)]
struct KubernetesLabels {
    #[serde(rename = "app.kubernetes.io/name")]
    name: &'static str,
}

impl Resource {
    const fn new(spec: Rules) -> Self {
        let labels = KubernetesLabels { name: "plock" };
        let metadata = Metadata { name: "plock", labels };
        Self { api_version: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata, spec }
    }
}

fn recording(options: &Options) -> Result<Vec<Group>> {
    let group = |group: rules::Group| {
        let rule = |rule: rules::Rule| {
            let record = Some(rule.record);
            Ok(Rule { record, ..Rule::of(&rule.expr)? })
        };
        let rules = group.rules.into_iter().map(rule).collect::<Result<_>>()?;
        Ok(Group { name: group.name, interval: group.interval, rules })
    };
    rules::groups(options).into_iter().map(group).collect()
}

fn alerting(options: &Options) -> Result<Vec<Group>> {
    let group = |group: alerts::Group| {
        let rule = |alert: &Alert| Rule::alert(alert, options);
        let rules = group.alerts.iter().map(rule).collect::<Result<_>>()?;
        Ok(Group { name: group.name, interval: group.interval, rules })
    };
    alerts::groups(options).into_iter().map(group).collect()
}

impl Rule {
    /// Broken into lines where it is long.
    fn of(expr: &str) -> Result<Self> {
        let parsed = parser::parse(expr);
        let parsed = parsed.map_err(anyhow::Error::msg).with_context(|| expr.to_owned())?;
        let expr = parsed.prettify();
        // What is shown is what was meant; the order of matchers means nothing.
        let again = parser::parse(&expr).map_err(anyhow::Error::msg)?;
        ensure!(again.to_string() == parsed.to_string(), "`{expr}` reads differently");
        Ok(Self {
            record: None,
            alert: None,
            expr,
            wait: None,
            keep_firing_for: None,
            labels: None,
            annotations: None,
        })
    }

    fn alert(alert: &Alert, options: &Options) -> Result<Self> {
        Ok(Self {
            alert: Some(alert.name),
            wait: alert.wait,
            keep_firing_for: alert.keep,
            labels: Some(Labels {
                severity: alert.severity.as_str(),
                component: "plock",
                window: alert.window,
            }),
            annotations: Some(Annotations {
                summary: alert.summary,
                description: alert.description.clone(),
                runbook_url: alert.runbook(options),
                dashboard: alert.dashboard(options),
            }),
            ..Self::of(&alert.expr)?
        })
    }
}

fn literal<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    LitStr(text).serialize(serializer)
}

fn yaml(path: &str, value: &impl Serialize) -> Result<File> {
    let options = SerializerOptions::default();
    let text = serde_saphyr::to_string_with_options(value, options)?;
    Ok(File { path: path.to_owned(), text: format!("{GENERATED}{}\n", text.trim_end()) })
}
