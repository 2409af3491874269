//! The totals of one span while scopes run in it. A span takes an attribute only once (the SDK
//! appends, it does not replace), so what nested and parallel scopes of one span measured is added
//! up here until the last of them ends.

use crate::spans::{integer, seconds};
use opentelemetry::KeyValue;
use plock_core::{Dropped, ScopeReport, SpanRef, count_dropped};
use plock_semconv::spans;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Parts of the table, each with a lock of its own. Only scopes in sampled spans come here.
const SHARDS: usize = 32;
/// Spans per shard that are remembered as written.
const REMEMBERED: usize = 64;

/// Identity of a span in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    trace_id: u128,
    span_id: u64,
}

/// All spans in which scopes run.
#[derive(Debug)]
pub(crate) struct Spans([Mutex<Shard>; SHARDS]);

#[derive(Debug, Default)]
struct Shard {
    open: HashMap<Span, Open>,
    /// The latest spans that have their attributes.
    written: VecDeque<Span>,
}

#[derive(Debug, Default)]
struct Open {
    scopes: u64,
    totals: Totals,
}

/// Sums and maxima of the scopes of one span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Its sums and maxima are those of all scopes; its names are those of the costliest one.
    sum: ScopeReport,
    /// `wait_ns` of the scope whose cause is shown.
    cause_wait_ns: u64,
}

impl Default for Spans {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}

impl Spans {
    fn shard(&self, span: Span) -> MutexGuard<'_, Shard> {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits choose")]
        let shard = &self.0[span.span_id as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A scope starts in this span.
    pub(crate) fn enter(&self, span: SpanRef) -> Span {
        let span = Span { trace_id: span.trace_id, span_id: span.span_id };
        self.shard(span).open.entry(span).or_default().scopes += 1;
        span
    }

    /// A scope of this span ended. The last one takes the totals, to write them.
    pub(crate) fn leave(&self, span: Span, report: &ScopeReport) -> Option<Totals> {
        let mut shard = self.shard(span);
        let open = shard.open.get_mut(&span)?;
        open.totals.add(report);
        open.scopes -= 1;
        if open.scopes > 0 {
            return None;
        }
        let open = shard.open.remove(&span)?;
        if shard.written.contains(&span) {
            count_dropped(Dropped::Attributes, spans::SCOPE_ATTRIBUTES.len() as u64);
            return None;
        }
        if shard.written.len() == REMEMBERED {
            shard.written.pop_front();
        }
        shard.written.push_back(span);
        Some(open.totals)
    }
}

impl Totals {
    pub(crate) fn add(&mut self, one: &ScopeReport) {
        let sum = &mut self.sum;
        let worse = (one.wait_max_ns, one.hold_max_ns) > (sum.wait_max_ns, sum.hold_max_ns);
        if worse || sum.worst_lock.is_none() {
            sum.worst_lock = one.worst_lock.or(sum.worst_lock);
        }
        if one.wait_max_ns > sum.wait_max_ns || sum.blocker.is_none() {
            sum.blocker = one.blocker.or(sum.blocker);
        }
        if one.wait_ns > self.cause_wait_ns || sum.cause.is_none() {
            sum.cause = one.cause.or(sum.cause);
            self.cause_wait_ns = one.wait_ns;
        }
        sum.acquisitions += one.acquisitions;
        sum.contentions += one.contentions;
        sum.wait_ns += one.wait_ns;
        sum.wait_max_ns = sum.wait_max_ns.max(one.wait_max_ns);
        sum.blocked_ns += one.blocked_ns;
        sum.hold_ns += one.hold_ns;
        sum.hold_max_ns = sum.hold_max_ns.max(one.hold_max_ns);
        sum.nesting_max = sum.nesting_max.max(one.nesting_max);
        sum.held_across_await += one.held_across_await;
        sum.blocked_others += one.blocked_others;
        sum.blocked_others_ns += one.blocked_others_ns;
    }

    /// Each key at most once; the three names only where there is one.
    pub(crate) fn attributes(&self) -> Vec<KeyValue> {
        let sum = &self.sum;
        let mut out = Vec::with_capacity(spans::SCOPE_ATTRIBUTES.len());
        out.extend([
            KeyValue::new(spans::ACQUISITIONS, integer(sum.acquisitions)),
            KeyValue::new(spans::CONTENTIONS, integer(sum.contentions)),
            KeyValue::new(spans::WAIT_TIME, seconds(sum.wait_ns)),
            KeyValue::new(spans::WAIT_MAX, seconds(sum.wait_max_ns)),
            KeyValue::new(spans::BLOCKED_TIME, seconds(sum.blocked_ns)),
            KeyValue::new(spans::HOLD_TIME, seconds(sum.hold_ns)),
            KeyValue::new(spans::HOLD_MAX, seconds(sum.hold_max_ns)),
            KeyValue::new(spans::NESTING_MAX, integer(sum.nesting_max)),
            KeyValue::new(spans::HELD_ACROSS_AWAIT, integer(sum.held_across_await)),
        ]);
        out.extend(sum.worst_lock.map(|name| KeyValue::new(spans::WORST_NAME, name)));
        out.extend(sum.cause.map(|cause| KeyValue::new(spans::BLOCKING_CAUSE, cause.as_str())));
        out.extend(sum.blocker.map(|site| KeyValue::new(spans::BLOCKER_SITE, site)));
        out.extend([
            KeyValue::new(spans::BLOCKED_OTHERS_COUNT, integer(sum.blocked_others)),
            KeyValue::new(spans::BLOCKED_OTHERS_TIME, seconds(sum.blocked_others_ns)),
        ]);
        out
    }
}
