//! The kinds of panels: how each looks. Everything here is Grafana's vocabulary.

use serde_json::{Value, json};

use super::panel::unit::COUNT;

/// A kind of panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One number.
    Stat,
    /// Lines over time.
    TimeSeries,
    /// Lines over time, one on top of the other.
    Stacked,
    /// Distribution over time.
    Heatmap,
    Table,
    /// Longest bar first.
    BarGauge,
    /// States over time, one lane each.
    StateTimeline,
    NodeGraph,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::TimeSeries | Self::Stacked => "timeseries",
            Self::Heatmap => "heatmap",
            Self::Table => "table",
            Self::BarGauge => "bargauge",
            Self::StateTimeline => "state-timeline",
            Self::NodeGraph => "nodeGraph",
        }
    }

    /// Whether only the newest values count.
    pub(crate) const fn is_instant(self) -> bool {
        matches!(self, Self::Stat | Self::Table | Self::BarGauge | Self::NodeGraph)
    }

    pub(crate) const fn format(self) -> &'static str {
        match self {
            Self::Table | Self::NodeGraph => "table",
            Self::Heatmap => "heatmap",
            _ => "time_series",
        }
    }

    pub(crate) fn color(self) -> Value {
        match self {
            Self::TimeSeries | Self::Stacked => json!({"mode": "palette-classic"}),
            _ => json!({"mode": "thresholds"}),
        }
    }

    /// Settings of all fields.
    pub(crate) fn custom(self, draws_thresholds: bool) -> Value {
        let dashed = if draws_thresholds { "dashed" } else { "off" };
        let line = |fill: u8, stacking: &str| {
            json!({
                "axisPlacement": "auto", "drawStyle": "line", "fillOpacity": fill, "lineInterpolation": "linear",
                "lineWidth": 1, "pointSize": 5, "showPoints": "never", "spanNulls": false,
                "stacking": {"group": "A", "mode": stacking}, "thresholdsStyle": {"mode": dashed},
            })
        };
        match self {
            Self::TimeSeries => line(8, "none"),
            Self::Stacked => line(30, "normal"),
            Self::Heatmap => json!({
                "hideFrom": {"legend": false, "tooltip": false, "viz": false},
                "scaleDistribution": {"type": "linear"},
            }),
            Self::Table => json!({
                "align": "auto", "cellOptions": {"type": "auto"}, "filterable": false, "inspect": false,
            }),
            Self::StateTimeline => json!({"fillOpacity": 70, "lineWidth": 0}),
            _ => json!({}),
        }
    }

    /// Settings of the panel; tables begin with the largest value of the column `sort`.
    pub(crate) fn options(self, unit: &str, sort: Option<&str>) -> Value {
        let last = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
        match self {
            Self::Stat => json!({
                "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto",
                "percentChangeColorMode": "standard", "reduceOptions": last, "showPercentChange": false,
                "textMode": "auto", "wideLayout": true,
            }),
            Self::TimeSeries | Self::Stacked => json!({
                "legend": {
                    "calcs": ["max", "lastNotNull"], "displayMode": "table", "placement": "bottom",
                    "showLegend": true, "sortBy": "Max", "sortDesc": true,
                },
                "tooltip": {"mode": "multi", "sort": "desc"},
            }),
            Self::Heatmap => json!({
                "calculate": false, "cellGap": 1, "cellValues": {"unit": "cps"},
                "color": {
                    "exponent": 0.5, "fill": "dark-orange", "mode": "scheme", "reverse": false,
                    "scale": "exponential", "scheme": "Oranges", "steps": 64,
                },
                "exemplars": {"color": "rgba(255,0,255,0.7)"}, "filterValues": {"le": 1e-9},
                "legend": {"show": true}, "rowsFrame": {"layout": "auto"}, "showValue": "never",
                "tooltip": {"mode": "single", "showColorScale": false, "yHistogram": true},
                "yAxis": {"axisPlacement": "left", "reverse": false, "unit": unit},
            }),
            Self::Table => {
                let sort = sort.map(|column| json!([{"desc": true, "displayName": column}]));
                json!({
                    "cellHeight": "sm", "frameIndex": 0, "showHeader": true, "sortBy": sort.unwrap_or(json!([])),
                })
            }
            Self::BarGauge => json!({
                "displayMode": "basic",
                "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": false},
                "maxVizHeight": 300, "minVizHeight": 16, "minVizWidth": 8,
                "namePlacement": "left", "orientation": "horizontal", "reduceOptions": last,
                "showUnfilled": true, "sizing": "auto", "valueMode": "text",
            }),
            Self::StateTimeline => json!({
                "alignValue": "left", "mergeValues": true, "rowHeight": 0.8, "showValue": "always",
                "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true},
                "tooltip": {"mode": "single", "sort": "none"},
            }),
            Self::NodeGraph => {
                // It writes the name of the unit after the number.
                let stat = json!({"mainStatUnit": if unit == COUNT { "" } else { unit }});
                json!({"edges": stat, "nodes": stat, "zoomMode": "cooperative"})
            }
        }
    }
}
