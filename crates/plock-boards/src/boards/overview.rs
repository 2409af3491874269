//! Is anything blocked now, who is the root, who suffers, is it getting worse.

mod details;

use plock_core::{Mode, Outcome};
use plock_semconv::attributes::{
    LOCK_CAUSE, LOCK_HOLDER, LOCK_MODE, LOCK_NAME, LOCK_OUTCOME, LOCK_STAGE, LOCK_WAITER,
    STAGE_HELD, STAGE_WAITING,
};
use plock_semconv::metrics::{
    ACQUISITIONS, BLOCK_EDGES, BLOCKED_TIME, HELD, HOLD_DURATION, TELEMETRY_DROPPED, WAIT_DURATION,
    WAITERS,
};

use super::Place;
use crate::Options;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Heatmap, Stacked, Stat, Table, TimeSeries};
use crate::grafana::link::Leads::Lock;
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, known, max, named_holders, or_zero, roots, share, sum};

/// How old open waits are, now and before.
pub(crate) const OLDEST_WAIT: Place = Place { uid: UID, panel: 35 };

const UID: &str = "plock-overview";

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board().follow(LOCK_NAME, "lock");
    Board::new(
        UID,
        "Overview",
        "Which locks tasks wait for now, who holds them and what that costs. Direct metrics: every \
         event counts, nothing is sampled.",
        &ACQUISITIONS,
    )
    .choose_locks(&ACQUISITIONS)
    .with_traces()
    .row("Now", vec![(4, now(&scope, options))])
    .row("Who blocks whom", vec![(8, blame(&scope)), (8, open(&scope))])
    .row("Locks", vec![(9, vec![locks(&scope)])])
    .row("Waiting", vec![(8, waits(&scope, options)), (8, attempts(&scope))])
    .details(
        "Holding",
        vec![(8, details::holds(&scope, options)), (8, details::more_holds(&scope, options))],
    )
    .details("By instance", vec![(8, vec![details::by_instance(&scope, options)])])
    .finish()
}

