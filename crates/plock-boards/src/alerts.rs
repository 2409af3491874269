//! Alerts: what fires when, what it says, and which panel and runbook it leads to.

mod findings;
mod locks;
mod objective;
mod tasks;
mod telemetry;

use std::fmt::{self, Write as _};

use crate::Options;
use crate::boards::Place;
use crate::grafana::link::VIEW_PANEL;

pub(crate) use telemetry::{FOLDING, collector_losses};

/// Whom an alert calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Somebody, now: users are stalled.
    Critical,
    /// Somebody, at work.
    Warning,
    /// Nobody.
    Info,
}

/// One alert.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Alert {
    /// Its name; several alerts that differ in severity or window may share it.
    pub name: &'static str,
    /// Whom it calls.
    pub severity: Severity,
    /// When it fires.
    pub expr: String,
    /// How long that has to be so; none where one moment is enough, and `because` says why.
    pub wait: Option<&'static str>,
    /// How long it goes on firing afterwards, so that what comes and goes is one alert.
    pub keep: Option<&'static str>,
    /// What is wrong, the same for all alerts of a group.
    pub summary: &'static str,
    /// What is wrong where, with labels and value.
    pub description: String,
    /// Why this threshold.
    pub because: &'static str,
    /// The threshold that the panel draws, if it draws one.
    pub drawn: Option<f64>,
    /// The thresholds it takes, by the names of the options.
    pub options: &'static [&'static str],
    /// Tells alerts of one name and severity apart.
    pub window: Option<&'static str>,
    pub(crate) place: Place,
    /// Variables of the board and the labels they come from.
    pub(crate) variables: &'static [(&'static str, &'static str)],
}

/// Alerts that are evaluated at the same interval.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// How often.
    pub interval: &'static str,
    /// In order.
    pub alerts: Vec<Alert>,
}

/// Every group, in the order of the file.
#[must_use]
pub fn groups(options: &Options) -> Vec<Group> {
    let group = |name, interval, alerts| Group { name, interval, alerts };
    vec![
        group("plock-now", "15s", locks::now(options)),
        group("plock-findings", "15s", findings::all(options)),
        group("plock-trends", "30s", locks::trends(options)),
        group("plock-tasks", "30s", tasks::all(options)),
        group("plock-objective", "30s", objective::all(options)),
        group("plock-itself", "30s", telemetry::all(options)),
    ]
}

impl Severity {
    /// Value of the label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Alert {
    /// Address and number of the panel it leads to.
    #[must_use]
    pub const fn panel(&self) -> (&'static str, u32) {
        (self.place.uid, self.place.panel)
    }

    /// The panel, with the job and the lock of the alert chosen.
    pub(crate) fn dashboard(&self, options: &Options) -> String {
        let Place { uid, panel } = self.place;
        let mut url = format!("{}/d/{uid}?{VIEW_PANEL}{panel}", options.grafana_url);
        for (variable, label) in self.variables {
            // Writing to a string never fails.
            let written = write!(url, "&var-{variable}={{{{$labels.{label}|urlquery}}}}");
            debug_assert!(written.is_ok());
        }
        url
    }

    pub(crate) fn runbook(&self, options: &Options) -> String {
        format!("{}/{}.md", options.runbook_url, self.name)
    }
}
