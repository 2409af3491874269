//! The part of Grafana's dashboard schema (version 42, classic) that the boards use. Reading refuses
//! what is not here, so a shipped file cannot hold more than the generator wrote.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One dashboard file.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Dashboard {
    /// Always null: the database of each Grafana has ids of its own.
    pub id: Option<u32>,
    /// Stable identifier: part of the dashboard's address.
    pub uid: String,
    /// Name shown to the user.
    pub title: String,
    /// Which question it answers.
    pub description: String,
    /// What the link between the boards goes by.
    pub tags: Vec<String>,
    /// Version of the schema.
    pub schema_version: u32,
    /// Whether users can change it in place; a provisioned dashboard must not allow it.
    pub editable: bool,
    /// 1: one crosshair over all panels.
    pub graph_tooltip: u8,
    /// How often it asks again.
    pub refresh: String,
    /// The range it opens with.
    pub time: TimeRange,
    /// The time zone of whoever looks.
    pub timezone: String,
    /// Links in its head.
    pub links: Vec<BoardLink>,
    /// Marks on the time axis of every graph.
    pub annotations: Annotations,
    /// What the user can choose.
    pub templating: Templating,
    /// Rows and panels, in order.
    pub panels: Vec<Panel>,
}

/// A range of time relative to now.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TimeRange {
    /// Its begin.
    pub from: String,
    /// Its end.
    pub to: String,
}

/// A link to all dashboards with a tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct BoardLink {
    /// `dashboards`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it says.
    pub title: String,
    /// Which dashboards.
    pub tags: Vec<String>,
    /// As one menu.
    pub as_dropdown: bool,
    /// Keeps the time range.
    pub keep_time: bool,
    /// Keeps the selection.
    pub include_vars: bool,
    /// In a new tab.
    pub target_blank: bool,
    /// Its symbol.
    pub icon: String,
    /// What it says when pointed at.
    pub tooltip: String,
    /// Unused for this kind.
    pub url: String,
}

/// Marks on the time axis.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Annotations {
    /// In order.
    pub list: Vec<Annotation>,
}

/// One kind of mark.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Annotation {
    /// What it is called.
    pub name: String,
    /// Where it is asked for.
    pub datasource: DataSource,
    /// Whether it is shown.
    pub enable: bool,
    /// Whether its switch is hidden.
    pub hide: bool,
    /// Colour of the mark.
    pub icon_color: String,
    /// A mark wherever this gives a value.
    pub target: Target,
    /// What the mark says.
    pub title_format: String,
    /// The rest of what it says.
    pub text_format: String,
}

/// The variables.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Templating {
    /// In the order shown.
    pub list: Vec<Variable>,
}

/// One variable that the user can choose on top of the dashboard.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Variable {
    /// Its name, as in `$name`.
    pub name: String,
    /// Name shown to the user.
    pub label: String,
    /// `query` or `datasource`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where the choices are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datasource: Option<DataSource>,
    /// A kind of data source, or an object with the text in `query`.
    pub query: Value,
    /// Whether several values can be selected.
    pub multi: bool,
    /// Whether "All" is a choice.
    pub include_all: bool,
    /// What "All" stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_value: Option<String>,
    /// When the choices are read again: 2 is whenever the time range changes.
    pub refresh: u8,
    /// 1: by name.
    pub sort: u8,
    /// 0: shown.
    pub hide: u8,
    /// What is chosen at first.
    pub current: Value,
}

/// Where data comes from: a kind and an identifier, which may be a variable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct DataSource {
    /// `prometheus`, `tempo`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its identifier.
    pub uid: String,
}

/// One panel or row.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Panel {
    /// Identifier that links and alerts use; kept over regenerations.
    pub id: u32,
    /// `timeseries`, `stat`, `row` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name shown to the user.
    pub title: String,
    /// What it shows, what is good and what to do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where its data comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datasource: Option<DataSource>,
    /// Position and size.
    pub grid_pos: Position,
    /// How fields look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_config: Option<FieldConfig>,
    /// How the panel looks: depends on its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
    /// The queries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// What is done to the answers before they are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transformations: Vec<Transformation>,
    /// Of a row: whether it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapsed: Option<bool>,
    /// Of a closed row: what is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panels: Option<Vec<Self>>,
}

/// Position and size on the grid of 24 columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Position {
    /// Height in rows.
    pub h: u32,
    /// Width in columns.
    pub w: u32,
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
}

/// How the fields of a panel look.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldConfig {
    /// All fields.
    pub defaults: FieldDefaults,
    /// Some fields.
    pub overrides: Vec<Override>,
}

/// What holds for all fields of a panel.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct FieldDefaults {
    /// Grafana's name of the unit.
    pub unit: String,
    /// Lowest value of the axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Highest value of the axis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Text in place of a missing value.
    pub no_value: String,
    /// What the colour goes by.
    pub color: Value,
    /// Where the colour changes and lines are drawn.
    pub thresholds: ThresholdSteps,
    /// Depends on the kind of panel.
    pub custom: Value,
    /// Where a click leads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<DataLink>,
}

/// Where the colour changes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ThresholdSteps {
    /// `absolute`.
    pub mode: String,
    /// From below to above; the first has no value.
    pub steps: Vec<ThresholdStep>,
}

/// From `value` on it is `color`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ThresholdStep {
    /// Grafana's name of the colour.
    pub color: String,
    /// Where it begins.
    pub value: Option<f64>,
}

/// What differs for some fields.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Override {
    /// Which fields.
    pub matcher: Matcher,
    /// What differs.
    pub properties: Vec<Property>,
}

/// Chooses fields or frames.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Matcher {
    /// By what: `byName`, `byRefId`.
    pub id: String,
    /// Which.
    pub options: String,
}

/// One setting of a field.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Property {
    /// Which.
    pub id: String,
    /// To what.
    pub value: Value,
}

/// Where a click on a value leads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DataLink {
    /// What it says.
    pub title: String,
    /// The address, with variables.
    pub url: String,
    /// In a new tab.
    pub target_blank: bool,
}

/// One query of a panel or of a mark.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Target {
    /// Letter or name of the query within its panel; `Anno` for a mark.
    pub ref_id: String,
    /// Where it is asked.
    pub datasource: DataSource,
    /// PromQL with Grafana's variables in it.
    pub expr: String,
    /// Template of the legend.
    pub legend_format: String,
    /// `time_series`, `table` or `heatmap`.
    pub format: String,
    /// Whether only the newest value is asked for.
    pub instant: bool,
    /// Whether all values of the range are asked for.
    pub range: bool,
    /// Whether points that lead to traces are asked for as well.
    pub exemplar: bool,
    /// `code`: shown as text.
    pub editor_mode: String,
}

/// One step between answers and what is shown.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Transformation {
    /// Which.
    pub id: String,
    /// Which answers; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Matcher>,
    /// How.
    pub options: Value,
}

impl Dashboard {
    /// The panels that show something, also those inside closed rows.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        let inner = self.panels.iter().flat_map(|panel| panel.panels.iter().flatten());
        self.panels.iter().filter(|panel| panel.kind != "row").chain(inner)
    }

    /// The queries of the annotations.
    pub fn annotations(&self) -> impl Iterator<Item = &str> {
        self.annotations.list.iter().map(|annotation| annotation.target.expr.as_str())
    }

    /// The variables, in the order shown.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.templating.list
    }
}
