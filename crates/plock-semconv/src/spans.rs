//! What plock writes on spans: totals on the span of the scope, once, when the scope ends, and child
//! spans for its longest waits and holds.

use crate::attributes::{self, lock};

/// One attribute of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanAttribute {
    /// Its key.
    pub key: &'static str,
    /// What its value is.
    pub value: SpanValue,
    /// What it says; ends without a full stop.
    pub help: &'static str,
}

/// What the value of a span attribute is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanValue {
    /// A whole number.
    Int,
    /// A duration: a double, in seconds.
    Seconds,
    /// Text.
    String,
}

/// Declares the keys and the list of them all, in the order they are documented.
macro_rules! span_attributes {
    ($(#[$doc:meta])* $all:ident: $($ident:ident = $key:expr, $value:ident, $help:literal;)+) => {
        $(
            #[doc = concat!($help, ".")]
            pub const $ident: &str = $key;
        )+
        $(#[$doc])*
        pub const $all: &[SpanAttribute] =
            &[$(SpanAttribute { key: $ident, value: SpanValue::$value, help: $help }),+];
    };
}

span_attributes! {
    /// Every attribute of a scope's span. The names are left out where there is nothing to name.
    SCOPE_ATTRIBUTES:
    ACQUISITIONS = lock!("acquisitions"), Int, "Guards obtained";
    CONTENTIONS = lock!("contentions"), Int, "Attempts that had to queue";
    WAIT_TIME = lock!("wait.time"), Seconds, "Sum of all waits; branches that wait together count twice";
    WAIT_MAX = lock!("wait.max"), Seconds, "The longest wait";
    BLOCKED_TIME = lock!("blocked.time"), Seconds, "Time during which at least one attempt waited";
    HOLD_TIME = lock!("hold.time"), Seconds, "Sum of all holds";
    HOLD_MAX = lock!("hold.max"), Seconds, "The longest hold";
    NESTING_MAX = lock!("nesting.max"), Int, "Deepest nesting of an acquisition, 1 = nothing else held";
    HELD_ACROSS_AWAIT = lock!("held_across_await"), Int, "Holds that spanned an await point";
    WORST_NAME = lock!("worst.name"), String, "The lock that cost most: longest wait, else longest hold";
    BLOCKING_CAUSE = lock!("blocking.cause"), String,
        "Why it waited: on a scope's span the folded cause, on a child span the exact one";
    BLOCKER_SITE = lock!("blocker.site"), String, "Who held the lock, for the longest wait or for this one";
    BLOCKED_OTHERS_COUNT = lock!("blocked_others.count"), Int, "Waits of others that this scope's holds were charged with";
    BLOCKED_OTHERS_TIME = lock!("blocked_others.time"), Seconds, "Time of those waits";
}

/// Name of the child span of a slow wait.
pub const WAIT_SPAN: &str = "lock wait";
/// Name of the child span of a slow hold.
pub const HOLD_SPAN: &str = "lock hold";

span_attributes! {
    /// Every attribute of a child span, besides [`BLOCKING_CAUSE`] and [`BLOCKER_SITE`], which a
    /// wait has too.
    CHILD_ATTRIBUTES:
    NAME = attributes::LOCK_NAME, String, "Name of the lock";
    KIND = attributes::LOCK_KIND, String, "The primitive";
    MODE = attributes::LOCK_MODE, String, "How it was asked for or held";
    PHASE = lock!("phase"), String, "`wait` or `hold`";
    END_CAUSE = lock!("end.cause"), String, "What ended the wait or the hold";
    NESTING_DEPTH = lock!("nesting.depth"), Int, "Nesting depth of the acquisition";
    QUEUE_TIME = lock!("queue.time"), Seconds, "Part of the wait until the lock was handed over";
    CLAIM_DELAY = lock!("claim.delay"), Seconds, "Part of the wait after the lock had been handed over";
    CLAIM_CAUSE = lock!("claim.cause"), String, "Where most of the claim delay went";
    PRECISION = attributes::PRECISION, String, "How far owner and depth can be trusted";
    CODE_FUNCTION_NAME = "code.function.name", String, "Function or module of the acquisition";
    CODE_FILE_PATH = "code.file.path", String, "File of the acquisition";
    CODE_LINE_NUMBER = "code.line.number", Int, "Line of the acquisition";
}

/// The child span is a wait: value of [`PHASE`].
pub const PHASE_WAIT: &str = "wait";
/// The child span is a hold: value of [`PHASE`].
pub const PHASE_HOLD: &str = "hold";

/// On a link: what the linked span was for the wait (string).
pub const LINK_ROLE: &str = lock!("link.role");
/// The linked span held the lock and released it to this wait: value of [`LINK_ROLE`].
pub const LINK_ROLE_HOLDER: &str = "holder";
