//! What an owner's books hold: where its time goes, what its span will say, and behind a mutex what
//! only contended, foreign and ending paths touch.

use super::waits::WaitEnd;
use super::{HoldRef, OwnerCell};
use crate::buckets::Cell;
use crate::life::Ending;
use crate::queue::Inflicted;
use crate::report::ScopeReport;
use crate::slots::HoldInfo;
use crate::{Detail, Dropped, Idle, SpanRef, class, loss};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU32};

/// Where an owner's time goes. Written by the polling thread, read by anyone; each cell alone.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Odd while it is being polled; +1 at both edges.
    pub(crate) poll_seq: Cell,
    pub(crate) poll_end: Cell,
    /// Time being polled.
    pub(crate) busy: Cell,
    /// The part of it in which somebody else was polled inside: another task, on this thread.
    pub(crate) nested: Cell,
    pub(crate) runnable: Cell,
    pub(crate) poll_max: Cell,
    /// Time not being polled since it was created: its growth during a hold is the part of the
    /// hold that was spent parked.
    pub(crate) suspended: Cell,
}

/// What the owner's span will say of its holds; the owner writes.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) hold: Cell,
    pub(crate) hold_max: Cell,
    pub(crate) across_await: Cell,
    pub(crate) nesting_max: AtomicU32,
    pub(crate) hold_max_series: AtomicU32,
}

/// Running numbers when the owner started, of what its cell never counts anew.
#[derive(Debug, Default)]
pub(super) struct Before {
    pub(super) claims: Cell,
    pub(super) foreign: Cell,
}

/// The span of the scope, written once before its first poll.
#[derive(Debug, Default)]
pub(super) struct SpanCell {
    pub(super) trace_high: Cell,
    pub(super) trace_low: Cell,
    pub(super) span: Cell,
    pub(super) set: AtomicU8,
}

/// What only contended, foreign and ending paths touch.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    pub(super) ending: Ending,
    /// Holds that left this cell for another, by key.
    pub(super) moved: Vec<(u64, HoldRef)>,
    pub(super) spilled: Vec<(u64, HoldInfo)>,
    /// Waits that ended while other code ran.
    pub(super) waits_elsewhere: Vec<WaitEnd>,
    /// Claims that were no acquisitions: adopted guards, and those of ended branches.
    pub(super) taken_over: u64,
    /// By holds that others released, and how long these were.
    pub(crate) blocked_others: u64,
    pub(crate) blocked_others_ns: u64,
    spinning: Spinning,
    pub(crate) foreign_hold_ns: u64,
    pub(crate) details: Vec<Detail>,
}

/// Whom its holds kept spinning, as those tell it: in which generation, how many, and for how long.
#[derive(Debug, Default)]
struct Spinning {
    generation: u32,
    waits: u64,
    ns: u64,
}

impl OwnerCell {
    pub(crate) fn span(&self) -> Option<SpanRef> {
        if self.span.set.load(Acquire) == 0 {
            return None;
        }
        let trace_id =
            u128::from(self.span.trace_high.get()) << 64 | u128::from(self.span.trace_low.get());
        Some(SpanRef::new(trace_id, self.span.span.get(), true))
    }

    pub(crate) fn set_span(&self, span: Option<SpanRef>) {
        let Some(span) = span.filter(SpanRef::is_linkable) else {
            self.span.set.store(0, Relaxed);
            return;
        };
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the trace id")]
        {
            self.span.trace_high.set((span.trace_id >> 64) as u64);
            self.span.trace_low.set(span.trace_id as u64);
        }
        self.span.span.set(span.span_id);
        // ORDERING: pairs with Acquire in `span`; publishes the ids above.
        self.span.set.store(1, Release);
    }

    /// A hold of this owner kept others waiting.
    pub(crate) fn note_blocked_others(&self, Inflicted { queued, ns }: Inflicted) {
        if queued == 0 {
            return;
        }
        if self.is_polled_here() {
            self.expect_slow();
            let rare = self.rare();
            rare.blocked_others.add(queued);
            rare.blocked_others_ns.add(ns);
            return;
        }
        let mut slow = self.slow();
        slow.blocked_others += queued;
        slow.blocked_others_ns += ns;
    }

