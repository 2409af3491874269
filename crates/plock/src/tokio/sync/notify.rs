//! Tasks that wait for word from each other: whoever does is idle for a `channel`.

use ::tokio::sync::Notify as Bare;
use ::tokio::sync::futures as bare;
use pin_project::pin_project;
use plock_core::{Idle, Leaf};
use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// Wakes one task or many, without a message. It has the complete interface of
/// [`tokio::sync::Notify`](Bare) and its behaviour.
///
/// It is nobody's lock, so nobody holds it: a scope that waits for it is idle for a `channel`.
///
/// # Overhead
/// One allocation at its first use, and one at the first poll of a future that has to wait, inside a
/// scope.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use plock::tokio::sync::Notify;
/// use std::sync::Arc;
///
/// let word = Arc::new(Notify::new());
/// let told = Arc::clone(&word);
/// tokio::spawn(async move { told.notify_one() });
/// plock::scope("doc_listening", word.notified()).await;
///
/// let snapshot = plock::snapshot();
/// let listening = snapshot.scope("doc_listening").unwrap();
/// assert!(listening.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
#[derive(Default)]
pub struct Notify {
    /// By itself, since its owned futures are made of an `Arc` of it; when it is needed, since constants
    /// allocate nothing.
    inner: OnceLock<Arc<Bare>>,
}

/// Named future types.
pub mod futures {
    pub use super::{Notified, OwnedNotified};
}

/// A future of a notification; made by [`Notify::notified`].
///
/// # Cancel safety
/// Its place in the queue is lost if it is dropped; a notification it had goes to the next.
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Notified<'a> {
    leaf: Leaf,
    #[pin]
    inner: bare::Notified<'a>,
}

/// A future of a notification that has its [`Notify`] alive; made by [`Notify::notified_owned`].
///
/// # Cancel safety
/// That of [`Notified`].
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedNotified {
    leaf: Leaf,
    #[pin]
    inner: bare::OwnedNotified,
    _notify: Arc<Notify>,
}

impl Notify {
    /// Without a notification.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`new`](Self::new), in a constant or a static.
    #[must_use]
    pub const fn const_new() -> Self {
        Self { inner: OnceLock::new() }
    }

    fn inner(&self) -> &Arc<Bare> {
        self.inner.get_or_init(Arc::default)
    }

    /// Waits for a notification: one that is there, or else the next for which it is in turn. It is told of
    /// every [`notify_waiters`](Self::notify_waiters) from now on, polled or not.
    ///
    /// # Cancel safety
    /// See [`Notified`].
    pub fn notified(&self) -> Notified<'_> {
        Notified { leaf: Leaf::new(Idle::Channel), inner: self.inner().notified() }
    }

    /// As [`notified`](Self::notified), by a future that borrows nothing.
    ///
    /// # Cancel safety
    /// See [`Notified`].
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let inner = Arc::clone(self.inner()).notified_owned();
        OwnedNotified { leaf: Leaf::new(Idle::Channel), inner, _notify: self }
    }

    /// Notifies the task that has waited longest; if none waits, the next that does.
    pub fn notify_one(&self) {
        self.inner().notify_one();
    }

    /// Notifies the task that has waited shortest; if none waits, the next that does.
    pub fn notify_last(&self) {
        self.inner().notify_last();
    }

    /// Notifies all that wait now.
    pub fn notify_waiters(&self) {
        self.inner().notify_waiters();
    }
}

impl Notified<'_> {
    /// Takes its place in the queue without waiting; whether it has its notification already.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().inner.enable()
    }
}

impl OwnedNotified {
    /// As [`Notified::enable`].
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.project().inner.enable()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.leaf.poll(cx, |cx| this.inner.poll(cx))
    }
}

impl Future for OwnedNotified {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.leaf.poll(cx, |cx| this.inner.poll(cx))
    }
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

impl fmt::Debug for Notify {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}

impl fmt::Debug for Notified<'_> {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Debug for OwnedNotified {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
