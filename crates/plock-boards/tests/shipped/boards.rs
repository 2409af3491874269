//! What the boards promise beyond the linter: explained, linked, complete, legible.

use std::collections::{BTreeSet, HashSet};

use plock_boards::Options;
use plock_boards::alerts::groups;
use plock_boards::grafana::Dashboard;
use plock_boards::grafana::schema::{FieldDefaults, Panel};
use plock_semconv::metrics;

use crate::Rule;
use crate::queries::{
    Query, family, has_two_forms, instrument, is_foreign, labels, place, queries,
};

#[rustfmt::skip]
pub(crate) const RULES: &[Rule<Dashboard>] = &[
    Rule { name: "D1", about: "a panel says what it shows, from which metric, and what is good", check: explains, spoil: |it| panel(it, "Waits").description = "All waits.".into() },
    Rule { name: "D1 no-value", about: "a panel has a text for no value, and not `No data`", check: says_nothing, spoil: |it| defaults(it, "Waits").no_value = "No data".into() },
    Rule { name: "D3", about: "a board can be provisioned", check: provisions, spoil: |it| it[0].schema_version = 41 },
    Rule { name: "D3 variables", about: "locks can be chosen wherever a query follows them", check: chooses, spoil: |it| it[0].templating.list.retain(|it| it.name != "lock") },
    Rule { name: "D4 traces", about: "waits, holds and durations lead to traces", check: leads_to_traces, spoil: |it| panel(it, "Waits").targets[0].exemplar = false },
    Rule { name: "D4 exemplars", about: "only figures with a trace promise one", check: promises, spoil: |it| panel(it, "Waiting by cause").targets[0].exemplar = true },
    Rule { name: "D4 names", about: "names of locks and holders lead to their boards", check: leads_on, spoil: |it| defaults(it, "Wait p99 by lock").links.clear() },
    Rule { name: "D4 thresholds", about: "a panel draws the threshold of its alert", check: draws_thresholds, spoil: |it| { for board in it { for panel in &mut board.panels { if let Some(config) = &mut panel.field_config { config.defaults.thresholds.steps.truncate(1); } } } } },
    Rule { name: "D5", about: "alerts, restarts and versions are marked", check: marks, spoil: |it| { it[0].annotations.list.pop(); } },
    Rule { name: "D6", about: "durations are asked for as classic and as native histograms", check: both_forms, spoil: |it| { let target = &mut panel(it, "Wait p99 by lock").targets[0]; target.expr = target.expr.split(" or ").next().unwrap().trim_start_matches('(').to_owned(); } },
    Rule { name: "D7", about: "a board fits its purpose: few numbers, few panels", check: fits, spoil: |it| { let board = &mut it[0]; let first = board.panels[1].clone(); board.panels.extend(std::iter::repeat_n(first, 30)); } },
    Rule { name: "D7 first screen", about: "the overview answers without scrolling", check: first_screen, spoil: |it| panel(it, "Open waits").grid_pos.y += 20 },
    Rule { name: "D8", about: "every metric of plock is on a panel", check: all_shown, spoil: |it| it.retain(|it| it.uid != "plock-self") },
    Rule { name: "D8 names", about: "queries name what exists", check: known, spoil: |it| { let target = &mut panel(it, "Waiting now").targets[0]; target.expr = target.expr.replace("plock_waiters", "plock_waiting"); } },
    Rule { name: "D8 legends", about: "legends name labels that the query keeps", check: legends, spoil: |it| panel(it, "Waiting by cause").targets[0].legend_format = "{{lock_kind}}".into() },
    Rule { name: "D9", about: "panels fill the grid and do not overlap, ids are distinct", check: grid, spoil: |it| panel(it, "Waits").grid_pos.x -= 1 },
    Rule { name: "D10", about: "a healthy service shows 0", check: zeros, spoil: |it| { let target = &mut panel(it, "Waiting now").targets[0]; target.expr = target.expr.replace(" or vector(0)", ""); } },
    Rule { name: "D11", about: "colours can be told apart, states are also written", check: colours, spoil: |it| { let steps = &mut defaults(it, "Waiting now").thresholds.steps; steps[0].color = "green".into(); } },
];

