//! Metrics that a collector derives from plock's spans. They have names of their own because they
//! follow trace sampling; the direct [`metrics`](crate::metrics) are the authority.

use crate::attributes::{LOCK_MODE, LOCK_NAME};
use crate::metrics::{instruments, plock};
use crate::spans::{BLOCKING_CAUSE, NESTING_MAX, PHASE};
use crate::{Instrument, InstrumentKind};

/// The service a span belongs to, an OpenTelemetry convention.
pub const SERVICE_NAME: &str = "service.name";

// The collector fills `lock.name` from the span's `lock.worst.name` where the span is a scope's.
instruments! {
    REQUEST_WAIT_TIME = Histogram "request.wait.time" "s"
        [LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME]
        "Time one request waited for locks";
    REQUEST_HOLD_TIME = Histogram "request.hold.time" "s"
        [LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME]
        "Time one request held locks";
    REQUEST_NESTING_DEPTH = Histogram "request.nesting.depth" "{lock}"
        [LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME]
        "Deepest nesting of locks in one request";
    REQUEST_ACQUISITIONS = Counter "request.acquisitions" "{acquisition}"
        [LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME]
        "Locks acquired by requests";
    SLOW_LOCK_DURATION = Histogram "slow_lock.duration" "s"
        [LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME, LOCK_MODE, PHASE]
        "Duration of the slow waits and holds that became child spans";
}
