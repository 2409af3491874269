//! Pools behind a semaphore: permits in use, who waits for one, how long they are kept.

use plock_core::{Kind as Primitive, Outcome};
use plock_semconv::attributes::{
    LOCK_FINDING, LOCK_HOLDER, LOCK_KIND, LOCK_NAME, LOCK_OUTCOME, LOCK_STAGE, POOL_NAME,
    STAGE_HELD,
};
use plock_semconv::metrics::{
    ACQUISITIONS, FINDINGS_TIME, HELD, HOLD_DURATION, HOLDERS, POOL_ACQUIRE_DURATION, POOL_IN_USE,
    POOL_SIZE, POOL_WAITERS, WAIT_DURATION, WAITERS,
};

use super::Place;
use crate::Options;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Heatmap, Stat, Table, TimeSeries};
use crate::grafana::link::Leads::Lock;
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, max, or_zero, sum};

const UID: &str = "plock-pools";

/// Kinds whose guards are permits, kept for as long as the work takes.
pub(crate) const POOLS: [&str; 2] = [Primitive::Semaphore.as_str(), Primitive::Pool.as_str()];

pub(crate) const POOL_WAIT: Place = Place { uid: UID, panel: 5 };
pub(crate) const WHILE_HOLDING: Place = Place { uid: UID, panel: 12 };

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board().follow(LOCK_NAME, "lock");
    Board::new(
        UID,
        "Pools and permits",
        "Semaphores, and pools with a semaphore in front: permits in use, who waits for one, and \
         how long they are kept.",
        &ACQUISITIONS,
    )
    .choose_locks(&ACQUISITIONS)
    .with_traces()
    .row("Now", vec![(4, now(&scope, options))])
    .row("Waiting for a permit", vec![(8, waits(&scope, options))])
    .row("Connections", vec![(8, connections(&Scope::board(), options))])
    .row("Keeping a permit", vec![(8, holds(&scope)), (8, vec![holders(&scope)])])
    .finish()
}

