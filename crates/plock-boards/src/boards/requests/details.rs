//! The closed rows and the routes.

use plock_semconv::attributes::{LOCK_MODE, LOCK_NAME};
use plock_semconv::derived::{
    REQUEST_HOLD_TIME, REQUEST_NESTING_DEPTH, REQUEST_WAIT_TIME, SERVICE_NAME, SLOW_LOCK_DURATION,
};
use plock_semconv::spans::{BLOCKING_CAUSE, NESTING_MAX, PHASE, PHASE_WAIT};

use crate::grafana::kind::Kind::{Stacked, TimeSeries};
use crate::grafana::link::Leads::Lock;
use crate::grafana::panel::{Draft, panel, unit};
use crate::names;
use crate::query::{Scope, share, sum};

pub(super) fn holds(scope: &Scope) -> Vec<Draft> {
    let wait = scope.of(&REQUEST_WAIT_TIME);
    vec![
        panel(15, TimeSeries, "Hold per request p99")
            .tells(
                &[&REQUEST_HOLD_TIME],
                "99 of 100 requests held locks at most this long in all. Low is good; long holds \
                 are what others wait for.",
            )
            .empty("No requests")
            .unit(unit::SECONDS)
            .ask(scope.of(&REQUEST_HOLD_TIME).quantile(0.99, &[LOCK_NAME]), "{{lock_name}}")
            .leads(&[Lock]),
        panel(16, TimeSeries, "Deepest nesting p99")
            .tells(
                &[&REQUEST_NESTING_DEPTH],
                "Locks held at once by 99 of 100 requests at most. One is good; more need one \
                 order that everybody keeps.",
            )
            .empty("No requests")
            .ask(
                scope.of(&REQUEST_NESTING_DEPTH).quantile(0.99, &[SERVICE_NAME]),
                "{{service_name}}",
            ),
        panel(17, TimeSeries, "Wait by nesting")
            .tells(
                &[&REQUEST_WAIT_TIME],
                "Mean wait of a request by how many locks it held at once. Equal is good; more \
                 wait with more locks says that holds are long because they wait in turn.",
            )
            .empty("No requests")
            .unit(unit::SECONDS)
            .ask(
                share(&wait.sum(&[NESTING_MAX]), &wait.count(&[NESTING_MAX])),
                "{{lock_nesting_max}}",
            ),
    ]
}

pub(super) fn slow(scope: &Scope) -> Vec<Draft> {
    let slow = scope.of(&SLOW_LOCK_DURATION);
    let by = [LOCK_NAME, PHASE];
    let waits = slow.is(PHASE, PHASE_WAIT).sum(&[BLOCKING_CAUSE, LOCK_MODE]);
    vec![
        panel(19, TimeSeries, "Slow waits and holds by lock")
            .tells(
                &[&SLOW_LOCK_DURATION],
                "Waits and holds so long that they became spans of their own. None is good; each \
                 is a trace to open.",
            )
            .empty("No slow waits or holds")
            .unit(unit::EVENTS)
            .ask(slow.count(&by), "{{lock_name}} {{lock_phase}}")
            .leads(&[Lock]),
        panel(20, TimeSeries, "Duration of slow waits and holds p99")
            .tells(
                &[&SLOW_LOCK_DURATION],
                "How long those were. None is good; waits as long as holds of the same lock name \
                 the hold to shorten.",
            )
            .empty("No slow waits or holds")
            .unit(unit::SECONDS)
            .ask(slow.quantile(0.99, &by), "{{lock_name}} {{lock_phase}}")
            .leads(&[Lock]),
        panel(21, Stacked, "Slow time by cause and mode")
            .tells(
                &[&SLOW_LOCK_DURATION],
                "Slow waiting by why and how the lock was wanted. None is good; writer_pending \
                 with shared are readers behind a writer that waits itself.",
            )
            .empty("No slow waits")
            .ask(waits, "{{lock_blocking_cause}} {{lock_mode}}"),
    ]
}

pub(super) fn routes(scope: &Scope) -> Vec<Draft> {
    vec![
        panel(23, TimeSeries, "Duration p99 by route")
            .tells_of(
                &[names::REQUEST_DURATION.to_owned()],
                "99 of 100 requests of each route took at most this long. Flat is good; a step \
                 with a step of waiting above it is lock time. Points lead to traces.",
            )
            .empty("No requests")
            .unit(unit::SECONDS)
            .ask(
                scope.named(names::REQUEST_DURATION).quantile(0.99, &[names::SPAN_NAME]),
                "{{span_name}}",
            )
            .exemplars(),
        panel(24, TimeSeries, "Requests by route")
            .tells_of(
                &[names::REQUESTS.to_owned()],
                "Requests per second of each route. Neither good nor bad: compare a jump here with \
                 one of waiting. Load that comes with waiting is a lock that does not scale.",
            )
            .empty("No requests")
            .unit(unit::REQUESTS)
            .ask(sum(&[names::SPAN_NAME], &scope.named(names::REQUESTS).rate()), "{{span_name}}"),
    ]
}
