//! What happened inside one scope, handed to whoever annotates spans: totals of everything, and the
//! longest few waits and holds in detail. Also the trait through which that happens.

use crate::{BlockCause, Cause, ClaimDelay, EndCause, HoldEnd, Kind, Mode, Precision, SpanRef};
use std::any::Any;
use std::panic::Location;
use std::sync::OnceLock;

/// Totals of one scope, children not included. Exact, whatever the sampling of details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeReport {
    /// The scope's name.
    pub name: &'static str,
    /// Guards obtained.
    pub acquisitions: u64,
    /// Attempts that had to queue.
    pub contentions: u64,
    /// Sum over all waits, in nanoseconds (branches that wait together count twice).
    pub wait_ns: u64,
    /// The longest wait, in nanoseconds.
    pub wait_max_ns: u64,
    /// Length of the union of all waits, in nanoseconds: comparable with wall time.
    pub blocked_ns: u64,
    /// Sum over all holds, in nanoseconds.
    pub hold_ns: u64,
    /// The longest hold, in nanoseconds.
    pub hold_max_ns: u64,
    /// Deepest nesting of an acquisition (1 = nothing else held).
    pub nesting_max: u64,
    /// Holds that spanned an await point.
    pub held_across_await: u64,
    /// The lock that cost most: longest wait, else longest hold.
    pub worst_lock: Option<&'static str>,
    /// Cause with the largest share of the waits.
    pub cause: Option<Cause>,
    /// Label of the holder of the longest wait.
    pub blocker: Option<&'static str>,
    /// Waits of others that this scope's holds were charged with. Of those of microseconds, for which a
    /// thread did not queue, only if the scope had not ended when it had the lock.
    pub blocked_others: u64,
    /// Time of those waits during this scope's holds, in nanoseconds.
    pub blocked_others_ns: u64,
    /// Time inside polls, in nanoseconds.
    pub busy_ns: u64,
    /// Woken and not yet polled, in nanoseconds.
    pub runnable_ns: u64,
    /// Pending and not woken, in nanoseconds.
    pub idle_ns: u64,
    /// Longest poll, in nanoseconds.
    pub poll_max_ns: u64,
    /// How it ended.
    pub end: ScopeEnd,
    /// The longest waits and holds over the threshold, longest first.
    pub details: Vec<Detail>,
}

/// How a scope ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeEnd {
    /// Its future returned.
    #[default]
    Completed,
    /// Its future was dropped before it returned.
    Cancelled,
    /// Its poll panicked.
    Panicked,
}

/// One slow wait or hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// Name of the lock.
    pub lock: &'static str,
    /// The primitive.
    pub kind: Kind,
    /// How it was asked for or held.
    pub mode: Mode,
    /// When it began, nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
    /// How long it took, in nanoseconds.
    pub ns: u64,
    /// Nesting depth of the acquisition.
    pub depth: u64,
    /// Where it was asked for.
    pub site: &'static Location<'static>,
    /// The module of that place, `crate::module`.
    pub site_label: &'static str,
    /// How far owner and depth can be trusted.
    pub precision: Precision,
    /// How a hold ended; `None` for a wait.
    pub hold_end: Option<HoldEnd>,
    /// What is special to a wait; `None` for a hold.
    pub wait: Option<WaitDetail>,
}

/// The phases and the blame of one slow wait. `queue_ns + claim_ns` is the wait.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitDetail {
    /// Blocked to handed over, in nanoseconds.
    pub queue_ns: u64,
    /// Handed over to claimed, in nanoseconds.
    pub claim_ns: u64,
    /// Where the claim delay went, indexed by [`ClaimDelay`], in nanoseconds; sums to `claim_ns`.
    pub claim_parts_ns: [u64; ClaimDelay::COUNT],
    /// What it ran into.
    pub block: BlockCause,
    /// Conflicting holders that were known then.
    pub holders: u64,
    /// Attempts queued ahead of it then.
    pub ahead: u64,
    /// Permits asked for (1 for locks).
    pub need: u64,
    /// Permits that were free before the queue (0 for locks).
    pub free: u64,
    /// Times the attempt was polled, the first one and the claiming one included.
    pub polls: u64,
    /// Attempts that got the lock meanwhile although they had asked later; locks that serve in order
    /// have none.
    pub barged_past: u64,
    /// What ended it.
    pub end: EndCause,
    /// Folded cause.
    pub cause: Cause,
    /// Label of whoever released to it, or of the holder it ran into.
    pub holder: Option<&'static str>,
    /// Where that holder had acquired.
    pub holder_site: Option<&'static Location<'static>>,
    /// The span of the critical releaser, if it had one.
    pub holder_span: Option<SpanRef>,
}

impl WaitDetail {
    /// A wait that was blocked by `block` and ended by `end`; everything else is empty.
    #[must_use]
    pub fn new(queue_ns: u64, claim_ns: u64, block: BlockCause, end: EndCause) -> Self {
        Self {
            queue_ns,
            claim_ns,
            claim_parts_ns: [0; ClaimDelay::COUNT],
            block,
            holders: 0,
            ahead: 0,
            need: 1,
            free: 0,
            polls: 0,
            barged_past: 0,
            end,
            cause: block.cause(),
            holder: None,
            holder_site: None,
            holder_span: None,
        }
    }
}

impl Detail {
    /// A wait or hold of a mutex at the call site, for tests of observers.
    #[must_use]
    #[track_caller]
    pub fn new(lock: &'static str, start_unix_ns: u64, ns: u64, wait: Option<WaitDetail>) -> Self {
        Self {
            lock,
            kind: Kind::Mutex,
            mode: Mode::Exclusive,
            start_unix_ns,
            ns,
            depth: 1,
            site: Location::caller(),
            site_label: "",
            precision: Precision::Scope,
            hold_end: wait.is_none().then_some(HoldEnd::Released),
            wait,
        }
    }
}

/// Connects scopes with spans. One per process, installed before the first scope starts; called on
/// the thread that polls the scope, inside whatever span is current there.
pub trait ScopeObserver: Send + Sync + 'static {
    /// A scope is polled for the first time. Returns the span that is current, and a handle that
    /// comes back in [`ended`](Self::ended). `None` if there is nothing to annotate: no detail is
    /// collected then, and `ended` is not called.
    fn started(&self, name: &'static str) -> Option<(SpanRef, Box<dyn Any + Send + Sync>)>;

    /// The scope ended; `handle` is what `started` returned.
    fn ended(&self, handle: Box<dyn Any + Send + Sync>, report: &ScopeReport);

    /// The span current on this thread, for acquisitions outside any scope.
    fn current(&self) -> Option<SpanRef>;
}

static OBSERVER: OnceLock<Box<dyn ScopeObserver>> = OnceLock::new();

/// Installs the observer of this process.
///
/// # Errors
/// Returns the observer if another one is installed already.
pub fn set_observer(observer: Box<dyn ScopeObserver>) -> Result<(), Box<dyn ScopeObserver>> {
    OBSERVER.set(observer)
}

pub(crate) fn observer() -> Option<&'static dyn ScopeObserver> {
    OBSERVER.get().map(AsRef::as_ref)
}
