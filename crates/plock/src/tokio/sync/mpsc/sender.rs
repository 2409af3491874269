//! Those who wait for a place.

use super::super::forward::{formatted_as_inner, forward};
use super::super::native;
use super::super::waited::{Asked, Line, Refused, Then};
use super::permits::{OwnedPermit, Permit, PermitIterator, places};
use ::tokio::sync::mpsc as bare;
use ::tokio::sync::mpsc::error::{SendError, SendTimeoutError, TrySendError};
use ::tokio::time;
use plock_core::{Idle, Lock, Outcome};
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// Puts messages into a channel; made by [`channel`](super::channel). It has the complete interface of
/// [`tokio::sync::mpsc::Sender`](bare::Sender) and its behaviour.
pub struct Sender<T> {
    inner: bare::Sender<T>,
    lock: Arc<Lock>,
}

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    inner: bare::WeakSender<T>,
    lock: Arc<Lock>,
}

impl<T> Sender<T> {
    pub(super) const fn new(inner: bare::Sender<T>, lock: Arc<Lock>) -> Self {
        Self { inner, lock }
    }

    pub(super) const fn inner(&self) -> &bare::Sender<T> {
        &self.inner
    }

    fn asked(&self, n: usize, site: &'static Location<'static>) -> Asked<'_> {
        Asked { lock: &self.lock, share: places(n), site }
    }

    /// Sends a message, as soon as there is a place for it.
    ///
    /// # Cancel safety
    /// If the future is dropped, the message is not sent and its place in the queue is lost; the
    /// attempt is counted as abandoned.
    ///
    /// # Errors
    /// [`SendError`] with the message, once the receiver is closed or gone.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let asked = self.asked(1, Location::caller());
        async move {
            match asked.wait(Then::Pass, One(&self.inner)).await {
                Ok((permit, _)) => {
                    permit.send(value);
                    Ok(())
                }
                Err(SendError(())) => Err(SendError(value)),
            }
        }
    }

    /// As [`send`](Self::send), within a time. An attempt whose time is up is counted as abandoned.
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    ///
    /// # Errors
    /// [`SendTimeoutError`] with the message.
    ///
    /// # Panics
    /// If it is polled outside a tokio runtime with a timer.
    #[track_caller]
    pub fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let asked = self.asked(1, Location::caller());
        async move {
            match time::timeout(timeout, asked.wait(Then::Pass, One(&self.inner))).await {
                Ok(Ok((permit, _))) => {
                    permit.send(value);
                    Ok(())
                }
                Ok(Err(SendError(()))) => Err(SendTimeoutError::Closed(value)),
                Err(_) => Err(SendTimeoutError::Timeout(value)),
            }
        }
    }

    /// Sends a message if there is a place for it now.
    ///
    /// # Telemetry
    /// Finding none is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// [`TrySendError`] with the message, which tells whether the channel is full or closed.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let asked = self.asked(1, Location::caller());
        asked.try_now(Then::Pass, || self.inner.try_send(message), outcome).map(drop)
    }

    /// As [`send`](Self::send), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        native::block_on(self.send(value))
    }

    /// Waits for a place and keeps it for one message.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing but the place in the queue is lost; the attempt is counted
    /// as abandoned.
    ///
    /// # Errors
    /// [`SendError`] once the receiver is closed or gone.
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let asked = self.asked(1, Location::caller());
        async move {
            let (permit, hold) = asked.wait(Then::Hold, One(&self.inner)).await?;
            Ok(Permit::new(permit, hold, &self.lock))
        }
    }

    /// Waits for `n` places and keeps them.
    ///
    /// # Cancel safety
    /// As for [`reserve`](Self::reserve).
    ///
    /// # Errors
    /// As for [`reserve`](Self::reserve), and if the channel has not so many places.
    #[track_caller]
    pub fn reserve_many(
        &self,
        n: usize,
    ) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let asked = self.asked(n, Location::caller());
        async move {
            let (permits, hold) = asked.wait(Then::Hold, Many(&self.inner, n)).await?;
            Ok(PermitIterator::new(permits, hold, &self.lock, asked.site))
        }
    }

    /// As [`reserve`](Self::reserve), with a place that may go anywhere and has the sender inside.
    ///
    /// # Cancel safety
    /// As for [`reserve`](Self::reserve); the sender is dropped with the future.
    ///
    /// # Errors
    /// As for [`reserve`](Self::reserve).
    #[track_caller]
    pub fn reserve_owned(self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            let Self { inner, lock } = self;
            let asked = Asked { lock: &lock, share: places(1), site };
            let (permit, hold) = asked.wait(Then::Hold, Owned(Some(inner))).await?;
            Ok(OwnedPermit::new(permit, hold, lock))
        }
    }

    /// Keeps a place for a message if there is one now.
    ///
    /// # Telemetry
    /// As for [`try_send`](Self::try_send).
    ///
    /// # Errors
    /// [`TrySendError`], which tells whether the channel is full or closed.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        let asked = self.asked(1, Location::caller());
        let (permit, hold) = asked.try_now(Then::Hold, || self.inner.try_reserve(), outcome)?;
        Ok(Permit::new(permit, hold, &self.lock))
    }

    /// Keeps `n` places if there are so many now.
    ///
    /// # Telemetry
    /// As for [`try_send`](Self::try_send).
    ///
    /// # Errors
    /// As for [`try_reserve`](Self::try_reserve).
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        let asked = self.asked(n, Location::caller());
        let take = || self.inner.try_reserve_many(n);
        let (permits, hold) = asked.try_now(Then::Hold, take, outcome)?;
        Ok(PermitIterator::new(permits, hold, &self.lock, asked.site))
    }

    /// As [`try_reserve`](Self::try_reserve), with a place that has the sender inside.
    ///
    /// # Telemetry
    /// As for [`try_send`](Self::try_send).
    ///
    /// # Errors
    /// As for [`try_reserve`](Self::try_reserve); the sender comes back.
    #[track_caller]
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let Self { inner, lock } = self;
        let asked = Asked { lock: &lock, share: places(1), site: Location::caller() };
        match asked.try_now(Then::Hold, || inner.try_reserve_owned(), outcome) {
            Ok((permit, hold)) => Ok(OwnedPermit::new(permit, hold, lock)),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Self { inner, lock })),
            Err(TrySendError::Closed(inner)) => Err(TrySendError::Closed(Self { inner, lock })),
        }
    }

    /// Waits until the receiver is closed or gone.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped.
    pub async fn closed(&self) {
        crate::waiting_on(Idle::Channel, self.inner.closed()).await;
    }

    forward! {
        /// Whether the receiver is closed or gone.
        pub fn is_closed(&self) -> bool;
    }

    /// Whether both send to the same receiver.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    forward! {
        /// How many places are free now.
        pub fn capacity(&self) -> usize;
        /// How many places there are.
        pub fn max_capacity(&self) -> usize;
    }

    /// A sender that does not keep the channel open.
    #[must_use = "the sender stays, and keeps the channel open"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade(), lock: Arc::clone(&self.lock) }
    }

    forward! {
        /// How many senders there are.
        pub fn strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn weak_count(&self) -> usize;
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.lock))
    }
}

