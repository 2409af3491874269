//! A value that is watched. Changing it waits for no task; whoever waits for a change is idle for a
//! `channel`.

use super::forward::{formatted_as_inner, forward};
use crate::waiting::wait;
use crate::waiting_on;
use ::tokio::sync::watch as bare;
use ::tokio::sync::watch::error::{RecvError, SendError};
use plock_core::{Idle, Leaf};

pub use ::tokio::sync::watch::{Ref, error};

/// Makes a channel with a first value.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (level, mut watched) = plock::tokio::sync::watch::channel(1);
/// tokio::spawn(async move { level.send(2) });
/// plock::scope("doc_watching", watched.changed()).await.unwrap();
/// assert_eq!(*watched.borrow(), 2);
///
/// let snapshot = plock::snapshot();
/// let watching = snapshot.scope("doc_watching").unwrap();
/// assert!(watching.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bare::channel(init);
    (Sender { inner: sender }, Receiver::new(receiver))
}

/// Changes the value. It has the complete interface of [`tokio::sync::watch::Sender`](bare::Sender) and
/// its behaviour.
pub struct Sender<T> {
    inner: bare::Sender<T>,
}

/// Watches the value. It has the complete interface of [`tokio::sync::watch::Receiver`](bare::Receiver)
/// and its behaviour.
///
/// # Overhead
/// One allocation at the first poll inside a scope, none for a change.
pub struct Receiver<T> {
    inner: bare::Receiver<T>,
    leaf: Leaf,
}

impl<T> Sender<T> {
    /// Makes a channel of which nobody watches the value yet.
    pub fn new(init: T) -> Self {
        Self { inner: bare::Sender::new(init) }
    }

    forward! {
        /// Replaces the value and tells those who watch it.
        ///
        /// # Errors
        /// [`SendError`] with the new value, if nobody watches.
        pub fn send(&self, value: T) -> Result<(), SendError<T>>;
        /// Replaces the value, whether anybody watches it or not, and returns the old one.
        pub fn send_replace(&self, value: T) -> T;
        /// The present value.
        pub fn borrow(&self) -> Ref<'_, T>;
        /// Whether nobody watches.
        pub fn is_closed(&self) -> bool;
        /// How many watch.
        pub fn receiver_count(&self) -> usize;
        /// How many senders there are.
        pub fn sender_count(&self) -> usize;
    }

    /// Changes the value in place and tells those who watch it.
    ///
    /// # Panics
    /// If `modify` does; then nobody is told.
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.inner.send_modify(modify);
    }

    /// As [`send_modify`](Self::send_modify); tells those who watch it if `modify` says so, and returns
    /// what it says.
    ///
    /// # Panics
    /// If `modify` does; then nobody is told.
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        self.inner.send_if_modified(modify)
    }

    /// Waits until nobody watches.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn closed(&self) {
        waiting_on(Idle::Channel, self.inner.closed()).await;
    }

    /// One more that watches; the present value counts as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(self.inner.subscribe())
    }

    /// Whether both are senders of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Receiver<T> {
    const fn new(inner: bare::Receiver<T>) -> Self {
        Self { inner, leaf: Leaf::new(Idle::Channel) }
    }

    forward! {
        /// The present value; it does not count as seen.
        pub fn borrow(&self) -> Ref<'_, T>;
        /// The present value, which counts as seen from now on.
        pub fn borrow_and_update(&mut self) -> Ref<'_, T>;
        /// Whether the value has changed since it was last seen.
        ///
        /// # Errors
        /// [`RecvError`] if there is no sender any more.
        pub fn has_changed(&self) -> Result<bool, RecvError>;
        /// Whether there is no sender any more.
        pub fn is_closed(&self) -> bool;
        /// The present value counts as not seen.
        pub fn mark_changed(&mut self);
        /// The present value counts as seen.
        pub fn mark_unchanged(&mut self);
    }

    /// Waits until there is a value that has not been seen; it counts as seen then.
    ///
    /// # Cancel safety
    /// No change is lost if the future is dropped.
    ///
    /// # Errors
    /// [`RecvError`] if there is no sender any more.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        let Self { inner, leaf } = self;
        wait(leaf, inner.changed()).await
    }

    /// Waits until the value is as `f` wants it.
    ///
    /// # Cancel safety
    /// No change is lost if the future is dropped.
    ///
    /// # Errors
    /// [`RecvError`] if there is no sender any more.
    ///
    /// # Panics
    /// If `f` does.
    pub async fn wait_for(&mut self, f: impl FnMut(&T) -> bool) -> Result<Ref<'_, T>, RecvError> {
        let Self { inner, leaf } = self;
        wait(leaf, inner.wait_for(f)).await
    }

    /// Whether both watch the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

formatted_as_inner!(Sender<T> where T: std::fmt::Debug);
formatted_as_inner!(Receiver<T> where T: std::fmt::Debug);
