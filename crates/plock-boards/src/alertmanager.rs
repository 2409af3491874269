//! An example for Alertmanager: whom an alert calls, and which alerts are silent because another
//! one says more.
//!
//! Labels that are missing on both sides count as equal, so one alert without `instance` would
//! silence every other without it. Hence both sides of each rule have to have the labels they are
//! compared by.

use serde::Serialize;

use crate::alerts::Severity;

/// Alertmanager's configuration, as far as plock's alerts need it.
#[derive(Debug, Serialize)]
pub(crate) struct Configuration {
    route: Route,
    receivers: Vec<Receiver>,
    inhibit_rules: Vec<Inhibition>,
}

#[derive(Debug, Serialize)]
struct Route {
    receiver: &'static str,
    group_by: Vec<&'static str>,
    group_wait: &'static str,
    group_interval: &'static str,
    repeat_interval: &'static str,
    routes: Vec<Branch>,
}

#[derive(Debug, Serialize)]
struct Branch {
    receiver: &'static str,
    matchers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_interval: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Receiver {
    name: &'static str,
}

#[derive(Debug, Serialize)]
struct Inhibition {
    source_matchers: Vec<String>,
    target_matchers: Vec<String>,
    equal: Vec<&'static str>,
}

/// Which alert makes which others superfluous, compared by these labels.
const INHIBITIONS: &[(&str, &[&str], &[&str])] = &[
    // The lock is stuck: that it is held for long, and whatever waits behind it, follows.
    (
        "PlockLockStuck",
        &["PlockHeldTooLong", "PlockConvoy", "PlockLongHolds"],
        &["job", "instance", "lock_name"],
    ),
    // Nothing on that thread goes on: what waits for it follows.
    (
        "PlockDeadlockDetected",
        &[
            "PlockHeldTooLong",
            "PlockRootBlocker",
            "PlockConvoy",
            "PlockLongPolls",
            "PlockPoolStall",
        ],
        &["job", "instance"],
    ),
    ("PlockLockStuck", &["PlockRootBlocker"], &["job", "instance"]),
    // The one who holds it is named: that there is a line follows.
    ("PlockRootBlocker", &["PlockConvoy"], &["job", "instance"]),
    // There is a line: that it was shorter yesterday follows.
    ("PlockConvoy", &["PlockContentionSurge"], &["job", "lock_name"]),
    ("PlockPoolStall", &["PlockContentionSurge"], &["job", "lock_name"]),
    // No process tells anything: that single ones are silent follows.
    ("PlockServiceSilent", &["PlockTelemetrySilent", "PlockExportFailing"], &["job"]),
];

/// Alerts whose critical form makes their warning superfluous, compared by these labels.
const WORSE: &[(&str, &[&str])] = &[
    ("PlockLongPolls", &["job", "instance", "task_name"]),
    ("PlockSchedulingDelayHigh", &["job", "instance"]),
    ("PlockSLOBurn", &["job"]),
];

pub(crate) fn configuration() -> Configuration {
    let branch = |receiver, severity, repeat_interval| Branch {
        receiver,
        matchers: vec![plock(), of(severity)],
        repeat_interval,
    };
    let route = Route {
        receiver: "tickets",
        group_by: vec!["alertname", "job"],
        group_wait: "30s",
        group_interval: "5m",
        repeat_interval: "4h",
        routes: vec![
            branch("on-call", Severity::Critical, None),
            branch("dead-man-switch", Severity::Info, Some("1m")),
        ],
    };
    let receivers = ["tickets", "on-call", "dead-man-switch"].map(|name| Receiver { name });
    let other = INHIBITIONS.iter().map(|(source, targets, equal)| {
        let names =
            [format!("alertname=\"{source}\""), format!("alertname=~\"{}\"", targets.join("|"))];
        inhibition(names.map(|name| vec![name]), equal)
    });
    let worse = WORSE.iter().map(|(name, equal)| {
        let name = format!("alertname=\"{name}\"");
        let sides = [Severity::Critical, Severity::Warning];
        inhibition(sides.map(|severity| vec![name.clone(), of(severity)]), equal)
    });
    let inhibit_rules = other.chain(worse).collect();
    Configuration { route, receivers: receivers.into(), inhibit_rules }
}

fn plock() -> String {
    "component=\"plock\"".to_owned()
}

fn of(severity: Severity) -> String {
    format!("severity=\"{severity}\"")
}

fn inhibition(sides: [Vec<String>; 2], equal: &[&'static str]) -> Inhibition {
    let present = |label: &&str| format!("{label}=~\".+\"");
    let [source_matchers, target_matchers] = sides.map(|matchers| {
        let plock = std::iter::once(plock());
        plock.chain(matchers).chain(equal.iter().map(present)).collect()
    });
    Inhibition { source_matchers, target_matchers, equal: equal.to_vec() }
}
