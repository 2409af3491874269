//! The mutex: a queue with one permit in front of a value.

mod guards;

pub use guards::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

use super::access::Whole;
use super::guarded::{Exclusive, Guarded, Held, Protect};
use super::native::{self, open};
use ::tokio::sync::TryLockError;
use plock_core::{Kind, Lock};
use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A mutual exclusion lock whose guard may be held across await points, and which records who held
/// it for how long and whom that kept waiting.
///
/// It has the complete interface of [`tokio::sync::Mutex`] and its behaviour: first come, first
/// served, and no poisoning.
///
/// # Telemetry
/// Every acquisition counts, with the nesting depth at which it happened; every hold is timed from
/// the acquisition to the drop of the guard. An attempt that finds the mutex taken is timed from
/// its first poll and filed with its cause, the holders it is charged to and the release that ended
/// it; dropped before, it counts as abandoned. The figures carry the name of the mutex, or the
/// module it was made in and the type it protects.
///
/// # Overhead
/// Uncontended: two clock reads, no allocation, no memory that threads share but the mutex itself.
/// Contended: an allocation per attempt that waits, and a mutex around the queue, which tokio's has too.
///
/// # Examples
/// ```
/// use plock::tokio::sync::Mutex;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let stock = Mutex::named("doc_stock", 3);
/// *stock.lock().await += 4;
/// assert_eq!(*stock.lock().await, 7);
///
/// let snapshot = plock::snapshot();
/// let stock = snapshot.lock("doc_stock", plock::Mode::Exclusive).unwrap();
/// assert_eq!(stock.outcome(plock::Outcome::Acquired), 2);
/// # }
/// ```
pub struct Mutex<T: ?Sized>(Guarded<T>);

impl<T: ?Sized> Protect for Mutex<T> {
    type Value = T;

    #[inline]
    fn guarded(&self) -> &Guarded<T> {
        &self.0
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Makes an unlocked mutex. Its figures are named by the module of the caller and the type of the
    /// value, and appear with its first acquisition.
    #[track_caller]
    pub fn new(t: T) -> Self
    where
        T: Sized,
    {
        Self::const_new(t)
    }

    /// As [`new`](Self::new), in a constant or a static.
    #[track_caller]
    pub const fn const_new(t: T) -> Self
    where
        T: Sized,
    {
        Self::with(Lock::new(Kind::Mutex, type_name::<T>), t)
    }

    /// Makes an unlocked mutex with a name for its figures; they are there from now on, with 0
    /// acquisitions. Locks with the same name share their figures.
    ///
    /// A name that is too long is cut, an empty one is replaced by the caller's module, names over
    /// the cap share the name `__overflow__`; each of these is counted.
    #[track_caller]
    pub fn named(name: &'static str, t: T) -> Self
    where
        T: Sized,
    {
        Self::with(Lock::named(Kind::Mutex, name).registered(), t)
    }

    /// As [`named`](Self::named), in a constant or a static; the figures appear with the first
    /// acquisition. Where the same source must build with the feature `off`, write
    /// [`const_named!`](crate::const_named).
    ///
    /// # Examples
    /// ```
    /// use plock::tokio::sync::Mutex;
    ///
    /// static NEXT: Mutex<u64> = Mutex::const_named("doc_next", 41);
    /// assert_eq!(*NEXT.blocking_lock() + 1, 42);
    /// ```
    #[track_caller]
    pub const fn const_named(name: &'static str, t: T) -> Self
    where
        T: Sized,
    {
        Self::with(Lock::named(Kind::Mutex, name), t)
    }

    const fn with(lock: Lock, t: T) -> Self
    where
        T: Sized,
    {
        Self(Guarded::new(lock, 1, t))
    }

    /// Waits until the mutex is free and locks it.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing but the place in the queue is lost; the attempt is counted
    /// as abandoned.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::Mutex;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mutex = Mutex::new(1);
    /// *mutex.lock().await = 2;
    /// assert_eq!(mutex.into_inner(), 2);
    /// # }
    /// ```
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        Held::acquire(self, Whole, Location::caller(), |held| MutexGuard::new(open(held)))
    }

    /// As [`lock`](Self::lock), for threads that run no asynchronous code.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::Mutex;
    /// let mutex = Mutex::new(1);
    /// *mutex.blocking_lock() += 1;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    #[track_caller]
    #[doc(alias = "lock_blocking")]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        native::block_on(self.lock())
    }

    /// As [`blocking_lock`](Self::blocking_lock), with a guard that keeps the mutex alive.
    ///
    /// # Panics
    /// If it is called where asynchronous code runs.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        native::block_on(self.lock_owned())
    }

    /// As [`lock`](Self::lock), with a guard that keeps the mutex alive and may go anywhere.
    ///
    /// # Cancel safety
    /// As for [`lock`](Self::lock).
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::Mutex;
    /// # use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let guard = Arc::new(Mutex::new(5)).lock_owned().await;
    /// assert_eq!(plock::spawn("reads", async move { *guard }).await.unwrap(), 5);
    /// # }
    /// ```
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        let site = Location::caller();
        Held::acquire_owned(self, Whole, site, |held| OwnedMutexGuard::new(open(held)))
    }

    /// Locks the mutex if it is free.
    ///
    /// # Telemetry
    /// Finding it taken is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// [`TryLockError`] if it is taken.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::Mutex;
    /// let mutex = Mutex::new(1);
    /// let first = mutex.try_lock().unwrap();
    /// assert_eq!(mutex.try_lock().unwrap_err().to_string(), "operation would block");
    /// assert_eq!(*first, 1);
    /// ```
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let held = Held::try_acquire(self, Whole, Location::caller());
        held.map(MutexGuard::new).map_err(|_| native::would_block())
    }

    /// As [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// [`TryLockError`] if it is taken.
    #[track_caller]
    #[inline]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let held = Held::try_acquire(self, Whole, Location::caller());
        held.map(OwnedMutexGuard::new).map_err(|_| native::would_block())
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

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        Self::new(t)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    /// Locks the mutex meanwhile if it is free, which the figures do not show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Mutex");
        match Held::peek(self, Whole).map(Exclusive::new) {
            Some(value) => d.field("data", &&*value),
            None => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}