fn panel<'a>(boards: &'a mut [Dashboard], title: &str) -> &'a mut Panel {
    let overview = boards.iter_mut().find(|it| it.uid == "plock-overview").unwrap();
    overview.panels.iter_mut().find(|it| it.title == title).unwrap()
}

fn defaults<'a>(boards: &'a mut [Dashboard], title: &str) -> &'a mut FieldDefaults {
    &mut panel(boards, title).field_config.as_mut().unwrap().defaults
}

fn each(
    boards: &[Dashboard],
    found: &mut Vec<String>,
    wrong: impl Fn(&Dashboard, &Panel) -> Option<String>,
) {
    for board in boards {
        for panel in board.panels() {
            found
                .extend(wrong(board, panel).map(|what| format!("{}: {what}", place(board, panel))));
        }
    }
}

fn explains(boards: &[Dashboard], found: &mut Vec<String>) {
    each(boards, found, |_, panel| {
        let good_and_bad = ["good", "healthy"];
        let text = &panel.description;
        let tells = text.len() > 60 && good_and_bad.iter().any(|it| text.contains(it));
        (!tells).then(|| text.clone())
    });
    for query in queries(boards) {
        let text = &query.panel.description;
        if !query.usage.names().any(|name| text.contains(family(name))) {
            found.push(format!("{}: names no metric it shows", query.place()));
        }
    }
}

fn says_nothing(boards: &[Dashboard], found: &mut Vec<String>) {
    each(boards, found, |_, panel| {
        let text = &panel.field_config.as_ref().unwrap().defaults.no_value;
        (text.is_empty() || text == "No data").then(|| text.clone())
    });
}

fn provisions(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let is_named = board.uid.starts_with("plock-") && board.uid.len() <= 40;
        let opens =
            board.refresh == "30s" && board.time.from == "now-1h" && board.graph_tooltip == 1;
        let is_right = board.schema_version == 42 && board.id.is_none() && is_named && opens;
        let tagged = board.tags.contains(&"plock".to_owned());
        let linked = board.links.iter().any(|it| it.keep_time && it.include_vars);
        if !(is_right && tagged && linked) {
            found.push(board.uid.clone());
        }
    }
}

fn chooses(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let text: String =
            board.panels().flat_map(|it| &it.targets).map(|it| it.expr.as_str()).collect();
        let links: String = board
            .panels()
            .filter_map(|it| it.field_config.as_ref())
            .flat_map(|it| &it.defaults.links)
            .map(|it| it.url.as_str())
            .collect();
        for name in ["lock", "holder", "tempo"] {
            let wanted =
                text.contains(&format!("${name}")) || links.contains(&format!("${{{name}}}"));
            let offered = board.variables().iter().any(|it| it.name == name);
            if wanted != offered {
                found.push(format!("{}: ${name} is offered: {offered}, used: {wanted}", board.uid));
            }
        }
    }
}

/// Metrics whose points carry the trace of one wait, hold or request.
fn has_trace(name: &str) -> bool {
    let direct = [&metrics::WAIT_DURATION, &metrics::HOLD_DURATION].map(|it| it.prometheus_name());
    direct.contains(&family(name).to_owned())
        || family(name) == "traces_span_metrics_duration_seconds"
}

fn leads_to_traces(boards: &[Dashboard], found: &mut Vec<String>) {
    for query in queries(boards) {
        let is_graph = ["timeseries", "heatmap"].contains(&query.panel.kind.as_str());
        let config = &query.panel.field_config.as_ref().unwrap().defaults;
        if !is_graph || config.unit != "s" || !query.usage.names().any(has_trace) {
            continue;
        }
        let points = query.panel.targets.iter().any(|it| it.exemplar);
        let link = config.links.iter().any(|it| it.url.starts_with("/explore?"));
        if !(points && link) {
            found.push(query.place());
        }
    }
}

fn promises(boards: &[Dashboard], found: &mut Vec<String>) {
    let promising = queries(boards).into_iter().filter(|it| it.target.exemplar);
    let empty = promising.filter(|it| !it.usage.names().any(has_trace));
    found.extend(empty.map(|it| it.place()));
}

