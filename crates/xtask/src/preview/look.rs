//! How the values of a panel look: unit, thresholds, colours, what stands for nothing.

use anyhow::{Context, Result, bail, ensure};
use plock_boards::grafana::schema::{FieldDefaults, Override, Panel};
use serde::Serialize;

use super::unit::Unit;

/// Series take these in turn: told apart also by readers who see no red or no green.
pub(super) const PALETTE: [&str; 10] = [
    "#5aa9e6", "#f5a623", "#b48ead", "#4dc4a5", "#e8d44d", "#f07c82", "#8f9bff", "#c8a27a",
    "#7fd1ea", "#d0d4dc",
];

/// The settings of a panel's fields.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) unit: Unit,
    pub(super) defaults: &'a FieldDefaults,
    /// From which value on which colour; the first holds from below.
    pub(super) levels: Vec<Level>,
    columns: Vec<(&'a str, Unit)>,
}

/// From `value` on it is `color`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Level {
    pub(super) value: Option<f64>,
    pub(super) color: &'static str,
}

impl<'a> Look<'a> {
    pub(super) fn of(panel: &'a Panel) -> Result<Self> {
        let config = panel.field_config.as_ref().context("no settings of fields")?;
        let defaults = &config.defaults;
        ensure!(defaults.thresholds.mode == "absolute", "thresholds are not absolute");
        let level = |step: &plock_boards::grafana::schema::ThresholdStep| {
            Ok(Level { value: step.value, color: named(&step.color)? })
        };
        let levels = defaults.thresholds.steps.iter().map(level).collect::<Result<Vec<_>>>()?;
        ensure!(!levels.is_empty(), "no threshold that holds from below");
        let columns: Vec<_> =
            config.overrides.iter().map(units).collect::<Result<Vec<_>>>()?.concat();
        Ok(Self { unit: Unit::named(&defaults.unit)?, defaults, levels, columns })
    }

    /// The colour of a value.
    pub(super) fn color(&self, value: f64) -> &'static str {
        self.levels[self.level(value)].color
    }

    /// Which level a value has reached.
    pub(super) fn level(&self, value: f64) -> usize {
        let reached = |level: &Level| level.value.is_none_or(|from| value >= from);
        self.levels.iter().rposition(reached).unwrap_or_default()
    }

    /// The unit of a column.
    pub(super) fn unit_of(&self, column: &str) -> Unit {
        self.columns.iter().find(|it| it.0 == column).map_or(self.unit, |it| it.1)
    }
}

/// The units that an override gives to columns; where a click leads is not seen in a picture.
fn units(settings: &Override) -> Result<Vec<(&str, Unit)>> {
    ensure!(settings.matcher.id == "byName", "fields chosen by `{}`", settings.matcher.id);
    let mut units = Vec::new();
    for property in &settings.properties {
        match property.id.as_str() {
            "links" => {}
            "unit" => {
                let name = property.value.as_str().context("a unit is a name")?;
                units.push((settings.matcher.options.as_str(), Unit::named(name)?));
            }
            other => bail!("the preview does not know the setting `{other}` of a field"),
        }
    }
    Ok(units)
}

/// The colour that Grafana calls `name`, on a dark ground.
pub(super) fn named(name: &str) -> Result<&'static str> {
    Ok(match name {
        "red" => "#f2495c",
        "orange" => "#ff9830",
        "blue" => "#5794f2",
        "purple" => "#b877d9",
        "green" => "#73bf69",
        other => bail!("the preview does not know the colour `{other}`"),
    })
}
