//! Drop-in `tokio::sync`: change the import, and [`Mutex`], [`RwLock`] and [`Semaphore`] tell who holds
//! them, since when, and whom that kept waiting. Everything else in this module is tokio's own type.
//!
//! # Design
//! tokio's lock types are thin layers over one fair queue of permits, and so are these: a queue (a
//! [`tokio::sync::Semaphore`], which is that queue) with its records, in front of a value. A mutex has
//! one permit, a writer takes all permits of its lock, a reader takes one. Acquired permits are
//! forgotten and added again on release, so that a guard needs no guard of tokio's inside.
//!
//! The alternative, a wrapper around each finished type of tokio's, was rejected: an owned or mapped
//! guard would have to keep a guard that borrows from its own neighbour field, there would be a
//! fast path per type, and guards would carry the lock twice. Fairness, wake order, cancellation
//! and the cooperative budget are the queue's and therefore tokio's, either way.
//!
//! | file | idea |
//! |---|---|
//! | `raw` | the queue with its records; the one path on which everything is acquired |
//! | `guarded` | the value and the cores of all guards; all unsafe code of this crate |
//! | `mutex`, `rwlock`, `semaphore` | tokio's interface over these cores, no logic of their own |
//! | `native` | tokio's own error values and panics |

mod guarded;
mod mutex;
mod native;
mod raw;
mod rwlock;
mod semaphore;

pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

// What is named above shadows its counterpart in here.
pub use ::tokio::sync::*;
