//! Which requests lose time to which lock: from spans, beside the exact figures of the same question.

mod details;

use plock_semconv::attributes::LOCK_NAME;
use plock_semconv::derived::{REQUEST_ACQUISITIONS, REQUEST_WAIT_TIME};
use plock_semconv::metrics::{BLOCKED_TIME, WAIT_DURATION};
use plock_semconv::spans::{BLOCKING_CAUSE, NESTING_MAX};

use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Heatmap, Stacked, Stat, Table, TimeSeries};
use crate::grafana::link::Leads::Lock;
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, known, share, sum};
use crate::{Options, names};

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board().follow(LOCK_NAME, "lock");
    Board::new(
        "plock-requests",
        "Requests",
        "What waiting for locks costs requests. From spans: the figures follow the sampling of \
         traces and begin at zero with each collector, so they may be lower than the exact ones.",
        &REQUEST_ACQUISITIONS,
    )
    .choose_locks(&REQUEST_ACQUISITIONS)
    .with_traces()
    .row("Requests that use locks", vec![(4, totals(&scope, options))])
    .row(
        "Waiting",
        vec![(8, waits(&scope, options)), (8, by_lock(&scope)), (9, vec![table(&scope)])],
    )
    .row(
        "The same question, exact and from spans",
        vec![(8, twice(&scope)), (8, waits_twice(&scope))],
    )
    .details("Holding and nesting", vec![(8, details::holds(&scope))])
    .details("Slow waits and holds", vec![(8, details::slow(&scope))])
    .row("Routes", vec![(8, details::routes(&scope))])
    .finish()
}

fn totals(scope: &Scope, options: &Options) -> Vec<Draft> {
    let wait = scope.of(&REQUEST_WAIT_TIME);
    let (count, time) = (wait.count(&[]), wait.sum(&[]));
    let limit = options.thresholds.pool_wait_seconds;
    let duration = scope.named(names::REQUEST_DURATION);
    let acquired = sum(&[], &scope.of(&REQUEST_ACQUISITIONS).rate());
    let deep = wait.is(NESTING_MAX, "4+").count(&[]);
    vec![
        panel(2, Stat, "Requests")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "Requests per second that took a lock and whose span arrived. Neither good nor \
                 bad: it is what the shares beside it are shares of.",
            )
            .unit(unit::REQUESTS)
            .ask(format!("{count} or vector(0)"), ""),
        panel(3, Stat, "Wait per request")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "Mean time a request waited for locks. Microseconds are good; milliseconds are \
                 worth the table of the costliest locks.",
            )
            .unit(unit::SECONDS)
            .ask(format!("{} or vector(0)", share(&time, &count)), ""),
        panel(4, Stat, "Share of time waited")
            .tells_of(
                &[REQUEST_WAIT_TIME.prometheus_name(), names::REQUEST_DURATION.to_owned()],
                "Share of the duration of requests that is waiting for locks. Below 1 % is good; \
                 above 10 % locks are the first thing to look at.",
            )
            .unit(unit::SHARE)
            .ask(format!("{} or vector(0)", share(&time, &duration.sum(&[]))), "")
            .levels(&[(0.1, ORANGE)]),
        panel(5, Stat, "Waited over 0.3 s")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "Share of requests that waited so long that a user notices. Zero is good; \
                 otherwise open their traces below.",
            )
            .unit(unit::SHARE)
            .ask(format!("({}) / ({count} > 0) or vector(0)", wait.above(limit, &[])), "")
            .levels(&[(0.01, RED)]),
        panel(6, Stat, "Locks per request")
            .tells(
                &[&REQUEST_ACQUISITIONS, &REQUEST_WAIT_TIME],
                "Locks a request takes on average. Few is good; a number that grows with the data \
                 is a lock taken in a loop.",
            )
            .ask(format!("{} or vector(0)", share(&acquired, &count)), ""),
        panel(7, Stat, "Four or more at once")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "Share of requests that held four or more locks at a time. Zero is good; deep \
                 nesting is where lock orders get mixed up.",
            )
            .unit(unit::SHARE)
            .ask(format!("{} or vector(0)", share(&deep, &count)), ""),
    ]
}

