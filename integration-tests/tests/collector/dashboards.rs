//! The shipped dashboards: their form follows the rules of Grafana's dashboard linter, their queries
//! name only what exists, and each of them gives data against a live Prometheus.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::time::Duration;

use integration_tests::dashboards::{Dashboard, Panel, Substitution};
use plock_semconv::{InstrumentKind, derived, metrics};
use promql_parser::parser::{Expr, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// Stands for `$__rate_interval` where the test looks for it: nobody writes this by hand.
const MARKED: Duration = Duration::from_secs(7 * 60 + 13);

fn boards() -> Vec<Dashboard> {
    let boards: Vec<_> = Dashboard::all().unwrap().into_iter().map(|it| it.1).collect();
    let uids: Vec<_> = boards.iter().map(|board| board.uid.as_str()).collect();
    assert_eq!(uids, ["plock-overview", "plock-requests"]);
    boards
}

/// Every query of every panel, with the variables spelled so that they can be told from constants.
fn queries(board: &Dashboard) -> Vec<(&Panel, Expr)> {
    let mut marked = Substitution::everything(board, "7m13s");
    for variable in ["job", "instance", "lock"] {
        marked = marked.select(variable, &format!("chosen_{variable}"));
    }
    let targets = board.panels().flat_map(|panel| panel.targets.iter().map(move |it| (panel, it)));
    targets
        .map(|(panel, target)| {
            let query = marked.expand(&target.expr).unwrap();
            (panel, parse(&query).unwrap_or_else(|error| panic!("{}: {error}", panel.title)))
        })
        .collect()
}

/// What a query selects, and over which ranges its functions look.
#[derive(Default)]
struct Usage {
    selectors: Vec<VectorSelector>,
    ranges: Vec<(&'static str, String, Duration)>,
}

impl Usage {
    fn of(query: &Expr) -> Self {
        let mut usage = Self::default();
        walk_expr(&mut usage, query).unwrap();
        usage
    }
}

impl ExprVisitor for Usage {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.selectors.push(selector.clone()),
            Expr::MatrixSelector(matrix) => self.selectors.push(matrix.vs.clone()),
            Expr::Call(call) => {
                for argument in &call.args.args {
                    if let Expr::MatrixSelector(matrix) = argument.as_ref() {
                        let name = matrix.vs.name.clone().unwrap_or_default();
                        self.ranges.push((call.func.name, name, matrix.range));
                    }
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

#[test]
fn every_dashboard_can_be_provisioned() {
    for (path, board) in Dashboard::all().unwrap() {
        assert_eq!(path.file_stem().unwrap().to_str().unwrap(), board.uid);
        assert_eq!(board.schema_version, 42, "newest schema that file provisioning takes");
        assert!(!board.editable && board.inputs.is_none(), "{}", board.uid);
        assert!(board.uid.len() <= 40, "{}", board.uid);
        let size = fs::metadata(&path).unwrap().len();
        assert!(size < 200_000, "{size} bytes do not fit into an annotation of Kubernetes");
    }
}

#[test]
fn every_panel_explains_itself() {
    let shows_numbers = ["timeseries", "stat", "heatmap", "table"];
    for board in boards() {
        let ids: HashSet<_> = board.panels().map(|panel| panel.id).collect();
        assert_eq!(ids.len(), board.panels().count(), "ids are distinct");
        assert!(board.panels().count() <= 30, "{}", board.uid);
        for panel in board.panels() {
            let Panel { title, description, .. } = panel;
            assert!(!title.is_empty() && description.len() > 60, "{title}: {description}");
            assert!(shows_numbers.contains(&panel.kind.as_str()), "{title}: {}", panel.kind);
            let defaults = &panel.field_config.defaults;
            assert!(defaults.unit.is_some() && defaults.no_value.is_some(), "{title}");
            assert!(!panel.targets.is_empty(), "{title}");
        }
        for (panel, query) in queries(&board) {
            let names = Usage::of(&query).selectors.into_iter().filter_map(|it| it.name);
            let told = names.map(|name| family(&name)).any(|it| panel.description.contains(&it));
            assert!(told, "{}: the description names no metric it shows", panel.title);
        }
    }
}

#[test]
fn only_figures_with_a_trace_promise_one() {
    let with_trace =
        [&metrics::WAIT_DURATION, &metrics::HOLD_DURATION].map(|it| it.prometheus_name());
    for board in boards() {
        let targets = board.panels().flat_map(|panel| &panel.targets);
        for target in targets.filter(|target| target.exemplar) {
            let of_span = target.expr.contains("traces_span_metrics_duration_seconds");
            let of_lock = with_trace.iter().any(|name| target.expr.contains(name));
            assert!(of_span || of_lock, "{}", target.expr);
        }
    }
}

#[test]
fn waits_and_durations_lead_to_traces() {
    for (board, wanted) in boards().iter().zip([
        ["Wait p99 by lock", "Waits", "Hold p99 by lock"],
        ["Wait and duration of requests", "Duration p99 by route", ""],
    ]) {
        for title in wanted.into_iter().filter(|title| !title.is_empty()) {
            let panel = board.panels().find(|panel| panel.title == title).unwrap();
            assert!(panel.targets.iter().any(|target| target.exemplar), "{title}");
        }
    }
}

#[test]
fn panels_fill_the_grid_without_overlap() {
    for board in boards() {
        let mut taken = HashSet::new();
        for place in board.panels().map(|panel| panel.grid_pos) {
            assert!(place.x + place.w <= 24);
            for cell in (place.x..place.x + place.w)
                .flat_map(|x| (place.y..place.y + place.h).map(move |y| (x, y)))
            {
                assert!(taken.insert(cell), "{}: two panels at {cell:?}", board.uid);
            }
        }
        for row in taken.iter().map(|cell| cell.1).collect::<BTreeSet<_>>() {
            let width = taken.iter().filter(|cell| cell.1 == row).count();
            assert_eq!(width, 24, "{}: row {row} is not full", board.uid);
        }
    }
}

#[test]
fn variables_are_what_the_linter_asks_for() {
    for board in boards() {
        let names: Vec<_> = board.variables().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["datasource", "job", "instance", "lock"]);
        assert_eq!(board.variables()[0].label, "Data source");
        for variable in &board.variables()[1..] {
            assert_eq!(variable.all_value.as_deref(), Some(".+"), "{}", variable.name);
            assert!(variable.multi && variable.refresh == 2, "{}", variable.name);
            assert_eq!(variable.label.to_lowercase(), variable.name);
        }
    }
}

#[test]
fn every_selector_follows_the_selection_and_every_rate_the_resolution() {
    for board in boards() {
        for (panel, query) in queries(&board) {
            let usage = Usage::of(&query);
            for selector in &usage.selectors {
                for label in ["job", "instance"] {
                    let chosen = format!("chosen_{label}");
                    let follows = |it: &&promql_parser::label::Matcher| {
                        it.name == label && it.value == chosen
                    };
                    let matchers = selector.matchers.matchers.iter();
                    assert_eq!(matchers.filter(follows).count(), 1, "{}: {label}", panel.title);
                }
            }
            for (function, metric, range) in usage.ranges {
                assert_eq!(range, MARKED, "{}: {function}({metric})", panel.title);
            }
            let counters = usage.selectors.iter().filter_map(|it| it.name.as_deref());
            for counter in counters.filter(|name| name.ends_with("_total")) {
                let raw = !query.to_string().contains(&format!("({counter}{{"));
                assert!(!raw, "{}: {counter} outside of a rate", panel.title);
            }
        }
    }
}

#[test]
fn queries_name_only_metrics_and_labels_that_exist() {
    let instruments: Vec<_> = metrics::ALL.iter().chain(derived::ALL).collect();
    for board in boards() {
        for (panel, query) in queries(&board) {
            for selector in Usage::of(&query).selectors {
                let name = selector.name.clone().unwrap();
                if name.starts_with("traces_span_metrics_") {
                    continue;
                }
                let family = family(&name);
                let known = instruments.iter().find(|it| it.prometheus_name() == family);
                let known = known.unwrap_or_else(|| panic!("{}: {name} is no metric", panel.title));
                let is_part = known.kind == InstrumentKind::Histogram;
                assert!(is_part || name == family, "{}: {name}", panel.title);
                let mut labels: BTreeSet<_> =
                    known.attributes.iter().map(|it| plock_semconv::label_name(it)).collect();
                labels.extend(["job", "instance", "le"].map(String::from));
                if family == derived::SLOW_LOCK_DURATION.prometheus_name() {
                    labels.extend(["lock_mode", "lock_phase"].map(String::from));
                }
                for matcher in &selector.matchers.matchers {
                    assert!(
                        labels.contains(&matcher.name),
                        "{}: {name} has no {}",
                        panel.title,
                        matcher.name
                    );
                }
            }
        }
    }
}

/// The name without the suffix of a histogram's part.
fn family(name: &str) -> String {
    let parts = ["_bucket", "_count", "_sum"];
    let cut = parts.iter().find_map(|part| name.strip_suffix(part));
    cut.unwrap_or(name).to_owned()
}
