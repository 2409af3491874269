//! The one view every read-out starts from: plain data, cumulative since process start, merged
//! over all threads. Exporters, scrapes, reports and tests see this and nothing below it.

use crate::{Cause, Dropped, Finding, Histogram, Idle, Kind, Mode, Outcome};

/// Everything plock knows, at one moment. Counters never fall; two snapshots of one process can be
/// subtracted. Taking one does not stop a recorder: counts of operations that are in flight may be
/// in one figure and not yet in another (see the crate page, "How exact").
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken, nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// Since when the counters count, nanoseconds since the Unix epoch.
    pub start_unix_ns: u64,
    /// The clock in use: `tsc`, `monotonic`, `manual` or `off`.
    pub clock: String,
    /// One entry per lock class and mode, registered order; present from registration on.
    pub locks: Vec<LockSeries>,
    /// Who waited for whom, ever.
    pub edges: Vec<Edge>,
    /// Who waits for whom now: one entry per pair of names, with how many waits it stands for.
    pub open_edges: Vec<OpenEdge>,
    /// One entry per scope name.
    pub scopes: Vec<ScopeSeries>,
    /// One entry per pool name, on top of the one among the locks.
    pub pools: Vec<PoolSeries>,
    /// What was found to be wrong with how locks are used, one entry per place and owner.
    pub findings: Vec<Finding>,
    /// What was left out, one entry per reason that can occur.
    pub dropped: Vec<(Dropped, u64)>,
    /// Time that recording cost so far, in nanoseconds: acquisitions, polls and scopes by what they cost
    /// when tried out, slow paths and collections as timed. The tries run in hot caches, so it is
    /// rather too little than too much.
    pub overhead_ns: u64,
    /// When telemetry was last delivered, nanoseconds since the Unix epoch; `None` if never.
    pub last_export_unix_ns: Option<u64>,
}

/// The figures of one lock class in one mode.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LockSeries {
    /// The registered or derived name.
    pub name: String,
    /// The primitive.
    pub kind: Kind,
    /// How it was held.
    pub mode: Mode,
    /// Where the first lock of this class was made, `file:line:column`.
    pub declared: String,
    /// Attempts by outcome, indexed by [`Outcome`]. Acquired counts at the claim.
    pub outcomes: [u64; Outcome::COUNT],
    /// Contended waits by cause, indexed by [`Cause`]; an uncontended acquisition has no wait.
    /// Abandoned and failed waits are included.
    pub wait: [Histogram; Cause::COUNT],
    /// Part of the waits after the lock had been handed over, in nanoseconds.
    pub claim_delay_ns: u64,
    /// Finished holds.
    pub hold: Histogram,
    /// Part of the holds during which the holder was not being polled, in nanoseconds.
    pub hold_suspended_ns: u64,
    /// Acquisitions by nesting depth 1, 2, … 8, and deeper in the last entry.
    pub depth: [u64; DEPTHS],
    /// Sum of the nesting depths of all acquisitions.
    pub depth_sum: u64,
    /// Guards that were released by another owner than the one that had acquired them.
    pub migrated: u64,
    /// Attempts queued now.
    pub waiters: u64,
    /// Guards alive now.
    pub holders: u64,
    /// The oldest guard alive now, if any.
    pub oldest_hold: Option<Open>,
    /// The oldest attempt queued now, if any.
    pub oldest_wait: Option<Open>,
    /// The longest finished hold.
    pub worst_hold: Option<Worst>,
    /// The longest finished contended wait.
    pub worst_wait: Option<Worst>,
    /// The longest hold since the last collection that took exemplars.
    pub hold_exemplar: Option<Exemplar>,
    /// The longest contended wait since the last collection that took exemplars, by cause.
    pub wait_exemplars: Vec<(Cause, Exemplar)>,
}

/// Nesting depths that are told apart: 1 to 8, and the rest.
pub const DEPTHS: usize = 9;

/// An open hold or wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Open {
    /// Its age, in nanoseconds.
    pub age_ns: u64,
    /// Label of the owner: its scope, or the module it acquired in.
    pub owner: String,
    /// Where it acquires or acquired, `file:line:column`.
    pub site: String,
    /// For a wait: label of who holds the lock now, empty if unknown.
    pub holder: String,
}

/// The longest of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Worst {
    /// How long, in nanoseconds.
    pub ns: u64,
    /// Label of the owner: its scope, or the module it acquired in.
    pub owner: String,
    /// Where it was acquired, `file:line:column`.
    pub site: String,
}

/// One measured value that can be followed to its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Exemplar {
    /// The value, in nanoseconds.
    pub ns: u64,
    /// When it was recorded, nanoseconds since the Unix epoch.
    pub unix_ns: u64,
    /// The trace and span it happened in; always valid and sampled.
    pub span: SpanRef,
}

