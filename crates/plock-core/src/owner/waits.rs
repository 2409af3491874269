//! What the waits of a scope come to; its span tells it.
//!
//! The owner alone writes the figures, plainly: an attempt blocks in its owner's poll, and nearly always
//! ends there. One that ends elsewhere, because its future has gone to somebody else, is put on a list
//! behind the owner's mutex and counted here; the owner adds it to the figures before it writes them the
//! next time, or when it ends. So they come out as if each wait had been noted in its time.

use super::{OwnerCell, Rare, Role};
use crate::buckets::Cell;
use crate::name::{Label, LabelText};
use crate::report::ScopeReport;
use crate::{Cause, class};
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

/// Writer: the owner, but for the count of what is on the list.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    /// Attempts pending now, and since when there is at least one.
    pending: Cell,
    since: Cell,
    /// How long there was at least one.
    blocked: Cell,
    count: Cell,
    sum: Cell,
    max: Cell,
    by_cause: [Cell; Cause::COUNT],
    /// Series of the longest, and who is to blame for most of it.
    worst_series: Cell,
    worst_holder: AtomicPtr<LabelText>,
    /// How many are on the list. Written under the mutex.
    elsewhere: Cell,
}

/// A wait that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitEnd {
    pub(crate) at: u64,
    pub(crate) ns: u64,
    pub(crate) cause: Cause,
    pub(crate) series: u32,
    pub(crate) holder: Option<Label>,
}

impl OwnerCell {
    /// An attempt of this owner, whose code runs here, became pending.
    pub(crate) fn note_blocked(&self, at: u64) {
        self.expect_slow();
        if self.role() != Role::Scope {
            return; // no span tells it
        }
        self.settle_waits();
        let waits = &self.rare().waits;
        if waits.pending.get() == 0 {
            waits.since.set(at);
        }
        waits.pending.add(1);
    }

    /// An attempt that became pending in this `generation` of the cell is over.
    pub(crate) fn note_wait(&self, generation: u32, end: WaitEnd) {
        if self.role() != Role::Scope {
            return;
        }
        if self.is_polled_here() {
            if self.generation() == generation {
                self.settle_waits();
                self.rare().waits.ended(&end);
            }
            return;
        }
        let mut slow = self.slow();
        if self.generation() == generation {
            slow.waits_elsewhere.push(end);
            self.rare().waits.elsewhere.add(1);
        }
    }

    /// How many of its attempts are pending, as far as it has noted.
    #[cfg(feature = "test-clock")]
    pub(crate) fn attempts_pending(&self) -> u64 {
        self.rare.get().map_or(0, |rare| rare.waits.pending.get())
    }

    /// Adds what ended elsewhere.
    pub(super) fn settle_waits(&self) {
        let Some(Rare { waits, .. }) = self.rare.get().map(Box::as_ref) else { return };
        if waits.elsewhere.get() == 0 {
            return;
        }
        let mut slow = self.slow();
        let ended = std::mem::take(&mut slow.waits_elsewhere);
        waits.elsewhere.set(0);
        drop(slow);
        ended.iter().for_each(|end| waits.ended(end));
    }
}

impl Waits {
    fn ended(&self, end: &WaitEnd) {
        let pending = self.pending.get().saturating_sub(1);
        self.pending.set(pending);
        if pending == 0 {
            self.blocked.add(end.at.saturating_sub(self.since.get()));
        }
        self.count.add(1);
        self.sum.add(end.ns);
        self.by_cause[end.cause as usize].add(end.ns);
        if end.ns >= self.max.get() {
            self.max.set(end.ns);
            self.worst_series.set(u64::from(end.series));
            let holder = end.holder.map_or(std::ptr::null(), |label| std::ptr::from_ref(label.0));
            self.worst_holder.store(holder.cast_mut(), Relaxed);
        }
    }

    pub(super) fn fill(&self, report: &mut ScopeReport) {
        if self.count.get() == 0 {
            return;
        }
        report.contentions = self.count.get();
        report.wait_ns = self.sum.get();
        report.wait_max_ns = self.max.get();
        report.blocked_ns = self.blocked.get();
        let causes = Cause::ALL.iter().copied().zip(self.by_cause.each_ref().map(Cell::get));
        let most = causes
            .filter(|(_, ns)| *ns > 0)
            .max_by_key(|(cause, ns)| (*ns, std::cmp::Reverse(*cause)));
        report.cause = most.map(|(cause, _)| cause);
        #[expect(clippy::cast_possible_truncation, reason = "a series number")]
        let worst = self.worst_series.get() as u32;
        report.worst_lock = class::series(worst).map(|series| series.name);
        #[expect(unsafe_code, reason = "a static label is kept in an atomic pointer")]
        // SAFETY: null, or stored by `ended` from a `&'static LabelText`.
        let holder = unsafe { self.worst_holder.load(Relaxed).as_ref() };
        report.blocker = holder.map(|label| Label(label).text());
    }

    pub(super) fn clear(&self) {
        let all = [&self.pending, &self.since, &self.blocked, &self.count, &self.sum, &self.max];
        for cell in all.into_iter().chain(&self.by_cause).chain([&self.elsewhere]) {
            cell.set(0);
        }
    }
}
