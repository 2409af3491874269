//! The value behind a lock and the cores of all guards: the only file of this crate with unsafe code.
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
//!   lock was made with, a part is one of them, and permits are never added to a `Guarded`. So while
//!   an `Exclusive` lives there is no other core of its lock, and while a `Shared` lives there is no
//!   `Exclusive`.
//! - (S3) A `Held` keeps its lock alive, by a borrow or by an `Arc`; the value is a field of the lock and
//!   does not move while the lock is borrowed or shared.
//! - (S4) What a mapping closure returns lives as long as the reference it was given could, because the
//!   closure must work for every lifetime. So (S2) and (S3) carry over to the part.

#![expect(
    unsafe_code,
    reason = "references into the cell behind a lock; the argument is on the module page"
)]

use super::mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
use super::raw::{Ask, Raw};
use crate::tokio::TokioTasks;
use ::tokio::sync::{AcquireError, TryAcquireError};
use plock_core::Hold;
use std::cell::UnsafeCell;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::Arc;

/// A value and the lock in front of it.
pub(crate) struct Guarded<T: ?Sized> {
    raw: Raw,
    value: UnsafeCell<T>,
}

/// Anything that is a queue of permits.
pub(crate) trait Queue {
    fn raw(&self) -> &Raw;
}

/// A lock: a queue in front of a value.
pub(crate) trait Protect {
    type Value: ?Sized;
    fn guarded(&self) -> &Guarded<Self::Value>;
}

/// How a guard refers to its lock: by reference or by `Arc`, which always lead to the same lock.
pub(crate) trait Handle: Deref<Target: Queue> {}

impl<Q: Queue + ?Sized> Handle for &Q {}
impl<Q: Queue + ?Sized> Handle for Arc<Q> {}

/// How much of a lock is held.
pub(crate) trait Access {
    /// What an acquisition of this much asks for.
    fn ask(&self, raw: &Raw) -> Ask;

    /// How many permits a release gives back.
    fn permits(&self, raw: &Raw) -> usize {
        self.ask(raw).permits as usize
    }
}

/// All permits of a lock: nobody else has any.
pub(crate) struct Whole;

/// One permit of a lock: nobody has all of them.
pub(crate) struct Part;

/// Permits that are in use until this is dropped: first they are given back, then the hold is
/// accounted, then the lock is let go of.
pub(crate) struct Held<L: Handle, A: Access> {
    hold: Hold,
    access: A,
    lock: L,
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
    pub(crate) const fn new(raw: Raw, value: T) -> Self {
        Self { raw, value: UnsafeCell::new(value) }
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

impl Queue for Raw {
    #[inline]
    fn raw(&self) -> &Raw {
        self
    }
}

impl<M: Protect + ?Sized> Queue for M {
    #[inline]
    fn raw(&self) -> &Raw {
        &self.guarded().raw
    }
}

impl Access for Whole {
    #[inline]
    fn ask(&self, raw: &Raw) -> Ask {
        Ask::all(raw.whole)
    }
}

impl Access for Part {
    #[inline]
    fn ask(&self, _: &Raw) -> Ask {
        Ask::READ
    }
}

impl<'a, Q: Queue + ?Sized, A: Access> Held<&'a Q, A> {
    /// Waits for `access` to `lock`; `finish` makes the guard.
    #[inline]
    pub(crate) fn acquire<T>(
        lock: &'a Q,
        access: A,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Self, AcquireError>) -> T,
    ) -> impl Future<Output = T> {
        let raw = lock.raw();
        let ask = access.ask(raw);
        raw.acquire(ask, site, move |hold| finish(hold.map(|hold| Self { hold, access, lock })))
    }
}

impl<Q: Queue + ?Sized, A: Access> Held<Arc<Q>, A> {
    /// As [`acquire`](Held::acquire), keeping the lock alive meanwhile and afterwards.
    #[inline]
    pub(crate) async fn acquire_owned<T>(
        lock: Arc<Q>,
        access: A,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Self, AcquireError>) -> T,
    ) -> T {
        let raw = lock.raw();
        let hold = raw.acquire(access.ask(raw), site, |hold| hold).await;
        finish(hold.map(|hold| Self { hold, access, lock }))
    }
}