formatted_as_inner!(Sender<T>);

impl<T> WeakSender<T> {
    /// A sender, while the channel is open.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        Some(Sender::new(self.inner.upgrade()?, Arc::clone(&self.lock)))
    }

    forward! {
        /// How many senders there are.
        pub fn strong_count(&self) -> usize;
        /// How many weak senders there are.
        pub fn weak_count(&self) -> usize;
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), lock: Arc::clone(&self.lock) }
    }
}

formatted_as_inner!(WeakSender<T>);

fn outcome<M>(error: &TrySendError<M>) -> Outcome {
    match error {
        TrySendError::Full(_) => Outcome::WouldBlock,
        TrySendError::Closed(_) => Outcome::Closed,
    }
}

/// The receiver is closed or gone.
fn closed(error: SendError<()>) -> Refused<SendError<()>> {
    (Outcome::Closed, error)
}

/// One place.
struct One<'a, T>(&'a bare::Sender<T>);

impl<'a, T> Line for One<'a, T> {
    type Place = bare::Permit<'a, T>;
    type Error = SendError<()>;

    fn take(&mut self) -> Option<Self::Place> {
        self.0.try_reserve().ok()
    }

    fn free(&self) -> usize {
        self.0.capacity()
    }

    async fn join(self) -> Result<Self::Place, Refused<SendError<()>>> {
        self.0.reserve().await.map_err(closed)
    }
}

/// Several places.
struct Many<'a, T>(&'a bare::Sender<T>, usize);

impl<'a, T> Line for Many<'a, T> {
    type Place = bare::PermitIterator<'a, T>;
    type Error = SendError<()>;

    fn take(&mut self) -> Option<Self::Place> {
        self.0.try_reserve_many(self.1).ok()
    }

    fn free(&self) -> usize {
        self.0.capacity()
    }

    async fn join(self) -> Result<Self::Place, Refused<SendError<()>>> {
        self.0.reserve_many(self.1).await.map_err(closed)
    }
}

/// One place, into which the sender goes. It is only missing once that has happened.
struct Owned<T>(Option<bare::Sender<T>>);

impl<T> Line for Owned<T> {
    type Place = bare::OwnedPermit<T>;
    type Error = SendError<()>;

    fn take(&mut self) -> Option<Self::Place> {
        match self.0.take()?.try_reserve_owned() {
            Ok(permit) => Some(permit),
            Err(TrySendError::Full(sender) | TrySendError::Closed(sender)) => {
                self.0 = Some(sender);
                None
            }
        }
    }

    fn free(&self) -> usize {
        self.0.as_ref().map_or(0, bare::Sender::capacity)
    }

    async fn join(self) -> Result<Self::Place, Refused<SendError<()>>> {
        match self.0 {
            Some(sender) => sender.reserve_owned().await.map_err(closed),
            None => Err(closed(SendError(()))),
        }
    }
}
