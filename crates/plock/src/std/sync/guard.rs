//! What the guards of a mutex and of a read-write lock are: a guard of the standard library with its
//! hold. First it is dropped, then the hold is accounted.

use crate::blocking;
use crate::runtime::Tasks;
use plock_core::{Guarded, Guarding, Hold, Lock, Mode, Share, Start};
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{LockResult, MutexGuard, PoisonError, RwLockReadGuard, RwLockWriteGuard};
use std::sync::{TryLockError, TryLockResult};

/// A guard of the standard library.
pub(crate) trait Guard {
    /// How it holds its lock.
    type Way: Guarding;
}

/// Alone.
pub(crate) struct Alone;
/// With other readers.
pub(crate) struct Together;

impl Guarding for Alone {
    type Runtime = Tasks;
    const SHARE: Share = Share::EXCLUSIVE;
}

impl Guarding for Together {
    type Runtime = Tasks;
    const SHARE: Share = Share::SHARED;
}

impl<T: ?Sized> Guard for MutexGuard<'_, T> {
    type Way = Alone;
}

impl<T: ?Sized> Guard for RwLockReadGuard<'_, T> {
    type Way = Together;
}

impl<T: ?Sized> Guard for RwLockWriteGuard<'_, T> {
    type Way = Alone;
}

/// Such a guard with its hold.
pub(crate) struct Held<'a, G: Guard>(Guarded<'a, G, G::Way>);

/// What locking gave: the guard in any case.
struct Got<G> {
    guard: G,
    is_poisoned: bool,
}

impl<G> Got<G> {
    #[inline(always)]
    fn of(locked: LockResult<G>) -> Self {
        match locked {
            Ok(guard) => Self { guard, is_poisoned: false },
            Err(poisoned) => Self { guard: poisoned.into_inner(), is_poisoned: true },
        }
    }

    /// Nothing if somebody else has it.
    #[inline(always)]
    fn tried(tried: TryLockResult<G>) -> Option<Self> {
        match tried {
            Ok(guard) => Some(Self::of(Ok(guard))),
            Err(TryLockError::Poisoned(poisoned)) => Some(Self::of(Err(poisoned))),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<'a, G: Guard> Held<'a, G> {
    const MODE: Mode = <G::Way as Guarding>::SHARE.mode();

    /// Takes `lock` by `attempt`, or waits for it by `block`.
    ///
    /// In line, and so with one exit for all outcomes: out of line, and from anything that is, the guard
    /// comes back through memory, and then that of the fast path is there too, stored word by word and read
    /// back whole.
    #[inline(always)]
    pub(crate) fn acquire(
        lock: &'a Lock,
        site: &'static Location<'static>,
        attempt: impl Fn() -> TryLockResult<G>,
        block: impl FnOnce() -> LockResult<G>,
    ) -> LockResult<Self> {
        let start = Start::now();
        let (got, hold) = if !start.is_recorded() {
            (Got::of(block()), Hold::default())
        } else if let Some(got) = Got::tried(attempt()) {
            (got, lock.acquired_by_thread::<Tasks>(start, Self::MODE, site))
        } else {
            let mut got = None;
            let hold = Self::wait(lock, start, site, attempt, block, &mut got);
            let Some(got) = got else { unreachable!("it waits until it has it") };
            (got, hold)
        };
        Self::with(lock, got, hold)
    }

    /// Takes `lock` by `attempt` if it is free.
    #[inline]
    pub(crate) fn try_acquire(
        lock: &'a Lock,
        site: &'static Location<'static>,
        attempt: impl FnOnce() -> TryLockResult<G>,
    ) -> TryLockResult<Self> {
        let start = Start::now();
        let Some(got) = Got::tried(attempt()) else {
            lock.would_block(start, Self::MODE);
            return Err(TryLockError::WouldBlock);
        };
        let hold = lock.acquired_by_thread::<Tasks>(start, Self::MODE, site);
        Self::with(lock, got, hold).map_err(TryLockError::Poisoned)
    }

    #[cold]
    #[inline(never)]
    fn wait(
        lock: &'a Lock,
        start: Start,
        site: &'static Location<'static>,
        attempt: impl Fn() -> TryLockResult<G>,
        block: impl FnOnce() -> LockResult<G>,
        got: &mut Option<Got<G>>,
    ) -> Hold {
        let (attempt, block) = (|| Got::tried(attempt()), || Got::of(block()));
        let (locked, hold) = blocking::wait(lock, Self::MODE, site, start, attempt, block);
        *got = Some(locked);
        hold
    }

    /// A guard that came back without having been asked for: its hold begins now.
    pub(crate) fn resume(
        lock: &'a Lock,
        site: &'static Location<'static>,
        guard: LockResult<G>,
    ) -> LockResult<Self> {
        let hold = lock.acquired_by_thread::<Tasks>(Start::now(), Self::MODE, site);
        Self::with(lock, Got::of(guard), hold)
    }

    /// The guard is the same in both results, made in one place: else it is made in memory, for whoever
    /// unwraps the one and would show the other.
    #[inline(always)]
    fn with(lock: &'a Lock, got: Got<G>, hold: Hold) -> LockResult<Self> {
        if got.is_poisoned && hold.is_recorded() {
            lock.poisoned(Self::MODE);
        }
        let held = Self::new(lock, got.guard, hold);
        if got.is_poisoned { Err(PoisonError::new(held)) } else { Ok(held) }
    }

    #[inline(always)]
    fn new(lock: &'a Lock, guard: G, hold: Hold) -> Self {
        Self(Guarded::new(lock, guard, hold))
    }

    /// Ends the hold and gives the guard away, for a call that lets others have the lock meanwhile.
    pub(crate) fn pause(self) -> (&'a Lock, G) {
        self.0.pause()
    }

    /// Makes it a guard of another kind without a release in between.
    pub(crate) fn downgrade<H: Guard>(self, downgrade: impl FnOnce(G) -> H) -> Held<'a, H> {
        Held(self.0.downgrade(downgrade))
    }
}

impl<G: Guard + Deref> Deref for Held<'_, G> {
    type Target = G::Target;

    #[inline]
    fn deref(&self) -> &G::Target {
        self.0.guard()
    }
}

impl<G: Guard + DerefMut> DerefMut for Held<'_, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut G::Target {
        self.0.guard_mut()
    }
}