    /// A hold of whoever owned this cell in this `generation` kept somebody spinning, who comes unasked and
    /// so perhaps too late: what is told of an earlier generation counts for nobody.
    pub(crate) fn note_spinning(&self, generation: u32, ns: u64) {
        let mut slow = self.slow();
        if slow.spinning.generation != generation {
            slow.spinning = Spinning { generation, waits: 0, ns: 0 };
        }
        slow.spinning.waits += 1;
        slow.spinning.ns += ns;
    }

    /// Fills what this cell knows into a report.
    pub(crate) fn fill(&self, report: &mut ScopeReport) {
        let (times, holds) = (&self.times, self.holds());
        let totals = &holds.totals;
        report.nesting_max = u64::from(totals.nesting_max.load(Relaxed));
        report.acquisitions = holds.tally.claimed().wrapping_sub(self.before.claims.get());
        report.hold_ns = totals.hold.get();
        report.hold_max_ns = totals.hold_max.get();
        report.held_across_await = totals.across_await.get();
        report.busy_ns = times.busy.get() - times.nested.get();
        report.runnable_ns = times.runnable.get();
        report.idle_ns = times.suspended.get() - times.runnable.get() + times.nested.get();
        report.poll_max_ns = times.poll_max.get();
        if report.hold_max_ns > 0 {
            let longest = class::series(totals.hold_max_series.load(Relaxed));
            report.worst_lock = longest.map(|series| series.name);
        }
        if self.rare_used.load(Relaxed) {
            self.settle_waits();
            self.fill_slow(report);
            let rare = self.rare();
            report.blocked_others += rare.blocked_others.get();
            report.blocked_others_ns += rare.blocked_others_ns.get();
            rare.waits.fill(report);
        }
    }

    fn fill_slow(&self, report: &mut ScopeReport) {
        let mut slow = self.slow();
        report.hold_ns += slow.foreign_hold_ns;
        report.acquisitions = report.acquisitions.wrapping_sub(slow.taken_over);
        report.blocked_others += slow.blocked_others;
        report.blocked_others_ns += slow.blocked_others_ns;
        if slow.spinning.generation == self.generation() {
            report.blocked_others += slow.spinning.waits;
            report.blocked_others_ns += slow.spinning.ns;
        }
        report.details = std::mem::take(&mut slow.details);
    }
}

// One array, no chain of them: each cell is then cleared by one instruction.

impl Times {
    pub(super) fn clear(&self) {
        let Self { poll_seq, poll_end, busy, nested, runnable, poll_max, suspended } = self;
        for cell in [poll_seq, poll_end, busy, nested, runnable, poll_max, suspended] {
            cell.set(0);
        }
    }
}

impl Totals {
    pub(super) fn clear(&self) {
        let Self { hold, hold_max, across_await, nesting_max, hold_max_series } = self;
        for cell in [hold, hold_max, across_await] {
            cell.set(0);
        }
        for cell in [nesting_max, hold_max_series] {
            cell.store(0, Relaxed);
        }
    }
}

/// The longest waits and holds that a scope keeps in detail.
const DETAILS: usize = 8;

impl Slow {
    /// Keeps the detail if it is among the longest.
    pub(crate) fn keep(&mut self, detail: Detail) {
        let at = self.details.partition_point(|kept| kept.ns >= detail.ns);
        if self.details.len() == DETAILS {
            loss::count(Dropped::Details, 1);
            if at == DETAILS {
                return;
            }
            self.details.pop();
        }
        self.details.insert(at, detail);
    }
}

/// Kinds of idle time by the primitive that was waited for.
pub(crate) const fn idle_of(kind: crate::Kind) -> Idle {
    match kind {
        crate::Kind::Semaphore => Idle::Permit,
        crate::Kind::Channel => Idle::Channel,
        crate::Kind::Pool => Idle::Pool,
        _ => Idle::Lock,
    }
}
