//! Tasks that wait for each other: whoever does is idle for a `channel`.

use crate::waiting_on;
use ::tokio::sync::{Barrier as Bare, BarrierWaitResult};
use plock_core::Idle;
use std::fmt;

/// A place where so many tasks wait until all of them are there. It has the complete interface of
/// [`tokio::sync::Barrier`](Bare) and its behaviour.
///
/// # Overhead
/// One allocation per wait, inside a scope.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let barrier = plock::tokio::sync::Barrier::new(2);
/// let (first, second) = tokio::join!(
///     plock::scope("doc_first", barrier.wait()),
///     plock::scope("doc_second", barrier.wait()),
/// );
/// assert!(first.is_leader() != second.is_leader());
///
/// let snapshot = plock::snapshot();
/// let first = snapshot.scope("doc_first").unwrap();
/// assert!(first.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
pub struct Barrier {
    inner: Bare,
}

impl Barrier {
    /// For `n` tasks; 0 is as 1.
    #[track_caller]
    pub fn new(n: usize) -> Self {
        Self { inner: Bare::new(n) }
    }

    /// Waits until `n` tasks do so. One of them is told to be the leader.
    ///
    /// # Cancel safety
    /// None: one that has been polled counts as being there.
    pub async fn wait(&self) -> BarrierWaitResult {
        waiting_on(Idle::Channel, self.inner.wait()).await
    }
}

impl fmt::Debug for Barrier {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
