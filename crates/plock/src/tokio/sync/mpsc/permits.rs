//! Places that are kept for messages: holds until the messages are sent.

use super::sender::Sender;
use crate::tokio::TokioTasks;
use ::tokio::sync::mpsc as bare;
use plock_core::{Hold, Lock, Mode, Share};
use std::fmt;
use std::iter::FusedIterator;
use std::panic::Location;
use std::sync::Arc;

/// So many places, as the figures carry them.
pub(super) fn places(n: usize) -> Share {
    Share::permits(u32::try_from(n).unwrap_or(u32::MAX))
}

/// A place for one message; made by [`Sender::reserve`]. Dropped, it is given back.
pub struct Permit<'a, T> {
    /// `None` once the message is sent.
    inner: Option<bare::Permit<'a, T>>,
    hold: Hold,
    lock: &'a Lock,
}

/// Places for several messages, one after the other; made by [`Sender::reserve_many`].
pub struct PermitIterator<'a, T> {
    /// `None` once it is dropped.
    inner: Option<bare::PermitIterator<'a, T>>,
    hold: Hold,
    lock: &'a Lock,
    site: &'static Location<'static>,
}

/// A place for one message with the sender inside; made by [`Sender::reserve_owned`].
pub struct OwnedPermit<T> {
    /// `None` once the message is sent or the place released.
    inner: Option<bare::OwnedPermit<T>>,
    hold: Hold,
    lock: Arc<Lock>,
}

/// Gives places back: first they are free, then the hold is accounted.
fn give_back<T>(hold: &mut Hold, lock: &Lock, n: usize, release: impl FnOnce() -> T) -> Option<T> {
    let mut out = None;
    hold.release::<TokioTasks>(lock, places(n), |releasing| {
        out = Some(releasing.during(release));
    });
    out
}

impl<'a, T> Permit<'a, T> {
    pub(super) const fn new(inner: bare::Permit<'a, T>, hold: Hold, lock: &'a Lock) -> Self {
        Self { inner: Some(inner), hold, lock }
    }

    /// Sends the message. Its place comes free when it is received.
    pub fn send(mut self, value: T) {
        if let Some(inner) = self.inner.take() {
            inner.send(value);
            self.hold.forget::<TokioTasks>(self.lock, Mode::Permit);
        }
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            give_back(&mut self.hold, self.lock, 1, || drop(inner));
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            Some(inner) => inner.fmt(f),
            None => f.debug_struct("Permit").finish(),
        }
    }
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) const fn new(
        inner: bare::PermitIterator<'a, T>,
        hold: Hold,
        lock: &'a Lock,
        site: &'static Location<'static>,
    ) -> Self {
        Self { inner: Some(inner), hold, lock, site }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    /// The next place, with a hold of its own since the moment all were reserved.
    fn next(&mut self) -> Option<Permit<'a, T>> {
        let inner = self.inner.as_mut()?;
        let place = inner.next()?;
        let hold = match u32::try_from(inner.len()).unwrap_or(u32::MAX) {
            0 => self.hold.take(),
            rest => self.hold.split::<TokioTasks>(self.lock, rest, 1, self.site),
        };
        Some(Permit::new(place, hold, self.lock))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            give_back(&mut self.hold, self.lock, inner.len(), || drop(inner));
        }
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            Some(inner) => inner.fmt(f),
            None => f.debug_struct("PermitIterator").finish(),
        }
    }
}

impl<T> OwnedPermit<T> {
    pub(super) const fn new(inner: bare::OwnedPermit<T>, hold: Hold, lock: Arc<Lock>) -> Self {
        Self { inner: Some(inner), hold, lock }
    }

    /// Sends the message and returns the sender.
    pub fn send(mut self, value: T) -> Sender<T> {
        let inner = self.taken().send(value);
        self.hold.forget::<TokioTasks>(&self.lock, Mode::Permit);
        Sender::new(inner, Arc::clone(&self.lock))
    }

    /// Gives the place back and returns the sender.
    pub fn release(mut self) -> Sender<T> {
        let inner = self.taken();
        match give_back(&mut self.hold, &self.lock, 1, || inner.release()) {
            Some(inner) => Sender::new(inner, Arc::clone(&self.lock)),
            None => unreachable!("what releases runs"),
        }
    }

    /// Whether both are places of the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        let both = self.inner.as_ref().zip(other.inner.as_ref());
        both.is_some_and(|(inner, other)| inner.same_channel(other))
    }

    /// Whether it is a place of the channel that the other one sends to.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.same_channel_as_sender(sender.inner()))
    }

    fn taken(&mut self) -> bare::OwnedPermit<T> {
        match self.inner.take() {
            Some(inner) => inner,
            None => unreachable!("it is taken once, by what consumes the permit"),
        }
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            give_back(&mut self.hold, &self.lock, 1, || drop(inner));
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            Some(inner) => inner.fmt(f),
            None => f.debug_struct("OwnedPermit").finish(),
        }
    }
}
