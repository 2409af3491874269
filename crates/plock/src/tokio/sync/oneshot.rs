//! A channel for one message. Sending it waits for nothing; whoever waits for it is idle for a `channel`.

use super::forward::{formatted_as_inner, forward};
use ::tokio::sync::oneshot as bare;
use ::tokio::sync::oneshot::error::{RecvError, TryRecvError};
use plock_core::{Idle, Leaf};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use ::tokio::sync::oneshot::error;

/// Makes a channel for one message.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (answer, question) = plock::tokio::sync::oneshot::channel();
/// tokio::spawn(async { answer.send(42) });
/// assert_eq!(plock::scope("doc_asking", question).await, Ok(42));
///
/// let snapshot = plock::snapshot();
/// let asking = snapshot.scope("doc_asking").unwrap();
/// assert!(asking.idle_ns[plock::Idle::Channel as usize] > 0);
/// # }
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = bare::channel();
    let leaf = const { Leaf::new(Idle::Channel) };
    (Sender { inner: sender, leaf: leaf.clone() }, Receiver { inner: receiver, leaf })
}

/// Sends the message. It has the complete interface of [`tokio::sync::oneshot::Sender`](bare::Sender)
/// and its behaviour.
pub struct Sender<T> {
    inner: bare::Sender<T>,
    leaf: Leaf,
}

/// A future of the message. It has the complete interface of
/// [`tokio::sync::oneshot::Receiver`](bare::Receiver) and its behaviour.
///
/// # Cancel safety
/// The message is lost if it is dropped.
///
/// # Overhead
/// One allocation at the first poll that finds no message, inside a scope.
pub struct Receiver<T> {
    inner: bare::Receiver<T>,
    leaf: Leaf,
}

impl<T> Sender<T> {
    /// Sends the message.
    ///
    /// # Errors
    /// The message, if the receiver is closed or gone.
    pub fn send(self, t: T) -> Result<(), T> {
        self.inner.send(t)
    }

    /// Waits until the receiver is closed or gone.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Polls for the receiver to be closed or gone.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self { inner, leaf } = self;
        leaf.poll(cx, |cx| inner.poll_closed(cx))
    }

    forward! {
        /// Whether the receiver is closed or gone.
        pub fn is_closed(&self) -> bool;
    }
}

impl<T> Receiver<T> {
    forward! {
        /// Lets the sender not send any more; a message that has been sent can still be received.
        pub fn close(&mut self);
        /// Whether the message has been received, or there will be none.
        pub fn is_terminated(&self) -> bool;
        /// Whether there is no message now.
        pub fn is_empty(&self) -> bool;
        /// The message, if it is there now.
        ///
        /// # Errors
        /// [`TryRecvError`], which tells whether it may still come.
        pub fn try_recv(&mut self) -> Result<T, TryRecvError>;
    }

    /// Waits for the message, on a thread that runs no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// [`RecvError`] if the sender is gone.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        self.inner.blocking_recv()
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { inner, leaf } = self.get_mut();
        if !inner.is_empty() {
            return Pin::new(inner).poll(cx); // nobody needs to be woken
        }
        leaf.poll(cx, |cx| Pin::new(inner).poll(cx))
    }
}

formatted_as_inner!(Sender<T> where T: std::fmt::Debug);
formatted_as_inner!(Receiver<T> where T: std::fmt::Debug);
