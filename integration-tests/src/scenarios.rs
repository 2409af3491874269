//! Which alerts each habit of the orders service raises, as a table, and a [`Watch`] that tells which
//! it did raise: what fires in Prometheus, what Alertmanager keeps silent because another alert says
//! more, and whom it calls.
//!
//! The load of each scenario is such that the alerts do not depend on the machine: what hurts is
//! bounded from below by the time of the report and from above by the requests on the way, and what
//! shall not hurt leaves most of a processor to others.

mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::promql::Labels;

pub use watch::Watch;

/// A habit of the orders service under a load that shows it.
#[derive(Debug)]
pub struct Scenario {
    /// What the service calls it, and the name under which the service reports.
    pub name: &'static str,
    /// What makes it the same on every machine.
    load: &'static [&'static str],
    /// The alerts that are right, after [`COMPLETE`].
    pub raises: &'static [Raised],
}

/// One alert that a scenario raises.
#[derive(Debug)]
pub struct Raised {
    /// Its name.
    pub alert: &'static str,
    /// What it is about: its labels but those that all alerts of the service have.
    pub about: &'static [(&'static str, &'static str)],
    /// What Alertmanager does.
    pub fate: Fate,
}

/// What Alertmanager does with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Calls this receiver.
    Calls(&'static str),
    /// Nothing, for this alert says more.
    SilentBy(&'static str),
}

use Fate::{Calls, SilentBy};

const INVENTORY: &[(&str, &str)] = &[("lock_name", "inventory")];
const REINDEXER: (&str, &str) = ("lock_holder", "orders.reindexer");

/// An alert of the table below.
const fn raised(
    alert: &'static str,
    about: &'static [(&'static str, &'static str)],
    fate: Fate,
) -> Raised {
    Raised { alert, about, fate }
}

const BURNS_AN_HOUR: Raised = raised("PlockSLOBurn", &[("window", "1h")], Calls("on-call"));
const BURNS_SIX_HOURS: Raised = raised("PlockSLOBurn", &[("window", "6h")], Calls("on-call"));

/// Every scenario with the alerts it raises within half an hour; they begin when the service does.
#[rustfmt::skip]
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "clean", load: &["--rate", "20", "--report-ms", "25"], raises: &[] },
    Scenario { name: "convoy", load: &["--rate", "300", "--in-flight", "24", "--report-ms", "25"], raises: &[
        raised("PlockConvoy", INVENTORY, Calls("tickets")),
        BURNS_AN_HOUR,
        BURNS_SIX_HOURS,
    ] },
    Scenario { name: "hold-across-await", load: &["--rate", "20", "--report-ms", "2000"], raises: &[
        raised("PlockConvoy", INVENTORY, SilentBy("PlockRootBlocker")),
        raised("PlockHeldTooLong", &[REINDEXER, ("lock_name", "inventory")], Calls("tickets")),
        raised("PlockLongHolds", INVENTORY, Calls("tickets")),
        raised("PlockRootBlocker", &[REINDEXER], Calls("tickets")),
        BURNS_AN_HOUR,
        BURNS_SIX_HOURS,
    ] },
    Scenario { name: "pool", load: &["--rate", "200", "--in-flight", "64", "--report-ms", "250"], raises: &[
        raised("PlockPoolStall", &[("lock_name", "orders.pool")], Calls("on-call")),
        BURNS_AN_HOUR,
        BURNS_SIX_HOURS,
    ] },
];

/// When all alerts of a scenario have fired, in the time of the rules. The next ones, about budgets of
/// days, fire after an hour.
pub const COMPLETE: Duration = Duration::from_secs(30 * 60);

/// How fast the processor is decides about these: in time-lapse, and with services that are built
/// without optimisation, they are neither right nor wrong.
pub const OF_THE_MACHINE: [&str; 3] =
    ["PlockLongPolls", "PlockOverheadHigh", "PlockSchedulingDelayHigh"];

/// Alerts by what they are about, and what became of each.
pub type Alerts = BTreeMap<String, String>;

impl Scenario {
    /// The scenario `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|it| it.name == name)
    }

    /// What the table says.
    #[must_use]
    pub fn right(&self) -> Alerts {
        let alert = |it: &Raised| {
            let about = it.about.iter().map(|(key, value)| (*key, *value));
            (title(it.alert, about), it.fate.to_string())
        };
        self.raises.iter().map(alert).collect()
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Calls(receiver) => write!(formatter, "calls {receiver}"),
            SilentBy(alert) => write!(formatter, "silent by {alert}"),
        }
    }
}

fn title<'a>(name: &str, labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut about: Vec<_> = labels.map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    about.sort();
    if about.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", about.join(", ")) }
}

/// Labels that say nothing about what an alert is about, or that it has in Prometheus only.
const COMMON: [&str; 7] =
    ["__name__", "alertname", "alertstate", "component", "instance", "job", "severity"];

/// The service that an alert is about, and the alert.
fn identity(labels: &Labels) -> (String, String) {
    let of = |key: &str| labels.get(key).map_or("", String::as_str);
    let about = labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let about = about.filter(|(key, _)| !COMMON.contains(key));
    (of("job").to_owned(), title(of("alertname"), about))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository;

    #[test]
    fn the_page_has_this_table() {
        let mut table =
            "| scenario | alert | about | Alertmanager |\n|---|---|---|---|\n".to_owned();
        for scenario in SCENARIOS {
            if scenario.raises.is_empty() {
                table += &format!("| `{}` | none | | |\n", scenario.name);
            }
            for Raised { alert, about, fate } in scenario.raises {
                let about: Vec<_> =
                    about.iter().map(|(label, value)| format!("{label} `{value}`")).collect();
                let about = about.join(", ");
                table += &format!("| `{}` | `{alert}` | {about} | {fate} |\n", scenario.name);
            }
        }
        let page = std::fs::read_to_string(repository().join("otel-collector/README.md")).unwrap();
        assert!(page.contains(&table), "not on the page:\n{table}");
    }

    /// Whoever is called or silences is in the shipped configuration, so that a renamed one is noticed
    /// before a minute of watching.
    #[test]
    fn receivers_and_alerts_are_those_of_alertmanager() {
        let shipped = repository().join("otel-collector/alertmanager/alertmanager.yml");
        let shipped = std::fs::read_to_string(shipped).unwrap();
        for Raised { alert, fate, .. } in SCENARIOS.iter().flat_map(|it| it.raises) {
            match fate {
                Calls(receiver) => assert!(shipped.contains(&format!("- name: {receiver}\n"))),
                SilentBy(other) => {
                    assert!(shipped.contains(&format!("alertname=\"{other}\"")), "{other}");
                    assert!(shipped.contains(*alert), "{alert}");
                }
            }
        }
    }
}
