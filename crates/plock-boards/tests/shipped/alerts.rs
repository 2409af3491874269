//! What alerts promise: labelled, explained, linked, guarded against noise. That they fire and stay
//! silent as they should is tested with promtool.

use std::collections::BTreeSet;

use plock_boards::Options;
use plock_boards::alerts::{Alert, groups};
use promql_parser::parser::parse;
use serde::Deserialize;

use crate::queries::{Usage, family, instrument, is_foreign};
use crate::{Rule, dashboards, folder, read};

/// An alert as it is checked in, beside what the generator knows of it.
#[derive(Clone)]
pub(crate) struct Shipped {
    yaml: Yaml,
    alert: Alert,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groups: Vec<Group>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "interval")]
    _interval: String,
    rules: Vec<Yaml>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Yaml {
    record: Option<String>,
    alert: Option<String>,
    expr: String,
    #[serde(rename = "for")]
    wait: Option<String>,
    keep_firing_for: Option<String>,
    labels: Option<Labels>,
    annotations: Option<Annotations>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    severity: String,
    component: String,
    #[serde(rename = "window")]
    _window: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    summary: String,
    description: String,
    runbook_url: String,
    dashboard: String,
}

fn rules(path: &str) -> Vec<Yaml> {
    let file: File = serde_saphyr::from_str(&read(path)).unwrap();
    file.groups.into_iter().flat_map(|it| it.rules).collect()
}

pub(crate) fn shipped() -> Vec<Shipped> {
    let yaml = rules("prometheus/alerts.yml");
    let alerts: Vec<_> = groups(&Options::default()).into_iter().flat_map(|it| it.alerts).collect();
    assert_eq!(yaml.len(), alerts.len());
    let both = yaml.into_iter().zip(alerts);
    both.map(|(yaml, alert)| Shipped { yaml, alert }).collect()
}

#[rustfmt::skip]
pub(crate) const RULES: &[Rule<Shipped>] = &[
    Rule { name: "A1 labels", about: "a name in CamelCase, a severity, the component", check: labels, spoil: |it| it[0].yaml.labels.as_mut().unwrap().severity = "urgent".into() },
    Rule { name: "A1 delay", about: "a delay, or counts over a window that say why there is none", check: delay, spoil: |it| it[0].yaml.wait = None },
    Rule { name: "A1 text", about: "a summary that never changes, a description with labels and value", check: text, spoil: |it| annotations(it).summary.push_str(" {{ $value }}") },
    Rule { name: "A1 runbook", about: "a link to a runbook that exists", check: runbook, spoil: |it| annotations(it).runbook_url = "https://example.org/runbooks/Nothing.md".into() },
    Rule { name: "A1 dashboard", about: "a link to a panel that exists, with the alert's labels chosen", check: dashboard, spoil: |it| { let link = &mut annotations(it).dashboard; *link = link.replace("panel-14", "panel-400"); } },
    Rule { name: "A1 template", about: "texts name labels that the expression keeps", check: template, spoil: |it| annotations(it).description.push_str("{{ $labels.lock_kind }}") },
    Rule { name: "A3 pages", about: "critical is for stalls that users see", check: pages, spoil: |it| it[0].yaml.labels.as_mut().unwrap().severity = "critical".into() },
    Rule { name: "A3 thresholds", about: "each has a reason, and every threshold is an option that some alert takes", check: thresholds, spoil: |it| it.retain(|it| it.alert.name != "PlockTaskLeak") },
    Rule { name: "A4 topk", about: "nothing that flaps by rank", check: rank, spoil: |it| it[0].yaml.expr = format!("topk(1, {})", it[0].yaml.expr) },
    Rule { name: "A4 quantiles", about: "a percentile needs a number of samples", check: quantiles, spoil: |it| { let yaml = named(it, "PlockSchedulingDelayHigh"); yaml.expr = parse(&yaml.expr).unwrap().to_string().replace(">= 20", "> 0"); } },
    Rule { name: "A4 shares", about: "a share is guarded against an empty whole", check: shares, spoil: |it| { let yaml = named(it, "PlockSLOBurn"); yaml.expr = yaml.expr.replace("> 0", ""); } },
    Rule { name: "A4 rare", about: "a counter of rare events keeps its alert", check: rare, spoil: |it| named(it, "PlockLockPoisoned").keep_firing_for = None },
    Rule { name: "A4 condition", about: "an alert has a condition", check: condition, spoil: |it| it[0].yaml.expr = "max(plock_held_seconds)".into() },
    Rule { name: "A5", about: "recorded figures are named level:metric:operation and used", check: recorded, spoil: |it| it.retain(|it| it.alert.name != "PlockConvoy") },
    Rule { name: "A6 names", about: "expressions ask for metrics that exist", check: known, spoil: |it| it[0].yaml.expr = it[0].yaml.expr.replace("plock_held", "plock_holds") },
];

