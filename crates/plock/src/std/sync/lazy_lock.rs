//! The value that is made with its first use.

use super::making::{Ask, Made, Timed};
use plock_core::{Kind, Lock};
use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync;

/// A value that is made when it is first used, and which records who made it, for how long, and whom
/// that kept waiting.
///
/// It has the complete interface of [`std::sync::LazyLock`] and its behaviour, poisoning included: it is
/// that type inside.
///
/// # Telemetry
/// As of a [`OnceLock`](super::OnceLock). One that finds a function that has panicked counts as
/// `poisoned`; whose panic that was is told in [`Snapshot::findings`](crate::Snapshot::findings).
///
/// # Overhead
/// As of a [`OnceLock`](super::OnceLock).
///
/// # Panics
/// Every use, if the function does or has done so. May panic, or never return, if the function uses
/// the value, as the standard library's does.
///
/// # Examples
/// ```
/// use plock::std::sync::LazyLock;
///
/// static PRICES: LazyLock<Vec<u32>> = LazyLock::const_named("doc_std_lazy_prices", || vec![3, 4]);
/// assert_eq!(PRICES.len(), 2);
/// assert_eq!(PRICES[1], 4);
///
/// let snapshot = plock::snapshot();
/// let prices = snapshot.lock("doc_std_lazy_prices", plock::Mode::Exclusive).unwrap();
/// assert_eq!((prices.hold.count(), prices.outcome(plock::Outcome::Acquired)), (1, 1));
/// ```
pub struct LazyLock<T, F = fn() -> T>(Timed<sync::LazyLock<T, F>>);

impl<T, F> Made for sync::LazyLock<T, F> {
    const POISONS: bool = true;

    fn is_made(&self) -> bool {
        Self::get(self).is_some()
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// Makes one that `f` will make the value of. Its figures are named by the module of the caller
    /// and the type of the value, and appear with its first use.
    #[track_caller]
    pub const fn new(f: F) -> Self {
        Self::with(Lock::new(Kind::OnceCell, type_name::<T>), f)
    }

    /// As [`new`](Self::new), with a name for its figures; they are there from now on. Names behave
    /// as for [`Mutex::named`](super::Mutex::named).
    #[track_caller]
    pub fn named(name: &'static str, f: F) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name).registered(), f)
    }

    /// As [`named`](Self::named), in a constant or a static; the figures appear with the first use.
    #[track_caller]
    pub const fn const_named(name: &'static str, f: F) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name), f)
    }

    const fn with(lock: Lock, f: F) -> Self {
        Self(Timed::new(lock, sync::LazyLock::new(f)))
    }

    /// The value; if it has not been made, the function makes it, unless another thread is doing that
    /// already: then this blocks until that is over.
    #[track_caller]
    #[inline]
    pub fn force(this: &Self) -> &T {
        if let Some(value) = Self::get(this) {
            return value;
        }
        let making = this.0.ask(Ask { makes: true, forces: false }, Location::caller());
        let value = sync::LazyLock::force(&this.0.inner);
        drop(making);
        value
    }

    /// As [`force`](Self::force), to change it.
    #[track_caller]
    #[inline]
    pub fn force_mut(this: &mut Self) -> &mut T {
        // What is poisoned panics in the words of this call, not of the other one.
        if Self::get(this).is_none() && !this.0.is_poisoned() {
            Self::force(this);
        }
        sync::LazyLock::force_mut(&mut this.0.inner)
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it has been made.
    #[inline]
    pub fn get(this: &Self) -> Option<&T> {
        sync::LazyLock::get(&this.0.inner)
    }

    /// The value, if it has been made.
    #[inline]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        sync::LazyLock::get_mut(&mut this.0.inner)
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    #[inline]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T, F: FnOnce() -> T> DerefMut for LazyLock<T, F> {
    #[track_caller]
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        Self::force_mut(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    /// As the standard library's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.fmt(f)
    }
}
