//! The read-write lock.

use super::guard::{Held, guard, lock, map, map_tried};
use plock_core::{Kind, Lock};
use std::panic::Location;
use std::sync::{self, LockResult, TryLockResult};

/// A read-write lock that blocks the thread, and which records who held it for how long and whom that
/// kept waiting.
///
/// It has the complete interface of [`std::sync::RwLock`] and its behaviour, poisoning included: it is
/// that lock inside.
///
/// # Telemetry
/// As of a [`Mutex`](super::Mutex), apart for readers and writers. A reader that finds a writer queued
/// has the cause `writer_pending`; its blame goes to the readers that writer waits for.
///
/// # Overhead
/// As of a [`Mutex`](super::Mutex).
///
/// # Examples
/// ```
/// use plock::std::sync::RwLock;
///
/// let prices = RwLock::named("doc_std_prices", vec![3, 4]);
/// assert_eq!(prices.read().unwrap().len(), 2);
/// prices.write().unwrap().push(5);
///
/// let snapshot = plock::snapshot();
/// let read = snapshot.lock("doc_std_prices", plock::Mode::Shared).unwrap();
/// let write = snapshot.lock("doc_std_prices", plock::Mode::Exclusive).unwrap();
/// assert_eq!((read.hold.count(), write.hold.count()), (1, 1));
/// ```
pub struct RwLock<T: ?Sized> {
    lock: Lock,
    inner: sync::RwLock<T>,
}

/// Read access to the value of a [`RwLock`], which is given back when this is dropped.
///
/// It stays on the thread that acquired it. Alive while its scope waits at an await, it is a finding.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized>(Held<'a, sync::RwLockReadGuard<'a, T>>);

/// Write access to the value of a [`RwLock`], which is given back when this is dropped.
///
/// It stays on the thread that acquired it. Alive while its scope waits at an await, it is a finding.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized>(Held<'a, sync::RwLockWriteGuard<'a, T>>);

lock!(RwLock, Kind::Rwlock);
guard!(RwLockReadGuard);
guard!(mut RwLockWriteGuard);

impl<T: ?Sized> RwLock<T> {
    /// Locks for reading; blocks the thread while a writer has the lock or waits for it.
    ///
    /// # Errors
    /// If it is poisoned; the guard is in the error.
    ///
    /// # Panics
    /// May panic, or never return, if this thread has it already, as the standard library's does.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let inner = &self.inner;
        let site = Location::caller();
        let held = Held::acquire(&self.lock, site, || inner.try_read(), || inner.read());
        map(held, RwLockReadGuard)
    }

    /// Locks for reading if no writer has the lock or waits for it.
    ///
    /// # Telemetry
    /// Not getting it is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// If it cannot be had now, or is poisoned; then the guard is in the error.
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        let held = Held::try_acquire(&self.lock, site, || self.inner.try_read());
        map_tried(held, RwLockReadGuard)
    }

    /// Locks for writing; blocks the thread while anybody has the lock.
    ///
    /// # Errors
    /// If it is poisoned; the guard is in the error.
    ///
    /// # Panics
    /// May panic, or never return, if this thread has it already, as the standard library's does.
    ///
    /// # Examples
    /// ```
    /// # use plock::std::sync::RwLock;
    /// let lock = RwLock::new(1);
    /// *lock.write().unwrap() += 1;
    /// assert_eq!(*lock.read().unwrap(), 2);
    /// ```
    #[track_caller]
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let inner = &self.inner;
        let site = Location::caller();
        let held = Held::acquire(&self.lock, site, || inner.try_write(), || inner.write());
        map(held, RwLockWriteGuard)
    }

    /// Locks for writing if nobody has the lock.
    ///
    /// # Telemetry
    /// Not getting it is counted as `would_block`, and is no wait.
    ///
    /// # Errors
    /// If it cannot be had now, or is poisoned; then the guard is in the error.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        let held = Held::try_acquire(&self.lock, site, || self.inner.try_write());
        map_tried(held, RwLockWriteGuard)
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Makes it a guard that reads; no writer gets in between, readers that wait get in with it.
    ///
    /// # Telemetry
    /// The sole part of the hold ends and the shared one begins, under the same hold.
    ///
    /// # Examples
    /// ```
    /// # use plock::std::sync::{RwLock, RwLockWriteGuard};
    /// let lock = RwLock::new(1);
    /// let mut writer = lock.write().unwrap();
    /// *writer = 2;
    /// let reader = RwLockWriteGuard::downgrade(writer);
    /// assert_eq!(*reader + *lock.read().unwrap(), 4);
    /// ```
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard(s.0.downgrade(sync::RwLockWriteGuard::downgrade))
    }
}
