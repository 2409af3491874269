//! Queries as syntax trees: what they select, and over which ranges their functions look.

use std::time::Duration;

use plock_boards::grafana::schema::{Panel, Target};
use plock_boards::grafana::{Dashboard, Substitution};
use plock_semconv::{Instrument, InstrumentKind, derived, label_name, metrics};
use promql_parser::parser::{Expr, LabelModifier, VectorSelector, parse};
use promql_parser::util::{ExprVisitor, walk_expr};

/// Stands for `$__rate_interval` where a rule looks for it: nobody writes this by hand.
pub(crate) const MARKED: Duration = Duration::from_secs(7 * 60 + 13);
const MARK: &str = "7m13s";

/// One query of a panel.
pub(crate) struct Query<'a> {
    pub(crate) board: &'a Dashboard,
    pub(crate) panel: &'a Panel,
    pub(crate) target: &'a Target,
    pub(crate) parsed: Expr,
    pub(crate) usage: Usage,
}

/// What a query selects, groups by and ranges over.
#[derive(Default)]
pub(crate) struct Usage {
    pub(crate) selectors: Vec<VectorSelector>,
    /// Function, metric, range.
    pub(crate) ranges: Vec<(&'static str, String, Duration)>,
    pub(crate) groupings: Vec<String>,
    pub(crate) functions: Vec<String>,
}

/// Variables spelled so that they can be told from constants.
pub(crate) fn marked(board: &Dashboard) -> Substitution {
    let queries = board.variables().iter().filter(|it| it.kind == "query");
    queries.fold(Substitution::everything(board, MARK), |values, variable| {
        values.select(&variable.name, &format!("chosen_{}", variable.name))
    })
}

/// Every query of every panel; what does not parse is left to the rule about that.
pub(crate) fn queries(boards: &[Dashboard]) -> Vec<Query<'_>> {
    let mut all = Vec::new();
    for board in boards {
        let values = marked(board);
        for panel in board.panels() {
            for target in &panel.targets {
                let expanded = values.expand(&target.expr);
                let Ok(parsed) = expanded.and_then(|it| parse(&it).map_err(anyhow::Error::msg))
                else {
                    continue;
                };
                let usage = Usage::of(&parsed);
                all.push(Query { board, panel, target, parsed, usage });
            }
        }
    }
    all
}

impl Query<'_> {
    pub(crate) fn place(&self) -> String {
        place(self.board, self.panel)
    }
}

pub(crate) fn place(board: &Dashboard, panel: &Panel) -> String {
    format!("{} / {} (panel {})", board.uid, panel.title, panel.id)
}

impl Usage {
    pub(crate) fn of(query: &Expr) -> Self {
        let mut usage = Self::default();
        let Ok(_) = walk_expr(&mut usage, query);
        usage
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.selectors.iter().filter_map(|it| it.name.as_deref())
    }
}

impl ExprVisitor for Usage {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.selectors.push(selector.clone()),
            Expr::MatrixSelector(matrix) => self.selectors.push(matrix.vs.clone()),
            Expr::Aggregate(aggregate) => {
                self.functions.push(aggregate.op.to_string());
                if let Some(LabelModifier::Include(labels)) = &aggregate.modifier {
                    self.groupings.extend(labels.labels.iter().cloned());
                }
            }
            Expr::Call(call) => {
                self.functions.push(call.func.name.to_owned());
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

/// The name without the suffix of a histogram's part.
pub(crate) fn family(name: &str) -> &str {
    let parts = ["_bucket", "_count", "_sum"];
    parts.iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name)
}

/// The instrument that a series name belongs to.
pub(crate) fn instrument(name: &str) -> Option<&'static Instrument> {
    let mut all = metrics::ALL.iter().chain(derived::ALL);
    let found = all.find(|it| it.prometheus_name() == family(name))?;
    let is_part = found.kind == InstrumentKind::Histogram;
    (is_part || name == family(name)).then_some(*found)
}

/// The labels that series of `instrument` have.
pub(crate) fn labels(instrument: &Instrument) -> Vec<String> {
    let own = instrument.attributes.iter().map(|key| label_name(key));
    own.chain(["job", "instance", "le"].map(String::from)).collect()
}

/// Metrics of others: the collector's, Prometheus' own, and what rules record.
pub(crate) fn is_foreign(name: &str) -> bool {
    let prefixes = ["traces_span_metrics_", "otelcol_", "job_instance"];
    name == "ALERTS" || name == "up" || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether it is a histogram of durations that plock records itself: classic or native.
pub(crate) fn has_two_forms(instrument: &Instrument) -> bool {
    let is_direct = metrics::ALL.iter().any(|it| it.name == instrument.name);
    is_direct && instrument.kind == InstrumentKind::Histogram && instrument.unit == "s"
}
