//! plock says who holds which lock of a tokio service, since when, doing what, and whom it cost how
//! much: always on, in production.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use plock::tokio::sync::Mutex; // was: tokio::sync::Mutex
//!
//! let stock = Mutex::named("stock", 3);
//! plock::scope("order", async { *stock.lock().await -= 1 }).await;
//!
//! let snapshot = plock::snapshot();
//! let stock = snapshot.lock("stock", plock::Mode::Exclusive).unwrap();
//! assert_eq!(stock.outcome(plock::Outcome::Acquired), 1);
//! assert_eq!(stock.contentions(), 0);
//! # }
//! ```
//!
//! # Parts
//! | part | for | feature |
//! |---|---|---|
//! | [`tokio::sync`] | drop-in locks and channels: change the import | `tokio` (default) |
//! | [`tokio::task`], [`tokio::time`] | drop-in joins and timers, so that idle time has a name | `tokio` (default) |
//! | [`std::sync`] | the same for locks that block a thread | always |
//! | `parking_lot` | the same for parking_lot's | `parking_lot` |
//! | [`scope()`], [`PlockExt`], [`spawn()`] | whose locks they are: requests, jobs, branches | `tokio` (default) |
//! | [`waiting_on()`] | what else a task waits for: timers, sockets, calls | always |
//! | [`pool`] | connections: who uses them, how long it takes to get one | `sqlx`, `deadpool`, `bb8` |
//! | `tower::PlockLayer` | one scope per request | `tower`, `axum` |
//! | `otel::init` | spans and OTLP metrics, one call | `otel`, `otel-grpc` |
//! | `prometheus` | scrape endpoint | `prometheus` |
//! | [`snapshot()`] | the figures, in process | always; `serde` for JSON |
//! | the same source without plock | re-exports of the wrapped libraries' own types | `off` |
//!
//! # What is measured
//! An acquisition that finds the lock free has no wait. One that does not is *contended*: its wait
//! lasts from the failed try to the guard, and is split at the moment the lock was handed over to it
//! (*grant*) into queue time and claim delay. A hold lasts from the guard to its release. Times are
//! integer nanoseconds; parts sum to the whole. The *nesting depth* of an acquisition counts the
//! guards alive on the path of scopes it happens in, itself included.
//!
//! # Cost and harm
//! An uncontended acquisition takes two clock reads, allocates nothing and takes no lock of plock's.
//! Fairness, wake order, cancellation and poisoning are those of the wrapped library. plock never panics on its own account; what a
//! cap swallows is counted in [`Snapshot::dropped`]. [`set_enabled`] switches recording at run time, [`set_clock`] trades
//! precision for those clock reads.

#[cfg(feature = "otel")]
pub use plock_otel as otel;
#[cfg(feature = "prometheus")]
pub use plock_prometheus as prometheus;

#[cfg(not(feature = "off"))]
mod blocking;
mod const_named;
#[cfg(all(feature = "parking_lot", not(feature = "off")))]
pub mod parking_lot;
#[cfg(all(feature = "parking_lot", feature = "off"))]
#[path = "parking_lot/off.rs"]
pub mod parking_lot;
pub mod pool;
mod runtime;
mod scope;
#[cfg(feature = "tokio")]
mod spawn;
pub mod std;
#[cfg(feature = "tokio")]
pub mod tokio;
#[cfg(feature = "tower")]
pub mod tower;
mod waiting;

#[cfg(feature = "test-clock")]
#[doc(hidden)]
pub use plock_core::inspect;
#[cfg(feature = "test-clock")]
pub use plock_core::manual;
pub use plock_core::{
    BlockCause, Cause, ClaimDelay, Clock, Detail, Dropped, Edge, EndCause, Exemplar, Finding,
    FindingKind, Histogram, HoldEnd, Idle, Kind, LockSeries, Mode, Open, OpenEdge, Outcome,
    PoolSeries, Precision, ScopeEnd, ScopeName, ScopeObserver, ScopeReport, ScopeSeries, Snapshot,
    SpanRef, WaitDetail, Worst, calibrate, is_enabled, set_clock, set_enabled, set_observer,
    set_slow_threshold, slow_threshold,
};
pub use scope::{PlockExt, Scoped, scope};
#[cfg(feature = "tokio")]
pub use spawn::{root, spawn};
pub use waiting::{WaitingOn, waiting_on};

/// The present state of every figure.
///
/// Takes time in proportion to lock classes, threads and live scopes; recorders do not wait for it.
#[must_use]
pub fn snapshot() -> Snapshot {
    plock_core::snapshot(false)
}
