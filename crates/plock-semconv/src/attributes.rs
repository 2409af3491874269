//! Keys and fixed values of metric labels. Each prefix has one place: the macros below.

/// A key in the lock namespace.
macro_rules! lock {
    ($key:literal) => {
        concat!("lock.", $key)
    };
}
/// A key in the task namespace.
macro_rules! task {
    ($key:literal) => {
        concat!("task.", $key)
    };
}
/// A key in the pool namespace.
macro_rules! pool {
    ($key:literal) => {
        concat!("pool.", $key)
    };
}
pub(crate) use lock;

/// What every key about a lock begins with.
pub const LOCK_PREFIX: &str = lock!("");
/// What every key about a task begins with.
pub const TASK_PREFIX: &str = task!("");

/// What every key about a pool begins with.
pub const POOL_PREFIX: &str = pool!("");

/// Name of the lock, from its registration.
pub const LOCK_NAME: &str = lock!("name");
/// The primitive: a [`Kind`](plock_core::Kind).
pub const LOCK_KIND: &str = lock!("kind");
/// How it is held: a [`Mode`](plock_core::Mode).
pub const LOCK_MODE: &str = lock!("mode");
/// How an attempt ended: an [`Outcome`](plock_core::Outcome).
pub const LOCK_OUTCOME: &str = lock!("outcome");
/// Why a wait was long: a [`Cause`](plock_core::Cause).
pub const LOCK_CAUSE: &str = lock!("cause");
/// Who holds or held: label of a scope, or of the module that acquired.
pub const LOCK_HOLDER: &str = lock!("holder");
/// Who waits or waited: label of a scope, or of the module that acquired.
pub const LOCK_WAITER: &str = lock!("waiter");
/// Whether an open lock operation holds or waits: [`STAGE_HELD`] or [`STAGE_WAITING`].
pub const LOCK_STAGE: &str = lock!("stage");
/// How a deadlock came about: [`DEADLOCK_SELF`].
pub const LOCK_DEADLOCK: &str = lock!("deadlock");
/// What a lock is used for wrongly: a [`FindingKind`](plock_core::FindingKind).
pub const LOCK_FINDING: &str = lock!("finding");
/// Name of a scope or task.
pub const TASK_NAME: &str = task!("name");
/// What a task was idle for: an [`Idle`](plock_core::Idle).
pub const TASK_IDLE: &str = task!("idle");
/// Name of a pool, from its registration.
pub const POOL_NAME: &str = pool!("name");
/// How far a figure can be trusted. On metrics: [`PRECISION_EXACT`]; on spans a
/// [`Precision`](plock_core::Precision).
pub const PRECISION: &str = "precision";
/// Why something was left out: a [`Dropped`](plock_core::Dropped).
pub const REASON: &str = "reason";
/// Version of plock.
pub const VERSION: &str = "version";
/// The clock in use.
pub const CLOCK: &str = "clock";

/// The lock is held: value of [`LOCK_STAGE`].
pub const STAGE_HELD: &str = "held";
/// The lock is waited for: value of [`LOCK_STAGE`].
pub const STAGE_WAITING: &str = "waiting";
/// A thread waits for a lock that it has itself: value of [`LOCK_DEADLOCK`].
pub const DEADLOCK_SELF: &str = "self";
/// Found, not guessed: value of [`PRECISION`].
pub const PRECISION_EXACT: &str = "exact";
/// Stands for a holder or waiter that is not known. A label is never empty: Prometheus takes an
/// empty label for an absent one.
pub const UNKNOWN: &str = "unknown";
