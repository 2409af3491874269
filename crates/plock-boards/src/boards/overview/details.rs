//! The closed rows: how locks are held, and which instance is stuck.

use plock_core::Mode;
use plock_semconv::attributes::{
    LOCK_HOLDER, LOCK_MODE, LOCK_NAME, LOCK_STAGE, STAGE_HELD, STAGE_WAITING,
};
use plock_semconv::metrics::{HELD, HOLD_DURATION, HOLD_SUSPENDED_TIME, NESTING_DEPTH};

use crate::Options;
use crate::grafana::kind::Kind::{StateTimeline, TimeSeries};
use crate::grafana::link::Leads::{Holder, Lock};
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, max, share, sum};

pub(super) fn holds(scope: &Scope, options: &Options) -> Vec<Draft> {
    let hold = scope.of(&HOLD_DURATION);
    let exclusive = hold.is(LOCK_MODE, Mode::Exclusive.as_str());
    let suspended = sum(&[LOCK_NAME], &scope.of(&HOLD_SUSPENDED_TIME).rate());
    let limits = &options.thresholds;
    vec![
        panel(20, TimeSeries, "Hold p99 by lock")
            .tells(
                &[&HOLD_DURATION],
                "99 of 100 holds were at most this long. Steady is good; above the dashed line a \
                 hold costs whoever waits for it. Points lead to the trace of the holder.",
            )
            .empty("Nothing was held")
            .unit(unit::SECONDS)
            .ask(hold.quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .levels(&[(limits.held_too_long_seconds, RED)])
            .exemplars()
            .leads(&[Lock]),
        panel(21, TimeSeries, "Share of time held")
            .tells(
                &[&HOLD_DURATION],
                "How much of the time each lock is held exclusively. Below half is good; near one \
                 arrivals wait several holds each. What hand-overs take is not in it.",
            )
            .empty("Nothing was held")
            .unit(unit::SHARE)
            .ask(exclusive.sum(&[LOCK_NAME, "instance"]), "{{lock_name}} {{instance}}")
            .leads(&[Lock]),
        panel(22, TimeSeries, "Held while suspended")
            .tells(
                &[&HOLD_SUSPENDED_TIME, &HOLD_DURATION],
                "Share of the hold time during which the holder was parked at an await. Zero is \
                 good; a high share is I/O done under a lock: move it out.",
            )
            .empty("Nothing was held")
            .unit(unit::SHARE)
            .ask(share(&suspended, &hold.sum(&[LOCK_NAME])), "{{lock_name}}")
            .leads(&[Lock]),
    ]
}

pub(super) fn more_holds(scope: &Scope, options: &Options) -> Vec<Draft> {
    let depth = scope.of(&NESTING_DEPTH);
    let held = scope.of(&HELD).is(LOCK_STAGE, STAGE_HELD).now();
    vec![
        panel(23, TimeSeries, "Nested acquisitions")
            .tells(
                &[&NESTING_DEPTH],
                "Share of acquisitions with another lock already held. Zero is good; where it is \
                 not, every path has to take the locks in the same order.",
            )
            .empty("No acquisitions")
            .unit(unit::SHARE)
            .ask(
                format!(
                    "({}) / ({} > 0)",
                    depth.above(1.0, &[LOCK_NAME]),
                    depth.count(&[LOCK_NAME])
                ),
                "{{lock_name}}",
            )
            .leads(&[Lock]),
        panel(24, TimeSeries, "Age of open holds")
            .tells(
                &[&HELD],
                "How long the oldest hold of each lock has lasted, at each scrape. A saw with low \
                 teeth is good; a ramp is a holder that does not let go: follow it.",
            )
            .empty("Nothing was held")
            .unit(unit::SECONDS)
            .ask(max(&[LOCK_NAME, LOCK_HOLDER], &held), "{{lock_name}} held by {{lock_holder}}")
            .levels(&[
                (options.thresholds.held_too_long_seconds, ORANGE),
                (options.thresholds.lock_stuck_seconds, RED),
            ])
            .leads(&[Lock, Holder]),
    ]
}

pub(super) fn by_instance(scope: &Scope, options: &Options) -> Draft {
    let limits = &options.thresholds;
    let waiting = scope.of(&HELD).is(LOCK_STAGE, STAGE_WAITING).now();
    panel(35, StateTimeline, "Oldest open wait by instance")
        .tells(
            &[&HELD],
            "One lane per instance with the age of its oldest wait at each scrape. Gaps are good: \
             nobody waited. A lane that stays filled is one instance that is stuck; if all are, \
             look at what they share.",
        )
        .empty("Nobody waits")
        .unit(unit::SECONDS)
        .ask(max(&["job", "instance"], &waiting), "{{job}} {{instance}}")
        .levels(&[(limits.held_too_long_seconds, ORANGE), (limits.lock_stuck_seconds, RED)])
}