fn annotations(shipped: &mut [Shipped]) -> &mut Annotations {
    shipped[0].yaml.annotations.as_mut().unwrap()
}

fn named<'a>(shipped: &'a mut [Shipped], name: &str) -> &'a mut Yaml {
    &mut shipped.iter_mut().find(|it| it.alert.name == name).unwrap().yaml
}

fn each(shipped: &[Shipped], found: &mut Vec<String>, is_wrong: impl Fn(&Shipped) -> bool) {
    let wrong = shipped.iter().filter(|it| is_wrong(it));
    found.extend(wrong.map(|it| format!("{} ({})", it.alert.name, it.alert.severity)));
}

impl Shipped {
    fn usage(&self) -> Usage {
        Usage::of(&parse(&self.yaml.expr).unwrap())
    }

    fn annotations(&self) -> &Annotations {
        self.yaml.annotations.as_ref().unwrap()
    }

    fn severity(&self) -> &str {
        &self.yaml.labels.as_ref().unwrap().severity
    }

    fn calls(&self, function: &str) -> bool {
        self.usage().functions.iter().any(|it| it == function)
    }

    fn is_watchdog(&self) -> bool {
        self.yaml.expr.trim() == "vector(1)"
    }
}

fn labels(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let name = it.yaml.alert.as_deref().unwrap_or_default();
        let camel = name.starts_with("Plock") && name.chars().all(|c| c.is_ascii_alphanumeric());
        let known = ["critical", "warning", "info"].contains(&it.severity());
        let labels = it.yaml.labels.as_ref().unwrap();
        !(camel && known && labels.component == "plock" && it.yaml.record.is_none())
    });
}

fn delay(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        // Two scrapes at 15 s rule out a value that was true once.
        let long =
            it.yaml.wait.as_deref().is_some_and(|it| it.ends_with(['m', 'h']) || it == "30s");
        let counted = it.calls("increase") && !it.alert.because.is_empty();
        !(long || it.yaml.wait.is_none() && (counted || it.is_watchdog()))
    });
}

fn text(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let text = it.annotations();
        let fixed = !text.summary.contains("{{") && text.summary.ends_with('.');
        let specific =
            text.description.contains("{{ $labels.") && text.description.contains("$value");
        // That something is gone has no value.
        let is_absence = it.yaml.expr.contains("unless") && it.alert.name.ends_with("Silent");
        let specific = specific || is_absence && text.description.contains("{{ $labels.");
        !fixed || !(specific || it.is_watchdog())
    });
    for one in shipped {
        let same = shipped.iter().filter(|it| it.alert.name == one.alert.name);
        if same.clone().any(|it| it.annotations().summary != one.annotations().summary) {
            found.push(format!("{}: more than one summary", one.alert.name));
        }
    }
}

fn runbook(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let url = &it.annotations().runbook_url;
        let page = url.rsplit_once("/otel-collector/").map(|it| folder().join(it.1));
        !(url.starts_with("https://") && page.is_some_and(|page| page.is_file()))
    });
}

fn dashboard(shipped: &[Shipped], found: &mut Vec<String>) {
    let boards = dashboards();
    each(shipped, found, |it| {
        let url = &it.annotations().dashboard;
        let address = url.split_once("/d/").and_then(|it| it.1.split_once("?viewPanel=panel-"));
        let Some((uid, rest)) = address else { return true };
        let mut parts = rest.split('&');
        let id = parts.next().and_then(|it| it.parse().ok());
        let Some(board) = boards.iter().find(|it| it.uid == uid) else { return true };
        let panel = board.panels().any(|it| Some(it.id) == id);
        let mut chosen = parts.filter_map(|it| it.strip_prefix("var-")?.split('=').next());
        !(panel && chosen.all(|name| board.variables().iter().any(|it| it.name == name)))
    });
}

fn template(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let text = format!("{}{}", it.annotations().description, it.annotations().dashboard);
        let labels = text.split("$labels.").skip(1);
        let label = |it: &str| {
            let end = it.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            it[..end.unwrap_or(it.len())].to_owned()
        };
        let usage = it.usage();
        // A recorded figure says in its name which labels it kept; `up` has both of a target.
        let levels: String = usage.names().filter_map(|it| it.split(':').next()).collect();
        let target = usage.names().any(|it| it == "up");
        let kept = |it: &String| {
            let by_target = target && (it == "job" || it == "instance");
            usage.groupings.contains(it) || levels.contains(it.as_str()) || by_target
        };
        !labels.map(label).all(|it| kept(&it))
    });
}

fn pages(shipped: &[Shipped], found: &mut Vec<String>) {
    // Each is a stall that users see: nobody gets the lock, the pool, a worker, or the objective. A
    // deadlock is one that does not end.
    let stalls = [
        "PlockDeadlockDetected",
        "PlockLockStuck",
        "PlockPoolStall",
        "PlockLongPolls",
        "PlockSchedulingDelayHigh",
        "PlockSLOBurn",
    ];
    each(shipped, found, |it| it.severity() == "critical" && !stalls.contains(&it.alert.name));
}

