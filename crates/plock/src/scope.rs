//! Wrapper futures: a scope owns what its future acquires and tells where its time goes.

use crate::runtime::Tasks;
use pin_project::{pin_project, pinned_drop};
use plock_core::{Scope, ScopeName};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future inside a scope; made by [`scope`], [`PlockExt::plock_scope`] or [`crate::spawn`].
///
/// # Cancel safety
/// Dropping it drops the wrapped future inside the scope: its pending acquisitions are accounted as
/// abandoned, its guards as released by this scope, the scope as cancelled.
#[pin_project(PinnedDrop)]
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Scoped<F> {
    scope: Scope,
    /// `None` once it has returned: it is dropped inside the scope.
    #[pin]
    future: Option<F>,
}

/// Runs `future` as a scope with this name: what it acquires is owned by the scope, nests by scope
/// and shows on the span that is current while it is polled.
///
/// A scope first polled inside another one is a branch of it: guards of the enclosing scope count
/// for its nesting depth, guards of sibling branches do not. Wrap the branches of a `join!` or
/// `select!` that take locks, and the root of every task ([`crate::spawn`] does that): guards that
/// a task obtained outside any scope do not count for the scopes inside it.
///
/// # Telemetry
/// Busy time, scheduling delay and idle time by kind; at its end the totals of its acquisitions are
/// written onto the span, the eight longest waits and holds over the threshold become child spans.
///
/// # Overhead
/// Two clock reads per poll. Allocates nothing, but for owners when there have never been so many.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let stock = plock::tokio::sync::Mutex::named("stock", 3);
/// plock::scope("refill", async { *stock.lock().await += 1 }).await;
/// let refill = plock::snapshot();
/// assert_eq!(refill.scope("refill").unwrap().finished, 1);
/// # }
/// ```
pub fn scope<F: Future>(name: impl AsRef<str>, future: F) -> Scoped<F> {
    Scoped::new(Scope::branch(ScopeName::new(name.as_ref())), future)
}

/// Adds [`plock_scope`](Self::plock_scope) to every future.
pub trait PlockExt: Future + Sized {
    /// Runs this future as a scope; see [`scope`].
    fn plock_scope(self, name: impl AsRef<str>) -> Scoped<Self> {
        scope(name, self)
    }
}

impl<F: Future> PlockExt for F {}

impl<F> Scoped<F> {
    pub(crate) fn new(scope: Scope, future: F) -> Self {
        Self { scope, future: Some(future) }
    }
}

impl<F> Scoped<F> {
    /// Ends the scope now if it has not returned: the wrapped future is dropped inside it.
    pub(crate) fn cancel(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.scope.end::<Tasks>(false, || this.future.set(None));
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { polled_after_ready() };
        let poll = this.scope.poll::<Tasks, _>(future, cx);
        if poll.is_ready() {
            this.scope.end::<Tasks>(true, || this.future.set(None));
        }
        poll
    }
}

#[pinned_drop]
impl<F> PinnedDrop for Scoped<F> {
    fn drop(self: Pin<&mut Self>) {
        self.cancel();
    }
}

#[cold]
#[expect(
    clippy::panic,
    reason = "the contract of `Future::poll` is broken; any `async fn` does the same"
)]
fn polled_after_ready() -> ! {
    panic!("`Scoped` polled after completion")
}
