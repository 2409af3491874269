//! The read guards: borrowed or owned, of the whole value or of a part of it.

use super::super::access::Part;
use super::super::guarded::{Held, Shared, guard};
use super::super::raw::Raw;
use super::RwLock;
use std::marker::PhantomData;
use std::sync::Arc;

/// Proof of having locked a [`RwLock`] for reading; dropping it lets go.
///
/// # Telemetry
/// The drop ends the hold: the permit is back before the time is accounted. Dropped by another task
/// or scope than the one that locked, the hold counts as migrated; see [`adopt`](Self::adopt).
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    core: Shared<&'a Raw, T>,
    marker: PhantomData<&'a T>,
}

/// A [`RwLockReadGuard`] that keeps the lock alive.
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    core: Shared<Arc<RwLock<T>>, U>,
    /// Counts as owning a `T`, as tokio's does.
    marker: PhantomData<T>,
}

guard!(RwLockReadGuard<'_, T> [T: ?Sized] => T);
guard!(OwnedRwLockReadGuard<T, U> [T: ?Sized, U: ?Sized] => U);

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    pub(super) fn new(held: Held<&'a RwLock<T>, Part>) -> Self {
        Self::with(Shared::new(held).without_value())
    }

    #[inline]
    pub(super) fn with(core: Shared<&'a Raw, T>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard to a part of the value. The hold goes on.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::{RwLock, RwLockReadGuard};
    /// let pair = RwLock::new((1, 2));
    /// let second = RwLockReadGuard::map(pair.try_read().unwrap(), |pair| &pair.1);
    /// assert_eq!(*second, 2);
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard::with(this.core.map(f))
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        this.core.try_map(f).map(RwLockReadGuard::with).map_err(Self::with)
    }
}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    #[inline]
    pub(super) fn new(held: Held<Arc<RwLock<T>>, Part>) -> Self {
        Self::with(Shared::new(held))
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    #[inline]
    pub(super) fn with(core: Shared<Arc<RwLock<T>>, U>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard to a part of the value. The hold goes on.
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        OwnedRwLockReadGuard::with(this.core.map(f))
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        this.core.try_map(f).map(OwnedRwLockReadGuard::with).map_err(Self::with)
    }

    /// The lock this is a guard of.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.core.lock()
    }
}
