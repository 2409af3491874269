//! What attempts write that wait or fail: waits by cause, outcomes, and who is charged with how much. Most
//! locks never see one, so it is beside their shards, made by the first.

use crate::name::Label;
use crate::shard::WorstCell;
use crate::{BUCKETS, Cause, Dropped, Exemplar, Outcome, histogram, loss};
use std::panic::Location;

/// Of one series on one thread.
#[derive(Debug, Default)]
pub(crate) struct Contention {
    pub(crate) outcomes: [u64; Outcome::COUNT],
    pub(crate) wait: [Option<Box<Counts>>; Cause::COUNT],
    pub(crate) claim_delay_ns: u64,
    pub(crate) edges: Vec<EdgeCell>,
    pub(crate) worst_wait: Option<WorstCell>,
    pub(crate) wait_exemplars: Vec<(Cause, Exemplar)>,
}

/// A histogram under the mutex of all this.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) counts: [u64; BUCKETS],
    pub(crate) sum_ns: u64,
    pub(crate) max_ns: u64,
}

/// Waits of one waiter label that one holder label is charged with.
#[derive(Clone, Debug)]
pub(crate) struct EdgeCell {
    pub(crate) cause: Cause,
    pub(crate) waiter: Label,
    pub(crate) holder: Label,
    pub(crate) holder_site: Option<&'static Location<'static>>,
    pub(crate) waits: u64,
    pub(crate) wait_ns: u64,
}

/// Edges of one thread and series that are told apart; again as many by their holders alone.
const MAX_EDGES: usize = 64;

impl Contention {
    pub(crate) fn waited(&mut self, cause: Cause, ns: u64) {
        let empty = || Box::new(Counts { counts: [0; BUCKETS], sum_ns: 0, max_ns: 0 });
        let counts = self.wait[cause as usize].get_or_insert_with(empty);
        counts.counts[histogram::bucket(ns)] += 1;
        counts.sum_ns = counts.sum_ns.wrapping_add(ns);
        counts.max_ns = counts.max_ns.max(ns);
    }

    /// Whether a wait of this cause is longer than any other since the last collection.
    pub(crate) fn wants_exemplar(&self, cause: Cause, ns: u64) -> bool {
        let known = self.wait_exemplars.iter().find(|(known, _)| *known == cause);
        known.is_none_or(|(_, known)| ns > known.ns)
    }

    /// One that is wanted.
    pub(crate) fn wait_exemplar(&mut self, cause: Cause, exemplar: Exemplar) {
        match self.wait_exemplars.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, known)) => *known = exemplar,
            None => self.wait_exemplars.push((cause, exemplar)),
        }
    }

    /// Charges a holder with a wait. Of too many edges the waiters go without their names first: who holds
    /// the lock is what has to be known.
    pub(crate) fn charge(&mut self, edge: EdgeCell) {
        if self.add(&edge, MAX_EDGES) {
            return;
        }
        loss::count(Dropped::Edges, 1);
        let by_holder = EdgeCell { waiter: Label::OVERFLOW, ..edge };
        if !self.add(&by_holder, 2 * MAX_EDGES) {
            let rest = EdgeCell { holder: Label::OVERFLOW, holder_site: None, ..by_holder };
            self.add(&rest, usize::MAX);
        }
    }

    /// Adds to the edge between these labels; as a new one if there are fewer than `most`. Looks at one after
    /// the other: nearly always there are a few, and at most twice [`MAX_EDGES`].
    fn add(&mut self, edge: &EdgeCell, most: usize) -> bool {
        let same = |known: &&mut EdgeCell| {
            known.holder == edge.holder && known.waiter == edge.waiter && known.cause == edge.cause
        };
        if let Some(known) = self.edges.iter_mut().find(same) {
            known.waits += edge.waits;
            known.wait_ns = known.wait_ns.wrapping_add(edge.wait_ns);
            known.holder_site = edge.holder_site.or(known.holder_site);
            return true;
        }
        let has_room = self.edges.len() < most;
        if has_room {
            self.edges.push(edge.clone());
        }
        has_room
    }
}

#[cfg(test)]
#[path = "contention_tests.rs"]
mod tests;
