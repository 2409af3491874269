//! Drop-in `tokio::task`: whoever waits for a task to end is idle for a `channel`. Everything that does
//! not wait is tokio's own.
//!
//! tokio's other ways to spawn (a runtime's handle, a `LocalSet`) return tokio's handle, which becomes one
//! of these by `From`.

mod join_set;

pub use join_set::JoinSet;

// What is named here shadows its counterpart in there.
pub use ::tokio::task::*;

use crate::tokio::sync::forward::{formatted_as_inner, forward};
use ::tokio::task as bare;
use plock_core::{Idle, Leaf};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A task's end, and what it returned. It has the complete interface of
/// [`tokio::task::JoinHandle`](bare::JoinHandle) and its behaviour.
///
/// # Cancel safety
/// The task goes on if this is dropped.
///
/// # Overhead
/// One allocation at the first poll before the task has ended, inside a scope.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let job = plock::tokio::task::spawn(async { 42 });
/// assert_eq!(plock::scope("doc_joining", job).await.unwrap(), 42);
///
/// let snapshot = plock::snapshot();
/// let joining = snapshot.scope("doc_joining").unwrap();
/// assert!(joining.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
pub struct JoinHandle<T> {
    inner: bare::JoinHandle<T>,
    leaf: Leaf,
}

/// As tokio's; [`plock::spawn`](crate::spawn()) makes the task a scope as well.
///
/// # Panics
/// Outside a tokio runtime, at the caller's location.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    bare::spawn(future).into()
}

/// As [`tokio::task::spawn_blocking`](bare::spawn_blocking).
///
/// # Panics
/// Outside a tokio runtime, at the caller's location.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    bare::spawn_blocking(f).into()
}

/// As [`tokio::task::spawn_local`](bare::spawn_local).
///
/// # Panics
/// Outside a [`LocalSet`] or a local runtime, at the caller's location.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    bare::spawn_local(future).into()
}

impl<T> JoinHandle<T> {
    forward! {
        /// Ends the task at its next await point.
        pub fn abort(&self);
        /// Whether the task has ended.
        pub fn is_finished(&self) -> bool;
        /// A handle that can only abort the task.
        #[must_use = "abort handles do nothing unless `.abort` is called"]
        pub fn abort_handle(&self) -> AbortHandle;
        /// The task's id.
        pub fn id(&self) -> Id;
    }
}

impl<T> From<bare::JoinHandle<T>> for JoinHandle<T> {
    fn from(inner: bare::JoinHandle<T>) -> Self {
        Self { inner, leaf: Leaf::new(Idle::Channel) }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { inner, leaf } = self.get_mut();
        if inner.is_finished() {
            return Pin::new(inner).poll(cx); // nobody needs to be woken
        }
        leaf.poll(cx, |cx| Pin::new(inner).poll(cx))
    }
}

formatted_as_inner!(JoinHandle<T> where T: std::fmt::Debug);
