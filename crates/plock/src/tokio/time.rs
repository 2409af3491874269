//! Drop-in `tokio::time`: whoever waits for a timer is idle for a `timer`. What does not wait is tokio's
//! own.
//!
//! | type | idle time of a scope |
//! |---|---|
//! | [`Sleep`], [`Interval`] | `timer` |
//! | [`Timeout`] | what the future inside waits for; `timer` if its time is up first |

mod interval;
mod timeout;

pub use interval::{Interval, interval, interval_at};
pub use timeout::{Timeout, timeout, timeout_at};

// What is named here shadows its counterpart in there.
pub use ::tokio::time::*;

use ::tokio::time as bare;
use pin_project::pin_project;
use plock_core::{Idle, Leaf};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A moment that is waited for. It has the complete interface of [`tokio::time::Sleep`](bare::Sleep) and
/// its behaviour.
///
/// # Cancel safety
/// Nothing is lost if it is dropped.
///
/// # Overhead
/// One allocation at the first poll inside a scope.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use plock::tokio::time::{Duration, sleep};
///
/// plock::scope("doc_sleeping", sleep(Duration::from_millis(20))).await;
///
/// let snapshot = plock::snapshot();
/// let sleeping = snapshot.scope("doc_sleeping").unwrap();
/// assert!(sleeping.idle_ns[plock::Idle::Timer as usize] >= 1_000_000);
/// # }
/// ```
#[pin_project]
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    leaf: Leaf,
    #[pin]
    inner: bare::Sleep,
}

/// Waits for so long.
///
/// # Panics
/// Outside a tokio runtime with a timer, at the caller's location.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    bare::sleep(duration).into()
}

/// Waits for a moment.
///
/// # Panics
/// Outside a tokio runtime with a timer, at the caller's location.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    bare::sleep_until(deadline).into()
}

impl Sleep {
    /// The moment.
    pub fn deadline(&self) -> Instant {
        self.inner.deadline()
    }

    /// Whether it is over, as of the last poll.
    pub fn is_elapsed(&self) -> bool {
        self.inner.is_elapsed()
    }

    /// Waits for another moment from here on.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().inner.reset(deadline);
    }
}

impl From<bare::Sleep> for Sleep {
    fn from(inner: bare::Sleep) -> Self {
        Self { leaf: Leaf::new(Idle::Timer), inner }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.leaf.poll(cx, |cx| this.inner.poll(cx))
    }
}
