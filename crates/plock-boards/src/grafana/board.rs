//! A board: rows of panels laid out on 24 columns, with the variables, marks and links that all of
//! plock's boards have.

use plock_semconv::attributes::{LOCK_HOLDER, LOCK_NAME};
use plock_semconv::{Instrument, label_name, metrics};
use serde_json::{Value, json};

use super::link::prometheus;
use super::panel::Draft;
use super::schema::{
    Annotation, Annotations, BoardLink, Dashboard, Panel, Position, Target, Templating, TimeRange,
    Variable,
};

/// Ids of rows begin here, far above those of panels.
const ROW_IDS: u32 = 1000;

const COLUMNS: u32 = 24;

/// A board in the making.
#[derive(Debug)]
pub(crate) struct Board {
    dashboard: Dashboard,
    /// The next free line of the grid.
    line: u32,
    rows: u32,
}

impl Board {
    /// A board whose variables offer what `instrument` has series of.
    pub(crate) fn new(uid: &str, title: &str, description: &str, instrument: &Instrument) -> Self {
        let dashboard = Dashboard {
            id: None,
            uid: uid.to_owned(),
            title: format!("Plock / {title}"),
            description: description.to_owned(),
            tags: ["plock", "tokio", "rust"].map(String::from).to_vec(),
            schema_version: 42,
            editable: false,
            graph_tooltip: 1,
            refresh: "30s".to_owned(),
            time: TimeRange { from: "now-1h".to_owned(), to: "now".to_owned() },
            timezone: "browser".to_owned(),
            links: vec![menu()],
            annotations: Annotations { list: marks() },
            templating: Templating { list: selection(instrument) },
            panels: Vec::new(),
        };
        Self { dashboard, line: 0, rows: 0 }
    }

    /// The reader also chooses locks, among those that `instrument` has series of.
    pub(crate) fn choose_locks(self, instrument: &Instrument) -> Self {
        self.choose("lock", "Lock", instrument, LOCK_NAME)
    }

    /// The reader also chooses holders.
    pub(crate) fn choose_holders(self) -> Self {
        self.choose("holder", "Holder", &metrics::BLOCKED_TIME, LOCK_HOLDER)
    }

    fn choose(mut self, name: &str, label: &str, instrument: &Instrument, key: &str) -> Self {
        let selector =
            format!("{}{{job=~\"$job\", instance=~\"$instance\"}}", instrument.prometheus_name());
        self.dashboard.templating.list.push(query(name, label, &selector, &label_name(key)));
        self
    }

    /// Panels lead to a trace store.
    pub(crate) fn with_traces(mut self) -> Self {
        self.dashboard.templating.list.push(data_source("tempo", "Trace store", "Tempo"));
        self
    }

    /// A row that is open, with lines of panels.
    pub(crate) fn row(self, title: &str, lines: Vec<(u32, Vec<Draft>)>) -> Self {
        self.add(title, lines, false)
    }

    /// A row that is closed until somebody wants to know more.
    pub(crate) fn details(self, title: &str, lines: Vec<(u32, Vec<Draft>)>) -> Self {
        self.add(title, lines, true)
    }

    fn add(mut self, title: &str, lines: Vec<(u32, Vec<Draft>)>, collapsed: bool) -> Self {
        let head = Position { h: 1, w: COLUMNS, x: 0, y: self.line };
        self.line += 1;
        let mut placed = Vec::new();
        let mut line = self.line;
        for (height, drafts) in lines {
            placed.extend(side_by_side(line, height, drafts));
            line += height;
        }
        // What a closed row hides takes no place: Grafana makes some when it is opened.
        if !collapsed {
            self.line = line;
        }
        let (inside, outside) = if collapsed { (placed, Vec::new()) } else { (Vec::new(), placed) };
        self.dashboard.panels.push(Panel {
            id: ROW_IDS + self.rows,
            kind: "row".to_owned(),
            title: title.to_owned(),
            description: String::new(),
            datasource: None,
            grid_pos: head,
            field_config: None,
            options: None,
            targets: Vec::new(),
            transformations: Vec::new(),
            collapsed: Some(collapsed),
            panels: Some(inside),
        });
        self.dashboard.panels.extend(outside);
        self.rows += 1;
        self
    }

    pub(crate) fn finish(self) -> Dashboard {
        self.dashboard
    }
}

