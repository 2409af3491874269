//! The types that people write, under the names they have in parking_lot, and what gives them names of
//! their own.

use super::{RawCondvar, RawFairMutex, RawMutex, RawReentrantMutex, RawRwLock, RawRwLockRecursive};
use parking_lot::RawThreadId;

/// A mutual exclusion lock: parking_lot's, with its figures.
///
/// # Telemetry
/// As of [`plock::std::sync::Mutex`](crate::std::sync::Mutex), without poisoning; see the module page.
///
/// # Examples
/// ```
/// use plock::parking_lot::{Mutex, MutexGuard, Named};
/// use std::time::Duration;
///
/// let stock = Mutex::named("doc_pl_mutex", (3, "screws"));
/// let part = MutexGuard::map(stock.lock(), |stock| &mut stock.0);
/// assert!(stock.try_lock_for(Duration::from_millis(1)).is_none());
/// assert_eq!(*part, 3);
///
/// let snapshot = plock::snapshot();
/// let stock = snapshot.lock("doc_pl_mutex", plock::Mode::Exclusive).unwrap();
/// assert_eq!(stock.outcome(plock::Outcome::Timeout), 1);
/// ```
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// Access to the value of a [`Mutex`].
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// Access to a part of the value of a [`Mutex`].
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

/// A [`Mutex`] that is always unlocked fairly.
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
/// Access to the value of a [`FairMutex`].
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// Access to a part of the value of a [`FairMutex`].
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

/// A mutex that its thread can lock again. The hold is that of the outermost guard.
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawReentrantMutex, RawThreadId, T>;
/// Access to the value of a [`ReentrantMutex`].
pub type ReentrantMutexGuard<'a, T> =
    lock_api::ReentrantMutexGuard<'a, RawReentrantMutex, RawThreadId, T>;
/// Access to a part of the value of a [`ReentrantMutex`].
pub type MappedReentrantMutexGuard<'a, T> =
    lock_api::MappedReentrantMutexGuard<'a, RawReentrantMutex, RawThreadId, T>;

/// A read-write lock: parking_lot's, with its figures for readers and writers.
///
/// # Telemetry
/// See the module page.
///
/// # Examples
/// ```
/// use plock::parking_lot::{Named, RwLock, RwLockUpgradableReadGuard};
///
/// let prices = RwLock::named("doc_pl_prices", vec![3]);
/// let read = prices.upgradable_read();
/// assert_eq!(prices.read().len(), 1);
/// RwLockUpgradableReadGuard::upgrade(read).push(4);
///
/// let snapshot = plock::snapshot();
/// let read = snapshot.lock("doc_pl_prices", plock::Mode::Shared).unwrap();
/// let write = snapshot.lock("doc_pl_prices", plock::Mode::Exclusive).unwrap();
/// assert_eq!((read.hold.count(), write.hold.count()), (2, 1));
/// ```
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// Read access to the value of a [`RwLock`].
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Write access to the value of a [`RwLock`].
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// Read access to the value of a [`RwLock`] that can become write access.
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
/// Read access to a part of the value of a [`RwLock`].
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// Write access to a part of the value of a [`RwLock`].
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;

/// A [`RwLock`] whose readers go before writers that wait.
pub type RecursiveRwLock<T> = lock_api::RwLock<RawRwLockRecursive, T>;
/// Read access to the value of a [`RecursiveRwLock`].
pub type RecursiveRwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Write access to the value of a [`RecursiveRwLock`].
pub type RecursiveRwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
/// Read access to the value of a [`RecursiveRwLock`] that can become write access.
pub type RecursiveRwLockUpgradableReadGuard<'a, T> =
    lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;
/// Read access to a part of the value of a [`RecursiveRwLock`].
pub type MappedRecursiveRwLockReadGuard<'a, T> =
    lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Write access to a part of the value of a [`RecursiveRwLock`].
pub type MappedRecursiveRwLockWriteGuard<'a, T> =
    lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;

/// A condition variable for a [`Mutex`]. Waiting ends the hold of the mutex, waking begins another.
pub type Condvar = lock_api::Condvar<RawCondvar>;

/// Construction with a name.
pub trait Named {
    /// The protected value.
    type Value;

    /// Makes it, unlocked, with a name for its figures; they are there from now on, with 0 acquisitions.
    /// Locks with the same name share their figures.
    fn named(name: &'static str, value: Self::Value) -> Self;
}

macro_rules! named {
    ($($lock:ident by $raw:ident $(, $more:expr)?;)*) => {
        $(impl<T> Named for $lock<T> {
            type Value = T;

            #[track_caller]
            fn named(name: &'static str, value: T) -> Self {
                Self::from_raw($raw::registered(name), $($more,)? value)
            }
        })*
    };
}

named! {
    Mutex by RawMutex;
    FairMutex by RawFairMutex;
    RwLock by RawRwLock;
    RecursiveRwLock by RawRwLockRecursive;
    ReentrantMutex by RawReentrantMutex, RawThreadId;
}
