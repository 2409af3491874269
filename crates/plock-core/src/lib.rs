//! The timing core of plock: who holds which lock, since when, doing what, and whom it cost how much.
//!
//! This crate knows no runtime, no exporter and no tracing system. A lock type (crate `plock`) is made of
//! [`Permits`], or puts a [`Lock`] beside another lock that it wraps, and a [`Hold`] into each guard; a
//! read-out takes a [`Snapshot`]. It is not meant to be used directly.
//!
//! # The life of an acquisition
//! ```
//! use plock_core::{Kind, Lock, Mode, NoTasks, Outcome, Permits, Share, Start};
//! use std::panic::Location;
//!
//! let stock = Permits::new(Lock::named(Kind::Mutex, "stock").registered(), 1);
//! let (start, share) = (Start::now(), Share::EXCLUSIVE); // before the try
//! assert!(stock.take(1));
//! let mut hold = stock.lock().acquired::<NoTasks>(start, share, Location::caller());
//! // ... the critical section ...
//! stock.release::<NoTasks>(&mut hold, share, 1);
//!
//! let snapshot = plock_core::snapshot(false);
//! let stock = snapshot.lock("stock", Mode::Exclusive).unwrap();
//! assert_eq!(stock.outcome(Outcome::Acquired), 1);
//! assert_eq!((stock.hold.count(), stock.holders), (1, 0));
//! ```
//! If the try fails, an [`Attempt`] queues for the [`Permits`] and splits the wait.
//!
//! # Map
//! | module | one idea |
//! |---|---|
//! | `clock`, `coarse` | one time line of nanoseconds, five sources; the one that a thread advances |
//! | `kind`, `share` | the closed vocabularies; how much of a lock |
//! | `name`, `class` | bounded names; what all locks of one name share |
//! | `histogram` | one bucket layout, two exact read-outs |
//! | `thread`, `buckets`, `shard`, `contention`, `published` | what a thread knows; the cells only it writes; the figures made of them; those of waits and failures; how others find them |
//! | `owner`, `life`, `slots` | who holds; who counts and who clears; the published holds |
//! | `slab`, `task` | where owner cells live; the cells of unscoped tasks |
//! | `current` | whose code runs here |
//! | `permits`, `queue` | how many may hold a lock; who waits, in order, and who has kept it |
//! | `lock`, `hold`, `account` | the part inside every lock; inside every guard; what is filed when a hold ends |
//! | `attempt`, `wait`, `grant`, `wake`, `over`, `ended` | the contended path: an acquisition that waits, what others see of it, the hand-over, the wake; how it ends; where a wait that is over is filed |
//! | `foreign`, `release` | attempts in queues that are not ours; who releases there |
//! | `thread_wait`, `spin`, `spun`, `guarded` | locks that block a thread: the contended path, short waits, when those are filed, a guard with its hold |
//! | `stranded`, `nested_wait`, `finding` | guards of a thread left behind by a poll; waits with something in hand that others need; what is wrong with how locks are used |
//! | `record`, `holders`, `cause`, `blame`, `claim` | a lock that was contended, who holds it (together); why it blocked; who is charged; where the claim delay went |
//! | `scope_name`, `scope`, `wakers`, `signal`, `outer`, `report` | what a scope is called; its polls and pauses; its wakers; what they tell it; whom they wake; what its span will say |
//! | `served` | what is acquired without being held |
//! | `pool` | a pool: a lock, how long acquiring takes, how large it is |
//! | `leaf` | any other wait, whose idle time gets a kind |
//! | `collect`, `snapshot`, `loss`, `cost` | reading everything; what was left out; what plock costs |
//!
//! # How exact
//! Counts and sums are complete: every acquisition, wait and hold is in them, none is sampled. A
//! snapshot reads while others write: an operation in flight may show in one figure and not yet in
//! another, no counter ever falls. Times are integer nanoseconds; the phases of a wait, the parts of
//! a claim delay, the shares of blame and the periods of a scope sum to their wholes exactly. A hold
//! begins when it is asked for, or claimed after a wait, and ends just before the unlock: it includes the
//! instructions that lock (about 10 ns). Unless somebody waits, one ends just after the unlock instead if
//! its lock blocks threads and has been contended, or has a queue that is not ours. What is a consistent
//! snapshot of one moment (block cause, queue position) or bound to less than a scope says so in its
//! [`Precision`].
//!
//! # Fork
//! After `fork` without `exec` the child goes on with a copy of everything: it counts on from the
//! parent's totals and says the parent's start time. Threads other than the one that forked are gone
//! without an end: what they held or waited for stays open in the child's figures, and exporters do
//! not run there. A mutex of plock's that one of them had at that moment stays locked, and what needs
//! it (a new lock name, a contended lock, a snapshot) waits for ever. Fork before the first thread
//! starts, or `exec`; what runs between the two has to keep off plock.
//!
//! # Never in the way
//! An uncontended acquisition inside a scope reads two clocks, writes to memory of its own thread,
//! its own scope and the lock itself, allocates nothing and takes no lock. A contended one allocates
//! its wait state, for the first time in a place of an owner also what only waiting owners need, and takes
//! the mutex of that lock's queue. Nothing here panics, blocks on a reader
//! or calls foreign code with a lock held; caps are counted in [`Dropped`].

mod account;
mod attempt;
mod blame;
mod buckets;
mod cause;
mod claim;
mod class;
mod clock;
mod coarse;
mod collect;
mod contention;
mod cost;
mod current;
mod ended;
mod finding;
mod foreign;
mod grant;
mod guarded;
mod histogram;
mod hold;
mod holders;
#[cfg(feature = "test-clock")]
#[doc(hidden)]
pub mod inspect;
mod kind;
mod leaf;
mod life;
mod lock;
#[cfg(all(test, loom))]
mod loom_owner;
#[cfg(all(test, loom))]
mod loom_permits;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, loom))]
mod loom_wakers;
mod loss;
mod name;
mod nested_wait;
mod outer;
mod over;
mod owner;
mod permits;
mod pool;
mod published;
mod queue;
mod record;
mod release;
mod report;
mod scope;
mod scope_name;
mod served;
mod shard;
mod share;
mod signal;
mod slab;
mod slots;
mod snapshot;
mod spin;
mod spun;
mod stranded;
mod sync;
mod task;
mod thread;
mod thread_wait;
mod wait;
mod wake;
mod wakers;

pub use account::{set_slow_threshold, slow_threshold};
pub use attempt::{Attempt, Closed};
pub use class::MAX_SERIES;
#[cfg(all(feature = "test-clock", target_arch = "x86_64"))]
#[doc(hidden)]
pub use clock::fault;
#[cfg(feature = "test-clock")]
pub use clock::manual;
pub use clock::{Clock, calibrate, is_enabled, set_clock, set_enabled};
pub use collect::{count_dropped, note_export, snapshot};
pub use current::{NoTasks, Runtime};
pub use finding::Finding;
pub use foreign::Foreign;
pub use guarded::{Guarded, Guarding};
pub use histogram::*;
pub use hold::Hold;
pub use kind::*;
pub use leaf::Leaf;
pub use lock::{Lock, Start};
pub use name::{HANDED_OVER, MAX_LABELS, MAX_NAME, OVERFLOW};
pub use permits::{MAX_PERMITS, Permits, TooMany};
pub use pool::Pool;
pub use release::Releasing;
pub use report::*;
pub use scope::Scope;
pub use scope_name::ScopeName;
pub use share::Share;
pub use snapshot::*;
pub use spin::Spin;
pub use thread_wait::ThreadWait;
