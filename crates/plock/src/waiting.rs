//! A name for what a future waits for.

use pin_project::pin_project;
use plock_core::{Idle, Leaf};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
#[cfg(all(feature = "tokio", not(feature = "off")))]
use std::{future::poll_fn, pin::pin};

/// A future whose waits have a name; made by [`waiting_on`].
///
/// # Cancel safety
/// That of the wrapped future: dropping it drops the wrapped one.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct WaitingOn<F> {
    leaf: Leaf,
    #[pin]
    future: F,
}

/// Says what `future` waits for: a timer, a socket, the answer to a call. While the scope around it
/// is idle until this future is woken, its idle time is that of `kind`, a value of [`Idle`] or its
/// spelling; any other word counts as [`Idle::Other`].
///
/// Locks, permits and channels of plock say so themselves, inside this future as well: the innermost
/// counts. What woke the scope first is what it waited for, so the branches of a `select!` or `join!`
/// are told apart. Outside any scope nothing happens.
///
/// # Telemetry
/// `plock.task.idle.time` of the scope, by `task.idle`. The kinds together are all of the scope's idle
/// time, to the nanosecond.
///
/// # Overhead
/// One allocation at the first poll inside a scope.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
///
/// let nap = tokio::time::sleep(Duration::from_millis(20));
/// plock::scope("doc_nap", plock::waiting_on("timer", nap)).await;
///
/// let snapshot = plock::snapshot();
/// let nap = snapshot.scope("doc_nap").unwrap();
/// assert!(nap.idle_ns[plock::Idle::Timer as usize] >= 1_000_000);
/// assert_eq!(nap.idle_ns[plock::Idle::Other as usize], 0);
/// # }
/// ```
pub fn waiting_on<F: Future>(kind: impl Into<Idle>, future: F) -> WaitingOn<F> {
    WaitingOn { leaf: Leaf::new(kind.into()), future }
}

/// Waits for `future` on behalf of what has `leaf` for all its waits.
#[cfg(all(feature = "tokio", not(feature = "off")))]
pub(crate) async fn wait<F: Future>(leaf: &mut Leaf, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| leaf.poll(cx, |cx| future.as_mut().poll(cx))).await
}

impl<F: Future> Future for WaitingOn<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.leaf.poll(cx, |cx| this.future.poll(cx))
    }
}
