//! Messages that every receiver gets. Sending one waits for nothing; whoever waits for one is idle for a
//! `channel`.

use super::forward::{formatted_as_inner, forward};
use super::native;
use crate::waiting::wait;
use crate::waiting_on;
use ::tokio::sync::broadcast as bare;
use ::tokio::sync::broadcast::error::{RecvError, SendError, TryRecvError};
use plock_core::{Idle, Leaf};

pub use ::tokio::sync::broadcast::error;

/// Makes a channel that keeps `capacity` messages, rounded up to a power of two, for receivers that are
/// late.
///
/// # Panics
/// If `capacity` is 0 or above half of `usize::MAX`, at the caller's location.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (news, mut reader) = plock::tokio::sync::broadcast::channel(8);
/// tokio::spawn(async move { news.send("rain") });
/// assert_eq!(plock::scope("doc_reading", reader.recv()).await, Ok("rain"));
///
/// let snapshot = plock::snapshot();
/// let reading = snapshot.scope("doc_reading").unwrap();
/// assert!(reading.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bare::channel(capacity);
    (Sender { inner: sender }, Receiver::new(receiver))
}

/// Sends messages. It has the complete interface of [`tokio::sync::broadcast::Sender`](bare::Sender) and
/// its behaviour.
pub struct Sender<T> {
    inner: bare::Sender<T>,
}

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    inner: bare::WeakSender<T>,
}

/// Gets every message. It has the complete interface of
/// [`tokio::sync::broadcast::Receiver`](bare::Receiver) and its behaviour.
///
/// # Overhead
/// One allocation at the first poll inside a scope, none for a message.
pub struct Receiver<T> {
    inner: bare::Receiver<T>,
    leaf: Leaf,
}

impl<T> Sender<T> {
    /// Makes a channel without receivers; see [`channel`].
    ///
    /// # Panics
    /// As [`channel`].
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        Self { inner: bare::Sender::new(capacity) }
    }

    forward! {
        /// Sends a message to all receivers; says to how many.
        ///
        /// # Errors
        /// [`SendError`] with the message, if there are none.
        pub fn send(&self, value: T) -> Result<usize, SendError<T>>;
        /// How many messages are kept now.
        pub fn len(&self) -> usize;
        /// Whether no message is kept now.
        pub fn is_empty(&self) -> bool;
        /// How many receivers there are.
        pub fn receiver_count(&self) -> usize;
        /// How many senders there are.
        pub fn strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn weak_count(&self) -> usize;
    }

    /// One more receiver, of all messages from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(self.inner.subscribe())
    }

    /// A sender that does not keep the channel open.
    #[must_use = "the sender stays, and keeps the channel open"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade() }
    }

    /// Whether both are senders of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn closed(&self) {
        waiting_on(Idle::Channel, self.inner.closed()).await;
    }
}

impl<T> WeakSender<T> {
    /// A sender, while the channel is open.
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        Some(Sender { inner: self.inner.upgrade()? })
    }

    forward! {
        /// How many senders there are.
        pub fn strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn weak_count(&self) -> usize;
    }
}

impl<T> Receiver<T> {
    const fn new(inner: bare::Receiver<T>) -> Self {
        Self { inner, leaf: Leaf::new(Idle::Channel) }
    }

    forward! {
        /// How many messages are waiting for this receiver.
        pub fn len(&self) -> usize;
        /// Whether no message is waiting for this receiver.
        pub fn is_empty(&self) -> bool;
        /// How many senders there are.
        pub fn sender_strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn sender_weak_count(&self) -> usize;
        /// Whether there is no sender any more.
        pub fn is_closed(&self) -> bool;
    }

    /// Whether both are receivers of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T: Clone> Receiver<T> {
    forward! {
        /// A message, if there is one now.
        ///
        /// # Errors
        /// [`TryRecvError`]: there is none, there will be none, or some were missed.
        pub fn try_recv(&mut self) -> Result<T, TryRecvError>;
    }

    /// One more receiver, of all messages from now on.
    #[must_use = "this receiver stays as it is"]
    pub fn resubscribe(&self) -> Self {
        Self::new(self.inner.resubscribe())
    }

    /// Waits for a message.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped.
    ///
    /// # Errors
    /// [`RecvError`]: there will be no more, or some were missed.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let Self { inner, leaf } = self;
        wait(leaf, inner.recv()).await
    }

    /// As [`recv`](Self::recv), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        native::block_on(self.recv())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

formatted_as_inner!(Sender<T>);
formatted_as_inner!(WeakSender<T>);
formatted_as_inner!(Receiver<T>);
