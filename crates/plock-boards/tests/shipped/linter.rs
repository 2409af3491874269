//! The 17 rules of the Grafana project's dashboard linter, by its names.

use plock_boards::grafana::Dashboard;
use plock_boards::grafana::schema::{Panel, Variable};
use promql_parser::parser::parse;
use serde_json::json;

use crate::Rule;
use crate::queries::{MARKED, Query, marked, place, queries};

/// Panels that may break a rule, and why. At most five.
const EXCLUSIONS: &[(&str, u32, &[&str], &str)] = &[
    ("plock-overview", 34, &["target-instance-rule"], "alerts about a whole job have no instance"),
    ("plock-slo", 7, &["target-instance-rule"], "alerts of the objective are about a whole job"),
    (
        "plock-self",
        10,
        &["target-job-rule", "target-instance-rule"],
        "one collector serves all jobs",
    ),
    (
        "plock-self",
        11,
        &["target-job-rule", "target-instance-rule"],
        "one collector serves all jobs",
    ),
];

#[rustfmt::skip]
pub(crate) const RULES: &[Rule<Dashboard>] = &[
    Rule { name: "template-datasource-rule", about: "a data source to choose", check: template_datasource, spoil: |it| it[0].templating.list[0].name = "source".into() },
    Rule { name: "template-job-rule", about: "a variable for the job", check: |it, found| template(it, "job", "Job", found), spoil: |it| it[0].templating.list[1].multi = false },
    Rule { name: "template-instance-rule", about: "a variable for the instance", check: |it, found| template(it, "instance", "Instance", found), spoil: |it| it[0].templating.list[2].all_value = Some(".*".into()) },
    Rule { name: "template-label-promql-rule", about: "variables ask for label values in PromQL", check: template_promql, spoil: |it| it[0].templating.list[1].query = json!({"query": "label_values(plock{, job)"}) },
    Rule { name: "template-on-time-change-reload-rule", about: "variables are read again when the time changes", check: template_reload, spoil: |it| it[0].templating.list[1].refresh = 1 },
    Rule { name: "panel-datasource-rule", about: "panels use the chosen data source", check: panel_datasource, spoil: |it| panel(it).datasource = None },
    Rule { name: "panel-title-description-rule", about: "panels have a title and a description", check: panel_title, spoil: |it| panel(it).description.clear() },
    Rule { name: "panel-units-rule", about: "panels have a unit of Grafana's", check: panel_units, spoil: |it| panel(it).field_config.as_mut().unwrap().defaults.unit = "seconds".into() },
    Rule { name: "panel-no-targets-rule", about: "panels ask for something", check: panel_targets, spoil: |it| panel(it).targets.clear() },
    Rule { name: "target-logql-rule", about: "no query of logs that does not parse: there is none at all", check: no_logs, spoil: |it| panel(it).targets[0].datasource.kind = "loki".into() },
    Rule { name: "target-logql-auto-rule", about: "no query of logs over a fixed range: there is none at all", check: no_logs, spoil: |it| panel(it).targets[0].datasource.kind = "loki".into() },
    Rule { name: "target-promql-rule", about: "queries parse", check: target_promql, spoil: |it| panel(it).targets[0].expr.push('(') },
    Rule { name: "target-rate-interval-rule", about: "rates follow the resolution", check: target_rate, spoil: |it| replace(it, "$__rate_interval", "5m") },
    Rule { name: "target-job-rule", about: "selectors follow the chosen job", check: |it, found| target_follows(it, "job", "target-job-rule", found), spoil: |it| replace(it, "job=~\"$job\"", "job=~\".+\"") },
    Rule { name: "target-instance-rule", about: "selectors follow the chosen instance", check: |it, found| target_follows(it, "instance", "target-instance-rule", found), spoil: |it| replace(it, "instance=~\"$instance\"", "instance!=\"\"") },
    Rule { name: "target-counter-agg-rule", about: "counters are asked for their growth", check: target_counters, spoil: |it| panel(it).targets[0].expr = "sum(plock_blocked_total{job=~\"$job\", instance=~\"$instance\"})".into() },
    Rule { name: "uneditable-dashboard", about: "provisioned boards cannot be edited in place", check: uneditable, spoil: |it| it[0].editable = true },
    Rule { name: "exclusions", about: "at most five, each with a reason and needed", check: exclusions, spoil: |it| it.retain(|board| board.uid != "plock-slo") },
];

