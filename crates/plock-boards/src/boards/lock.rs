//! One lock: how it is used, how long it is waited for and held, by whom.

mod usage;

use plock_core::Outcome;
use plock_semconv::attributes::{
    LOCK_CAUSE, LOCK_HOLDER, LOCK_NAME, LOCK_OUTCOME, LOCK_STAGE, STAGE_HELD, STAGE_WAITING,
};
use plock_semconv::metrics::{
    ACQUISITIONS, BLOCKED, BLOCKED_TIME, HELD, HOLD_DURATION, HOLD_SUSPENDED_TIME, HOLDERS,
    WAIT_DURATION, WAITERS,
};

use super::Place;
use crate::Options;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Heatmap, Stat, StateTimeline, Table, TimeSeries};
use crate::grafana::link::LOCK_BOARD;
use crate::grafana::link::Leads::Holder;
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, max, or_zero, share, sum};

pub(crate) const HOLDS_NOW: Place = Place { uid: LOCK_BOARD, panel: 14 };
pub(crate) const HOLDS: Place = Place { uid: LOCK_BOARD, panel: 12 };
pub(crate) const AGAINST_BEFORE: Place = Place { uid: LOCK_BOARD, panel: 20 };
pub(crate) const WAITS_BY_MODE: Place = Place { uid: LOCK_BOARD, panel: 15 };
pub(crate) const PANICS: Place = Place { uid: LOCK_BOARD, panel: 22 };
pub(crate) const MISTAKES: Place = Place { uid: LOCK_BOARD, panel: 23 };

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board().follow(LOCK_NAME, "lock");
    Board::new(
        LOCK_BOARD,
        "Lock detail",
        "One lock, or a few: how often it is taken, how long it is waited for and held, and by \
         whom.",
        &ACQUISITIONS,
    )
    .choose_locks(&ACQUISITIONS)
    .with_traces()
    .row("Now", vec![(4, now(&scope, options))])
    .row("Waits and holds", vec![(8, distributions(&scope)), (8, quantiles(&scope, options))])
    .row("Holders", vec![(8, holders(&scope, options))])
    .row("Load", vec![(8, usage::load(&scope, options))])
    .details(
        "Readers, writers, outcomes",
        vec![(8, usage::modes(&scope, options)), (8, usage::habits(&scope))],
    )
    .finish()
}

