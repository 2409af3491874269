//! What plock writes on spans: totals on the span of the scope, once, when the scope ends, and child
//! spans for its longest waits and holds. Times are double seconds, counts are integers.

use crate::attributes::lock;

/// Guards obtained (int).
pub const ACQUISITIONS: &str = lock!("acquisitions");
/// Attempts that had to queue (int).
pub const CONTENTIONS: &str = lock!("contentions");
/// Sum of all waits (s).
pub const WAIT_TIME: &str = lock!("wait.time");
/// The longest wait (s).
pub const WAIT_MAX: &str = lock!("wait.max");
/// Time during which at least one attempt waited (s).
pub const BLOCKED_TIME: &str = lock!("blocked.time");
/// Sum of all holds (s).
pub const HOLD_TIME: &str = lock!("hold.time");
/// The longest hold (s).
pub const HOLD_MAX: &str = lock!("hold.max");
/// Deepest nesting of an acquisition, 1 = nothing else held (int).
pub const NESTING_MAX: &str = lock!("nesting.max");
/// Holds that spanned an await point (int).
pub const HELD_ACROSS_AWAIT: &str = lock!("held_across_await");
/// The lock that cost most (string).
pub const WORST_NAME: &str = lock!("worst.name");
/// Why the waits were long: on a scope's span the folded [`Cause`](plock_core::Cause), on a child
/// span the exact [`BlockCause`](plock_core::BlockCause) (string).
pub const BLOCKING_CAUSE: &str = lock!("blocking.cause");
/// Who held the lock of the longest wait (string).
pub const BLOCKER_SITE: &str = lock!("blocker.site");
/// Waits of others that this scope's holds were charged with (int).
pub const BLOCKED_OTHERS_COUNT: &str = lock!("blocked_others.count");
/// Time of those waits (s).
pub const BLOCKED_OTHERS_TIME: &str = lock!("blocked_others.time");

/// Every attribute of a scope's span, in the order of this module.
pub const SCOPE_ATTRIBUTES: &[&str] = &[
    ACQUISITIONS,
    CONTENTIONS,
    WAIT_TIME,
    WAIT_MAX,
    BLOCKED_TIME,
    HOLD_TIME,
    HOLD_MAX,
    NESTING_MAX,
    HELD_ACROSS_AWAIT,
    WORST_NAME,
    BLOCKING_CAUSE,
    BLOCKER_SITE,
    BLOCKED_OTHERS_COUNT,
    BLOCKED_OTHERS_TIME,
];

/// Name of the child span of a slow wait.
pub const WAIT_SPAN: &str = "lock wait";
/// Name of the child span of a slow hold.
pub const HOLD_SPAN: &str = "lock hold";

/// Name of the lock (string).
pub const NAME: &str = crate::attributes::LOCK_NAME;
/// The primitive (string).
pub const KIND: &str = crate::attributes::LOCK_KIND;
/// How it was held (string).
pub const MODE: &str = crate::attributes::LOCK_MODE;
/// [`PHASE_WAIT`] or [`PHASE_HOLD`] (string).
pub const PHASE: &str = lock!("phase");
/// What ended the wait: an [`EndCause`](plock_core::EndCause) (string).
pub const END_CAUSE: &str = lock!("end.cause");
/// Nesting depth of the acquisition (int).
pub const NESTING_DEPTH: &str = lock!("nesting.depth");
/// Blocked to handed over (s).
pub const QUEUE_TIME: &str = lock!("queue.time");
/// Handed over to claimed (s).
pub const CLAIM_DELAY: &str = lock!("claim.delay");
/// How far owner and depth can be trusted: a [`Precision`](plock_core::Precision) (string).
pub const PRECISION: &str = "precision";
/// Function or module of the acquisition, an OpenTelemetry convention (string).
pub const CODE_FUNCTION_NAME: &str = "code.function.name";
/// File of the acquisition, an OpenTelemetry convention (string).
pub const CODE_FILE_PATH: &str = "code.file.path";
/// Line of the acquisition, an OpenTelemetry convention (int).
pub const CODE_LINE_NUMBER: &str = "code.line.number";

/// Every attribute of a child span, in the order of this module.
pub const CHILD_ATTRIBUTES: &[&str] = &[
    NAME,
    KIND,
    MODE,
    PHASE,
    BLOCKING_CAUSE,
    BLOCKER_SITE,
    END_CAUSE,
    NESTING_DEPTH,
    QUEUE_TIME,
    CLAIM_DELAY,
    PRECISION,
    CODE_FUNCTION_NAME,
    CODE_FILE_PATH,
    CODE_LINE_NUMBER,
];

/// The child span is a wait: value of [`PHASE`].
pub const PHASE_WAIT: &str = "wait";
/// The child span is a hold: value of [`PHASE`].
pub const PHASE_HOLD: &str = "hold";

/// On a link: what the linked span was for the wait (string).
pub const LINK_ROLE: &str = lock!("link.role");
/// The linked span held the lock and released it to this wait: value of [`LINK_ROLE`].
pub const LINK_ROLE_HOLDER: &str = "holder";
