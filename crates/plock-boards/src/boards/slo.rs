//! Whether waits stay within the objective, and how fast the budget is used up.

use plock_semconv::attributes::LOCK_NAME;
use plock_semconv::metrics::{ACQUISITIONS, WAIT_DURATION};

use super::Place;
use crate::Options;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Stat, StateTimeline, TimeSeries};
use crate::grafana::link::Leads::Lock;
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, share, sum};
use crate::rules::{self, BURNS};

const UID: &str = "plock-slo";

pub(crate) const BURN: Place = Place { uid: UID, panel: 6 };

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board();
    Board::new(
        UID,
        "SLO",
        "The objective: an attempt to acquire a lock gets it within 10 ms. How many do not, and \
         how long the budget for that lasts. From recording rules, which have to be loaded.",
        &ACQUISITIONS,
    )
    .row("Budget", vec![(4, budget(&scope, options))])
    .row("Burn", vec![(9, vec![burn(&scope, options)]), (7, vec![history()])])
    .row("Where", vec![(8, by(&scope, options))])
    .finish()
}

/// Share of attempts outside the objective over `window`, from what the rules recorded.
fn failing(scope: &Scope, window: &str, keys: &[&str]) -> String {
    let slow = scope.named(&rules::slow_waits(window)).now();
    let attempts = scope.named(&rules::attempts(window)).now();
    share(&sum(keys, &slow), &sum(keys, &attempts))
}

/// How many times faster than allowed the budget goes.
fn rate_of_burn(scope: &Scope, options: &Options, window: &str, keys: &[&str]) -> String {
    format!("{} / {}", failing(scope, window, keys), rules::budget(options))
}

fn sources(window: &str) -> [String; 2] {
    [rules::slow_waits(window), rules::attempts(window)]
}

fn budget(scope: &Scope, options: &Options) -> Vec<Draft> {
    let left = format!("1 - {} or vector(1)", rate_of_burn(scope, options, "3d", &[]));
    let stat = |id, title: &str, window: &'static str, limit: f64| {
        panel(id, Stat, title)
            .tells_of(
                &sources(window),
                "How many times faster than allowed the budget is used up in this window. Below 1 \
                 is good; above the limit of the alert the objective will be missed.",
            )
            .ask(format!("{} or vector(0)", rate_of_burn(scope, options, window, &[])), "")
            .levels(&[(1.0, ORANGE), (limit, RED)])
    };
    let [fast, slow, _, long] = BURNS;
    vec![
        panel(1, Stat, "Budget left of three days")
            .tells_of(
                &sources("3d"),
                "Share of the waits over 10 ms that three days allow which has not been used. 100 \
                 % is good: unused; below 0 % the objective is missed: find the lock below.",
            )
            .unit(unit::SHARE)
            .ask(left, "")
            .at_least(0.0),
        panel(2, Stat, "Outside the objective, 1 h")
            .tells_of(
                &sources("1h"),
                "Share of attempts that waited over 10 ms in the last hour. Below 0.1 % is good.",
            )
            .unit(unit::SHARE)
            .ask(format!("{} or vector(0)", failing(scope, "1h", &[])), "")
            .levels(&[(1.0 - options.thresholds.slo_objective, ORANGE)]),
        stat(3, "Burn, 1 h", fast.long, fast.factor),
        stat(4, "Burn, 6 h", slow.long, slow.factor),
        stat(5, "Burn, 3 d", long.long, long.factor),
    ]
}

fn burn(scope: &Scope, options: &Options) -> Draft {
    let [fast, slow, daily, long] = BURNS;
    let all = [fast, slow, daily, long];
    let lines =
        [(long.factor, ORANGE), (daily.factor, ORANGE), (slow.factor, RED), (fast.factor, RED)];
    let recorded: Vec<_> = all.iter().flat_map(|burn| sources(burn.long)).collect();
    let draft = panel(6, TimeSeries, "Burn by window")
        .tells_of(
            &recorded,
            "How many times faster than allowed the budget goes, for each window that alerts look \
             at. Below 1 is good; each window has its own dashed line, the shortest the highest.",
        )
        .empty("No attempts")
        .levels(&lines);
    all.iter().fold(draft, |draft, burn| {
        let query = rate_of_burn(scope, options, burn.long, &["job"]);
        draft.ask(query, &format!("{{{{job}}}}, {}", burn.long))
    })
}

fn history() -> Draft {
    panel(7, StateTimeline, "Alerts of the objective")
        .tells_of(
            &["ALERTS".to_owned()],
            "One lane per alert of the objective, filled while it fired. Empty is good; the \
             severity says whether somebody was called.",
        )
        .empty("None fired")
        .ask(
            "max by (job, severity) (ALERTS{alertname=\"PlockSLOBurn\", alertstate=\"firing\", \
             job=~\"$job\"})",
            "{{job}} {{severity}}",
        )
        // Without a level a state has no name to show.
        .levels(&[(1.0, RED)])
}

fn by(scope: &Scope, options: &Options) -> Vec<Draft> {
    let bound = options.thresholds.slo_wait_seconds;
    let slow = scope.of(&WAIT_DURATION);
    vec![
        panel(8, TimeSeries, "Slow waits by lock")
            .tells(
                &[&WAIT_DURATION],
                "Waits over 10 ms per second, by lock: what uses the budget up. None is good; the \
                 top line is where to look.",
            )
            .empty("No slow waits")
            .unit(unit::EVENTS)
            .ask(slow.above(bound, &[LOCK_NAME]), "{{lock_name}}")
            .leads(&[Lock]),
        panel(9, TimeSeries, "Slow waits by instance")
            .tells(
                &[&WAIT_DURATION],
                "The same by instance. None is good; one instance alone has a problem of its own, \
                 all of them share one.",
            )
            .empty("No slow waits")
            .unit(unit::EVENTS)
            .ask(slow.above(bound, &["job", "instance"]), "{{job}} {{instance}}"),
    ]
}
