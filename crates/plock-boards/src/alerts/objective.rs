//! Alerts about the objective: the budget is used up too fast, over a long and a short window.

use super::Alert;
use crate::Options;
use crate::boards;
use crate::query::{share, sum};
use crate::rules::{self, BURNS, Burn};

pub(super) fn all(options: &Options) -> Vec<Alert> {
    BURNS.iter().map(|burn| alert(options, burn)).collect()
}

fn alert(options: &Options, burn: &Burn) -> Alert {
    let failing = |window| {
        share(&sum(&["job"], &rules::slow_waits(window)), &sum(&["job"], &rules::attempts(window)))
    };
    let limit = format!("{} * {}", burn.factor, rules::budget(options));
    Alert {
        name: "PlockSLOBurn",
        severity: burn.severity,
        expr: format!(
            "{} > {limit} and on (job) {} > {limit}",
            failing(burn.long),
            failing(burn.short)
        ),
        wait: Some(burn.wait),
        keep: None,
        summary: "Too many attempts to acquire a lock wait longer than the objective allows.",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the attempts of {{{{ $labels.job }}}} waited \
             longer than {} ms in the last {}, more than {} times the budget.",
            options.thresholds.slo_wait_seconds * 1000.0,
            burn.long,
            burn.factor
        ),
        because: "The factors and windows use up 2 %, 5 %, 10 % and 10 % of a month's budget \
            before they fire; the short window ends the alert soon after the problem.",
        drawn: Some(burn.factor),
        options: &["slo_wait_seconds", "slo_objective"],
        window: Some(burn.long),
        place: boards::BURN,
        variables: &[("job", "job")],
    }
}
