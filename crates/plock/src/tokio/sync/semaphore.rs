//! The semaphore: the queue alone.

mod permits;

pub use permits::{OwnedSemaphorePermit, SemaphorePermit};

use super::access::Count;
use super::guarded::{Held, Queue};
use super::native;
use super::raw::Raw;
use ::tokio::sync::{AcquireError, Semaphore as Permits, TryAcquireError};
use plock_core::{Kind, Lock};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A number of permits that are handed out first come, first served, and which records who had how
/// many of them, for how long, and whom that kept waiting.
///
/// It has the complete interface of [`tokio::sync::Semaphore`] and its behaviour.
///
/// # Telemetry
/// As for [`Mutex`](super::Mutex), in mode `permit`: a permit, of however many, is one hold. Splitting
/// one makes two, merging two makes one, forgetting one ends it. Permits that are added from outside
/// show as the end of a wait with nobody to thank for it.
///
/// # Overhead
/// As for [`Mutex`](super::Mutex).
///
/// # Examples
/// ```
/// use plock::tokio::sync::Semaphore;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let slots = Semaphore::named("doc_slots", 3);
/// let two = slots.acquire_many(2).await.unwrap();
/// assert_eq!(slots.available_permits(), 1);
/// assert!(slots.try_acquire_many(2).is_err());
/// drop(two);
///
/// let snapshot = plock::snapshot();
/// let slots = snapshot.lock("doc_slots", plock::Mode::Permit).unwrap();
/// assert_eq!(slots.outcome(plock::Outcome::Acquired), 1);
/// assert_eq!(slots.outcome(plock::Outcome::WouldBlock), 1);
/// # }
/// ```
pub struct Semaphore(Raw);

impl Queue for Semaphore {
    #[inline]
    fn raw(&self) -> &Raw {
        &self.0
    }
}

/// How it is made, and what may be done to it as a whole.
impl Semaphore {
    /// The greatest number of permits.
    pub const MAX_PERMITS: usize = Permits::MAX_PERMITS;

    /// Makes a semaphore. Its figures are named by the module of the caller, and appear with its
    /// first acquisition.
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Self(Raw::without_whole(anonymous(), native::check_permits(permits)))
    }

    /// As [`new`](Self::new), in a constant or a static.
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Self(Raw::without_whole(anonymous(), native::const_check_permits(permits)))
    }

    /// Makes a semaphore with a name for its figures; they are there from now on, with 0
    /// acquisitions. Names behave as for [`Mutex::named`](super::Mutex::named).
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub fn named(name: &'static str, permits: usize) -> Self {
        let lock = Lock::named(Kind::Semaphore, name).registered();
        Self(Raw::without_whole(lock, native::check_permits(permits)))
    }

    /// As [`named`](Self::named), in a constant or a static; see
    /// [`Mutex::const_named`](super::Mutex::const_named).
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub const fn const_named(name: &'static str, permits: usize) -> Self {
        let lock = Lock::named(Kind::Semaphore, name);
        Self(Raw::without_whole(lock, native::const_check_permits(permits)))
    }

    /// How many permits are free now.
    pub fn available_permits(&self) -> usize {
        self.0.available_permits()
    }

    /// Adds permits, which go to those who wait first.
    ///
    /// # Panics
    /// If there are more than [`MAX_PERMITS`](Self::MAX_PERMITS) then.
    pub fn add_permits(&self, n: usize) {
        self.0.add_permits(n);
    }

    /// Takes up to `n` free permits away for good, and returns how many.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.0.forget_permits(n)
    }

    /// Ends all waits, present and future, with an error. Permits that are out stay valid.
    ///
    /// # Telemetry
    /// The waits it ends count as `closed`.
    pub fn close(&self) {
        self.0.close();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

/// Borrowed permits.
impl Semaphore {
    /// Waits for a permit.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing but the place in the queue is lost; the attempt is counted
    /// as abandoned.
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::Semaphore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let slots = Semaphore::new(1);
    /// let slot = slots.acquire().await.unwrap();
    /// assert_eq!(slots.available_permits(), 0);
    /// drop(slot);
    /// slots.close();
    /// assert_eq!(slots.acquire().await.unwrap_err().to_string(), "semaphore closed");
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_many(1)
    }

    /// Waits for `n` permits; those that come free are kept for it until there are enough.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    #[inline]
    pub fn acquire_many(
        &self,
        n: u32,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        Held::acquire(self, Count::of(n), Location::caller(), |held| held.map(SemaphorePermit::new))
    }

    /// Takes a permit if one is free.
    ///
    /// # Telemetry
    /// Finding none is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// [`TryAcquireError`], which tells whether the semaphore is closed or has too few permits.
    #[track_caller]
    #[inline]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if so many are free.
    ///
    /// # Telemetry
    /// As for [`try_acquire`](Self::try_acquire).
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    #[track_caller]
    #[inline]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        Held::try_acquire(self, Count::of(n), Location::caller()).map(SemaphorePermit::new)
    }

    /// As [`acquire`](Self::acquire), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        native::block_on(self.acquire())
    }

    /// As [`acquire_many`](Self::acquire_many), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        native::block_on(self.acquire_many(n))
    }
}

/// Permits that keep the semaphore alive and may go anywhere.
impl Semaphore {
    /// As [`acquire`](Self::acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    pub fn acquire_owned(
        self: Arc<Self>,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Self::acquire_many), with a permit that keeps the semaphore alive.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Self::acquire).
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let site = Location::caller();
        Held::acquire_owned(self, Count::of(n), site, |held| held.map(OwnedSemaphorePermit::new))
    }

    /// As [`try_acquire`](Self::try_acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    #[track_caller]
    #[inline]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Self::try_acquire_many), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    /// As for [`try_acquire`](Self::try_acquire).
    #[track_caller]
    #[inline]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        Held::try_acquire(self, Count::of(n), Location::caller()).map(OwnedSemaphorePermit::new)
    }

    /// As [`blocking_acquire`](Self::blocking_acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        native::block_on(self.acquire_owned())
    }

    /// As [`blocking_acquire_many`](Self::blocking_acquire_many), with a permit that keeps the
    /// semaphore alive.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Errors
    /// [`AcquireError`] once the semaphore is closed.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        native::block_on(self.acquire_many_owned(n))
    }
}

/// A semaphore protects no type; it is named as if that were itself.
#[track_caller]
const fn anonymous() -> Lock {
    Lock::new(Kind::Semaphore, || "Semaphore")
}

impl fmt::Debug for Semaphore {
    /// As tokio's own: one with as many free permits says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Permits::new(self.available_permits()).fmt(f)
    }
}