fn now(scope: &Scope, options: &Options) -> Vec<Draft> {
    let waiters = sum(&[], &scope.of(&WAITERS).is_one_of(LOCK_KIND, &POOLS).now());
    let wait = scope.of(&WAIT_DURATION).is_one_of(LOCK_KIND, &POOLS);
    let given_up = scope.of(&ACQUISITIONS).is_one_of(LOCK_KIND, &POOLS);
    let given_up =
        given_up.is_one_of(LOCK_OUTCOME, &[Outcome::Abandoned.as_str(), Outcome::Timeout.as_str()]);
    vec![
        panel(1, Stat, "In use now")
            .tells(
                &[&HOLDERS],
                "Guards with permits at this moment. Below the size of the pool is good; at its \
                 size the next caller waits.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&HOLDERS).is_one_of(LOCK_KIND, &POOLS).now())), ""),
        panel(2, Stat, "Waiting now")
            .tells(
                &[&WAITERS],
                "Callers without a permit at this moment. Zero is good; if it stays, the pool is \
                 too small or its permits are kept too long.",
            )
            .ask(or_zero(&waiters), "")
            .levels(&[(1.0, ORANGE)]),
        panel(3, Stat, "Wait p99")
            .tells(
                &[&WAIT_DURATION],
                "99 of 100 callers that had to wait got a permit within this time. Below 0.3 s is \
                 good; users notice more.",
            )
            .unit(unit::SECONDS)
            .ask(or_zero(&wait.quantile(0.99, &[])), "")
            .levels(&[(options.thresholds.pool_wait_seconds, RED)]),
        panel(4, Stat, "Gave up")
            .tells(
                &[&ACQUISITIONS],
                "Callers per second that stopped waiting: cancelled or out of time. Zero is good; \
                 each is a request that failed.",
            )
            .unit(unit::EVENTS)
            .ask(or_zero(&sum(&[], &given_up.rate())), "")
            .levels(&[(0.01, RED)]),
    ]
}

fn waits(scope: &Scope, options: &Options) -> Vec<Draft> {
    let wait = scope.of(&WAIT_DURATION).is_one_of(LOCK_KIND, &POOLS);
    vec![
        panel(5, TimeSeries, "Wait p99 by pool")
            .tells(
                &[&WAIT_DURATION],
                "How long callers waited that had to. Below the dashed line is good; above it \
                 compare with how long permits are kept. Points lead to traces.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(wait.quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .levels(&[(options.thresholds.pool_wait_seconds, RED)])
            .exemplars()
            .leads(&[Lock]),
        panel(6, Heatmap, "Waits for a permit")
            .tells(
                &[&WAIT_DURATION],
                "All waits by duration. Few and low is good; a band that climbs is a pool that \
                 cannot keep up. Points lead to traces.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(wait.buckets(), "{{le}}")
            .exemplars(),
    ]
}

/// Pools of connections tell their size and every acquisition, those without a wait included.
fn connections(scope: &Scope, options: &Options) -> Vec<Draft> {
    let now = |instrument| sum(&[POOL_NAME], &scope.of(instrument).now());
    vec![
        panel(10, TimeSeries, "Connections by pool")
            .tells(
                &[&POOL_IN_USE, &POOL_SIZE, &POOL_WAITERS],
                "Connections in use, how many there are, and who waits for one. A gap between in \
                 use and size is good; in use at the size with a line behind it is saturation.",
            )
            .empty("No pools of connections")
            .ask(now(&POOL_IN_USE), "{{pool_name}} in use")
            .ask(now(&POOL_SIZE), "{{pool_name}} size")
            .ask(now(&POOL_WAITERS), "{{pool_name}} waiting"),
        panel(11, TimeSeries, "Time to a connection p99")
            .tells(
                &[&POOL_ACQUIRE_DURATION],
                "99 of 100 acquisitions had a connection within this time, new ones included. Low \
                 is good; high with nobody waiting is the time that connecting takes.",
            )
            .empty("No pools of connections")
            .unit(unit::SECONDS)
            .ask(scope.of(&POOL_ACQUIRE_DURATION).quantile(0.99, &[POOL_NAME]), "{{pool_name}}"),
        panel(12, TimeSeries, "Waiting with something in hand")
            .tells(
                &[&FINDINGS_TIME],
                "Tasks that wait, on average, for a connection under a lock, for a lock with a \
                 connection in use, or for a second connection. Zero is good; the findings in the \
                 report of the process say where.",
            )
            .empty("No pools of connections")
            .ask(
                sum(&[LOCK_NAME, LOCK_FINDING], &scope.of(&FINDINGS_TIME).rate()),
                "{{lock_name}} {{lock_finding}}",
            )
            .levels(&[(options.thresholds.wait_while_holding, ORANGE)])
            .leads(&[Lock]),
    ]
}

fn holds(scope: &Scope) -> Vec<Draft> {
    let hold = scope.of(&HOLD_DURATION).is_one_of(LOCK_KIND, &POOLS);
    let now =
        |instrument| sum(&[LOCK_NAME], &scope.of(instrument).is_one_of(LOCK_KIND, &POOLS).now());
    vec![
        panel(7, TimeSeries, "Hold p99 by pool")
            .tells(
                &[&HOLD_DURATION],
                "How long permits are kept. Steady is good; a step is slower work with a permit, a \
                 query for example. Points lead to traces.",
            )
            .empty("Nothing was held")
            .unit(unit::SECONDS)
            .ask(hold.quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .exemplars()
            .leads(&[Lock]),
        panel(8, TimeSeries, "In use and waiting")
            .tells(
                &[&HOLDERS, &WAITERS],
                "Permits in use and callers in line, over time. A line of waiters at zero is good; \
                 in use flat at the size of the pool with a line behind it is saturation.",
            )
            .empty("No pools")
            .ask(now(&HOLDERS), "{{lock_name}} in use")
            .ask(now(&WAITERS), "{{lock_name}} waiting")
            .leads(&[Lock]),
    ]
}

fn holders(scope: &Scope) -> Draft {
    let held = scope.of(&HELD).is_one_of(LOCK_KIND, &POOLS);
    let held = held.is(LOCK_STAGE, STAGE_HELD).now();
    panel(9, Table, "Oldest permits")
        .tells(
            &[&HELD],
            "Who has kept a permit longest in each pool, at this moment. Short ages are good; an \
             age that only grows is a permit that is not given back.",
        )
        .empty("Nothing is held")
        .ask(max(&[LOCK_NAME, LOCK_HOLDER], &held), "")
        .label(LOCK_HOLDER, "Holder")
        .label(LOCK_NAME, "Lock")
        .value("Age", unit::SECONDS)
}
