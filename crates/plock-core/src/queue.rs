//! Who waits for a lock, in order, who is next, and how long each label has kept it while somebody
//! waited. Under a mutex of the lock's record that only contended paths take.
//!
//! A place in the queue goes through three states:
//!
//! | state | event | next |
//! |---|---|---|
//! | unserved | permits come, in order: enough for it | served: [`Grant`](crate::grant), its waker is taken; gone if it is not recorded |
//! | unserved | the lock is closed | served with nothing |
//! | served | its future is polled: it claims | gone |
//! | either | its future is dropped | gone; what was kept for it goes to the next |
//!
//! From the charges follows who is to blame for how much: a holder that had the lock alone charges its
//! hold to its label, a waiter takes the difference of all charges between its block and its claim. Both
//! ends are integers of one clock, so the shares of a wait and the rest sum to its queue time exactly.

use crate::grant::Granted;
use crate::name::Label;
use crate::thread_wait::Turns;
use crate::wait::Wait;
use crate::wake::Woken;
use crate::{Dropped, loss};
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;

/// Labels a lock charges separately; further ones share one more entry.
pub(crate) const CHARGED: usize = 128;

#[derive(Debug)]
pub(crate) struct Queue {
    /// First come first, by ascending tickets; who left from between others has left a gap.
    places: VecDeque<Place>,
    /// The ticket of the next one.
    next: u64,
    /// Whoever has a ticket below this has been served.
    unserved: u64,
    /// How many are queued, and how many of them have not been served.
    occupied: usize,
    waiting: usize,
    /// How many of them are recorded.
    len: u32,
    /// Time each label has held the lock while somebody waited, ever; permits count each.
    charged: Vec<Charge>,
    /// Those among them that were queued before the present holder claimed, and the first ticket of those
    /// that came later.
    before: u64,
    before_ticket: u64,
    /// Permits free if the queue were not there.
    pub(crate) free: u64,
    /// Who has had a lock that blocks threads.
    pub(crate) turns: Turns,
}

/// A place in the queue.
#[derive(Debug)]
struct Place {
    ticket: u64,
    /// From when on its time counts as inflicted by holders; never, if it is not recorded.
    since: u64,
    /// Who waits here; `None` is a gap.
    waits: Option<Arc<Wait>>,
    /// Whom to wake; `None` once it is served, or if it is not served here.
    waker: Option<Waker>,
}

/// Whom a hold kept waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Inflicted {
    /// How many wait.
    pub(crate) queued: u64,
    /// How much of their waiting fell into the hold.
    pub(crate) ns: u64,
}

impl Inflicted {
    pub(crate) const NONE: Self = Self { queued: 0, ns: 0 };
}

impl Place {
    fn serve(&mut self, granted: &Granted, woken: &mut Woken) {
        let Some(wait) = &self.waits else { return };
        let own_poll = wait.waiter.as_ref().map_or(0, |waiter| waiter.own_poll());
        wait.grant.set(&Granted { own_poll, ..*granted });
        if let Some(waker) = self.waker.take() {
            woken.push(waker);
        }
    }
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

impl Default for Queue {
    fn default() -> Self {
        Self {
            places: VecDeque::new(),
            next: 1, // 0 is no ticket
            unserved: 1,
            occupied: 0,
            waiting: 0,
            len: 0,
            charged: Vec::new(),
            before: 0,
            before_ticket: 0,
            free: 0,
            turns: Turns::default(),
        }
    }
}

impl Queue {
    /// How many recorded waits there are.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Everyone queued, first come first.
    pub(crate) fn waits(&self) -> impl Iterator<Item = &Arc<Wait>> {
        self.places.iter().filter_map(|place| place.waits.as_ref())
    }

    /// The one that has been queued longest.
    pub(crate) fn head(&self) -> Option<&Arc<Wait>> {
        self.waits().next() // what has left in front of it is gone
    }

    /// How many are queued before this ticket.
    pub(crate) fn ahead_of(&self, ticket: u64) -> u64 {
        let ahead = self.places.iter().take_while(|place| place.ticket < ticket);
        ahead.filter(|place| place.waits.is_some()).count() as u64
    }

    /// Puts an attempt into the queue; its ticket is its place. It is served here if it has a waker; what
    /// it waits for comes from elsewhere if not. `free` counts if it is the first.
    pub(crate) fn enter(&mut self, wait: Arc<Wait>, waker: Option<Waker>, free: u64) -> u64 {
        if self.len == 0 {
            self.before = 0;
            self.free = free;
        }
        let ticket = self.next;
        self.next += 1;
        self.occupied += 1;
        self.waiting += usize::from(waker.is_some());
        let since = wait.charged_since();
        self.len += u32::from(since.is_some());
        let since = since.unwrap_or(u64::MAX);
        self.places.push_back(Place { ticket, since, waits: Some(wait), waker });
        ticket
    }

