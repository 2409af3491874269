//! One panel: what it asks, how it reads, where it leads.

use plock_semconv::{Instrument, label_name};
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::link::{Leads, Place, prometheus, traces};
use super::schema::{
    FieldConfig, FieldDefaults, Matcher, Override, Panel, Position, Property, Target,
    ThresholdStep, ThresholdSteps, Transformation,
};

/// Units by Grafana's name.
pub(crate) mod unit {
    pub(crate) const COUNT: &str = "short";
    pub(crate) const SECONDS: &str = "s";
    pub(crate) const SHARE: &str = "percentunit";
    pub(crate) const OPERATIONS: &str = "ops";
    pub(crate) const REQUESTS: &str = "reqps";
    pub(crate) const EVENTS: &str = "cps";
}

/// Never red or green: it says nothing about health.
const GROUND: &str = "blue";
/// From this value on it deserves a look.
pub(crate) const ORANGE: &str = "orange";
/// From this value on somebody is blocked.
pub(crate) const RED: &str = "red";

/// A panel in the making. Its place comes from the board.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) panel: Panel,
    pub(crate) width: Option<u32>,
    kind: Kind,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
struct Column {
    field: String,
    title: &'static str,
    unit: Option<&'static str>,
    leads: Option<Leads>,
}

/// A panel; `id` is part of the addresses that alerts carry and stays as it is.
pub(crate) fn panel(id: u32, kind: Kind, title: &str) -> Draft {
    let defaults = FieldDefaults {
        unit: unit::COUNT.to_owned(),
        min: matches!(kind, Kind::Stat | Kind::TimeSeries | Kind::Stacked | Kind::BarGauge)
            .then_some(0.0),
        max: None,
        no_value: "0".to_owned(),
        color: kind.color(),
        thresholds: steps(GROUND, &[]),
        custom: kind.custom(false),
        links: Vec::new(),
    };
    let panel = Panel {
        id,
        kind: kind.name().to_owned(),
        title: title.to_owned(),
        description: String::new(),
        datasource: Some(prometheus()),
        grid_pos: Position::default(),
        field_config: Some(FieldConfig { defaults, overrides: Vec::new() }),
        options: None,
        targets: Vec::new(),
        transformations: Vec::new(),
        collapsed: None,
        panels: None,
    };
    Draft { panel, width: None, kind, columns: Vec::new() }
}

fn steps(ground: &str, levels: &[(f64, &str)]) -> ThresholdSteps {
    let ground = ThresholdStep { color: ground.to_owned(), value: None };
    let step = |(value, color): &(f64, &str)| ThresholdStep {
        color: (*color).to_owned(),
        value: Some(*value),
    };
    let steps = std::iter::once(ground).chain(levels.iter().map(step)).collect();
    ThresholdSteps { mode: "absolute".to_owned(), steps }
}

impl Draft {
    /// What it shows, what is good and bad, what to do next; followed by the metrics it comes from.
    pub(crate) fn tells(self, sources: &[&Instrument], text: &str) -> Self {
        let names: Vec<_> = sources.iter().map(|it| it.prometheus_name()).collect();
        self.tells_of(&names, text)
    }

    /// The same for metrics by name.
    pub(crate) fn tells_of(mut self, sources: &[String], text: &str) -> Self {
        self.panel.description = format!("{text} Source: {}.", sources.join(", "));
        self
    }

    pub(crate) fn unit(mut self, unit: &str) -> Self {
        self.defaults(|it| unit.clone_into(&mut it.unit));
        self
    }

    /// Text in place of a value that is missing because all is well.
    pub(crate) fn empty(mut self, text: &str) -> Self {
        self.defaults(|it| text.clone_into(&mut it.no_value));
        self
    }

    pub(crate) fn most(mut self, max: f64) -> Self {
        self.defaults(|it| it.max = Some(max));
        self
    }

    /// Lines in a graph, colours elsewhere.
    pub(crate) fn levels(mut self, levels: &[(f64, &str)]) -> Self {
        let custom = self.kind.custom(true);
        self.defaults(|it| (it.thresholds, it.custom) = (steps(GROUND, levels), custom));
        self
    }

