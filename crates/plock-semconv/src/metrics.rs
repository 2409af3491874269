//! The metrics plock records itself: exact, never sampled, the authority for every figure.

use crate::attributes::{
    CLOCK, LOCK_CAUSE, LOCK_DEADLOCK, LOCK_FINDING, LOCK_HOLDER, LOCK_KIND, LOCK_MODE, LOCK_NAME,
    LOCK_OUTCOME, LOCK_STAGE, LOCK_WAITER, POOL_NAME, PRECISION, REASON, TASK_IDLE, TASK_NAME,
    VERSION,
};
use crate::{Instrument, InstrumentKind};

/// A name in plock's metric namespace.
macro_rules! plock {
    ($name:literal) => {
        concat!("plock.", $name)
    };
}

/// What every metric name begins with.
pub const METRIC_PREFIX: &str = plock!("");

/// Declares the instruments and the list of them all, in table order.
macro_rules! instruments {
    ($($(#[$doc:meta])* $ident:ident = $kind:ident $name:literal $unit:literal [$($key:expr),*] $help:literal $($transient:ident)?;)+) => {
        $(
            #[doc = concat!("`plock.", $name, "`: ", $help, ".")]
            $(#[$doc])*
            pub const $ident: Instrument = Instrument {
                name: plock!($name),
                unit: $unit,
                help: $help,
                kind: InstrumentKind::$kind,
                attributes: &[$($key),*],
                transient: instruments!(@transient $($transient)?),
            };
        )+
        /// Every instrument of this module, in table order.
        pub const ALL: &[&Instrument] = &[$(&$ident),+];
    };
    (@transient transient) => { true };
    (@transient) => { false };
}

pub(crate) use {instruments, plock};

instruments! {
    ACQUISITIONS = Counter "acquisitions" "{acquisition}" [LOCK_NAME, LOCK_KIND, LOCK_MODE, LOCK_OUTCOME]
        "Attempts to acquire a lock, by how they ended";
    WAIT_DURATION = Histogram "wait.duration" "s" [LOCK_NAME, LOCK_KIND, LOCK_MODE, LOCK_CAUSE]
        "Time attempts waited for a lock, contended attempts only, by why they waited";
    HOLD_DURATION = Histogram "hold.duration" "s" [LOCK_NAME, LOCK_KIND, LOCK_MODE]
        "Time a lock was held, from acquisition to release";
    HOLD_SUSPENDED_TIME = Counter "hold.suspended.time" "s" [LOCK_NAME, LOCK_KIND, LOCK_MODE]
        "Part of the hold time during which the holder was parked at an await";
    BLOCKED = Counter "blocked" "{attempt}" [LOCK_NAME, LOCK_CAUSE, LOCK_HOLDER]
        "Waits by the holder that had the largest share in them";
    /// One second per waiter and second.
    BLOCKED_TIME = Counter "blocked.time" "s" [LOCK_NAME, LOCK_CAUSE, LOCK_WAITER, LOCK_HOLDER]
        "Waiting time by who waited and by the holder it is charged to";
    WAITERS = Gauge "waiters" "{waiter}" [LOCK_NAME, LOCK_KIND, LOCK_MODE]
        "Attempts queued for the lock now";
    HOLDERS = Gauge "holders" "{holder}" [LOCK_NAME, LOCK_KIND, LOCK_MODE]
        "Guards of the lock alive now";
    HELD = Gauge "held" "s" [LOCK_NAME, LOCK_KIND, LOCK_MODE, LOCK_STAGE, LOCK_HOLDER]
        "Age of the oldest open hold and of the oldest open wait, absent when there is none" transient;
    BLOCK_EDGES = Gauge "block.edges" "{edge}" [LOCK_NAME, LOCK_WAITER, LOCK_HOLDER]
        "Open waits by who waits for whom now, absent when nobody waits" transient;
    NESTING_DEPTH = Histogram "nesting.depth" "{lock}" [LOCK_NAME]
        "Locks held by the acquiring scope after the acquisition, this one included";
    /// Which lock, and where: [`Snapshot::findings`](plock_core::Snapshot::findings).
    DEADLOCKS = Counter "deadlocks" "{deadlock}" [LOCK_DEADLOCK, PRECISION]
        "Deadlocks: a thread that began to wait for a lock which it had itself";
    POISONED = Counter "poisoned" "{panic}" [LOCK_NAME]
        "Panics that poisoned the lock, for mutexes and read-write locks";
    /// Self-deadlocks and poisoning are in [`DEADLOCKS`] and [`POISONED`]. With which pool, and where:
    /// [`Snapshot::findings`](plock_core::Snapshot::findings).
    FINDINGS = Counter "findings" "{finding}" [LOCK_NAME, LOCK_FINDING]
        "Mistakes in how the lock is used, by what is wrong";
    FINDINGS_TIME = Counter "findings.time" "s" [LOCK_NAME, LOCK_FINDING]
        "Time waited with a lock or a connection in hand, by what is wrong, for waits that are over";
    TASK_POLL_DURATION = Histogram "task.poll.duration" "s" [TASK_NAME]
        "Time one poll of a scope took";
    TASK_SCHEDULE_DELAY = Histogram "task.schedule.delay" "s" [TASK_NAME]
        "Time from a wake-up to the poll that followed it";
    TASK_IDLE_TIME = Counter "task.idle.time" "s" [TASK_NAME, TASK_IDLE]
        "Time scopes were pending and not woken, by what they waited for";
    TASKS = Gauge "tasks" "{task}" [TASK_NAME]
        "Scopes started and not yet ended";
    TASKS_SPAWNED = Counter "tasks.spawned" "{task}" [TASK_NAME]
        "Scopes started";
    TASKS_FINISHED = Counter "tasks.finished" "{task}" [TASK_NAME]
        "Scopes ended: completed, cancelled or panicked";
    /// The waits among them are in [`WAIT_DURATION`], the use of the connections in [`HOLD_DURATION`].
    POOL_ACQUIRE_DURATION = Histogram "pool.acquire.duration" "s" [POOL_NAME]
        "Time from asking a pool for a connection to having it, whether others were in the way or not";
    POOL_IN_USE = Gauge "pool.in_use" "{connection}" [POOL_NAME]
        "Connections in use now";
    POOL_SIZE = Gauge "pool.size" "{connection}" [POOL_NAME]
        "Connections there are, as last seen when one was acquired";
    POOL_WAITERS = Gauge "pool.waiters" "{waiter}" [POOL_NAME]
        "Acquisitions that wait now, having found no free connection";
    TELEMETRY_DROPPED = Counter "telemetry.dropped" "{record}" [REASON]
        "What plock left out, by reason";
    TELEMETRY_OVERHEAD_TIME = Counter "telemetry.overhead.time" "s" []
        "Time that recording cost: acquisitions, polls and scopes by what they cost when tried out, slow paths and collections as timed";
    /// Unix time. Only a process that pushes has it.
    TELEMETRY_LAST_EXPORT = Gauge "telemetry.last_export" "s" []
        "Unix time of the last successful push of metrics";
    /// Always 1.
    BUILD_INFO = Gauge "build_info" "" [VERSION, CLOCK]
        "Version of plock and the clock it reads, value 1";
}

/// Bucket limits of [`NESTING_DEPTH`].
pub const DEPTH_BOUNDS: [u64; 6] = [1, 2, 3, 4, 6, 8];
