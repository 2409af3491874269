//! A value that is set once and waited for: whoever does is idle for a `channel`. Nobody holds it
//! meanwhile; where one of those who ask makes the value, [`OnceCell`](super::OnceCell) says who.

use super::forward::{formatted_as_inner, forward};
use crate::waiting_on;
use ::tokio::sync::{SetOnce as Bare, SetOnceError};
use plock_core::Idle;

/// A cell that is set once. It has the complete interface of [`tokio::sync::SetOnce`](Bare) and its
/// behaviour.
///
/// # Overhead
/// One allocation per wait, inside a scope; none once the value is there.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
///
/// let port = Arc::new(plock::tokio::sync::SetOnce::new());
/// let bound = tokio::spawn({ let port = port.clone(); async move { port.set(8080) } });
/// assert_eq!(plock::scope("doc_connecting", port.wait()).await, &8080);
/// bound.await.unwrap().unwrap();
///
/// let snapshot = plock::snapshot();
/// let connecting = snapshot.scope("doc_connecting").unwrap();
/// assert!(connecting.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
pub struct SetOnce<T> {
    inner: Bare<T>,
}

impl<T> SetOnce<T> {
    /// An empty cell.
    pub fn new() -> Self {
        Self { inner: Bare::new() }
    }

    /// As [`new`](Self::new), in a constant or a static.
    pub const fn const_new() -> Self {
        Self { inner: Bare::const_new() }
    }

    /// A cell with this value, or an empty one.
    pub fn new_with(value: Option<T>) -> Self {
        Self { inner: Bare::new_with(value) }
    }

    /// A cell with this value in a constant or a static.
    pub const fn const_new_with(value: T) -> Self {
        Self { inner: Bare::const_new_with(value) }
    }

    forward! {
        /// Whether the value is there.
        pub fn initialized(&self) -> bool;
        /// The value, if it is there.
        pub fn get(&self) -> Option<&T>;
        /// Puts the value in and wakes those who wait for it.
        ///
        /// # Errors
        /// [`SetOnceError`] with the value, if there is one already.
        pub fn set(&self, value: T) -> Result<(), SetOnceError<T>>;
    }

    /// The value, if it was there.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Waits for the value.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn wait(&self) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        waiting_on(Idle::Channel, self.inner.wait()).await
    }
}

impl<T> Default for SetOnce<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Clone for SetOnce<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: PartialEq> PartialEq for SetOnce<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for SetOnce<T> {}

impl<T> From<T> for SetOnce<T> {
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

formatted_as_inner!(SetOnce<T> where T: std::fmt::Debug);
