//! Drop-in `parking_lot`: change the import, and its mutexes, read-write locks and condition variable
//! tell who holds them, since when, and whom that kept waiting. Everything else in this module is
//! parking_lot's own.
//!
//! # Design
//! parking_lot's locks are [`lock_api`]'s over raw locks of its own, and these are `lock_api`'s over raw
//! locks that have one of parking_lot's inside. So all types are there with all their methods: mapped
//! and `Arc` guards, timeouts, fair unlocking, upgrades. What an acquisition has to remember travels
//! in its guard.
//!
//! Fairness is parking_lot's. Guards belong to whoever acquired them and stay on their thread, as those
//! of [`plock::std`](crate::std::sync) do, with the same findings.
//!
//! # Names
//! A raw lock is made by an associated constant, which cannot know where. So a lock without a name is
//! named by the module that uses it first. [`Named`] gives it one, and so does a raw lock that is made
//! with it, also in a static (not in the build with the feature `off`, whose raw locks are parking_lot's):
//! ```
//! use plock::parking_lot::{Mutex, Named, RawMutex};
//!
//! static NEXT: Mutex<u64> = Mutex::from_raw(RawMutex::named("doc_pl_next"), 41);
//! let stock = Mutex::named("doc_pl_stock", 3);
//! assert_eq!(*NEXT.lock() + *stock.lock(), 44);
//!
//! let snapshot = plock::snapshot();
//! let stock = snapshot.lock("doc_pl_stock", plock::Mode::Exclusive).unwrap();
//! assert_eq!(stock.outcome(plock::Outcome::Acquired), 1);
//! ```
//!
//! # What is measured
//! | operation | figures |
//! |---|---|
//! | `lock`, `read`, `write`, `upgradable_read` and their timed kind | one acquisition, a wait if it was taken; a deadline that passes is `timeout` |
//! | `try_` without a time | an acquisition, or `would_block` |
//! | an upgradable read | a shared hold |
//! | upgrade | the shared hold ends when the upgrade is asked for; waiting for readers is a wait of the writer |
//! | downgrade | the sole part of the hold ends, the shared one begins |
//! | `Condvar::wait` | the hold ends; the time until the mutex is had again is neither hold nor wait |
//! | `unlocked`, `bump` with somebody waiting | the hold ends, another attempt begins |
//! | a `ReentrantMutex` that the thread has already | nothing: the hold is that of the outermost guard |
//!
//! | file | idea |
//! |---|---|
//! | `state` | what a guard carries; every way to acquire and release, once for all locks |
//! | `raw_mutex`, `raw_rwlock`, `raw_condvar` | `lock_api`'s interface over these; all unsafe code |
//! | `types` | the types that people write |
//! | `off` | the build without recording |

mod raw_condvar;
mod raw_mutex;
mod raw_rwlock;
mod state;
mod types;

pub use raw_condvar::RawCondvar;
pub use raw_mutex::{RawFairMutex, RawMutex, RawReentrantMutex};
pub use raw_rwlock::{RawRwLock, RawRwLockRecursive};
pub use types::{
    Condvar, FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard,
    MappedRecursiveRwLockReadGuard, MappedRecursiveRwLockWriteGuard, MappedReentrantMutexGuard,
    MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard, Named, RecursiveRwLock,
    RecursiveRwLockReadGuard, RecursiveRwLockUpgradableReadGuard, RecursiveRwLockWriteGuard,
    ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard,
};

// What is named above shadows its counterpart in here.
pub use ::parking_lot::*;
