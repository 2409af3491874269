//! A set of tasks.

use super::{AbortHandle, Id, JoinError, LocalSet};
use crate::tokio::sync::forward::{formatted_as_inner, forward};
use crate::waiting_on;
use ::tokio::runtime::Handle;
use ::tokio::task as bare;
use plock_core::{Idle, Leaf};
use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

/// Tasks that are waited for in the order they end, and aborted when it is dropped. It has the complete
/// interface of [`tokio::task::JoinSet`](bare::JoinSet) and its behaviour.
///
/// # Overhead
/// One allocation at the first poll inside a scope, none for a task.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut jobs = plock::tokio::task::JoinSet::new();
/// jobs.spawn(async { 42 });
/// let answer = plock::scope("doc_joining_next", jobs.join_next()).await;
/// assert_eq!(answer.unwrap().unwrap(), 42);
///
/// let snapshot = plock::snapshot();
/// let joining = snapshot.scope("doc_joining_next").unwrap();
/// assert!(joining.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
pub struct JoinSet<T> {
    inner: bare::JoinSet<T>,
    leaf: Leaf,
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self { inner: bare::JoinSet::new(), leaf: Leaf::new(Idle::Channel) }
    }

    forward! {
        /// How many tasks have not been waited for.
        pub fn len(&self) -> usize;
        /// Whether all tasks have been waited for.
        pub fn is_empty(&self) -> bool;
    }
}

/// What tasks it is made of.
impl<T: 'static> JoinSet<T> {
    /// Spawns a task.
    ///
    /// # Panics
    /// Outside a tokio runtime, at the caller's location.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.inner.spawn(task)
    }

    /// Spawns a task on another runtime.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.inner.spawn_on(task, handle)
    }

    /// Spawns a task on the present [`LocalSet`].
    ///
    /// # Panics
    /// Outside a [`LocalSet`] or a local runtime, at the caller's location.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.inner.spawn_local(task)
    }

    /// Spawns a task on another [`LocalSet`].
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.inner.spawn_local_on(task, local_set)
    }

    /// Runs blocking code on a thread for that.
    ///
    /// # Panics
    /// Outside a tokio runtime, at the caller's location.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.inner.spawn_blocking(f)
    }

    /// Runs blocking code on a thread of another runtime.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.inner.spawn_blocking_on(f, handle)
    }
}

/// How they end.
impl<T: 'static> JoinSet<T> {
    forward! {
        /// What the next task that has ended returned, if one has.
        pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>>;
        /// As [`try_join_next`](Self::try_join_next), with the id of the task.
        pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>>;
        /// Ends all tasks at their next await points; they have still to be waited for.
        pub fn abort_all(&mut self);
        /// Lets all tasks go on by themselves.
        pub fn detach_all(&mut self);
    }

    /// Waits for the next task to end; `None` if there is none.
    ///
    /// # Cancel safety
    /// No task is lost if the future is dropped.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), with the id of the task.
    ///
    /// # Cancel safety
    /// As for [`join_next`](Self::join_next).
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Polls for the next task to end.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let Self { inner, leaf } = self;
        leaf.poll(cx, |cx| inner.poll_join_next(cx))
    }

    /// As [`poll_join_next`](Self::poll_join_next), with the id of the task.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let Self { inner, leaf } = self;
        leaf.poll(cx, |cx| inner.poll_join_next_with_id(cx))
    }

    /// Aborts all tasks and waits until they have ended.
    ///
    /// # Cancel safety
    /// The tasks stay aborted if the future is dropped.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks, and returns what they did in the order they ended.
    ///
    /// # Cancel safety
    /// None: if the future is dropped, the tasks are aborted and what they returned is lost.
    ///
    /// # Panics
    /// If one of them did, with the same payload, or was aborted.
    pub async fn join_all(self) -> Vec<T> {
        waiting_on(Idle::Channel, self.inner.join_all()).await
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        self.inner.extend(iter);
    }
}

formatted_as_inner!(JoinSet<T>);
