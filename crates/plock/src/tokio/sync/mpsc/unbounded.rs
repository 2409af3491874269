//! The receiver of a channel in which there is always a place.

use super::super::forward::{formatted_as_inner, forward};
use super::super::native;
use ::tokio::sync::mpsc as bare;
use ::tokio::sync::mpsc::error::TryRecvError;
use plock_core::{Idle, Leaf};
use std::future::poll_fn;
use std::task::{Context, Poll};

/// Makes a channel with any number of places. Nobody waits to send; a scope that waits for a message is
/// idle for a `channel`.
pub fn unbounded_channel<T>() -> (bare::UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, inner) = bare::unbounded_channel();
    (sender, UnboundedReceiver { inner, leaf: Leaf::new(Idle::Channel) })
}

/// Takes messages out of a channel; made by [`unbounded_channel`]. It has the complete interface of
/// [`tokio::sync::mpsc::UnboundedReceiver`](bare::UnboundedReceiver) and its behaviour.
///
/// # Overhead
/// One allocation at the first poll inside a scope, none for a message.
pub struct UnboundedReceiver<T> {
    inner: bare::UnboundedReceiver<T>,
    leaf: Leaf,
}

impl<T> UnboundedReceiver<T> {
    /// Waits for a message; `None` once the channel is empty and nobody can send any more.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Waits for messages and appends up to `limit` of them to `buffer`; returns how many, 0 once the
    /// channel is empty and nobody can send any more.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped.
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
    }

    forward! {
        /// A message, if there is one now.
        ///
        /// # Errors
        /// [`TryRecvError`], which tells whether there may still be one later.
        pub fn try_recv(&mut self) -> Result<T, TryRecvError>;
    }

    /// As [`recv`](Self::recv), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        native::block_on(self.recv())
    }

    /// As [`recv_many`](Self::recv_many), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        native::block_on(self.recv_many(buffer, limit))
    }

    forward! {
        /// Lets nobody send any more; messages that are in the channel can still be received.
        pub fn close(&mut self);
        /// Whether nobody can send any more.
        pub fn is_closed(&self) -> bool;
        /// Whether there is no message now.
        pub fn is_empty(&self) -> bool;
        /// How many messages there are now.
        pub fn len(&self) -> usize;
    }

    /// Polls for a message.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let Self { inner, leaf } = self;
        leaf.poll(cx, |cx| inner.poll_recv(cx))
    }

    /// Polls for messages; see [`recv_many`](Self::recv_many).
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let Self { inner, leaf } = self;
        leaf.poll(cx, |cx| inner.poll_recv_many(cx, buffer, limit))
    }

    forward! {
        /// How many senders there are.
        pub fn sender_strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn sender_weak_count(&self) -> usize;
    }
}

formatted_as_inner!(UnboundedReceiver<T>);