/// The first panel that is not in a closed row.
fn panel(boards: &mut [Dashboard]) -> &mut Panel {
    let mut panels = boards[0].panels.iter_mut();
    panels.find(|panel| panel.kind != "row").unwrap()
}

fn replace(boards: &mut [Dashboard], from: &str, to: &str) {
    for board in boards {
        for target in board.panels.iter_mut().flat_map(|panel| &mut panel.targets) {
            target.expr = target.expr.replace(from, to);
        }
    }
}

fn each_panel(boards: &[Dashboard], found: &mut Vec<String>, is_wrong: impl Fn(&Panel) -> bool) {
    for board in boards {
        let wrong = board.panels().filter(|panel| is_wrong(panel));
        found.extend(wrong.map(|panel| place(board, panel)));
    }
}

fn each_query(
    boards: &[Dashboard],
    found: &mut Vec<String>,
    wrong: impl Fn(&Query<'_>) -> Vec<String>,
) {
    for query in queries(boards) {
        found.extend(wrong(&query).iter().map(|what| format!("{}: {what}", query.place())));
    }
}

fn template_datasource(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let is_right = |it: &Variable| {
            it.kind == "datasource" && it.name == "datasource" && it.label == "Data source"
        };
        if !board.variables().first().is_some_and(is_right) {
            found.push(board.uid.clone());
        }
    }
}

fn template(boards: &[Dashboard], name: &str, label: &str, found: &mut Vec<String>) {
    for board in boards {
        let is_right = board.variables().iter().any(|it| {
            let on_chosen = it.datasource.as_ref().is_some_and(|it| it.uid == "${datasource}");
            let takes_all = it.all_value.as_deref() == Some(".+") && it.include_all;
            let names = it.name == name && it.label == label && it.kind == "query";
            names && on_chosen && takes_all && it.multi
        });
        if !is_right {
            found.push(board.uid.clone());
        }
    }
}

fn template_promql(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        for variable in board.variables().iter().filter(|it| it.kind == "query") {
            let query = variable.query["query"].as_str().unwrap_or_default();
            let query = marked(board).expand(query).unwrap_or_default();
            let inner = query.strip_prefix("label_values(").and_then(|it| it.strip_suffix(')'));
            let selector = inner.and_then(|it| it.rsplit_once(", ")).map(|it| it.0);
            if selector.is_none_or(|it| parse(it).is_err()) {
                found.push(format!("{}: ${}: {query}", board.uid, variable.name));
            }
        }
    }
}

fn template_reload(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let queries = board.variables().iter().filter(|it| it.kind == "query");
        let stale = queries.filter(|it| it.refresh != 2);
        found.extend(stale.map(|it| format!("{}: ${}", board.uid, it.name)));
    }
}

fn panel_datasource(boards: &[Dashboard], found: &mut Vec<String>) {
    let is_chosen =
        |panel: &Panel| panel.datasource.as_ref().is_some_and(|it| it.uid == "${datasource}");
    each_panel(boards, found, |panel| !is_chosen(panel));
}

fn panel_title(boards: &[Dashboard], found: &mut Vec<String>) {
    each_panel(boards, found, |panel| panel.title.is_empty() || panel.description.is_empty());
}

fn panel_units(boards: &[Dashboard], found: &mut Vec<String>) {
    let units = ["short", "s", "percentunit", "ops", "reqps", "cps"];
    let unit = |panel: &Panel| panel.field_config.as_ref().map(|it| it.defaults.unit.clone());
    each_panel(boards, found, |panel| !unit(panel).is_some_and(|it| units.contains(&it.as_str())));
}