/// Panels that have no width of their own share what is left; the first ones take the remainder.
fn side_by_side(y: u32, height: u32, drafts: Vec<Draft>) -> Vec<Panel> {
    let fixed: u32 = drafts.iter().filter_map(|draft| draft.width).sum();
    let mut flexible = drafts.iter().fold(0, |n, draft| n + u32::from(draft.width.is_none()));
    let mut left = COLUMNS.saturating_sub(fixed);
    let mut x = 0;
    let mut panels = Vec::new();
    for draft in drafts {
        let w = draft.width.unwrap_or_else(|| {
            let width = left.div_ceil(flexible);
            left -= width;
            flexible -= 1;
            width
        });
        let mut panel = draft.finish();
        panel.grid_pos = Position { h: height, w, x, y };
        x += w;
        panels.push(panel);
    }
    panels
}

fn selection(instrument: &Instrument) -> Vec<Variable> {
    let name = instrument.prometheus_name();
    let of_job = format!("{name}{{job=~\"$job\"}}");
    vec![
        data_source("datasource", "Data source", "Prometheus"),
        query("job", "Job", &name, "job"),
        query("instance", "Instance", &of_job, "instance"),
    ]
}

fn data_source(name: &str, label: &str, text: &str) -> Variable {
    let kind = text.to_lowercase();
    Variable {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: "datasource".to_owned(),
        datasource: None,
        query: Value::String(kind.clone()),
        multi: false,
        include_all: false,
        all_value: None,
        refresh: 1,
        sort: 0,
        hide: 0,
        current: json!({"text": text, "value": kind}),
    }
}

fn query(name: &str, label: &str, selector: &str, value: &str) -> Variable {
    let query = format!("label_values({selector}, {value})");
    Variable {
        name: name.to_owned(),
        label: label.to_owned(),
        kind: "query".to_owned(),
        datasource: Some(prometheus()),
        query: json!({"qryType": 1, "query": query, "refId": name}),
        multi: true,
        include_all: true,
        all_value: Some(".+".to_owned()),
        refresh: 2,
        sort: 1,
        hide: 0,
        current: json!({"text": ["All"], "value": ["$__all"]}),
    }
}

fn menu() -> BoardLink {
    BoardLink {
        kind: "dashboards".to_owned(),
        title: "Plock".to_owned(),
        tags: vec!["plock".to_owned()],
        as_dropdown: true,
        keep_time: true,
        include_vars: true,
        target_blank: false,
        icon: "external link".to_owned(),
        tooltip: "The other plock boards, same time and selection".to_owned(),
        url: String::new(),
    }
}

/// What explains most steps in a graph: an alert, a restart, another version.
fn marks() -> Vec<Annotation> {
    let overhead = metrics::TELEMETRY_OVERHEAD_TIME.prometheus_name();
    let versions = format!(
        "count by (job, version) ({}{{job=~\"$job\", instance=~\"$instance\"}}",
        metrics::BUILD_INFO.prometheus_name()
    );
    let mark = |name: &str, color: &str, expr: String, title: &str, text: &str| Annotation {
        name: name.to_owned(),
        datasource: prometheus(),
        enable: true,
        hide: false,
        icon_color: color.to_owned(),
        target: Target {
            ref_id: "Anno".to_owned(),
            datasource: prometheus(),
            expr,
            legend_format: String::new(),
            format: "time_series".to_owned(),
            instant: false,
            range: true,
            exemplar: false,
            editor_mode: "code".to_owned(),
        },
        title_format: title.to_owned(),
        text_format: text.to_owned(),
    };
    vec![
        mark(
            "Firing alerts",
            "red",
            // Alerts about a whole job have no instance.
            "ALERTS{alertname=~\"Plock.+\", alertstate=\"firing\", job=~\"$job\"}".to_owned(),
            "{{alertname}}",
            "{{severity}} {{job}} {{instance}} {{lock_name}}",
        ),
        mark(
            "Restarts",
            "purple",
            format!(
                "resets({overhead}{{job=~\"$job\", instance=~\"$instance\"}}[$__interval]) > 0"
            ),
            "Restart",
            "{{job}} {{instance}}",
        ),
        mark(
            "Version changes",
            "blue",
            format!("{versions}) unless {versions} offset $__interval)"),
            "Another version",
            "{{job}} {{version}}",
        ),
    ]
}