impl<L: Handle, A: Access> Held<L, A> {
    #[inline]
    pub(crate) fn try_acquire(
        lock: L,
        access: A,
        site: &'static Location<'static>,
    ) -> Result<Self, TryAcquireError> {
        let raw = lock.raw();
        let hold = raw.try_acquire(access.ask(raw), site)?;
        Ok(Self { hold, access, lock })
    }

    /// As [`try_acquire`](Self::try_acquire), without a trace in the figures.
    pub(crate) fn peek(lock: L, access: A) -> Option<Self> {
        let raw = lock.raw();
        let hold = raw.peek(access.ask(raw))?;
        Some(Self { hold, access, lock })
    }

    pub(crate) fn lock(&self) -> &L {
        &self.lock
    }

    pub(crate) fn adopt(&mut self) {
        let raw = self.lock.raw();
        self.hold.adopt::<TokioTasks>(&raw.lock, self.access.ask(raw).share);
    }

    /// Takes it apart without giving anything back.
    #[inline]
    fn into_parts(self) -> (L, A, Hold) {
        let mut this = ManuallyDrop::new(self);
        let hold = this.hold.take();
        // SAFETY: `this` is neither dropped nor used again, so its fields are moved out exactly once.
        let access = unsafe { std::ptr::read(&raw const this.access) };
        // SAFETY: as above.
        let lock = unsafe { std::ptr::read(&raw const this.lock) };
        (lock, access, hold)
    }
}

impl<L: Handle, A: Access> Drop for Held<L, A> {
    #[inline]
    fn drop(&mut self) {
        let raw = self.lock.raw();
        raw.release(&mut self.hold, self.access.ask(raw).share, self.access.permits(raw));
    }
}

impl<L: Handle> Held<L, Whole> {
    fn downgrade(self) -> Held<L, Part> {
        let (lock, Whole, mut hold) = self.into_parts();
        lock.raw().downgrade(&mut hold);
        Held { hold, access: Part, lock }
    }
}

impl<'a, Q: Queue + ?Sized, A: Access> Held<&'a Q, A> {
    /// Forgets what stands behind the queue.
    #[inline]
    fn without_value(self) -> Held<&'a Raw, A> {
        let (lock, access, hold) = self.into_parts();
        Held { hold, access, lock: lock.raw() }
    }
}

impl<L: Handle, U: ?Sized> Exclusive<L, U> {
    #[inline]
    pub(crate) fn new<M: Protect<Value = U> + ?Sized>(held: Held<L, Whole>) -> Self
    where
        L: Deref<Target = M>,
    {
        Self { data: held.lock.guarded().value.get(), held }
    }

    pub(crate) fn lock(&self) -> &L {
        &self.held.lock
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
        Self { data: held.lock.guarded().value.get(), held }
    }

    pub(crate) fn lock(&self) -> &L {
        &self.held.lock
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

// Which thread may have which lock and guard: tokio's bounds, type by type.

// SAFETY: a shared mutex gives one thread at a time `&mut T`, which needs `T: Send` and no more.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

// SAFETY: it is a `&mut T` and permits that any thread may give back.
unsafe impl<T: ?Sized + Send> Send for MutexGuard<'_, T> {}
// SAFETY: `&MutexGuard` gives `&T`; `Send` as in tokio.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}
// SAFETY: it is a `&mut T` and an `Arc` that may drop the `T`, both of which `T: Send` allows.
unsafe impl<T: ?Sized + Send> Send for OwnedMutexGuard<T> {}
// SAFETY: as for `MutexGuard`.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T> {}
// SAFETY: it is a `&mut T` and permits that any thread may give back.
unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}
// SAFETY: `&MappedMutexGuard` gives `&T`.
unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}
// SAFETY: it is a `&mut U` and an `Arc` that may drop the `T`.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY: a reference to it gives `&U` and, through the `Arc`, a mutex; `Send` as in tokio.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}

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