fn leads_on(boards: &[Dashboard], found: &mut Vec<String>) {
    for query in queries(boards) {
        let config = query.panel.field_config.as_ref().unwrap();
        let text = serde_json::to_string(config).unwrap();
        let shown = |label: &str| {
            let column =
                query.panel.kind == "table" && query.usage.groupings.iter().any(|it| it == label);
            column && !query.panel.transformations.iter().any(|it| it.id == "groupingToMatrix")
                || query.target.legend_format.contains(&format!("{{{{{label}}}}}"))
        };
        for (label, uid) in [("lock_name", "plock-lock"), ("lock_holder", "plock-blame")] {
            if shown(label) && query.board.uid != uid && !text.contains(&format!("/d/{uid}?")) {
                found.push(format!("{}: {label} leads nowhere", query.place()));
            }
        }
        let keeps = ["${__url_time_range}", "${job:queryparam}", "${instance:queryparam}"];
        let links = config.defaults.links.iter().filter(|it| it.url.starts_with("/d/"));
        let lost = links.filter(|it| !keeps.iter().all(|kept| it.url.contains(kept)));
        found.extend(lost.map(|it| format!("{}: {}", query.place(), it.url)));
    }
}

fn draws_thresholds(boards: &[Dashboard], found: &mut Vec<String>) {
    for alert in groups(&Options::default()).iter().flat_map(|it| &it.alerts) {
        let (uid, id) = alert.panel();
        let board = boards.iter().find(|it| it.uid == uid);
        let Some(panel) = board.and_then(|it| it.panels().find(|it| it.id == id)) else {
            found.push(format!("{} leads to {uid} panel {id}, which is not there", alert.name));
            continue;
        };
        let steps = &panel.field_config.as_ref().unwrap().defaults.thresholds.steps;
        let draws = |limit: f64| steps.iter().any(|it| it.value == Some(limit));
        if !alert.drawn.is_none_or(draws) {
            found.push(format!(
                "{}: {} is not drawn in {}",
                alert.name,
                alert.drawn.unwrap(),
                panel.title
            ));
        }
    }
}

fn marks(boards: &[Dashboard], found: &mut Vec<String>) {
    let wanted = ["ALERTS{", "resets(", "plock_build_info{"];
    for board in boards {
        let missing =
            wanted.iter().filter(|it| !board.annotations().any(|expr| expr.contains(**it)));
        found.extend(missing.map(|it| format!("{}: {it}", board.uid)));
    }
}

fn both_forms(boards: &[Dashboard], found: &mut Vec<String>) {
    for query in queries(boards) {
        let of = |native: bool| -> BTreeSet<_> {
            let durations =
                query.usage.names().filter(|it| instrument(it).is_some_and(has_two_forms));
            durations.filter(|it| (family(it) == *it) == native).map(family).collect()
        };
        if of(true) != of(false) {
            found.push(format!(
                "{}: classic {:?}, native {:?}",
                query.place(),
                of(false),
                of(true)
            ));
        }
    }
}

fn fits(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let stats = board.panels().filter(|it| it.kind == "stat").count();
        let panels = board.panels().count();
        let size = serde_json::to_string_pretty(board).unwrap().len();
        // A dashboard is copied into an annotation of Kubernetes, which takes 256 KiB.
        if stats > 8 || panels > 30 || size > 200_000 {
            found.push(format!("{}: {stats} stats, {panels} panels, {size} bytes", board.uid));
        }
    }
}

/// A screen of 1080 lines shows about 25 lines of the grid.
const SCREEN: u32 = 25;

fn first_screen(boards: &[Dashboard], found: &mut Vec<String>) {
    let Some(overview) = boards.iter().find(|it| it.uid == "plock-overview") else { return };
    for title in
        ["Waiting now", "Roots now", "Holders that cost most", "Open waits", "Waiting by cause"]
    {
        let is_seen = |it: &&Panel| it.title == title && it.grid_pos.y + it.grid_pos.h <= SCREEN;
        if !overview.panels.iter().any(|it| is_seen(&it)) {
            found.push(title.to_owned());
        }
    }
}