/// What `wrap` makes of the guard, poisoned or not.
#[inline]
pub(crate) fn map<T, U>(locked: LockResult<T>, wrap: impl FnOnce(T) -> U) -> LockResult<U> {
    match locked {
        Ok(held) => Ok(wrap(held)),
        Err(poisoned) => Err(PoisonError::new(wrap(poisoned.into_inner()))),
    }
}

/// The same of an attempt.
#[inline]
pub(crate) fn map_tried<T, U>(
    tried: TryLockResult<T>,
    wrap: impl FnOnce(T) -> U,
) -> TryLockResult<U> {
    match tried {
        Ok(held) => Ok(wrap(held)),
        Err(TryLockError::Poisoned(it)) => Err(PoisonError::new(wrap(it.into_inner())).into()),
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}

/// Implements what all guards have: access and formatting. `mut` for guards with write access.
macro_rules! guard {
    (mut $guard:ident) => {
        guard!($guard);

        impl<T: ?Sized> std::ops::DerefMut for $guard<'_, T> {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                &mut self.0
            }
        }
    };
    ($guard:ident) => {
        impl<T: ?Sized> std::ops::Deref for $guard<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<T: ?Sized + std::fmt::Display> std::fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}
pub(crate) use guard;

/// Implements what both locks have besides their own ways to lock them: how they are made, named, read
/// without a lock, formatted; and their poison.
macro_rules! lock {
    ($lock:ident, $kind:expr) => {
        impl<T> $lock<T> {
            /// Makes it, unlocked. Its figures are named by the module of the caller and the type of the
            /// value, and appear with the first acquisition.
            #[track_caller]
            pub const fn new(t: T) -> Self {
                Self::with(plock_core::Lock::new($kind, std::any::type_name::<T>), t)
            }

            /// Makes it, unlocked, with a name for its figures; they are there from now on, with 0
            /// acquisitions. Locks with the same name share their figures.
            ///
            /// A name that is too long is cut, an empty one is replaced by the caller's module, names
            /// over the cap share the name `__overflow__`; each of these is counted.
            #[track_caller]
            pub fn named(name: &'static str, t: T) -> Self {
                Self::with(plock_core::Lock::named($kind, name).registered(), t)
            }

            /// As [`named`](Self::named), in a constant or a static; the figures appear with the first
            /// acquisition.
            #[track_caller]
            pub const fn const_named(name: &'static str, t: T) -> Self {
                Self::with(plock_core::Lock::named($kind, name), t)
            }

            const fn with(lock: plock_core::Lock, t: T) -> Self {
                Self { lock, inner: std::sync::$lock::new(t) }
            }
        }

        impl<T: ?Sized> $lock<T> {
            /// Whether a guard that writes was dropped by a panic.
            #[inline]
            pub fn is_poisoned(&self) -> bool {
                self.inner.is_poisoned()
            }

            /// Makes it not poisoned.
            #[inline]
            pub fn clear_poison(&self) {
                self.inner.clear_poison();
            }

            /// The value.
            ///
            /// # Errors
            /// If it is poisoned; the value is in the error.
            pub fn into_inner(self) -> std::sync::LockResult<T>
            where
                T: Sized,
            {
                self.inner.into_inner()
            }

            /// The value; nobody else can have it, so nothing is locked.
            ///
            /// # Errors
            /// If it is poisoned; the value is in the error.
            pub fn get_mut(&mut self) -> std::sync::LockResult<&mut T> {
                self.inner.get_mut()
            }
        }

        impl<T> From<T> for $lock<T> {
            #[track_caller]
            fn from(t: T) -> Self {
                Self::new(t)
            }
        }

        impl<T: Default> Default for $lock<T> {
            #[track_caller]
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $lock<T> {
            /// Locks it meanwhile if it is free, which the figures do not show.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}
pub(crate) use lock;
