//! A timer that goes on.

use super::{Duration, Instant, MissedTickBehavior};
use crate::tokio::sync::forward::forward;
use ::tokio::time as bare;
use plock_core::{Idle, Leaf};
use std::future::poll_fn;
use std::task::{Context, Poll};

/// Moments at equal distances. It has the complete interface of [`tokio::time::Interval`](bare::Interval)
/// and its behaviour.
///
/// # Overhead
/// One allocation at the first poll inside a scope, none for a tick.
#[derive(Debug)]
pub struct Interval {
    inner: bare::Interval,
    leaf: Leaf,
}

/// The first moment is now.
///
/// # Panics
/// If `period` is 0, or outside a tokio runtime with a timer; at the caller's location.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use plock::tokio::time::{Duration, interval};
///
/// let mut ticks = interval(Duration::from_millis(2));
/// ticks.tick().await;
/// plock::scope("doc_ticking", ticks.tick()).await;
///
/// let snapshot = plock::snapshot();
/// assert!(snapshot.scope("doc_ticking").unwrap().idle_ns[plock::Idle::Timer as usize] > 0);
/// # }
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    Interval { inner: bare::interval(period), leaf: Leaf::new(Idle::Timer) }
}

/// The first moment is `start`.
///
/// # Panics
/// As [`interval`].
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    Interval { inner: bare::interval_at(start, period), leaf: Leaf::new(Idle::Timer) }
}

impl Interval {
    /// Waits for the next moment.
    ///
    /// # Cancel safety
    /// No moment is lost if the future is dropped.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next moment.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let Self { inner, leaf } = self;
        leaf.poll(cx, |cx| inner.poll_tick(cx))
    }

    forward! {
        /// The next moment is a period from now.
        pub fn reset(&mut self);
        /// The next moment is now.
        pub fn reset_immediately(&mut self);
        /// The next moment is so long from now.
        pub fn reset_after(&mut self, after: Duration);
        /// The next moment is this one.
        pub fn reset_at(&mut self, deadline: Instant);
        /// What becomes of moments that nobody waited for.
        pub fn missed_tick_behavior(&self) -> MissedTickBehavior;
        /// Decides what becomes of moments that nobody waited for.
        pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior);
        /// The distance of two moments.
        pub fn period(&self) -> Duration;
    }
}
