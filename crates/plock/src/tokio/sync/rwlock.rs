//! The read-write lock: a queue in front of a value, with as many permits as there may be readers. A
//! reader takes one, a writer takes all.

mod read_guards;
mod write_guards;

pub use read_guards::{OwnedRwLockReadGuard, RwLockReadGuard};
pub use write_guards::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockWriteGuard, RwLockMappedWriteGuard, RwLockWriteGuard,
};

use super::access::{Part, Whole};
use super::guarded::{Guarded, Held, Protect, Shared};
use super::native::{self, MAX_READERS, open};
use ::tokio::sync::TryLockError;
use plock_core::{Kind, Lock};
use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A lock that many may hold for reading or one for writing, across await points, and which records
/// who held it how, for how long, and whom that kept waiting.
///
/// It has the complete interface of [`tokio::sync::RwLock`] and its behaviour: first come, first
/// served, so that a reader stands behind a writer that waits. Reading twice in one task can
/// therefore deadlock; the attempt shows in the figures as waiting for itself.
///
/// # Telemetry
/// As for [`Mutex`](super::Mutex), apart for readers (mode `shared`) and writers (mode `exclusive`).
/// A reader that stands behind a waiting writer has the cause `writer_pending`. A downgrade ends the
/// exclusive hold and begins a shared one.
///
/// # Overhead
/// As for [`Mutex`](super::Mutex).
///
/// # Examples
/// ```
/// use plock::tokio::sync::RwLock;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let prices = RwLock::named("doc_prices", vec![3, 4]);
/// {
///     let (one, two) = (prices.read().await, prices.read().await);
///     assert_eq!(one[0] + two[1], 7);
/// }
/// prices.write().await.push(5);
///
/// let snapshot = plock::snapshot();
/// let readers = snapshot.lock("doc_prices", plock::Mode::Shared).unwrap();
/// assert_eq!(readers.outcome(plock::Outcome::Acquired), 2);
/// let writers = snapshot.lock("doc_prices", plock::Mode::Exclusive).unwrap();
/// assert_eq!(writers.outcome(plock::Outcome::Acquired), 1);
/// # }
/// ```
pub struct RwLock<T: ?Sized>(Guarded<T>);

impl<T: ?Sized> Protect for RwLock<T> {
    type Value = T;

    #[inline]
    fn guarded(&self) -> &Guarded<T> {
        &self.0
    }
}

/// How it is made and taken apart.
impl<T: ?Sized> RwLock<T> {
    /// Makes an unlocked lock. Its figures are named by the module of the caller and the type of the
    /// value, and appear with its first acquisition.
    #[track_caller]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self::const_new(value)
    }

    /// Makes an unlocked lock that at most `max_reads` readers hold at a time.
    ///
    /// # Panics
    /// If `max_reads` is 0 or above `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        let lock = Lock::new(Kind::Rwlock, type_name::<T>);
        Self::with(lock, native::check_readers(max_reads), value)
    }

    /// As [`new`](Self::new), in a constant or a static.
    #[track_caller]
    pub const fn const_new(value: T) -> Self
    where
        T: Sized,
    {
        Self::with(Lock::new(Kind::Rwlock, type_name::<T>), MAX_READERS, value)
    }

    /// As [`with_max_readers`](Self::with_max_readers), in a constant or a static.
    ///
    /// # Panics
    /// If `max_reads` is 0 or above `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        let lock = Lock::new(Kind::Rwlock, type_name::<T>);
        Self::with(lock, native::const_check_readers(max_reads), value)
    }

    /// Makes an unlocked lock with a name for its figures; they are there from now on, with 0
    /// acquisitions. Names behave as for [`Mutex::named`](super::Mutex::named).
    #[track_caller]
    pub fn named(name: &'static str, value: T) -> Self
    where
        T: Sized,
    {
        Self::with(Lock::named(Kind::Rwlock, name).registered(), MAX_READERS, value)
    }

    /// As [`named`](Self::named), in a constant or a static; see
    /// [`Mutex::const_named`](super::Mutex::const_named).
    #[track_caller]
    pub const fn const_named(name: &'static str, value: T) -> Self
    where
        T: Sized,
    {
        Self::with(Lock::named(Kind::Rwlock, name), MAX_READERS, value)
    }

    const fn with(lock: Lock, max_reads: u32, value: T) -> Self
    where
        T: Sized,
    {
        Self(Guarded::new(lock, max_reads, value))
    }

    /// The value; nobody else can have it, so nothing is locked.
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// The value.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.0.into_inner()
    }
}

