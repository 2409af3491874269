//! Metrics that a collector derives from plock's spans. They have names of their own because they
//! follow trace sampling; the direct [`metrics`](crate::metrics) are the authority.

use crate::attributes::LOCK_NAME;
use crate::metrics::plock;
use crate::spans::{BLOCKING_CAUSE, NESTING_MAX};
use crate::{Instrument, InstrumentKind};

/// The service a span belongs to, an OpenTelemetry convention.
pub const SERVICE_NAME: &str = "service.name";

/// Labels of every span-derived metric. The collector fills `lock.name` from the span's
/// [`WORST_NAME`](crate::spans::WORST_NAME) where the span is a scope's.
pub const LABELS: &[&str] = &[LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME];

const fn derived(
    name: &'static str,
    unit: &'static str,
    kind: InstrumentKind,
    help: &'static str,
) -> Instrument {
    Instrument { name, unit, help, kind, attributes: LABELS, transient: false }
}

/// Time one request waited for locks.
pub const REQUEST_WAIT_TIME: Instrument = derived(
    plock!("request.wait.time"),
    "s",
    InstrumentKind::Histogram,
    "Time one request waited for locks",
);
/// Time one request held locks.
pub const REQUEST_HOLD_TIME: Instrument = derived(
    plock!("request.hold.time"),
    "s",
    InstrumentKind::Histogram,
    "Time one request held locks",
);
/// Deepest nesting of locks in one request.
pub const REQUEST_NESTING_DEPTH: Instrument = derived(
    plock!("request.nesting.depth"),
    "{lock}",
    InstrumentKind::Histogram,
    "Deepest nesting of locks in one request",
);
/// Locks acquired by requests.
pub const REQUEST_ACQUISITIONS: Instrument = derived(
    plock!("request.acquisitions"),
    "{acquisition}",
    InstrumentKind::Counter,
    "Locks acquired by requests",
);
/// Duration of the slow waits and holds that became child spans.
pub const SLOW_LOCK_DURATION: Instrument = derived(
    plock!("slow_lock.duration"),
    "s",
    InstrumentKind::Histogram,
    "Duration of the slow waits and holds that became child spans",
);

/// Every instrument of this module.
pub const ALL: &[&Instrument] = &[
    &REQUEST_WAIT_TIME,
    &REQUEST_HOLD_TIME,
    &REQUEST_NESTING_DEPTH,
    &REQUEST_ACQUISITIONS,
    &SLOW_LOCK_DURATION,
];
