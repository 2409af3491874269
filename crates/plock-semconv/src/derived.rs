//! Metrics that a collector derives from plock's spans. They have names of their own because they
//! follow trace sampling; the direct [`metrics`](crate::metrics) are the authority.

use crate::attributes::{LOCK_MODE, LOCK_NAME};
use crate::metrics::plock;
use crate::spans::{BLOCKING_CAUSE, NESTING_MAX, PHASE};
use crate::{Instrument, InstrumentKind};

/// The service a span belongs to, an OpenTelemetry convention.
pub const SERVICE_NAME: &str = "service.name";

/// Labels of the metrics about requests. The collector fills `lock.name` from the span's
/// [`WORST_NAME`](crate::spans::WORST_NAME) where the span is a scope's.
pub const REQUEST_LABELS: &[&str] = &[LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME];
/// Labels of [`SLOW_LOCK_DURATION`].
pub const SLOW_LOCK_LABELS: &[&str] =
    &[LOCK_NAME, BLOCKING_CAUSE, NESTING_MAX, SERVICE_NAME, LOCK_MODE, PHASE];

/// Declares the instruments and the list of them all, in table order.
macro_rules! derived {
    ($($ident:ident = $kind:ident $name:literal $unit:literal $labels:ident $help:literal;)+) => {
        $(
            #[doc = concat!("`plock.", $name, "`: ", $help, ".")]
            pub const $ident: Instrument = Instrument {
                name: plock!($name),
                unit: $unit,
                help: $help,
                kind: InstrumentKind::$kind,
                attributes: $labels,
                transient: false,
            };
        )+
        /// Every instrument of this module, in table order.
        pub const ALL: &[&Instrument] = &[$(&$ident),+];
    };
}

derived! {
    REQUEST_WAIT_TIME = Histogram "request.wait.time" "s" REQUEST_LABELS
        "Time one request waited for locks";
    REQUEST_HOLD_TIME = Histogram "request.hold.time" "s" REQUEST_LABELS
        "Time one request held locks";
    REQUEST_NESTING_DEPTH = Histogram "request.nesting.depth" "{lock}" REQUEST_LABELS
        "Deepest nesting of locks in one request";
    REQUEST_ACQUISITIONS = Counter "request.acquisitions" "{acquisition}" REQUEST_LABELS
        "Locks acquired by requests";
    SLOW_LOCK_DURATION = Histogram "slow_lock.duration" "s" SLOW_LOCK_LABELS
        "Duration of the slow waits and holds that became child spans";
}
