//! The mutex.

use super::guard::{Held, guard, lock, map, map_tried};
use plock_core::{Kind, Lock};
use std::panic::Location;
use std::sync::{self, LockResult, TryLockResult};

/// A mutual exclusion lock that blocks the thread, and which records who held it for how long and whom
/// that kept waiting.
///
/// It has the complete interface of [`std::sync::Mutex`] and its behaviour, poisoning included: it is
/// that mutex inside.
///
/// # Telemetry
/// Every acquisition counts, with the nesting depth at which it happened; every hold is timed from
/// the acquisition to the drop of the guard. An attempt that finds the mutex taken is timed from then
/// until it has it: the time until the last release before that is queue time and filed with the holders
/// it is charged to, the rest is claim delay, which the thread needed to be woken and to run. A wait of
/// microseconds, in which it never queued, is queue time of the holders that it saw. How many got
/// the mutex meanwhile although they asked later is in the detail of a slow wait.
///
/// A lock that is found poisoned counts as `poisoned` besides; whose panic that was, a guard left alive
/// at an await, and a thread that waits for itself are told in
/// [`Snapshot::findings`](crate::Snapshot::findings).
///
/// # Overhead
/// Uncontended: two clock reads, no allocation, no memory that threads share but the mutex itself.
/// Contended: an attempt looks again for some microseconds and then queues, which takes an allocation
/// and a short lock of this mutex's record; who lets go meanwhile takes that as well, to be charged.
///
/// # Examples
/// ```
/// use plock::std::sync::Mutex;
///
/// let stock = Mutex::named("doc_std_stock", 3);
/// *stock.lock().unwrap() += 4;
/// assert_eq!(*stock.lock().unwrap(), 7);
///
/// let snapshot = plock::snapshot();
/// let stock = snapshot.lock("doc_std_stock", plock::Mode::Exclusive).unwrap();
/// assert_eq!(stock.outcome(plock::Outcome::Acquired), 2);
/// ```
pub struct Mutex<T: ?Sized> {
    lock: Lock,
    inner: sync::Mutex<T>,
}

/// Access to the value of a [`Mutex`], which is unlocked when this is dropped.
///
/// It stays on the thread that acquired it. Alive while its scope waits at an await, it is a finding.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized>(pub(super) Held<'a, sync::MutexGuard<'a, T>>);

lock!(Mutex, Kind::Mutex);
guard!(mut MutexGuard);

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex; blocks the thread until it is free.
    ///
    /// # Errors
    /// If it is poisoned; the guard is in the error.
    ///
    /// # Panics
    /// May panic, or never return, if this thread has it already, as the standard library's does. That it
    /// does is told in [`Snapshot::findings`](crate::Snapshot::findings) before.
    ///
    /// # Examples
    /// ```
    /// # use plock::std::sync::Mutex;
    /// let mutex = Mutex::new(1);
    /// *mutex.lock().unwrap() = 2;
    /// assert_eq!(mutex.into_inner().unwrap(), 2);
    /// ```
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let inner = &self.inner;
        let site = Location::caller();
        let held = Held::acquire(&self.lock, site, || inner.try_lock(), || inner.lock());
        map(held, MutexGuard)
    }

    /// Locks the mutex if it is free.
    ///
    /// # Telemetry
    /// Finding it taken is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// If it is taken, or poisoned; then the guard is in the error.
    ///
    /// # Examples
    /// ```
    /// # use plock::std::sync::Mutex;
    /// let mutex = Mutex::new(1);
    /// let first = mutex.try_lock().unwrap();
    /// assert!(mutex.try_lock().is_err());
    /// assert_eq!(*first, 1);
    /// ```
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let held = Held::try_acquire(&self.lock, Location::caller(), || self.inner.try_lock());
        map_tried(held, MutexGuard)
    }
}