fn panel_targets(boards: &[Dashboard], found: &mut Vec<String>) {
    each_panel(boards, found, |panel| panel.targets.is_empty());
}

fn no_logs(boards: &[Dashboard], found: &mut Vec<String>) {
    each_panel(boards, found, |panel| {
        panel.targets.iter().any(|it| it.datasource.kind != "prometheus")
    });
}

fn target_promql(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let values = marked(board);
        let parses = |expr: &str| values.expand(expr).is_ok_and(|it| parse(&it).is_ok());
        for panel in board.panels() {
            let broken = panel.targets.iter().filter(|it| !parses(&it.expr));
            found.extend(broken.map(|it| format!("{}: {}", place(board, panel), it.expr)));
        }
        let broken = board.annotations().filter(|expr| !parses(expr));
        found.extend(broken.map(|expr| format!("{}: {expr}", board.uid)));
    }
}

fn target_rate(boards: &[Dashboard], found: &mut Vec<String>) {
    each_query(boards, found, |query| {
        let rates = query.usage.ranges.iter().filter(|it| ["rate", "irate"].contains(&it.0));
        let fixed = rates.filter(|it| it.2 != MARKED);
        fixed.map(|it| format!("{}({})", it.0, it.1)).collect()
    });
}

fn target_follows(boards: &[Dashboard], label: &str, rule: &str, found: &mut Vec<String>) {
    each_query(boards, found, |query| {
        if is_excluded(query.board, query.panel, rule) { Vec::new() } else { blind(query, label) }
    });
}

/// Metrics whose selector does not follow the choice of `label`.
fn blind(query: &Query<'_>, label: &str) -> Vec<String> {
    let chosen = format!("chosen_{label}");
    let follows = |it: &&promql_parser::label::Matcher| {
        it.name == label && it.value == chosen && it.op.to_string().starts_with("=~")
    };
    let selectors = query.usage.selectors.iter();
    let blind = selectors.filter(|it| it.matchers.matchers.iter().filter(follows).count() != 1);
    blind.map(|it| it.name.clone().unwrap_or_default()).collect()
}

fn is_excluded(board: &Dashboard, panel: &Panel, rule: &str) -> bool {
    EXCLUSIONS.iter().any(|it| it.0 == board.uid && it.1 == panel.id && it.2.contains(&rule))
}

fn target_counters(boards: &[Dashboard], found: &mut Vec<String>) {
    each_query(boards, found, |query| {
        let grown = |name: &str| {
            let functions = ["rate", "irate", "increase"];
            query.usage.ranges.iter().filter(|it| it.1 == name && functions.contains(&it.0)).count()
        };
        let counters = query.usage.names().filter(|name| name.ends_with("_total"));
        let counted = |name: &str| query.usage.names().filter(|it| *it == name).count();
        let raw = counters.filter(|name| counted(name) != grown(name));
        raw.map(String::from).collect()
    });
}

fn uneditable(boards: &[Dashboard], found: &mut Vec<String>) {
    found.extend(boards.iter().filter(|it| it.editable).map(|it| it.uid.clone()));
}

fn exclusions(boards: &[Dashboard], found: &mut Vec<String>) {
    assert!(EXCLUSIONS.len() <= 5 && EXCLUSIONS.iter().all(|it| !it.3.is_empty()));
    let all = queries(boards);
    for (uid, id, rules, _) in EXCLUSIONS {
        for rule in *rules {
            let label = rule.trim_start_matches("target-").trim_end_matches("-rule");
            let of_panel = |it: &&Query<'_>| it.board.uid == *uid && it.panel.id == *id;
            if !all.iter().filter(of_panel).any(|it| !blind(it, label).is_empty()) {
                found.push(format!("{uid} panel {id} does not need an exclusion from {rule}"));
            }
        }
    }
}
