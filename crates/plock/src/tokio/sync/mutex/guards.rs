//! The guards of a mutex: borrowed or owned, of the whole value or of a part of it.

use super::super::access::Whole;
use super::super::guarded::{Exclusive, Held, guard};
use super::super::raw::Raw;
use super::Mutex;
use std::marker::PhantomData;
use std::sync::Arc;

/// Proof of having locked a [`Mutex`]; dropping it unlocks.
///
/// # Telemetry
/// The drop ends the hold: the mutex is free before the time is accounted. Dropped by another task or
/// scope than the one that locked, the hold counts as migrated; see [`adopt`](Self::adopt).
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    core: Exclusive<&'a Mutex<T>, T>,
}

/// A [`MutexGuard`] that keeps the mutex alive.
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    core: Exclusive<Arc<Mutex<T>>, T>,
}

/// A [`MutexGuard`] of a part of the value, made by [`MutexGuard::map`].
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    core: Exclusive<&'a Raw, T>,
    marker: PhantomData<&'a mut T>,
}

/// An [`OwnedMutexGuard`] of a part of the value, made by [`OwnedMutexGuard::map`].
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    core: Exclusive<Arc<Mutex<T>>, U>,
}

guard!(mut MutexGuard<'_, T> [T: ?Sized] => T);
guard!(mut OwnedMutexGuard<T> [T: ?Sized] => T);
guard!(mut MappedMutexGuard<'_, T> [T: ?Sized] => T);
guard!(mut OwnedMappedMutexGuard<T, U> [T: ?Sized, U: ?Sized] => U);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    #[inline]
    pub(super) fn new(held: Held<&'a Mutex<T>, Whole>) -> Self {
        Self { core: Exclusive::new(held) }
    }

    /// Narrows the guard to a part of the value. The hold goes on.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::{Mutex, MutexGuard};
    /// let pair = Mutex::new((1, 2));
    /// *MutexGuard::map(pair.try_lock().unwrap(), |pair| &mut pair.1) = 5;
    /// assert_eq!(pair.into_inner(), (1, 5));
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard::new(this.core.map(f).without_value())
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.core.try_map(f) {
            Ok(part) => Ok(MappedMutexGuard::new(part.without_value())),
            Err(core) => Err(Self { core }),
        }
    }

    /// The mutex this is a guard of.
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.core.lock()
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    #[inline]
    pub(super) fn new(held: Held<Arc<Mutex<T>>, Whole>) -> Self {
        Self { core: Exclusive::new(held) }
    }

    /// Narrows the guard to a part of the value. The hold goes on.
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedMappedMutexGuard { core: this.core.map(f) }
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.core.try_map(f) {
            Ok(core) => Ok(OwnedMappedMutexGuard { core }),
            Err(core) => Err(Self { core }),
        }
    }

    /// The mutex this is a guard of.
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        this.core.lock()
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    #[inline]
    fn new(core: Exclusive<&'a Raw, T>) -> Self {
        Self { core, marker: PhantomData }
    }

    /// Narrows the guard further.
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard::new(this.core.map(f))
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        this.core.try_map(f).map(MappedMutexGuard::new).map_err(Self::new)
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Narrows the guard further.
    #[inline]
    pub fn map<S, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        OwnedMappedMutexGuard { core: this.core.map(f) }
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    /// The guard, if `f` returns `None`.
    #[inline]
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match this.core.try_map(f) {
            Ok(core) => Ok(OwnedMappedMutexGuard { core }),
            Err(core) => Err(Self { core }),
        }
    }
}