fn now(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let levels = [(limits.held_too_long_seconds, ORANGE), (limits.lock_stuck_seconds, RED)];
    let age = |stage| or_zero(&max(&[], &scope.of(&HELD).is(LOCK_STAGE, stage).now()));
    let tried = scope.of(&ACQUISITIONS).is_not(LOCK_OUTCOME, Outcome::WouldBlock.as_str()).rate();
    let waits = scope.of(&WAIT_DURATION).count(&[]);
    vec![
        panel(1, Stat, "Attempts")
            .tells(
                &[&ACQUISITIONS],
                "Attempts per second. Neither good nor bad by itself: it is what the shares beside \
                 it are shares of.",
            )
            .unit(unit::OPERATIONS)
            .ask(or_zero(&sum(&[], &scope.of(&ACQUISITIONS).rate())), ""),
        panel(2, Stat, "Contended share")
            .tells(
                &[&WAIT_DURATION, &ACQUISITIONS],
                "Share of attempts that had to wait. Below 1 % is good; above half the lock is a \
                 queue: shorten the hold or split what it protects.",
            )
            .unit(unit::SHARE)
            .ask(or_zero(&share(&waits, &sum(&[], &tried))), "")
            .levels(&[(limits.convoy_contended, ORANGE)]),
        panel(3, Stat, "Held now")
            .tells(
                &[&HOLDERS],
                "Guards alive at this moment. Neither good nor bad: one is the most for a mutex or \
                 a writer, readers and permits can be many.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&HOLDERS).now())), ""),
        panel(4, Stat, "Waiting now")
            .tells(
                &[&WAITERS],
                "Attempts queued at this moment. Zero is good; if it stays above, see who holds \
                 the lock below.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&WAITERS).now())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(5, Stat, "Tasks waiting, on average")
            .tells(
                &[&BLOCKED_TIME],
                "Waiting seconds per second, the mean length of the queue. Near zero is good; one \
                 means that somebody waits at any time.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&BLOCKED_TIME).rate())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(6, Stat, "Oldest open hold")
            .tells(
                &[&HELD],
                "Age of the oldest hold that has not ended. Milliseconds are good; with somebody \
                 waiting, seconds are an incident.",
            )
            .unit(unit::SECONDS)
            .ask(age(STAGE_HELD), "")
            .levels(&levels),
        panel(7, Stat, "Oldest open wait")
            .tells(
                &[&HELD],
                "Age of the oldest wait that has not ended. Zero is good; users notice what stays.",
            )
            .unit(unit::SECONDS)
            .ask(age(STAGE_WAITING), "")
            .levels(&levels),
        panel(8, Stat, "Holds suspended")
            .tells(
                &[&HOLD_SUSPENDED_TIME, &HOLD_DURATION],
                "Share of the hold time during which the holder was parked at an await. Zero is \
                 good; otherwise I/O is done under the lock.",
            )
            .unit(unit::SHARE)
            .ask(
                or_zero(&share(
                    &sum(&[], &scope.of(&HOLD_SUSPENDED_TIME).rate()),
                    &scope.of(&HOLD_DURATION).sum(&[]),
                )),
                "",
            ),
    ]
}

fn distributions(scope: &Scope) -> Vec<Draft> {
    vec![
        panel(9, Heatmap, "Waits")
            .tells(
                &[&WAIT_DURATION],
                "Contended waits by duration. One low band is good; a second one above is a rare \
                 slow holder, a band that climbs is a queue. Points lead to traces.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(scope.of(&WAIT_DURATION).buckets(), "{{le}}")
            .exemplars(),
        panel(10, Heatmap, "Holds")
            .tells(
                &[&HOLD_DURATION],
                "Holds by duration. One low band is good; two bands are two kinds of work under \
                 one lock. Points lead to the traces of the longest holds.",
            )
            .empty("Nothing was held")
            .unit(unit::SECONDS)
            .ask(scope.of(&HOLD_DURATION).buckets(), "{{le}}")
            .exemplars(),
    ]
}

fn quantiles(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let (wait, hold) = (scope.of(&WAIT_DURATION), scope.of(&HOLD_DURATION));
    vec![
        panel(11, TimeSeries, "Wait")
            .tells(
                &[&WAIT_DURATION],
                "How long contended attempts waited: median, 95 and 99 of 100. Low is good; much \
                 longer than the holds beside it is a queue, as long is one slow holder.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(wait.quantile(0.5, &[]), "p50")
            .ask(wait.quantile(0.95, &[]), "p95")
            .ask(wait.quantile(0.99, &[]), "p99")
            .levels(&[(limits.pool_wait_seconds, ORANGE)])
            .exemplars(),
        panel(12, TimeSeries, "Hold")
            .tells(
                &[&HOLD_DURATION],
                "How long the lock was held: median, 95 and 99 of 100. Steady and below the dashed \
                 line is good; a step after a deployment is new work under the lock.",
            )
            .empty("Nothing was held")
            .unit(unit::SECONDS)
            .ask(hold.quantile(0.5, &[]), "p50")
            .ask(hold.quantile(0.95, &[]), "p95")
            .ask(hold.quantile(0.99, &[]), "p99")
            .levels(&[(limits.held_too_long_seconds, ORANGE)])
            .exemplars(),
    ]
}

fn holders(scope: &Scope, options: &Options) -> Vec<Draft> {
    let by = [LOCK_HOLDER, LOCK_CAUSE];
    let held = scope.of(&HELD).is(LOCK_STAGE, STAGE_HELD).now();
    let limit = options.thresholds.held_too_long_seconds;
    vec![
        panel(13, Table, "Who made others wait")
            .tells(
                &[&BLOCKED_TIME, &BLOCKED],
                "Each holder with the waiting it is charged with and the waits it had the largest \
                 share in. Empty is good; the first row is what to change.",
            )
            .empty("Nobody waited")
            .ask(sum(&by, &scope.of(&BLOCKED_TIME).rate()), "")
            .ask(sum(&by, &scope.of(&BLOCKED).rate()), "")
            .label(LOCK_HOLDER, "Holder")
            .label(LOCK_CAUSE, "Cause")
            .value("Tasks waiting, on average", unit::COUNT)
            .value("Waits", unit::EVENTS),
        panel(14, StateTimeline, "Age of open holds")
            .tells(
                &[&HELD],
                "One lane per holder with the age of its oldest hold at each scrape; gaps are \
                 good. A lane that stays filled has not let go: open whom it blocks.",
            )
            .empty("Nothing was held")
            .unit(unit::SECONDS)
            .ask(max(&[LOCK_NAME, LOCK_HOLDER], &held), "{{lock_name}} held by {{lock_holder}}")
            .levels(&[(limit, ORANGE), (options.thresholds.lock_stuck_seconds, RED)])
            .leads(&[Holder]),
    ]
}
