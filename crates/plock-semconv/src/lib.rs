//! The one table of plock's telemetry names, and a [`Snapshot`](plock_core::Snapshot) read out
//! under these names.
//!
//! Everything that puts plock's figures on a wire, into a dashboard or into a rule takes the
//! spelling from here, so that the OTLP path and the scrape path give the same series, labels and
//! values, and a rename is a compile error instead of an empty panel.
//!
//! | part | what it holds |
//! |---|---|
//! | [`metrics`] | one [`Instrument`] per metric that plock records itself, and [`metrics::ALL`] |
//! | [`attributes`] | keys of metric labels, with one prefix constant per namespace |
//! | [`spans`] | span attributes, the child spans of slow waits and holds, the link role |
//! | [`derived`] | metrics that a collector derives from those spans |
//! | [`families()`] | a snapshot as families of points: what every exporter encodes |
//! | [`protobuf`] | how messages are written: OTLP and one format of a scrape are protobuf |
//!
//! # Names
//! OpenTelemetry names are dotted and carry no unit. [`Instrument::prometheus_name`] follows the
//! OTLP translation of Prometheus (`UnderscoreEscapingWithSuffixes`): the unit and `_total` become
//! suffixes.
//!
//! ```
//! use plock_semconv::{attributes, label_name, metrics};
//!
//! assert_eq!(metrics::WAIT_DURATION.name, "plock.wait.duration");
//! assert_eq!(metrics::WAIT_DURATION.unit, "s");
//! assert_eq!(metrics::WAIT_DURATION.prometheus_name(), "plock_wait_duration_seconds");
//! assert_eq!(metrics::ACQUISITIONS.prometheus_name(), "plock_acquisitions_total");
//! assert_eq!(label_name(attributes::LOCK_NAME), "lock_name");
//! ```
//!
//! # What exists from the start
//! A counter or histogram that appears with its first event loses that event to `rate`. Therefore
//! every registered lock has all its acquisition outcomes, its hold, suspension and nesting series
//! and the gauges from registration on, with value 0, and every drop reason exists always. Waits
//! are split by cause, and a classic histogram is 18 series, so only the causes a lock is expected
//! to have are there from the start ([`expected_causes`]); any other cause appears when it first
//! occurs and then stays. Blame counters (`plock.blocked`, `plock.blocked.time`) name a pair of
//! sites nobody knows beforehand: they begin with the pair's first wait.

pub mod attributes;
pub mod derived;
mod family;
mod instrument;
pub mod metrics;
pub mod protobuf;
mod readout;
pub mod spans;

pub use family::{DepthHistogram, Family, Point, Value};
pub use instrument::{Instrument, InstrumentKind, label_name};
pub use readout::{expected_causes, families};