/// Identity of a span of any tracing system with W3C-sized ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SpanRef {
    /// Trace id, never 0 when valid. In JSON 32 hexadecimal digits: numbers of that size do not
    /// survive most readers.
    #[cfg_attr(feature = "serde", serde(with = "hex_u128"))]
    pub trace_id: u128,
    /// Span id, never 0 when valid. In JSON 16 hexadecimal digits.
    #[cfg_attr(feature = "serde", serde(with = "hex_u64"))]
    pub span_id: u64,
    /// Whether the span is recorded and exported.
    pub sampled: bool,
}

/// Ids as fixed-width hexadecimal text.
#[cfg(feature = "serde")]
macro_rules! hex {
    ($module:ident, $int:ty, $format:literal) => {
        mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub(super) fn serialize<S: Serializer>(id: &$int, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&format_args!($format, id))
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<$int, D::Error> {
                <$int>::from_str_radix(&String::deserialize(from)?, 16).map_err(D::Error::custom)
            }
        }
    };
}
#[cfg(feature = "serde")]
hex!(hex_u128, u128, "{:032x}");
#[cfg(feature = "serde")]
hex!(hex_u64, u64, "{:016x}");

impl SpanRef {
    /// Identity of a span; `sampled` says whether it will be exported.
    #[must_use]
    pub const fn new(trace_id: u128, span_id: u64, sampled: bool) -> Self {
        Self { trace_id, span_id, sampled }
    }

    /// Whether a link to it leads anywhere.
    #[must_use]
    pub const fn is_linkable(&self) -> bool {
        self.sampled && self.trace_id != 0 && self.span_id != 0
    }
}

/// Finished waits of one waiter for one holder on one lock, by label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Edge {
    /// Name of the lock.
    pub lock: String,
    /// Why.
    pub cause: Cause,
    /// Label of the waiter; `__overflow__` for those beyond the cap.
    pub waiter: String,
    /// Label of the holder that was charged; empty if unknown, `(hand-over)` for time in which the
    /// lock had been handed to others that had not run yet.
    pub holder: String,
    /// Where the charged holder last acquired, `file:line:column`, empty if unknown.
    pub holder_site: String,
    /// Waits of which this holder had the largest share.
    pub waits: u64,
    /// Time of waits that this holder is charged with, in nanoseconds (one second per waiter and
    /// second).
    pub wait_ns: u64,
}

/// Open waits of one waiter label for one holder label on one lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct OpenEdge {
    /// Name of the lock.
    pub lock: String,
    /// Label of the waiter.
    pub waiter: String,
    /// Label of the holder, empty if unknown.
    pub holder: String,
    /// How many waits.
    pub waits: u64,
    /// Age of the oldest, in nanoseconds.
    pub oldest_ns: u64,
}

/// The figures of all scopes with one name.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ScopeSeries {
    /// The scope's name.
    pub name: String,
    /// Scopes started.
    pub started: u64,
    /// Scopes ended, completed or cancelled.
    pub finished: u64,
    /// Scopes ended by being dropped before completion (part of `finished`).
    pub cancelled: u64,
    /// Scopes whose poll panicked (part of `finished`).
    pub panicked: u64,
    /// Polls, by duration.
    pub poll: Histogram,
    /// Woken to polled.
    pub schedule_delay: Histogram,
    /// Created to first polled, summed, in nanoseconds.
    pub spawn_delay_ns: u64,
    /// Pending and not woken, by what ended it, indexed by [`Idle`], in nanoseconds.
    pub idle_ns: [u64; Idle::COUNT],
}

/// What the pools of one name have beyond the figures of a lock.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct PoolSeries {
    /// The pool's name.
    pub name: String,
    /// Every acquisition, from asking to having: waiting, connecting and checking included.
    pub acquire: Histogram,
    /// Connections that exist, in use or idle, as last seen at an acquisition or a release.
    pub size: u64,
}

impl Snapshot {
    /// How often `reason` occurred.
    #[must_use]
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.dropped.iter().find(|(r, _)| *r == reason).map_or(0, |(_, n)| *n)
    }

    /// The series of a lock in one mode, if it was registered.
    #[must_use]
    pub fn lock(&self, name: &str, mode: Mode) -> Option<&LockSeries> {
        self.locks.iter().find(|s| s.name == name && s.mode == mode)
    }

    /// What a pool has beyond the figures of a lock, if it is known.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<&PoolSeries> {
        self.pools.iter().find(|s| s.name == name)
    }

    /// The figures of a scope name, if it ever ran.
    #[must_use]
    pub fn scope(&self, name: &str) -> Option<&ScopeSeries> {
        self.scopes.iter().find(|s| s.name == name)
    }
}

impl LockSeries {
    /// Attempts that ended this way.
    #[must_use]
    pub const fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Contended attempts.
    #[must_use]
    pub fn contentions(&self) -> u64 {
        self.wait.iter().map(Histogram::count).sum()
    }

    /// All contended waits in one histogram.
    #[must_use]
    pub fn wait_total(&self) -> Histogram {
        let mut all = Histogram::default();
        for wait in &self.wait {
            all.merge(wait);
        }
        all
    }
}
