//! The shipped Grafana dashboards, read for testing: every panel with what a reader needs and every
//! query with its variables expanded, so that all of them can be run against a live Prometheus.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::repository;

/// One dashboard file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Stable identifier: part of the dashboard's address.
    pub uid: String,
    /// Name shown to the user.
    pub title: String,
    /// Version of the dashboard schema.
    pub schema_version: u32,
    /// Panels and rows in file order; see [`Dashboard::panels`].
    #[serde(rename = "panels")]
    entries: Vec<Panel>,
    templating: Templating,
    annotations: Annotations,
    /// Whether users can change it in place; a provisioned dashboard must not allow it.
    pub editable: bool,
    /// Names of data sources to ask for at import, which provisioning never fills in.
    #[serde(rename = "__inputs")]
    pub inputs: Option<serde_json::Value>,
}

/// One panel or row.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// Identifier that links and alerts use.
    pub id: u32,
    /// Kind of panel: `timeseries`, `stat`, `row` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name shown to the user.
    pub title: String,
    /// What the panel shows, what is good and what to do next.
    #[serde(default)]
    pub description: String,
    /// Position and size on the grid of 24 columns.
    pub grid_pos: Position,
    /// The queries.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Unit and other defaults of all fields.
    #[serde(default)]
    pub field_config: FieldConfig,
    /// Panels inside a collapsed row.
    #[serde(default)]
    panels: Vec<Self>,
}

/// Position and size of a panel on the grid of 24 columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Position {
    /// Leftmost column.
    pub x: u32,
    /// Topmost row.
    pub y: u32,
    /// Width in columns.
    pub w: u32,
    /// Height in rows.
    pub h: u32,
}

/// One query of a panel.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// PromQL with Grafana's variables in it.
    pub expr: String,
    /// Letter of the query within its panel.
    pub ref_id: String,
    /// Whether only the newest value is asked for.
    #[serde(default)]
    pub instant: bool,
    /// Whether points that lead to traces are asked for as well.
    #[serde(default)]
    pub exemplar: bool,
    /// Template of the legend.
    #[serde(default)]
    pub legend_format: String,
}

/// What holds for all fields of a panel.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldConfig {
    /// Defaults that overrides may replace.
    pub defaults: FieldDefaults,
}

/// Defaults of a panel's fields.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDefaults {
    /// Grafana's name of the unit.
    pub unit: Option<String>,
    /// Text in place of a missing value.
    pub no_value: Option<String>,
}

/// One variable that the user can choose on top of the dashboard.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name, as in `$name`.
    pub name: String,
    /// Kind of variable: `query` or `datasource`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it asks the data source for: text or an object with the text in `query`.
    pub query: serde_json::Value,
    /// Name shown to the user.
    #[serde(default)]
    pub label: String,
    /// When the choices are read again: 2 is whenever the time range changes.
    #[serde(default)]
    pub refresh: u8,
    /// Whether several values can be selected.
    #[serde(default)]
    pub multi: bool,
    /// What "All" stands for.
    pub all_value: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Annotations {
    list: Vec<Annotation>,
}

#[derive(Debug, Clone, Deserialize)]
struct Annotation {
    expr: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Templating {
    list: Vec<Variable>,
}

impl Dashboard {
    /// Every dashboard under `otel-collector/grafana/dashboards`, by file name.
    ///
    /// # Errors
    ///
    /// If a file is not a dashboard.
    pub fn all() -> Result<Vec<(PathBuf, Self)>> {
        let directory = repository().join("otel-collector/grafana/dashboards");
        let mut paths = fs::read_dir(&directory)
            .with_context(|| directory.display().to_string())?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        paths.sort();
        let read = |path: PathBuf| {
            let text = fs::read_to_string(&path)?;
            let board = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            Ok((path, board))
        };
        paths.into_iter().map(read).collect()
    }

    /// The panels that show something, also those inside collapsed rows.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        let inner = self.entries.iter().flat_map(|panel| &panel.panels);
        self.entries.iter().filter(|panel| panel.kind != "row").chain(inner)
    }

    /// The queries of the annotations: marks on the time axis of every graph.
    pub fn annotations(&self) -> impl Iterator<Item = &str> {
        self.annotations.list.iter().filter_map(|annotation| annotation.expr.as_deref())
    }

    /// The variables, in the order shown.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.templating.list
    }
}

/// Values that Grafana would put in place of the variables in a query.
#[derive(Debug, Clone)]
pub struct Substitution(BTreeMap<String, String>);

impl Substitution {
    /// Everything selected, and `rate_interval` for `$__rate_interval`, `$__interval`, `$__range`.
    #[must_use]
    pub fn everything(board: &Dashboard, rate_interval: &str) -> Self {
        let intervals = ["__rate_interval", "__interval", "__range"];
        let intervals = intervals.map(|name| (name.to_owned(), rate_interval.to_owned()));
        let queries = board.variables().iter().filter(|variable| variable.kind == "query");
        let all = |variable: &Variable| {
            let value = variable.all_value.clone().unwrap_or_else(|| ".+".to_owned());
            (variable.name.clone(), value)
        };
        Self(intervals.into_iter().chain(queries.map(all)).collect())
    }

    /// Selects `value` for the variable `name`.
    #[must_use]
    pub fn select(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    /// `expression` with every `$name`, `${name}` and `${name:format}` replaced.
    ///
    /// # Errors
    ///
    /// If a variable has no value here, or a brace is not closed.
    pub fn expand(&self, expression: &str) -> Result<String> {
        let mut parts = expression.split('$');
        let mut expanded = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = if let Some(braced) = part.strip_prefix('{') {
                let (inner, rest) = braced.split_once('}').context("`${` without `}`")?;
                (inner.split(':').next().unwrap_or_default(), rest)
            } else {
                let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                part.split_at(part.find(|c| !name(c)).unwrap_or(part.len()))
            };
            let Some(value) = self.0.get(name) else {
                bail!("no value for `${name}` in `{expression}`");
            };
            expanded.push_str(value);
            expanded.push_str(rest);
        }
        Ok(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_in_all_three_forms() {
        let values =
            Substitution(BTreeMap::new()).select("job", "a|b").select("__rate_interval", "1m");
        let expanded = values.expand(r#"rate(x{job=~"$job",k="${job:regex}"}[$__rate_interval])"#);
        assert_eq!(expanded.unwrap(), r#"rate(x{job=~"a|b",k="a|b"}[1m])"#);
        assert!(values.expand("$unknown").is_err());
        assert!(values.expand("${job").is_err());
    }
}