    /// Blocked below `least`.
    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.defaults(|it| it.thresholds = steps(RED, &[(least, GROUND)]));
        self
    }

    pub(crate) const fn wide(mut self, columns: u32) -> Self {
        self.width = Some(columns);
        self
    }

    /// Adds a query; `legend` names the series.
    pub(crate) fn ask(mut self, query: impl Into<String>, legend: &str) -> Self {
        let letter = char::from(b"ABCDEFGH"[self.panel.targets.len()]).to_string();
        self.add(&letter, query.into(), legend);
        self
    }

    /// Adds a query under a name of its own, for transformations to choose by.
    pub(crate) fn ask_as(mut self, name: &str, query: impl Into<String>) -> Self {
        self.add(name, query.into(), "");
        self
    }

    fn add(&mut self, name: &str, query: String, legend: &str) {
        let instant = self.kind.is_instant();
        self.panel.targets.push(Target {
            ref_id: name.to_owned(),
            datasource: prometheus(),
            expr: query,
            legend_format: legend.to_owned(),
            format: self.kind.format().to_owned(),
            instant,
            range: !instant,
            exemplar: false,
            editor_mode: "code".to_owned(),
        });
    }

    /// Points of the last query lead to traces, and so does the panel.
    pub(crate) fn exemplars(mut self) -> Self {
        if let Some(target) = self.panel.targets.last_mut() {
            target.exemplar = true;
        }
        self.defaults(|it| it.links.push(traces()));
        self
    }

    /// Values lead on by the names among their labels.
    pub(crate) fn leads(mut self, to: &[Leads]) -> Self {
        self.defaults(|it| it.links.extend(to.iter().map(|it| it.link(Place::Labels))));
        self
    }

    /// A column of a table with the value of a label.
    pub(crate) fn label(mut self, key: &str, title: &'static str) -> Self {
        let leads = [Leads::Lock, Leads::Holder].into_iter().find(|it| it.key() == key);
        self.columns.push(Column { field: label_name(key), title, unit: None, leads });
        self
    }

    /// A column of a table with the values of the next query.
    pub(crate) fn value(mut self, title: &'static str, unit: &'static str) -> Self {
        let before = self.columns.iter().filter(|it| it.unit.is_some()).count();
        let field = format!("Value #{}", char::from(b"ABCDEFGH"[before]));
        self.columns.push(Column { field, title, unit: Some(unit), leads: None });
        self
    }

    pub(crate) fn transform(mut self, id: &str, only: Option<&str>, options: Value) -> Self {
        let by_name = |it: &str| Matcher { id: "byRefId".to_owned(), options: it.to_owned() };
        let filter = only.map(by_name);
        self.panel.transformations.push(Transformation { id: id.to_owned(), filter, options });
        self
    }

    fn defaults(&mut self, change: impl FnOnce(&mut FieldDefaults)) {
        if let Some(config) = &mut self.panel.field_config {
            change(&mut config.defaults);
        }
    }

    pub(crate) fn finish(mut self) -> Panel {
        if !self.columns.is_empty() {
            self = self.arranged();
        }
        let sort = self.columns.iter().find(|it| it.unit.is_some()).map(|it| it.title);
        let config = self.panel.field_config.as_ref();
        let unit = config.map_or("", |config| config.defaults.unit.as_str());
        self.panel.options = Some(self.kind.options(unit, sort));
        self.panel
    }

    /// Columns in their order under their titles. The answer to a single query calls its value
    /// `Value`, one of several adds its letter.
    fn arranged(mut self) -> Self {
        let is_single = self.panel.targets.len() == 1;
        let field = |column: &Column| {
            if is_single && column.unit.is_some() {
                "Value".to_owned()
            } else {
                column.field.clone()
            }
        };
        let order = self.columns.iter().zip(0..).map(|(it, place)| (field(it), json!(place)));
        let titles = self.columns.iter().map(|it| (field(it), json!(it.title)));
        let has_values = self.columns.iter().any(|it| it.unit.is_some());
        let hidden =
            if has_values { json!({"Time": true}) } else { json!({"Time": true, "Value": true}) };
        let arrangement = json!({
            "excludeByName": hidden,
            "indexByName": order.collect::<Map<_, _>>(),
            "renameByName": titles.collect::<Map<_, _>>(),
        });
        let overrides: Vec<_> = self.columns.iter().filter_map(Column::properties).collect();
        if !is_single {
            self = self.transform("merge", None, json!({}));
        }
        self = self.transform("organize", None, arrangement);
        if let Some(config) = &mut self.panel.field_config {
            config.overrides = overrides;
        }
        self
    }
}

impl Column {
    fn properties(&self) -> Option<Override> {
        let unit = self.unit.map(|unit| Property { id: "unit".to_owned(), value: json!(unit) });
        let link = self.leads.map(|leads| Property {
            id: "links".to_owned(),
            value: json!([leads.link(Place::Cell)]),
        });
        let properties: Vec<_> = unit.into_iter().chain(link).collect();
        let matcher = Matcher { id: "byName".to_owned(), options: self.title.to_owned() };
        (!properties.is_empty()).then_some(Override { matcher, properties })
    }
}
