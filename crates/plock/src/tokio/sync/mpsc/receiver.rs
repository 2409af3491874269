//! The one that waits for messages, and makes room for those that wait for a place.

use super::super::forward::{formatted_as_inner, forward};
use super::super::native;
use crate::tokio::TokioTasks;
use ::tokio::sync::mpsc as bare;
use ::tokio::sync::mpsc::error::TryRecvError;
use plock_core::{Idle, Leaf, Lock};
use std::future::poll_fn;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Takes messages out of a channel; made by [`channel`](super::channel). It has the complete interface of
/// [`tokio::sync::mpsc::Receiver`](bare::Receiver) and its behaviour.
///
/// # Overhead
/// One allocation at the first poll inside a scope, none for a message.
pub struct Receiver<T> {
    inner: bare::Receiver<T>,
    lock: Arc<Lock>,
    leaf: Leaf,
}

type Site = &'static Location<'static>;

impl<T> Receiver<T> {
    pub(super) const fn new(inner: bare::Receiver<T>, lock: Arc<Lock>) -> Self {
        Self { inner, lock, leaf: Leaf::new(Idle::Channel) }
    }

    /// Waits for a message; `None` once the channel is empty and nobody can send any more.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        let site = Location::caller();
        async move { poll_fn(|cx| self.poll_at(site, cx)).await }
    }

    /// Waits for messages and appends up to `limit` of them to `buffer`; returns how many, 0 once the
    /// channel is empty and nobody can send any more.
    ///
    /// # Cancel safety
    /// No message is lost if the future is dropped.
    #[track_caller]
    pub fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> impl Future<Output = usize> {
        let site = Location::caller();
        async move { poll_fn(|cx| self.poll_many_at(site, cx, buffer, limit)).await }
    }

    /// A message, if there is one now.
    ///
    /// # Errors
    /// [`TryRecvError`], which tells whether there may still be one later.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Self { inner, lock, .. } = self;
        let messages = inner.len();
        let places = || messages.min(1);
        lock.make_room::<TokioTasks, _>(Location::caller(), places, || inner.try_recv())
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

    /// Lets nobody send any more; messages that are in the channel can still be received.
    ///
    /// # Telemetry
    /// The waits it ends count as `closed`.
    pub fn close(&mut self) {
        self.inner.close();
    }

    forward! {
        /// Whether nobody can send any more.
        pub fn is_closed(&self) -> bool;
        /// Whether there is no message now.
        pub fn is_empty(&self) -> bool;
        /// How many messages there are now.
        pub fn len(&self) -> usize;
        /// How many places are free now.
        pub fn capacity(&self) -> usize;
        /// How many places there are.
        pub fn max_capacity(&self) -> usize;
    }

    /// Polls for a message.
    #[track_caller]
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_at(Location::caller(), cx)
    }

    /// Polls for messages; see [`recv_many`](Self::recv_many).
    #[track_caller]
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        self.poll_many_at(Location::caller(), cx, buffer, limit)
    }

    forward! {
        /// How many senders there are.
        pub fn sender_strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn sender_weak_count(&self) -> usize;
    }

    fn poll_at(&mut self, site: Site, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll(site, cx, 1, bare::Receiver::poll_recv)
    }

    fn poll_many_at(
        &mut self,
        site: Site,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        self.poll(site, cx, limit, |inner, cx| inner.poll_recv_many(cx, buffer, limit))
    }

    /// Takes up to `limit` messages out, by `poll`.
    fn poll<R>(
        &mut self,
        site: Site,
        cx: &mut Context<'_>,
        limit: usize,
        poll: impl FnOnce(&mut bare::Receiver<T>, &mut Context<'_>) -> Poll<R>,
    ) -> Poll<R> {
        let Self { inner, lock, leaf } = self;
        leaf.poll(cx, |cx| {
            let messages = inner.len();
            let places = || messages.min(limit);
            lock.make_room::<TokioTasks, _>(site, places, || poll(inner, cx))
        })
    }
}

formatted_as_inner!(Receiver<T>);