fn all_shown(boards: &[Dashboard], found: &mut Vec<String>) {
    let all = queries(boards);
    let shown: HashSet<_> = all.iter().flat_map(|it| it.usage.names()).map(family).collect();
    let missing = metrics::ALL.iter().map(|it| it.prometheus_name());
    found.extend(missing.filter(|it| !shown.contains(it.as_str())));
}

fn known(boards: &[Dashboard], found: &mut Vec<String>) {
    let made = ["id", "subtitle", "color", "source", "target"];
    for query in queries(boards) {
        let mut allowed: HashSet<String> = made.map(String::from).into();
        for selector in &query.usage.selectors {
            let name = selector.name.clone().unwrap_or_default();
            if is_foreign(&name) {
                allowed.extend(
                    ["lock_name", "exporter", "severity", "span_name", "job", "instance", "le"]
                        .map(String::from),
                );
                continue;
            }
            let Some(known) = instrument(&name) else {
                found.push(format!("{}: {name} is no metric", query.place()));
                continue;
            };
            let labels = labels(known);
            let unknown = selector.matchers.matchers.iter().filter(|it| !labels.contains(&it.name));
            found.extend(unknown.map(|it| format!("{}: {name} has no {}", query.place(), it.name)));
            allowed.extend(labels);
        }
        let unknown = query.usage.groupings.iter().filter(|it| !allowed.contains(*it));
        found.extend(unknown.map(|it| format!("{}: nothing has {it}", query.place())));
    }
}

fn legends(boards: &[Dashboard], found: &mut Vec<String>) {
    for query in queries(boards) {
        let names =
            query.target.legend_format.split("{{").skip(1).filter_map(|it| it.split("}}").next());
        let lost = names.filter(|name| !query.usage.groupings.iter().any(|it| it == name));
        found.extend(lost.map(|name| format!("{}: {name}", query.place())));
    }
}

fn grid(boards: &[Dashboard], found: &mut Vec<String>) {
    for board in boards {
        let mut ids = HashSet::new();
        let rows = board.panels.iter().filter(|it| it.kind == "row");
        let all = board.panels().chain(rows.clone());
        found.extend(all.filter(|it| !ids.insert(it.id)).map(|it| place(board, it)));
        let hidden = rows.filter_map(|it| it.panels.as_ref()).filter(|it| !it.is_empty());
        let open: Vec<_> = board.panels.clone();
        for panels in hidden.chain([&open]) {
            fills(board, panels, found);
        }
    }
}

fn fills(board: &Dashboard, panels: &[Panel], found: &mut Vec<String>) {
    let mut taken = HashSet::new();
    for panel in panels {
        let at = panel.grid_pos;
        let cells = (at.x..at.x + at.w).flat_map(|x| (at.y..at.y + at.h).map(move |y| (x, y)));
        let clash = cells.filter(|cell| !taken.insert(*cell)).count();
        if clash > 0 || at.x + at.w > 24 {
            found.push(place(board, panel));
        }
    }
    for line in taken.iter().map(|cell| cell.1).collect::<BTreeSet<_>>() {
        let width = taken.iter().filter(|cell| cell.1 == line).count();
        if width != 24 {
            found.push(format!("{}: line {line} is not full", board.uid));
        }
    }
}

fn zeros(boards: &[Dashboard], found: &mut Vec<String>) {
    let is_stat = |it: &&Query<'_>| it.panel.kind == "stat";
    let all = queries(boards);
    let blank =
        all.iter().filter(is_stat).filter(|it| !it.parsed.to_string().contains("or vector("));
    found.extend(blank.map(Query::place));
}

fn colours(boards: &[Dashboard], found: &mut Vec<String>) {
    each(boards, found, |_, panel| {
        let steps = &panel.field_config.as_ref().unwrap().defaults.thresholds.steps;
        let known = ["blue", "orange", "red"];
        let other = steps.iter().find(|it| !known.contains(&it.color.as_str()));
        let options = panel.options.as_ref().unwrap();
        let hides = ["none", "never"].map(serde_json::Value::from);
        let unwritten = hides.contains(&options["textMode"])
            || (panel.kind == "state-timeline" && hides.contains(&options["showValue"]));
        let colour = other.map(|it| it.color.clone());
        colour.or_else(|| unwritten.then(|| "a state without its value".to_owned()))
    });
}
