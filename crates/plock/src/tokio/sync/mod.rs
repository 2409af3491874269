//! Drop-in `tokio::sync`: change the import, and locks tell who holds them, since when, and whom that kept
//! waiting; channels tell who waits for a place and which receiver let them; and whatever a scope waits
//! for has a name. Error types and what nobody waits for are tokio's own.
//!
//! | type | acquisitions, waits, blame | hold | idle time of a scope |
//! |---|---|---|---|
//! | [`Mutex`], [`RwLock`] | yes | the guard | `lock` |
//! | [`Semaphore`] | yes | the permit | `permit` |
//! | [`OnceCell`] | yes, until the value is there | making the value | `lock` |
//! | [`mpsc::Sender`] | of places | a reserved place | `channel` |
//! | [`mpsc::Receiver`] | releases those | | `channel` |
//! | [`mpsc::UnboundedReceiver`], [`oneshot`], [`watch`], [`broadcast`] | | | `channel` |
//! | [`Barrier`], [`Notify`], [`SetOnce`], and in [`task`](super::task) [`JoinSet`], [`JoinHandle`] | | | `channel` |
//! | [`mpsc::UnboundedSender`] | tokio's own: it waits for nothing | | |
//!
//! [`JoinSet`]: super::task::JoinSet
//! [`JoinHandle`]: super::task::JoinHandle
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
//! | `waited` | waiting in a queue that a type of tokio's has inside |
//! | `once_cell`, `mpsc` | tokio's types behind or around such a queue |
//! | `oneshot`, `watch`, `broadcast`, `barrier`, `notify`, `set_once` | tokio's types, whose waits have a name |
//! | `native` | tokio's own error values and panics |

mod access;
mod barrier;
pub mod broadcast;
pub(crate) mod forward;
mod guarded;
pub mod mpsc;
mod mutex;
mod native;
mod notify;
mod once_cell;
pub mod oneshot;
mod raw;
mod rwlock;
mod semaphore;
mod set_once;
pub(crate) mod waited;
pub mod watch;

pub use barrier::Barrier;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::{Notify, futures};
pub use once_cell::OnceCell;
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use set_once::SetOnce;

// What is named above shadows its counterpart in here.
pub use ::tokio::sync::*;
