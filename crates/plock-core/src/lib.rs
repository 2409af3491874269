//! plock-core
mod attempt;
mod cause;
mod claim;
mod class;
mod clock;
mod collect;
mod grant;
mod histogram;
#[cfg(feature = "test-clock")]
#[doc(hidden)]
pub mod inspect;
mod kind;
mod lock;
mod loss;
mod name;
mod owner;
mod record;
mod release;
mod report;
mod scope;
mod shard;
mod slab;
mod slots;
mod snapshot;
mod sync;
mod task;
mod thread;
mod wait;

pub use attempt::Attempt;
pub use class::MAX_SERIES;
#[cfg(feature = "test-clock")]
pub use clock::manual;
pub use clock::{calibrate, is_enabled, set_enabled};
pub use collect::{count_dropped, snapshot};
pub use histogram::*;
pub use kind::*;
pub use lock::{Hold, Lock, NoTasks, Runtime, Share, Start, set_slow_threshold, slow_threshold};
pub use name::{MAX_LABELS, MAX_NAME, OVERFLOW};
pub use report::*;
pub use scope::{Scope, ScopeName};
pub use snapshot::*;
