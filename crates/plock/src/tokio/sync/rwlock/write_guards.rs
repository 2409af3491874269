//! The write guards: borrowed or owned, of the whole value or of a part of it. Those of the whole
//! value may become read guards; those of a part may not, because the part may lie in a cell that
//! only sole access made safe to look into.

use super::super::access::Whole;
use super::super::guarded::{Exclusive, Held, guard};
use super::super::raw::Raw;
use super::{OwnedRwLockReadGuard, RwLock, RwLockReadGuard};
use std::marker::PhantomData;
use std::sync::Arc;

/// Proof of having locked a [`RwLock`] for writing; dropping it unlocks.
///
/// # Telemetry
/// The drop ends the hold: the lock is free before the time is accounted. Dropped by another task or
/// scope than the one that locked, the hold counts as migrated; see [`adopt`](Self::adopt).
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    core: Exclusive<&'a Raw, T>,
    marker: PhantomData<&'a mut T>,
}

/// A [`RwLockWriteGuard`] that keeps the lock alive.
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    core: Exclusive<Arc<RwLock<T>>, T>,
    /// Counts as owning a `T`, as tokio's does.
    marker: PhantomData<T>,
}

/// A [`RwLockWriteGuard`] of a part of the value, made by [`RwLockWriteGuard::map`].
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    core: Exclusive<&'a Raw, T>,
    marker: PhantomData<&'a mut T>,
}

/// An [`OwnedRwLockWriteGuard`] of a part of the value, made by [`OwnedRwLockWriteGuard::map`].
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    core: Exclusive<Arc<RwLock<T>>, U>,
    /// Counts as owning a `T`, as tokio's does.
    marker: PhantomData<T>,
}

guard!(mut RwLockWriteGuard<'_, T> [T: ?Sized] => T);
guard!(mut OwnedRwLockWriteGuard<T> [T: ?Sized] => T);
guard!(mut RwLockMappedWriteGuard<'_, T> [T: ?Sized] => T);
guard!(mut OwnedRwLockMappedWriteGuard<T, U> [T: ?Sized, U: ?Sized] => U);

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(super) fn new(held: Held<&'a RwLock<T>, Whole>) -> Self {
        Self::with(Exclusive::new(held).without_value())
    }

    #[inline]
    fn with(core: Exclusive<&'a Raw, T>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard to a part of the value. The hold goes on.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::{RwLock, RwLockWriteGuard};
    /// let pair = RwLock::new((1, 2));
    /// *RwLockWriteGuard::map(pair.try_write().unwrap(), |pair| &mut pair.1) = 5;
    /// assert_eq!(pair.into_inner(), (1, 5));
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard::with(this.core.map(f))
    }

    /// Becomes a read guard of a part of the value; readers in the queue get in, writers do not.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard::with(this.core.downgrade_map(f))
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        this.core.try_map(f).map(RwLockMappedWriteGuard::with).map_err(Self::with)
    }

    /// Becomes a read guard of a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, still for writing, if `f` returns `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        this.core.try_downgrade_map(f).map(RwLockReadGuard::with).map_err(Self::with)
    }

    /// Changes the type, so that whole and part can be returned alike.
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard::with(this.core)
    }

    /// Becomes a read guard without letting a writer in between; readers in the queue get in.
    ///
    /// # Telemetry
    /// The exclusive hold ends here and a shared one begins.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::RwLock;
    /// let lock = RwLock::new(1);
    /// let reader = lock.try_write().unwrap().downgrade();
    /// assert_eq!(*reader + *lock.try_read().unwrap(), 2);
    /// ```
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::with(self.core.downgrade())
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    #[inline]
    pub(super) fn new(held: Held<Arc<RwLock<T>>, Whole>) -> Self {
        Self::with(Exclusive::new(held))
    }

    #[inline]
    fn with(core: Exclusive<Arc<RwLock<T>>, T>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard to a part of the value. The hold goes on.
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedRwLockMappedWriteGuard::with(this.core.map(f))
    }

    /// Becomes a read guard of a part of the value; readers in the queue get in, writers do not.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        OwnedRwLockReadGuard::with(this.core.downgrade_map(f))
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        this.core.try_map(f).map(OwnedRwLockMappedWriteGuard::with).map_err(Self::with)
    }

    /// Becomes a read guard of a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, still for writing, if `f` returns `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        this.core.try_downgrade_map(f).map(OwnedRwLockReadGuard::with).map_err(Self::with)
    }

    /// Changes the type, so that whole and part can be returned alike.
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard::with(this.core)
    }

    /// Becomes a read guard without letting a writer in between; readers in the queue get in.
    ///
    /// # Telemetry
    /// The exclusive hold ends here and a shared one begins.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard::with(self.core.downgrade())
    }

    /// The lock this is a guard of.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.core.lock()
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    #[inline]
    fn with(core: Exclusive<&'a Raw, T>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard::with(this.core.map(f))
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        this.core.try_map(f).map(RwLockMappedWriteGuard::with).map_err(Self::with)
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn with(core: Exclusive<Arc<RwLock<T>>, U>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        OwnedRwLockMappedWriteGuard::with(this.core.map(f))
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<F, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        this.core.try_map(f).map(OwnedRwLockMappedWriteGuard::with).map_err(Self::with)
    }

    /// The lock this is a guard of.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.core.lock()
    }
}
