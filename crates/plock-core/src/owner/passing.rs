//! How holds pass from one owner to another: guards of scopes that ended, guards that were adopted,
//! guards that are dropped by somebody else. The key in a guard stays; where it leads is noted here.

use super::{HoldRef, OwnerCell, Role, Slow};
use crate::Share;
use crate::slots::{HoldInfo, Slot, Slots};
use crate::sync::{MutexGuard, Ordering::Relaxed};

impl HoldRef {
    /// When it was claimed. Only for the guard that carries it.
    #[inline]
    pub(crate) fn since(self) -> u64 {
        self.cell.holds().slots.slot(self.key).map_or_else(|| self.spilled_since(), Slot::since)
    }

    /// When a spilled hold was claimed; now, if it was over the cap of the list (it was counted).
    #[cold]
    fn spilled_since(self) -> u64 {
        self.spilled().map_or_else(crate::clock::now, |hold| hold.since)
    }

    /// A spilled hold, wherever it is by now.
    #[cold]
    fn spilled(self) -> Option<HoldInfo> {
        let slow = self.cell.slow();
        if let Some((_, to)) = slow.moved.iter().find(|(old, _)| *old == self.key).copied() {
            drop(slow);
            return to.info();
        }
        slow.spilled.iter().find(|(spilled, _)| *spilled == self.key).map(|(_, hold)| *hold)
    }

    /// What is known of the hold; `None` if it was over the cap of the spill list. Only for the guard
    /// that carries it.
    pub(crate) fn info(self) -> Option<HoldInfo> {
        self.cell.holds().slots.get(self.key).or_else(|| self.spilled())
    }

    /// A write guard became a read guard: the same hold goes on in another series.
    pub(crate) fn downgrade(self, series: u32, since: u64) {
        let suspended = self.cell.times.suspended.get();
        self.edit(
            |slots, key| slots.downgrade(key, series, since, suspended),
            |hold| {
                *hold =
                    HoldInfo { series, share: hold.share.downgraded(), since, suspended, ..*hold }
            },
        );
    }

    /// Permits were split off or merged in.
    pub(crate) fn set_weight(self, weight: u32) {
        self.edit(
            |slots, key| slots.set_weight(key, weight),
            |hold| hold.share = Share::new(hold.share.mode(), weight),
        );
    }

    /// Changes what is known of the hold in every place that knows it: its slot or the spill list,
    /// and the same in the scopes it has been passed on to.
    fn edit(self, in_slot: impl Fn(&Slots, u64), spilled: impl Fn(&mut HoldInfo)) {
        let mut at = Some(self);
        while let Some(Self { cell, key }) = at {
            in_slot(&cell.holds().slots, key);
            let mut slow = cell.slow();
            slow.spilled
                .iter_mut()
                .filter(|(known, _)| *known == key)
                .for_each(|(_, hold)| spilled(hold));
            at = slow.moved.iter().find(|(old, _)| *old == key).map(|(_, to)| *to);
        }
    }

    /// The owner it counts for by now: scopes that ended have passed it on.
    pub(crate) fn now_in(self) -> &'static OwnerCell {
        if self.cell.role() != Role::Moved {
            return self.cell;
        }
        let moved =
            |slow: &Slow| slow.moved.iter().find(|(old, _)| *old == self.key).map(|(_, to)| *to);
        let to = moved(&self.cell.slow());
        to.map_or(self.cell, Self::now_in)
    }
}

impl OwnerCell {
    /// Ends a hold from anywhere else; follows it to where it has moved.
    pub(crate) fn release_foreign(&'static self, key: u64, hold_ns: u64) {
        let mut slow = self.slow();
        if let Some(at) = slow.moved.iter().position(|(old, _)| *old == key) {
            let (_, to) = slow.moved.swap_remove(at);
            self.holds().slots.release(key);
            let over = self.is_over(&slow);
            drop(slow);
            to.cell.release_foreign(to.key, hold_ns);
            if over {
                self.recycle();
            }
            return;
        }
        slow.spilled.retain(|(spilled, _)| *spilled != key);
        slow.foreign_hold_ns += hold_ns;
        self.holds().slots.release(key);
        self.holds().tally.release_foreign(&mut slow.ending);
        let over = self.is_over(&slow);
        drop(slow);
        if over {
            self.recycle();
        }
    }

    /// The scope is over: hands remaining guards to the parent, or lets them go, and frees the cell
    /// as soon as no guard refers to it.
    pub(crate) fn end_scope(&'static self) {
        self.wakers.end();
        if self.is_untouched() {
            return self.recycle();
        }
        let mut slow = self.slow();
        if self.live() > 0 {
            match self.parent().filter(|parent| parent.is_polled_here()) {
                Some(parent) => self.move_holds_to(parent, &mut slow),
                None => self.set_role(Role::Gone),
            }
        }
        self.end(slow);
    }

    /// Whether nobody but the owner ever had anything to do with it: it has no guard, none of its
    /// guards ended elsewhere, and no attempt of its has been pending. Nobody can come to look behind
    /// `slow` any more, so it need not be asked who clears the cell.
    fn is_untouched(&self) -> bool {
        self.live() == 0
            && self.holds().tally.foreign() == self.before.foreign.get()
            && !self.rare_used.load(Relaxed)
    }

    /// Whether this thread is inside its poll, so that a claim for it has one writer.
    pub(super) fn is_polled_here(&self) -> bool {
        crate::thread::state().scope.get().is_some_and(|scope| std::ptr::eq(scope, self))
    }

    /// The slots stay: whoever waits for such a hold still finds it under the word of the guard.
    fn move_holds_to(&self, parent: &'static Self, slow: &mut Slow) {
        self.set_role(Role::Moved);
        let spilled = std::mem::take(&mut slow.spilled);
        let holds: Vec<_> = self.holds().slots.each().chain(spilled).collect();
        for (key, hold) in holds {
            slow.moved.push((key, parent.take_over(hold)));
            self.holds().tally.release_foreign(&mut slow.ending);
        }
    }

    /// The owner claims nothing more. Its cell is cleared now or by the last guard.
    pub(super) fn end(&'static self, mut slow: MutexGuard<'_, Slow>) {
        self.holds().tally.end(&mut slow.ending);
        let over = self.is_over(&slow);
        drop(slow);
        if over {
            self.recycle();
        }
    }

    /// Enters a hold that another owner had obtained; only this owner calls this.
    pub(super) fn take_over(&'static self, hold: HoldInfo) -> HoldRef {
        self.slow().taken_over += 1;
        self.claim(&hold)
    }

    /// Moves one hold to another owner, on request of whoever has the guard.
    pub(crate) fn adopt_from(&'static self, from: HoldRef) -> Option<HoldRef> {
        let suspended = self.times.suspended.get();
        let to = self.take_over(HoldInfo { suspended, ..from.info()? });
        from.cell.release_foreign(from.key, 0);
        Some(to)
    }
}