fn thresholds(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| !it.alert.because.ends_with('.'));
    let all = serde_json::to_value(Options::default().thresholds).unwrap();
    let all: BTreeSet<_> = all.as_object().unwrap().keys().map(String::as_str).collect();
    let taken: BTreeSet<_> =
        shipped.iter().flat_map(|it| it.alert.options.iter().copied()).collect();
    found.extend(all.symmetric_difference(&taken).map(|it| format!("option {it}")));
}

fn rank(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| it.calls("topk") || it.calls("bottomk"));
}

fn quantiles(shipped: &[Shipped], found: &mut Vec<String>) {
    let guard = format!(">= {}", Options::default().thresholds.min_samples);
    each(shipped, found, |it| {
        let parsed = parse(&it.yaml.expr).unwrap().to_string();
        it.calls("histogram_quantile") && !(parsed.contains(&guard) && it.calls("increase"))
    });
}

fn shares(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let parsed = parse(&it.yaml.expr).unwrap().to_string();
        let divisions = parsed.matches(" / ").count();
        parsed.matches("> 0)").count() < divisions
    });
}

fn rare(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let zero = parse(&it.yaml.expr).unwrap().to_string().ends_with("> 0");
        (zero || it.yaml.wait.is_none()) && !it.is_watchdog() && it.yaml.keep_firing_for.is_none()
    });
}

fn condition(shipped: &[Shipped], found: &mut Vec<String>) {
    each(shipped, found, |it| {
        let parsed = parse(&it.yaml.expr).unwrap().to_string();
        let compares = [" > ", " >= ", " unless "].iter().any(|it| parsed.contains(it));
        !compares && !it.is_watchdog()
    });
}

fn recorded(shipped: &[Shipped], found: &mut Vec<String>) {
    let alerts: String = shipped.iter().map(|it| it.yaml.expr.as_str()).collect();
    let boards: String = dashboards()
        .iter()
        .filter(|it| it.uid == "plock-slo")
        .map(|it| serde_json::to_string(it).unwrap())
        .collect();
    for rule in rules("prometheus/rules.yml") {
        let name = rule.record.unwrap_or_default();
        let parts: Vec<_> = name.split(':').collect();
        let form =
            parts.len() == 3 && parts[0].starts_with("job_instance") && parts[2].contains("rate");
        if !form || !(alerts.contains(&name) || boards.contains(&name)) {
            found.push(name);
        }
    }
}

fn known(shipped: &[Shipped], found: &mut Vec<String>) {
    let recorded: Vec<_> =
        rules("prometheus/rules.yml").into_iter().filter_map(|it| it.record).collect();
    each(shipped, found, |it| {
        let usage = it.usage();
        !usage.names().all(|name| {
            let is_recorded = recorded.iter().any(|it| it == name);
            let others = is_foreign(name) && !name.contains(':');
            is_recorded || others || instrument(family(name)).is_some()
        })
    });
}

/// What Alertmanager takes, as far as alerts silence others.
#[derive(Deserialize)]
struct Alertmanager {
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Deserialize)]
struct Inhibition {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    equal: Vec<String>,
}

/// A label that is missing on both sides counts as equal there: one alert without it would silence
/// all others without it.
#[test]
fn a6_no_alert_silences_another_by_labels_that_both_lack() {
    let file: Alertmanager =
        serde_saphyr::from_str(&read("alertmanager/alertmanager.yml")).unwrap();
    assert!(!file.inhibit_rules.is_empty());
    for rule in &file.inhibit_rules {
        for side in [&rule.source_matchers, &rule.target_matchers] {
            assert!(side.contains(&"component=\"plock\"".to_owned()), "{side:?}");
            for label in rule.equal.iter().filter(|label| *label != "alertname") {
                assert!(side.contains(&format!("{label}=~\".+\"")), "{label}: {side:?}");
            }
        }
    }
}

#[test]
fn a6_inhibition_names_alerts_that_have_the_labels_it_compares() {
    let file: Alertmanager =
        serde_saphyr::from_str(&read("alertmanager/alertmanager.yml")).unwrap();
    let alerts = shipped();
    for rule in &file.inhibit_rules {
        for side in [&rule.source_matchers, &rule.target_matchers] {
            let names = side.iter().find_map(|it| it.strip_prefix("alertname=")).unwrap();
            for name in names.trim_matches(['~', '"']).split('|') {
                let alert = alerts.iter().find(|it| it.alert.name == name).unwrap();
                let usage = alert.usage();
                let levels: String = usage.names().filter_map(|it| it.split(':').next()).collect();
                for label in &rule.equal {
                    let by_target = usage.names().any(|it| it == "up") && label != "lock_name";
                    let kept = usage.groupings.contains(label) || levels.contains(label.as_str());
                    assert!(kept || by_target, "{name} has no {label}");
                }
            }
        }
    }
}
