//! A future and a timer: whichever comes first.

use super::{Duration, Instant, error::Elapsed};
use ::tokio::task::coop;
use ::tokio::time as bare;
use pin_project::pin_project;
use plock_core::{Idle, Leaf};
use std::future::{Future, IntoFuture, Pending, pending};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// A future that has so much time. It has the complete interface of [`tokio::time::Timeout`](bare::Timeout)
/// and its behaviour.
///
/// # Cancel safety
/// That of the future inside.
///
/// # Overhead
/// One allocation at the first poll inside a scope.
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Timeout<T> {
    #[pin]
    value: T,
    leaf: Leaf,
    /// Never returns but when the time is up.
    #[pin]
    delay: bare::Timeout<Pending<()>>,
}

/// Gives a future so much time.
///
/// # Panics
/// Outside a tokio runtime with a timer, at the caller's location.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use plock::tokio::time::{Duration, timeout};
///
/// let late = timeout(Duration::from_millis(2), std::future::pending::<()>());
/// assert!(plock::scope("doc_late", late).await.is_err());
///
/// let snapshot = plock::snapshot();
/// assert!(snapshot.scope("doc_late").unwrap().idle_ns[plock::Idle::Timer as usize] >= 1_000_000);
/// # }
/// ```
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    let value = future.into_future();
    Timeout { value, leaf: Leaf::new(Idle::Timer), delay: bare::timeout(duration, pending()) }
}

/// Gives a future time up to a moment.
///
/// # Panics
/// Outside a tokio runtime with a timer, at the caller's location.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    let value = future.into_future();
    Timeout { value, leaf: Leaf::new(Idle::Timer), delay: bare::timeout_at(deadline, pending()) }
}

impl<T> Timeout<T> {
    /// The future inside.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future inside.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The future inside, without a limit.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(value) = this.value.poll(cx) {
            return Poll::Ready(Ok(value));
        }
        // A future that uses up the task's budget must not keep its own limit from being looked at.
        let used_up = had_budget && !coop::has_budget_remaining();
        let delay = this.delay;
        let polled = this.leaf.poll(cx, |cx| {
            if used_up { pin!(coop::unconstrained(delay)).poll(cx) } else { delay.poll(cx) }
        });
        match polled {
            Poll::Ready(Err(elapsed)) => Poll::Ready(Err(elapsed)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }
}
