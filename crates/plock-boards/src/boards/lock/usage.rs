//! How a lock is used: its load against before, its modes, how attempts end.

use plock_core::{Kind as Primitive, Mode, Outcome};
use plock_semconv::attributes::{LOCK_FINDING, LOCK_MODE, LOCK_NAME, LOCK_OUTCOME};
use plock_semconv::metrics::{
    ACQUISITIONS, BLOCKED_TIME, FINDINGS, HOLD_DURATION, NESTING_DEPTH, POISONED, WAIT_DURATION,
};

use crate::grafana::kind::Kind::{Stacked, TimeSeries};
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, share, sum};
use crate::{Options, rules};

pub(super) fn load(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let exclusive = scope.of(&HOLD_DURATION).is(LOCK_MODE, Mode::Exclusive.as_str());
    let usual = scope.named(&rules::blocked_time()).average("1d");
    vec![
        panel(19, TimeSeries, "Share of time held")
            .tells(
                &[&HOLD_DURATION],
                "Share of time the lock is held exclusively, by instance. Below half is good; near \
                 one each arrival waits for several holds. What hand-overs take is not in it.",
            )
            .empty("Nothing was held")
            .unit(unit::SHARE)
            .ask(exclusive.sum(&[LOCK_NAME, "instance"]), "{{lock_name}} {{instance}}"),
        panel(20, TimeSeries, "Waiting against the last day")
            .tells_of(
                &[BLOCKED_TIME.prometheus_name(), rules::blocked_time()],
                "Tasks waiting on average, now and as the mean of the last day. Close together is \
                 good; far above the mean is a regression: see what was deployed. Above the upper \
                 line they stand in line all the time.",
            )
            .empty("Nobody waited")
            .ask(sum(&[LOCK_NAME], &scope.of(&BLOCKED_TIME).rate()), "{{lock_name}} now")
            .ask(sum(&[LOCK_NAME], &usual), "{{lock_name}}, mean of a day")
            .levels(&[(limits.surge_floor, ORANGE), (limits.convoy_waiters, RED)]),
        panel(21, TimeSeries, "Contended share")
            .tells(
                &[&WAIT_DURATION, &ACQUISITIONS],
                "Share of attempts that waited, over time. Flat is good; together with several \
                 tasks in line it is a convoy.",
            )
            .empty("No attempts")
            .unit(unit::SHARE)
            .ask(
                share(
                    &scope.of(&WAIT_DURATION).count(&[LOCK_NAME]),
                    &sum(
                        &[LOCK_NAME],
                        &scope
                            .of(&ACQUISITIONS)
                            .is_not(LOCK_OUTCOME, Outcome::WouldBlock.as_str())
                            .rate(),
                    ),
                ),
                "{{lock_name}}",
            )
            .levels(&[(limits.convoy_contended, ORANGE)]),
    ]
}

pub(super) fn modes(scope: &Scope, options: &Options) -> Vec<Draft> {
    let both = Primitive::Rwlock.as_str();
    vec![
        panel(15, TimeSeries, "Wait p99 by mode")
            .tells(
                &[&WAIT_DURATION],
                "Waits of readers (shared), writers (exclusive) and for permits. Alike is good; \
                 writers far above readers starve: give them a turn. Points lead to traces.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(
                scope.of(&WAIT_DURATION).quantile(0.99, &[LOCK_NAME, LOCK_MODE]),
                "{{lock_name}} {{lock_mode}}",
            )
            .levels(&[(options.thresholds.writer_wait_seconds, RED)])
            .exemplars(),
        panel(16, TimeSeries, "Attempts by mode")
            .tells(
                &[&ACQUISITIONS],
                &format!(
                    "How often it is taken for reading, for writing, for permits. Many readers and \
                     few writers are good for a {both}; few readers want a mutex."
                ),
            )
            .empty("No attempts")
            .unit(unit::OPERATIONS)
            .ask(
                sum(&[LOCK_NAME, LOCK_MODE], &scope.of(&ACQUISITIONS).rate()),
                "{{lock_name}} {{lock_mode}}",
            ),
    ]
}

pub(super) fn habits(scope: &Scope) -> Vec<Draft> {
    let depth = scope.of(&NESTING_DEPTH);
    let share =
        format!("({}) / ({} > 0)", depth.above(1.0, &[LOCK_NAME]), depth.count(&[LOCK_NAME]));
    vec![
        panel(17, TimeSeries, "Attempts by outcome")
            .tells(
                &[&ACQUISITIONS],
                "How attempts ended. Only acquired is good; abandoned and timeout are callers that \
                 gave up, poisoned are those that found what a panic had left.",
            )
            .empty("No attempts")
            .unit(unit::OPERATIONS)
            .ask(
                sum(&[LOCK_NAME, LOCK_OUTCOME], &scope.of(&ACQUISITIONS).rate()),
                "{{lock_name}} {{lock_outcome}}",
            )
            .levels(&[(0.0, ORANGE)]),
        panel(22, TimeSeries, "Panics under the lock")
            .tells(
                &[&POISONED],
                "Panics that poisoned the lock, each when it happened. Zero is good; otherwise what \
                 the lock protects may be half changed: look for the panic in the log.",
            )
            .empty("No mutex, no read-write lock")
            .ask(sum(&[LOCK_NAME], &scope.of(&POISONED).total().rate()), "{{lock_name}}")
            .levels(&[(0.0, ORANGE)]),
        panel(23, TimeSeries, "Mistakes")
            .tells(
                &[&FINDINGS],
                "Guards kept across an await, waits for a pool under the lock, waits for the lock \
                 with a connection in use. Zero is good; the findings in the report of the process \
                 say where.",
            )
            .empty("No mutex, no read-write lock")
            .ask(
                sum(&[LOCK_NAME, LOCK_FINDING], &scope.of(&FINDINGS).total().rate()),
                "{{lock_name}} {{lock_finding}}",
            )
            .levels(&[(0.0, ORANGE)]),
        panel(18, Stacked, "Nested acquisitions")
            .tells(
                &[&NESTING_DEPTH],
                "Share of acquisitions with another lock already held. Zero is good; otherwise \
                 every path has to take the locks in the same order.",
            )
            .empty("No acquisitions")
            .unit(unit::SHARE)
            .ask(share, "{{lock_name}}"),
    ]
}
