//! Who waits for a lock, in order, and how long each label has kept it while somebody waited. Under a
//! mutex of the lock's record that only contended paths take.
//!
//! From it follows who is to blame for how much: a holder that had the lock alone charges its hold to
//! its label, a waiter takes the difference of all charges between its block and its claim. Both ends
//! are integers of one clock, so the shares of a wait and the rest sum to its queue time exactly.

use crate::blame::Few;
use crate::name::Label;
use crate::wait::Wait;
use crate::{Dropped, loss};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;

/// Labels a lock charges separately; further ones share one more entry.
pub(crate) const CHARGED: usize = 32;
/// Attempts one lock keeps in order by name; further ones are timed only.
const QUEUED: usize = 65_536;

#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// First come first, by ascending tickets; who left from between others has left a gap.
    places: VecDeque<Place>,
    /// The ticket of the next one.
    next: u64,
    len: u32,
    /// Time each label has held the lock while somebody waited, ever; permits count each.
    charged: Vec<Charge>,
    /// Sum of the block instants of all that are queued.
    since_sum: u128,
    /// Those among them that were queued before the present holder claimed.
    before: u64,
    before_since: u128,
    before_ticket: u64,
    /// Permits free if the queue were not there.
    pub(crate) free: u64,
}

/// A place in the queue.
#[derive(Debug)]
struct Place {
    ticket: u64,
    /// Who waits here, and what everybody was charged with when it blocked; `None` is a gap.
    waits: Option<(Arc<Wait>, Few)>,
}

/// So many gaps are never worth closing.
const GAPS: usize = 64;

/// Time a label is charged with, and where it last acquired.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    pub(crate) label: Label,
    pub(crate) ns: u64,
    pub(crate) site: &'static Location<'static>,
}

impl Queue {
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Everyone queued, first come first.
    pub(crate) fn waits(&self) -> impl Iterator<Item = &Arc<Wait>> {
        self.places.iter().filter_map(|place| place.waits.as_ref().map(|(wait, _)| wait))
    }

    /// The one that has been queued longest.
    pub(crate) fn head(&self) -> Option<&Arc<Wait>> {
        self.waits().next() // what has left in front of it is gone
    }

    /// Puts an attempt into the queue; its ticket is its place. `free` counts if it is the first.
    pub(crate) fn enter(&mut self, wait: Arc<Wait>, base: Few, free: u64) -> Option<u64> {
        if self.len as usize >= QUEUED {
            loss::count(Dropped::Waits, 1);
            return None;
        }
        if self.len == 0 {
            (self.before, self.before_since) = (0, 0);
            self.free = free;
        }
        let ticket = self.next;
        self.next += 1;
        self.since_sum += u128::from(wait.since);
        self.len += 1;
        self.places.push_back(Place { ticket, waits: Some((wait, base)) });
        Some(ticket)
    }

    /// Takes an attempt out again, and says what everybody was charged with when it blocked.
    pub(crate) fn leave(&mut self, ticket: u64) -> Option<Few> {
        // Nearly always the first one, which has got the lock.
        let index = match self.places.front() {
            Some(first) if first.ticket == ticket => 0,
            _ => self.places.binary_search_by_key(&ticket, |place| place.ticket).ok()?,
        };
        let (wait, base) = self.places[index].waits.take()?;
        let since = u128::from(wait.since);
        self.len -= 1;
        self.since_sum -= since;
        if ticket < self.before_ticket && self.before > 0 {
            self.before -= 1;
            self.before_since = self.before_since.saturating_sub(since);
        }
        while self.places.front().is_some_and(|place| place.waits.is_none()) {
            self.places.pop_front();
        }
        // Each gap that is closed here was left by one that has gone: together no dearer than they.
        if self.places.len() > GAPS + 2 * self.len as usize {
            self.places.retain(|place| place.waits.is_some());
        }
        Some(base)
    }

    /// A waiter has claimed: all that are queued now wait for it from the start of its hold.
    pub(crate) fn claimed(&mut self, weight: u64) {
        self.before = u64::from(self.len);
        self.before_since = self.since_sum;
        self.before_ticket = self.next;
        self.free = self.free.saturating_sub(weight);
    }

    /// A hold of `since..end` by `label` ends, alone on the lock. Returns how many wait and how
    /// much of their waiting fell into the hold.
    pub(crate) fn charge(&mut self, charge: Charge, since: u64, end: u64) -> (u64, u64) {
        let held = end.saturating_sub(since);
        self.add(Charge { ns: held, ..charge });
        let queued = u64::from(self.len);
        let later = queued.saturating_sub(self.before);
        let later_since = self.since_sum.saturating_sub(self.before_since);
        let during = (u128::from(later) * u128::from(end)).saturating_sub(later_since);
        let inflicted = u128::from(self.before) * u128::from(held) + during;
        (queued, u64::try_from(inflicted).unwrap_or(u64::MAX))
    }

    /// Charges a label without asking whom it kept waiting: it did not hold the lock alone.
    pub(crate) fn add(&mut self, charge: Charge) {
        if let Some(known) = self.charged.iter_mut().find(|known| known.label == charge.label) {
            known.ns = known.ns.wrapping_add(charge.ns);
            known.site = charge.site;
        } else if self.charged.len() < CHARGED || charge.label == Label::OVERFLOW {
            self.charged.push(charge);
        } else {
            loss::count(Dropped::Edges, 1);
            self.add(Charge { label: Label::OVERFLOW, ..charge });
        }
    }

    pub(crate) fn charged(&self) -> &[Charge] {
        &self.charged
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