fn waits(scope: &Scope, options: &Options) -> Vec<Draft> {
    let wait = scope.of(&REQUEST_WAIT_TIME);
    let duration = scope.named(names::REQUEST_DURATION);
    vec![
        panel(9, TimeSeries, "Wait and duration of requests")
            .tells_of(
                &[REQUEST_WAIT_TIME.prometheus_name(), names::REQUEST_DURATION.to_owned()],
                "How long requests waited for locks, beside how long they took. Far apart is good; \
                 where the lines meet, waiting is all there is. Points lead to traces.",
            )
            .empty("No requests")
            .unit(unit::SECONDS)
            .ask(wait.quantile(0.5, &[]), "wait p50")
            .ask(wait.quantile(0.95, &[]), "wait p95")
            .ask(wait.quantile(0.99, &[]), "wait p99")
            .ask(duration.quantile(0.99, &[]), "duration p99")
            .levels(&[(options.thresholds.pool_wait_seconds, ORANGE)])
            .exemplars(),
        panel(10, Heatmap, "Time waited per request")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "All requests by how long they waited. One band at the bottom is good; a second \
                 one is a group of requests behind one lock.",
            )
            .empty("No requests")
            .unit(unit::SECONDS)
            .ask(wait.buckets(), "{{le}}"),
    ]
}

fn by_lock(scope: &Scope) -> Vec<Draft> {
    let wait = scope.of(&REQUEST_WAIT_TIME);
    vec![
        panel(11, Stacked, "Waiting by costliest lock")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "Waiting seconds per second, each request under the lock that cost it most. Low is \
                 good; the largest colour is where to begin.",
            )
            .empty("No requests")
            .ask(wait.sum(&[LOCK_NAME]), "{{lock_name}}")
            .leads(&[Lock]),
        panel(12, Stacked, "Waiting by cause")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "The same by why the longest wait was long. Low is good; holder asks for shorter \
                 holds, permits for a larger pool, scheduler for a calmer runtime.",
            )
            .empty("No requests")
            .ask(wait.sum(&[BLOCKING_CAUSE]), "{{lock_blocking_cause}}"),
    ]
}

fn table(scope: &Scope) -> Draft {
    let wait = scope.of(&REQUEST_WAIT_TIME);
    let by = [LOCK_NAME, BLOCKING_CAUSE];
    panel(13, Table, "Costliest locks")
        .tells(
            &[&REQUEST_WAIT_TIME],
            "Each lock that was the costliest of some request, with its cause. A short list of \
             small numbers is good; begin with the first row.",
        )
        .empty("No requests")
        .ask(wait.sum(&by), "")
        .ask(wait.count(&by), "")
        .ask(known(&wait.quantile(0.99, &by)), "")
        .label(LOCK_NAME, "Lock")
        .label(BLOCKING_CAUSE, "Cause")
        .value("Tasks waiting, on average", unit::COUNT)
        .value("Requests", unit::REQUESTS)
        .value("Wait p99", unit::SECONDS)
}

fn twice(scope: &Scope) -> Vec<Draft> {
    vec![
        panel(25, TimeSeries, "Waiting by lock, exact")
            .tells(
                &[&BLOCKED_TIME],
                "Waiting seconds per second from the library, which counts every wait, also of \
                 tasks that are no requests. Low is good. Higher than beside it is usual: spans \
                 are sampled.",
            )
            .empty("Nobody waited")
            .ask(sum(&[LOCK_NAME], &scope.of(&BLOCKED_TIME).rate()), "{{lock_name}}")
            .leads(&[Lock]),
        panel(26, TimeSeries, "Waiting by lock, from spans")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "The same as far as spans tell: requests only, sampled ones only, all waits of a \
                 request under its costliest lock. Like the exact one is good; much lower says \
                 that traces miss the problem: sample more.",
            )
            .empty("No requests")
            .ask(scope.of(&REQUEST_WAIT_TIME).sum(&[LOCK_NAME]), "{{lock_name}}")
            .leads(&[Lock]),
    ]
}

fn waits_twice(scope: &Scope) -> Vec<Draft> {
    vec![
        panel(27, TimeSeries, "One wait p99, exact")
            .tells(
                &[&WAIT_DURATION],
                "99 of 100 single contended waits were at most this long, every wait counted. Low \
                 is good. Points lead to traces.",
            )
            .empty("Nobody waited")
            .unit(unit::SECONDS)
            .ask(scope.of(&WAIT_DURATION).quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .exemplars()
            .leads(&[Lock]),
        panel(28, TimeSeries, "Waits of one request p99, from spans")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "99 of 100 requests waited at most this long in all, those that did not wait \
                 included. Low is good; higher than the single waits beside it says that one \
                 request waits several times.",
            )
            .empty("No requests")
            .unit(unit::SECONDS)
            .ask(scope.of(&REQUEST_WAIT_TIME).quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .leads(&[Lock]),
    ]
}
