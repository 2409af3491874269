//! The value behind a lock and the cores of all guards. All unsafe code of this crate is here: in this
//! file the references into the cell, in `held` the taking apart of a guard, in `threads` the
//! promises about threads.
//!
//! | type | what it is | who may make one |
//! |---|---|---|
//! | [`Guarded`] | a queue of permits in front of a value | anybody |
//! | [`Held`] | some permits of one lock, given back on drop | only an acquisition that got them |
//! | [`Exclusive`], [`Shared`] | access to the value, or to a part of it | only a `Held` of the right kind |
//!
//! The argument for all unsafe code below:
//! - (S1) The cell of a `Guarded` is private to this file; it is reached through `&mut self`, by value,
//!   or through an access core.
//! - (S2) `Exclusive` owns a `Held<_, Whole>`, `Shared` a `Held<_, Part>`. A whole is all permits that a
//!   lock was made with, at least one; a part is one of them; and nothing adds permits to a
//!   `Guarded` but the end of a `Held`, which adds at most what that one had. `plock_core::Permits`
//!   makes none up: what it hands out it has taken from its word, or was given (its page says how; its
//!   models count them). So while an
//!   `Exclusive` lives there is no other core of its lock, and while a `Shared` lives there is no
//!   `Exclusive`.
//! - (S3) A `Held` keeps its lock alive, by a borrow or by an `Arc`; the value is a field of the lock and
//!   does not move while the lock is borrowed or shared.
//! - (S4) What a mapping closure returns lives as long as the reference it was given could, because the
//!   closure must work for every lifetime. So (S2) and (S3) carry over to the part.
//!
//! What must not compile: a guard that outlives its lock,
//! ```compile_fail,E0597
//! # use plock::tokio::sync::Mutex;
//! let guard = {
//!     let mutex = Mutex::new(1);
//!     mutex.try_lock().unwrap()
//! };
//! assert_eq!(*guard, 1);
//! ```
//! a reference that outlives its guard,
//! ```compile_fail,E0505
//! # use plock::tokio::sync::Mutex;
//! let mutex = Mutex::new(1);
//! let guard = mutex.try_lock().unwrap();
//! let value = &*guard;
//! drop(guard);
//! assert_eq!(*value, 1);
//! ```
//! a part that is kept aside while it is mapped,
//! ```compile_fail,E0521
//! # use plock::tokio::sync::{Mutex, MutexGuard};
//! let mutex = Mutex::new(1);
//! let mut aside = None;
//! MutexGuard::try_map(mutex.try_lock().unwrap(), |value| { aside = Some(value); None::<&mut i32> });
//! ```
//! shared access to a part that was mapped by sole access,
//! ```compile_fail,E0599
//! # use plock::tokio::sync::{RwLock, RwLockWriteGuard};
//! let lock = RwLock::new(std::cell::Cell::new(1));
//! RwLockWriteGuard::map(lock.try_write().unwrap(), |cell| cell.get_mut()).downgrade();
//! ```
//! a longer-lived reference stored through a guard of a shorter-lived type.
//! ```compile_fail,E0597
//! # use plock::tokio::sync::{Mutex, MutexGuard};
//! fn store<'a>(mut guard: MutexGuard<'_, &'a str>, text: &'a str) { *guard = text }
//! let mutex: Mutex<&'static str> = Mutex::new("text");
//! let text = String::from("short");
//! store(mutex.try_lock().unwrap(), &text);
//! ```

#![expect(
    unsafe_code,
    reason = "references into the cell behind a lock; the argument is on the module page"
)]

mod held;
mod threads;

pub(crate) use held::{Handle, Held, Queue};

use super::access::{Part, Whole};
use super::raw::Raw;
use plock_core::Lock;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

/// A value and the lock in front of it.
pub(crate) struct Guarded<T: ?Sized> {
    raw: Raw,
    value: UnsafeCell<T>,
}

/// A lock: a queue in front of a value.
pub(crate) trait Protect {
    type Value: ?Sized;
    fn guarded(&self) -> &Guarded<Self::Value>;
}

/// Sole access to a value behind a lock, or to a part of it. Invariant in `U`, as `&mut U` is.
pub(crate) struct Exclusive<L: Handle, U: ?Sized> {
    data: *mut U,
    held: Held<L, Whole>,
}

/// Shared access to a value behind a lock, or to a part of it. Covariant in `U`, as `&U` is.
pub(crate) struct Shared<L: Handle, U: ?Sized> {
    data: *const U,
    held: Held<L, Part>,
}

impl<T> Guarded<T> {
    /// A lock made of `whole` permits, at least one.
    pub(crate) const fn new(lock: Lock, whole: u32, value: T) -> Self {
        assert!(whole > 0, "nobody could hold a lock without permits, or everybody could");
        Self { raw: Raw::new(lock, whole), value: UnsafeCell::new(value) }
    }

