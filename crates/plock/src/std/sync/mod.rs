//! Drop-in `std::sync`: change the import, and [`Mutex`], [`RwLock`] and what waits with them tell who
//! holds them, since when, and whom that kept waiting; [`Once`], [`OnceLock`] and [`LazyLock`] tell the
//! same of whoever makes what the others wait for. Everything else in this module is the standard
//! library's own type.
//!
//! # Design
//! Each lock is the standard library's own beside its records, and each guard has its own inside. So
//! fairness, poisoning and panics are the standard library's, and no unsafe code is needed.
//!
//! Guards belong to whoever acquired them, as those of `plock::tokio` do: the scope, else the task, else
//! the thread; so a guard of either kind nests in a guard of the other. They cannot leave their thread,
//! which is why two mistakes are found exactly and told in [`Snapshot::findings`](crate::Snapshot):
//! a guard that is alive when its scope is left waiting at an await, and a thread that is about to
//! wait for a lock which it has itself.
//!
//! The first needs a scope, whose poll has an end that can be seen. A task without one may keep a guard
//! across an await and nothing tells: no runtime says on stable Rust that a poll has ended, and that
//! another task runs on the thread meanwhile is no proof, since it may run inside of that poll
//! (`block_on`, a `LocalSet`). What comes of it is found all the same: whoever asks for the lock on that
//! thread waits for its own thread, which is the second mistake.
//!
//! | file | idea |
//! |---|---|
//! | `guard` | the standard library's guard with its hold; poisoning |
//! | `mutex`, `rwlock` | the standard library's interface, no logic of their own |
//! | `making` | the right to make what is made once: who has it, who waits |
//! | `once`, `once_lock`, `lazy_lock` | the standard library's interface, with that right in front |
//! | `condvar` | waiting ends the hold, waking begins another |
//! | `off` | the build without recording |

mod condvar;
mod guard;
mod lazy_lock;
mod making;
mod mutex;
mod once;
mod once_lock;
mod rwlock;

pub use condvar::Condvar;
pub use lazy_lock::LazyLock;
pub use mutex::{Mutex, MutexGuard};
#[expect(deprecated, reason = "the standard library has it")]
pub use once::ONCE_INIT;
pub use once::Once;
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

// What is named above shadows its counterpart in here.
pub use ::std::sync::*;