fn now(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let held = scope.of(&HELD);
    let age = |stage| or_zero(&max(&[], &held.is(LOCK_STAGE, stage).now()));
    let levels = [(limits.pool_wait_seconds, ORANGE), (limits.held_too_long_seconds, RED)];
    let root = roots(&named_holders(&scope.of(&BLOCK_EDGES)), &Scope::board().of(&BLOCK_EDGES));
    let waits = scope.of(&WAIT_DURATION).count(&[]);
    let tried = scope.of(&ACQUISITIONS).is_not(LOCK_OUTCOME, Outcome::WouldBlock.as_str()).rate();
    let dropped = Scope::board().over("$__range").of(&TELEMETRY_DROPPED).total().rate();
    let firing = "count(ALERTS{alertname=~\"Plock.+\", alertstate=\"firing\", job=~\"$job\"})";
    vec![
        panel(2, Stat, "Waiting now")
            .tells(
                &[&WAITERS],
                "Attempts that are queued for a lock at this moment. Zero is healthy; a number \
                 that stays is a lock nobody releases: see the table of open waits.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&WAITERS).now())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(3, Stat, "Oldest open wait")
            .tells(
                &[&HELD],
                "Age of the longest wait that has not ended. Histograms know a wait only when it \
                 ends, this shows it while it lasts. Zero is good; users notice 0.3 s.",
            )
            .unit(unit::SECONDS)
            .ask(age(STAGE_WAITING), "")
            .levels(&levels),
        panel(4, Stat, "Oldest open hold")
            .tells(
                &[&HELD],
                "Age of the longest hold that has not ended. Milliseconds are good; longer ones \
                 harm when somebody waits: the table of open holds names the holder.",
            )
            .unit(unit::SECONDS)
            .ask(age(STAGE_HELD), "")
            .levels(&levels),
        panel(33, Stat, "Roots now")
            .tells(
                &[&BLOCK_EDGES],
                "Holders that block others and are not blocked themselves. Zero is healthy. \
                 Freeing anybody else frees nobody: open the board of who blocks whom.",
            )
            .ask(or_zero(&format!("count({root})")), "")
            .levels(&[(1.0, ORANGE)]),
        panel(5, Stat, "Tasks waiting, on average")
            .tells(
                &[&BLOCKED_TIME],
                "Waiting seconds per second: 2 means that two tasks waited all the time. Near zero \
                 is good; a jump is a new convoy.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&BLOCKED_TIME).rate())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(6, Stat, "Contended share")
            .tells(
                &[&WAIT_DURATION, &ACQUISITIONS],
                "Share of attempts that had to wait. Below 1 % is good; above half of them a lock \
                 is a queue and its hold has to become shorter.",
            )
            .unit(unit::SHARE)
            .ask(or_zero(&share(&waits, &sum(&[], &tried))), "")
            .levels(&[(limits.convoy_contended, ORANGE)]),
        panel(7, Stat, "Left out by plock")
            .tells(
                &[&TELEMETRY_DROPPED],
                "Records that a limit swallowed in the chosen time. Zero is good: these figures \
                 are complete. Otherwise see the board on plock itself.",
            )
            .ask(or_zero(&sum(&[], &dropped)), "")
            .levels(&[(1.0, ORANGE)]),
        panel(34, Stat, "Firing alerts")
            .tells_of(
                &["ALERTS".to_owned()],
                "Alerts of plock that fire for the chosen jobs. Zero is healthy; each alert \
                 carries a link to its panel and to its runbook.",
            )
            .ask(or_zero(firing), "")
            .levels(&[(1.0, RED)]),
    ]
}

fn blame(scope: &Scope) -> Vec<Draft> {
    let cost = sum(&[LOCK_NAME, LOCK_HOLDER], &scope.of(&BLOCKED_TIME).rate());
    vec![
        panel(9, Table, "Holders that cost most")
            .tells(
                &[&BLOCKED_TIME],
                "Waiting time that each holder is charged with, in waiting seconds per second, by \
                 lock. Empty is good; the first row is where to look: shorten that hold, or move \
                 the await out of it.",
            )
            .empty("Nobody waited")
            .ask(format!("topk(10, {cost})"), "")
            .label(LOCK_HOLDER, "Holder")
            .label(LOCK_NAME, "Lock")
            .value("Tasks waiting, on average", unit::COUNT),
        panel(10, Stacked, "Waiting by cause")
            .tells(
                &[&BLOCKED_TIME],
                "What tasks waited for, in waiting seconds per second. Flat is good, a climb is \
                 getting worse: holder is a long hold, queue is many in line, permits a pool that \
                 is too small, scheduler a runtime that is busy.",
            )
            .empty("Nobody waited")
            .ask(sum(&[LOCK_CAUSE], &scope.of(&BLOCKED_TIME).rate()), "{{lock_cause}}"),
    ]
}

fn open(scope: &Scope) -> Vec<Draft> {
    let held = scope.of(&HELD).is(LOCK_STAGE, STAGE_HELD).now();
    vec![
        panel(11, Table, "Open waits")
            .tells(
                &[&BLOCK_EDGES],
                "Who waits for whom at this moment. Empty is healthy; a row that stays over \
                 several refreshes is stuck: follow its holder.",
            )
            .empty("Nobody waits")
            .ask(sum(&[LOCK_NAME, LOCK_WAITER, LOCK_HOLDER], &scope.of(&BLOCK_EDGES).now()), "")
            .label(LOCK_WAITER, "Waiter")
            .label(LOCK_NAME, "Lock")
            .label(LOCK_HOLDER, "Holder")
            .value("Waits", unit::COUNT),
        panel(12, Table, "Open holds")
            .tells(
                &[&HELD],
                "The oldest hold of each lock at this moment. Milliseconds are good; seconds are a \
                 guard kept over slow work: look at what its holder awaits.",
            )
            .empty("Nothing is held")
            .unit(unit::SECONDS)
            .ask(format!("topk(10, {})", max(&[LOCK_NAME, LOCK_HOLDER], &held)), "")
            .label(LOCK_HOLDER, "Holder")
            .label(LOCK_NAME, "Lock")
            .value("Age", unit::SECONDS),
    ]
}

fn locks(scope: &Scope) -> Draft {
    let by = [LOCK_NAME];
    let attempts = scope.of(&ACQUISITIONS);
    let tried = attempts.is_not(LOCK_OUTCOME, Outcome::WouldBlock.as_str()).rate();
    let exclusive = scope.of(&HOLD_DURATION).is(LOCK_MODE, Mode::Exclusive.as_str());
    panel(13, Table, "Locks")
        .tells(
            &[&ACQUISITIONS, &WAIT_DURATION, &HOLD_DURATION],
            "Every lock with its attempts, the share that waited, how long waits and holds are, \
             and the share of time it is held exclusively in its busiest instance. Small numbers \
             are good: long waits with short holds are a queue, waits as long as holds one slow \
             holder.",
        )
        .empty("No lock")
        .ask(sum(&by, &attempts.rate()), "")
        .ask(share(&scope.of(&WAIT_DURATION).count(&by), &sum(&by, &tried)), "")
        .ask(known(&scope.of(&WAIT_DURATION).quantile(0.99, &by)), "")
        .ask(known(&scope.of(&HOLD_DURATION).quantile(0.99, &by)), "")
        .ask(max(&by, &exclusive.sum(&[LOCK_NAME, "instance"])), "")
        .label(LOCK_NAME, "Lock")
        .value("Attempts", unit::OPERATIONS)
        .value("Contended", unit::SHARE)
        .value("Wait p99", unit::SECONDS)
        .value("Hold p99", unit::SECONDS)
        .value("Held", unit::SHARE)
}

fn waits(scope: &Scope, options: &Options) -> Vec<Draft> {
    let wait = scope.of(&WAIT_DURATION);
    let limits = &options.thresholds;
    vec![
        panel(15, TimeSeries, "Wait p99 by lock")
            .tells(
                &[&WAIT_DURATION],
                "99 of 100 contended attempts waited at most this long. Below the dashed lines is \
                 good. Points are single waits: click one to open its trace and see who held the \
                 lock.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(wait.quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .levels(&[(limits.pool_wait_seconds, ORANGE), (limits.held_too_long_seconds, RED)])
            .exemplars()
            .leads(&[Lock]),
        panel(16, Heatmap, "Waits")
            .tells(
                &[&WAIT_DURATION],
                "All contended waits by duration. One low band is good; a second one far above the \
                 first is a rare slow holder; a band that climbs is a queue that grows. Points \
                 lead to traces.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(wait.buckets(), "{{le}}")
            .exemplars(),
    ]
}

fn attempts(scope: &Scope) -> Vec<Draft> {
    vec![
        panel(17, TimeSeries, "Attempts by outcome")
            .tells(
                &[&ACQUISITIONS],
                "Attempts to acquire, by how they ended. Mostly acquired is good; abandoned means \
                 that the caller gave up while it waited, a timeout that it had a limit.",
            )
            .empty("No attempts")
            .unit(unit::OPERATIONS)
            .ask(sum(&[LOCK_OUTCOME], &scope.of(&ACQUISITIONS).rate()), "{{lock_outcome}}"),
        panel(18, TimeSeries, "Waiting now, by lock")
            .tells(
                &[&WAITERS],
                "Queue of each lock over time. Spikes that go away are good; a floor that rises is \
                 a lock that cannot keep up: shorten its hold or split it.",
            )
            .empty("Nobody waits")
            .ask(sum(&[LOCK_NAME], &scope.of(&WAITERS).now()), "{{lock_name}}")
            .leads(&[Lock]),
    ]
}