    pub(crate) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Guarded<T> {
    pub(crate) const fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<M: Protect + ?Sized> Queue for M {
    #[inline]
    fn raw(&self) -> &Raw {
        &self.guarded().raw
    }
}

impl<L: Handle, U: ?Sized> Exclusive<L, U> {
    #[inline]
    pub(crate) fn new<M: Protect<Value = U> + ?Sized>(held: Held<L, Whole>) -> Self
    where
        L: Deref<Target = M>,
    {
        Self { data: held.lock().guarded().value.get(), held }
    }

    pub(crate) fn lock(&self) -> &L {
        self.held.lock()
    }

    pub(crate) fn adopt(&mut self) {
        self.held.adopt();
    }

    #[inline]
    pub(crate) fn map<V: ?Sized>(mut self, f: impl FnOnce(&mut U) -> &mut V) -> Exclusive<L, V> {
        Exclusive { data: f(&mut self), held: self.held }
    }

    #[inline]
    pub(crate) fn try_map<V: ?Sized>(
        mut self,
        f: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<Exclusive<L, V>, Self> {
        let Some(part) = f(&mut self) else { return Err(self) };
        Ok(Exclusive { data: part, held: self.held })
    }

    pub(crate) fn downgrade(self) -> Shared<L, U> {
        Shared { data: self.data, held: self.held.downgrade() }
    }

    pub(crate) fn downgrade_map<V: ?Sized>(self, f: impl FnOnce(&U) -> &V) -> Shared<L, V> {
        Shared { data: f(&self), held: self.held.downgrade() }
    }

    pub(crate) fn try_downgrade_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Shared<L, V>, Self> {
        let Some(part) = f(&self) else { return Err(self) };
        let data = std::ptr::from_ref(part);
        Ok(Shared { data, held: self.held.downgrade() })
    }
}

impl<'a, Q: Queue + ?Sized, U: ?Sized> Exclusive<&'a Q, U> {
    #[inline]
    pub(crate) fn without_value(self) -> Exclusive<&'a Raw, U> {
        Exclusive { data: self.data, held: self.held.without_value() }
    }
}

impl<L: Handle, U: ?Sized> Deref for Exclusive<L, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: alive by (S3), (S4); no `&mut` to it exists while `self` is borrowed, by (S2).
        unsafe { &*self.data }
    }
}

impl<L: Handle, U: ?Sized> DerefMut for Exclusive<L, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: alive by (S3), (S4); no other reference exists while `self` is borrowed, by (S2).
        unsafe { &mut *self.data }
    }
}

impl<L: Handle, U: ?Sized> Shared<L, U> {
    #[inline]
    pub(crate) fn new<M: Protect<Value = U> + ?Sized>(held: Held<L, Part>) -> Self
    where
        L: Deref<Target = M>,
    {
        Self { data: held.lock().guarded().value.get(), held }
    }

    pub(crate) fn lock(&self) -> &L {
        self.held.lock()
    }

    pub(crate) fn adopt(&mut self) {
        self.held.adopt();
    }

    #[inline]
    pub(crate) fn map<V: ?Sized>(self, f: impl FnOnce(&U) -> &V) -> Shared<L, V> {
        Shared { data: f(&self), held: self.held }
    }

    #[inline]
    pub(crate) fn try_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Shared<L, V>, Self> {
        let Some(part) = f(&self) else { return Err(self) };
        let data = std::ptr::from_ref(part);
        Ok(Shared { data, held: self.held })
    }
}

impl<'a, Q: Queue + ?Sized, U: ?Sized> Shared<&'a Q, U> {
    #[inline]
    pub(crate) fn without_value(self) -> Shared<&'a Raw, U> {
        Shared { data: self.data, held: self.held.without_value() }
    }
}

impl<L: Handle, U: ?Sized> Deref for Shared<L, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: alive by (S3), (S4); no `&mut` to it exists while `self` lives, by (S2).
        unsafe { &*self.data }
    }
}

/// Implements what all guards have, by their core: access, formatting, adoption. `mut` for guards
/// with write access.
macro_rules! guard {
    (mut $guard:ty [$($generics:tt)*] => $target:ident) => {
        guard!($guard [$($generics)*] => $target);

        impl<$($generics)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $target {
                &mut self.core
            }
        }
    };
    ($guard:ty [$($generics:tt)*] => $target:ident) => {
        impl<$($generics)*> std::ops::Deref for $guard {
            type Target = $target;

            #[inline]
            fn deref(&self) -> &$target {
                &self.core
            }
        }

        impl<$($generics)*> std::fmt::Debug for $guard
        where
            $target: std::fmt::Debug,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generics)*> std::fmt::Display for $guard
        where
            $target: std::fmt::Display,
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }

        impl<$($generics)*> $guard {
            /// Makes the task or scope that runs here the owner of this guard, for guards that were
            /// handed over on purpose. The nesting depth of both owners changes at once, and
            /// whoever waits from now on is told the new owner.
            ///
            /// An associated function, so that it cannot hide a method of the value.
            pub fn adopt(this: &mut Self) {
                this.core.adopt();
            }
        }
    };
}
pub(crate) use guard;