    /// Takes an attempt out again. Returns its waker, if it has not been served, to be dropped without
    /// the mutex.
    pub(crate) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        let index = self.index(ticket)?;
        let place = &mut self.places[index];
        let wait = place.waits.take()?;
        let waker = place.waker.take();
        self.occupied -= 1;
        self.waiting -= usize::from(waker.is_some());
        if wait.waiter.is_some() {
            self.len -= 1;
            self.before -= u64::from(ticket < self.before_ticket && self.before > 0);
        }
        self.close_front();
        // Each gap that is closed here was left by one that has gone: together no dearer than they.
        if self.places.len() > GAPS + 2 * self.occupied {
            self.places.retain(|place| place.waits.is_some());
        }
        waker
    }

    /// Whether the same task would be woken when this one is served.
    pub(crate) fn would_wake(&self, ticket: u64, waker: &Waker) -> bool {
        let place = self.index(ticket).map(|index| &self.places[index]);
        place.and_then(|place| place.waker.as_ref()).is_some_and(|known| known.will_wake(waker))
    }

    /// Who is woken when this one is served; returns what it was before, to be dropped without the
    /// mutex, or `waker` itself if it has been served.
    pub(crate) fn set_waker(&mut self, ticket: u64, waker: Waker) -> Waker {
        let index = self.index(ticket);
        let place = index.and_then(|index| self.places[index].waker.as_mut());
        match place {
            Some(known) => std::mem::replace(known, waker),
            None => waker,
        }
    }

    /// Nearly always the first one, which has got the lock.
    fn index(&self, ticket: u64) -> Option<usize> {
        match self.places.front() {
            Some(first) if first.ticket == ticket => Some(0),
            _ => self.places.binary_search_by_key(&ticket, |place| place.ticket).ok(),
        }
    }

    /// Where the first is that has not been served: nearly always at the very front.
    fn first_unserved(&self) -> usize {
        let is_here =
            |index| self.places.get(index).is_some_and(|p: &Place| p.ticket >= self.unserved);
        match (is_here(0), is_here(1)) {
            (true, _) => 0,
            (false, true) => 1,
            _ => self.places.partition_point(|place| place.ticket < self.unserved),
        }
    }

    /// Whether anybody is queued that has not been served.
    pub(crate) const fn is_anybody_unserved(&self) -> bool {
        self.waiting > 0
    }

    /// Serves those that `n` permits are enough for, in order, and keeps what is left for the next;
    /// `n` is what nobody wants. False if `woken` has no room for more.
    pub(crate) fn serve(&mut self, n: &mut u64, granted: &Granted, woken: &mut Woken) -> bool {
        let mut from = self.first_unserved();
        while *n > 0 && self.waiting > 0 {
            if woken.is_full() {
                return false;
            }
            let Some(place) = self.places.get_mut(from) else { return true };
            if let Some(wait) = &place.waits {
                let missing = wait.need.saturating_sub(wait.kept());
                let given = missing.min(*n);
                wait.keep(wait.kept() + given);
                *n -= given;
                if given < missing {
                    return true;
                }
                self.unserved = place.ticket + 1;
                self.waiting -= 1;
                place.serve(granted, woken);
                if let Some(wait) = place.waits.take_if(|wait| wait.waiter.is_none()) {
                    self.occupied -= 1; // nobody asks for it any more
                    self.free = self.free.saturating_sub(wait.need);
                }
            }
            from += 1;
        }
        self.close_front();
        true
    }

    fn close_front(&mut self) {
        while self.places.front().is_some_and(|place| place.waits.is_none()) {
            self.places.pop_front();
        }
    }

    /// Tells everybody that the lock is closed. False if `woken` has no room for more.
    pub(crate) fn serve_all(&mut self, closed: &Granted, woken: &mut Woken) -> bool {
        let from = self.first_unserved();
        for place in self.places.range_mut(from..) {
            if woken.is_full() {
                return false;
            }
            self.unserved = place.ticket + 1;
            self.waiting -= usize::from(place.waits.is_some());
            place.serve(closed, woken);
        }
        true
    }

    /// A waiter has claimed: all that are queued now wait for it from the start of its hold.
    pub(crate) fn claimed(&mut self, weight: u64) {
        self.before = u64::from(self.len);
        self.before_ticket = self.next;
        self.free = self.free.saturating_sub(weight);
    }

    /// A hold of `since..end` by `label` ends, alone on the lock.
    pub(crate) fn charge(&mut self, charge: Charge, since: u64, end: u64) -> Inflicted {
        let held = end.saturating_sub(since);
        self.add(Charge { ns: held, ..charge });
        // Whoever came during the hold is looked at here, and counts as before at the next.
        let first_later = self.places.partition_point(|place| place.ticket < self.before_ticket);
        let later = self.places.range(first_later..).filter(|place| place.waits.is_some());
        let during = later.map(|place| end.saturating_sub(place.since.max(since)));
        let ns = during.fold(self.before.saturating_mul(held), u64::saturating_add);
        Inflicted { queued: u64::from(self.len), ns }
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
