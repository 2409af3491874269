//! Whom to wake in turn: a waker that we give on stands for the waker of whoever polls us.
//!
//! # Protocol
//! Whoever polls nearly always brings the same waker, so the first one is kept for good and waking it
//! takes no lock. Only when another one comes is a slot used, from then on.
//!
//! | who | does | ordering |
//! |---|---|---|
//! | a wake | asks whether the waker has changed, by a read-modify-write, and wakes the first or the one in the slot | `AcqRel` |
//! | a poll with another waker | puts it into the slot, says so by a read-modify-write, *then* polls the inner future | `AcqRel` |
//!
//! Of the two read-modify-writes one comes first. If it is the poll's, the wake finds the new waker.
//! If it is the wake's, the poll sees all that was done before the wake, and so finds what it waits
//! for. A waker that is registered stays: a wake does not take it out, so nobody has to register
//! again at each poll. Models: `wake_vs_poll_enter`, `wake_vs_other_waker`.

use crate::sync::{AtomicBool, Mutex, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::Waker;

#[derive(Debug)]
pub(crate) struct Outer {
    first: Waker,
    /// Whether the slot counts. Writer: whoever polls.
    changed: AtomicBool,
    /// Behind a count of ours, so that nothing of the application's runs under the mutex.
    slot: Mutex<Option<Arc<Waker>>>,
}

impl Outer {
    pub(crate) fn new(waker: &Waker) -> Self {
        Self { first: waker.clone(), changed: AtomicBool::new(false), slot: Mutex::new(None) }
    }

    /// From here on `waker` is woken. Before every poll of the inner future.
    #[inline]
    pub(crate) fn register(&self, waker: &Waker) {
        if self.changed.load(Ordering::Relaxed) || !self.first.will_wake(waker) {
            self.change(waker);
        }
    }

    #[cold]
    fn change(&self, waker: &Waker) {
        if self.in_slot().is_some_and(|known| known.will_wake(waker)) {
            return;
        }
        let fresh = Arc::new(waker.clone());
        let old = self.slot.lock().unwrap_or_else(PoisonError::into_inner).replace(fresh);
        // ORDERING: pairs with itself in `wake`; see the table.
        self.changed.swap(true, Ordering::AcqRel);
        drop(old);
    }

    #[inline]
    pub(crate) fn wake(&self) {
        // ORDERING: pairs with `change`; the wake changes nothing.
        if !self.changed.fetch_or(false, Ordering::AcqRel) {
            return self.first.wake_by_ref();
        }
        if let Some(waker) = self.in_slot() {
            waker.wake_by_ref();
        }
    }

    fn in_slot(&self) -> Option<Arc<Waker>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