/// Reading.
impl<T: ?Sized> RwLock<T> {
    /// Waits until no writer holds the lock or stands in the queue, and locks it for reading.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing but the place in the queue is lost; the attempt is counted
    /// as abandoned.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::RwLock;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = RwLock::new(1);
    /// let (one, two) = (lock.read().await, lock.read().await);
    /// assert_eq!(*one + *two, 2);
    /// assert!(lock.try_write().is_err());
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        Held::acquire(self, Part, Location::caller(), |held| RwLockReadGuard::new(open(held)))
    }

    /// As [`read`](Self::read), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        native::block_on(self.read())
    }

    /// As [`read`](Self::read), with a guard that keeps the lock alive and may go anywhere.
    ///
    /// # Cancel safety
    /// As for [`read`](Self::read).
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        let site = Location::caller();
        Held::acquire_owned(self, Part, site, |held| OwnedRwLockReadGuard::new(open(held)))
    }

    /// Locks for reading if that needs no waiting.
    ///
    /// # Telemetry
    /// Finding it taken is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// [`TryLockError`] if a writer holds the lock or stands in the queue, or it has its greatest
    /// number of readers.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::RwLock;
    /// let lock = RwLock::new(1);
    /// let writer = lock.try_write().unwrap();
    /// assert!(lock.try_read().is_err());
    /// drop(writer);
    /// assert_eq!(*lock.try_read().unwrap(), 1);
    /// ```
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        let held = Held::try_acquire(self, Part, Location::caller());
        held.map(RwLockReadGuard::new).map_err(|_| native::would_block())
    }

    /// As [`try_read`](Self::try_read), with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// As for [`try_read`](Self::try_read).
    #[track_caller]
    #[inline]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let held = Held::try_acquire(self, Part, Location::caller());
        held.map(OwnedRwLockReadGuard::new).map_err(|_| native::would_block())
    }
}

/// Writing.
impl<T: ?Sized> RwLock<T> {
    /// Waits until nobody holds the lock and locks it for writing.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing but the place in the queue is lost; the attempt is counted
    /// as abandoned.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::RwLock;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = RwLock::new(1);
    /// *lock.write().await += 1;
    /// assert_eq!(lock.into_inner(), 2);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        Held::acquire(self, Whole, Location::caller(), |held| RwLockWriteGuard::new(open(held)))
    }

    /// As [`write`](Self::write), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        native::block_on(self.write())
    }

    /// As [`write`](Self::write), with a guard that keeps the lock alive and may go anywhere.
    ///
    /// # Cancel safety
    /// As for [`write`](Self::write).
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        let site = Location::caller();
        Held::acquire_owned(self, Whole, site, |held| OwnedRwLockWriteGuard::new(open(held)))
    }

    /// Locks for writing if nobody holds the lock.
    ///
    /// # Telemetry
    /// Finding it taken is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// [`TryLockError`] if it is taken.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        let held = Held::try_acquire(self, Whole, Location::caller());
        held.map(RwLockWriteGuard::new).map_err(|_| native::would_block())
    }

    /// As [`try_write`](Self::try_write), with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// [`TryLockError`] if it is taken.
    #[track_caller]
    #[inline]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let held = Held::try_acquire(self, Whole, Location::caller());
        held.map(OwnedRwLockWriteGuard::new).map_err(|_| native::would_block())
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    /// Locks for reading meanwhile if that needs no waiting, which the figures do not show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("RwLock");
        match Held::peek(self, Part).map(Shared::new) {
            Some(value) => d.field("data", &&*value),
            None => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}
