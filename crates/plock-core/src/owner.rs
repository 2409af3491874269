//! Owners: who holds locks. A scope, else a task, else a thread. Each has a cell in an append-only
//! slab, so that any thread may look at a cell at any time: cells are reused, never freed.
//!
//! # States of a cell
//! | kind | from | to | by |
//! |---|---|---|---|
//! | free | `allocate` | scope, task, thread | the new owner |
//! | scope | `end_scope`, nothing held | free | the ending scope |
//! | scope | `end_scope`, guards alive, parent alive | moved: guards count for the parent | the ending scope, under `slow` |
//! | scope | `end_scope`, guards alive, root | gone: guards have escaped | the ending scope, under `slow` |
//! | moved, gone | last guard released | free | whoever releases it, under `slow` |
//! | task | last guard released | free | whoever brings `live` to 0 |
//! | thread | thread ends, nothing held | free | the thread |
//!
//! What an owner holds is in `holds`, what is noted for it in `ledger`, how holds pass from one to another
//! in `passing`. Who counts and who clears a cell is decided in [`crate::life`].

mod holds;
mod ledger;
mod passing;
mod waits;

pub(crate) use ledger::{Slow, Times, Totals, idle_of};
pub(crate) use waits::WaitEnd;

use crate::buckets::Cell;
use crate::life::Life;
use crate::name::Label;
use crate::published::Present;
use crate::slots::{self, HoldInfo, SPILLED, Slot};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Mutex, MutexGuard, fence};
use crate::wakers::Wakers;
use crate::{Dropped, Precision, loss, slab};
pub(crate) use holds::Holds;
use ledger::{Before, SpanCell};
use std::panic::Location;
use std::sync::{OnceLock, PoisonError};
use waits::Waits;

/// Guards of one owner that are counted by name beyond the published slots.
const MAX_SPILLED: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Role {
    Free,
    Scope,
    Task,
    Thread,
    /// A root scope that ended with guards alive.
    Gone,
    /// A scope that ended with guards alive, which count for its parent now.
    Moved,
}

/// A hold as a guard remembers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HoldRef {
    pub(crate) cell: &'static OwnerCell,
    pub(crate) key: u64,
}

#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct OwnerCell {
    /// Position in the slab, as the keys of its holds have it: as wide as they are.
    place: u64,
    role: AtomicU8,
    /// Counts reuse; a reference with an older number is to somebody who is gone.
    generation: AtomicU32,
    /// The enclosing scope and its generation at the start of this one.
    parent: AtomicPtr<Self>,
    parent_generation: AtomicU32,
    label: AtomicPtr<crate::name::LabelText>,
    life: Life,
    /// Set by the owner, once.
    holds: Present<Holds>,
    before: Before,
    pub(crate) times: Times,
    span: SpanCell,
    pub(crate) wakers: Wakers,
    /// Whether somebody reads the details of this owner. Written before its first poll.
    wants_details: AtomicBool,
    /// The scope is being dropped before it returned.
    is_cancelled: AtomicBool,
    /// Whether anybody has used `rare` since it was last cleared, or may. Most owners never get there,
    /// and then there is nothing to clear.
    rare_used: AtomicBool,
    /// Made when a cell needs it for the first time, and kept.
    rare: OnceLock<Box<Rare>>,
}

/// What an owner needs that waits, or whose guards somebody else has to do with.
#[derive(Debug, Default)]
struct Rare {
    slow: Mutex<Slow>,
    waits: Waits,
    /// By holds that its code released itself; it alone writes.
    blocked_others: Cell,
    blocked_others_ns: Cell,
}

impl OwnerCell {
    pub(crate) fn new(index: u32) -> Self {
        Self {
            place: slots::place_of(index),
            role: AtomicU8::new(Role::Free as u8),
            generation: AtomicU32::new(0),
            parent: AtomicPtr::new(std::ptr::null_mut()),
            parent_generation: AtomicU32::new(0),
            label: AtomicPtr::new(std::ptr::null_mut()),
            life: Life::new(),
            holds: Present::new(Holds::at_first()),
            before: Before::default(),
            times: Times::default(),
            span: SpanCell::default(),
            wakers: Wakers::new(),
            wants_details: AtomicBool::new(false),
            is_cancelled: AtomicBool::new(false),
            rare_used: AtomicBool::new(false),
            rare: OnceLock::new(),
        }
    }

    pub(crate) const fn index(&self) -> u32 {
        slots::owner_of(self.place)
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation.load(Acquire)
    }

    #[inline]
    pub(crate) fn role(&self) -> Role {
        match self.role.load(Acquire) {
            1 => Role::Scope,
            2 => Role::Task,
            3 => Role::Thread,
            4 => Role::Gone,
            5 => Role::Moved,
            _ => Role::Free,
        }
    }

    fn set_role(&self, role: Role) {
        // ORDERING: pairs with Acquire in `role`; publishes what the new role relies on.
        self.role.store(role as u8, Release);
    }

    pub(crate) fn precision(&self) -> Precision {
        match self.role() {
            Role::Task => Precision::Task,
            Role::Thread => Precision::Thread,
            _ => Precision::Scope,
        }
    }

    pub(crate) fn task(&self) -> u64 {
        self.life.task()
    }

    pub(crate) fn set_task(&self, task: u64) {
        self.life.set_task(task);
    }

    /// The scope's name, or nothing for a task or a thread.
    pub(crate) fn label(&self) -> Option<Label> {
        #[expect(unsafe_code, reason = "a static label is kept in an atomic pointer")]
        // SAFETY: null, or stored from a `&'static LabelText` by `become_scope`.
        let label = unsafe { self.label.load(Acquire).as_ref() };
        label.map(Label)
    }

    /// The label of whoever acquired at `site` under this owner.
    pub(crate) fn label_at(&self, site: &'static Location<'static>) -> Label {
        self.label().unwrap_or_else(|| Label::of_site(site))
    }

    /// Its guards and what is known of them.
    #[inline(always)]
    pub(crate) fn holds(&self) -> &'static Holds {
        self.holds.get()
    }

    /// The same, where its owner may write; only the owner calls this.
    fn holds_of_its_own(&self) -> &'static Holds {
        if self.holds().are_none() {
            self.holds.set(Holds::new());
        }
        self.holds()
    }

    fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }

    pub(crate) fn slow(&self) -> MutexGuard<'_, Slow> {
        let slow = self.rare().slow.lock().unwrap_or_else(PoisonError::into_inner);
        self.rare_used.store(true, Relaxed);
        slow
    }

    /// Somebody else may come to look behind `slow`: an attempt is pending that may be dropped
    /// anywhere.
    pub(crate) fn expect_slow(&self) {
        self.rare_used.store(true, Relaxed);
    }

    /// Whether the scope is being dropped before it returned.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Relaxed)
    }

    pub(crate) fn set_cancelled(&self, is_cancelled: bool) {
        self.is_cancelled.store(is_cancelled, Relaxed);
    }

    /// Whether slow waits and holds are kept in detail.
    pub(crate) fn wants_details(&self) -> bool {
        self.wants_details.load(Relaxed)
    }

    pub(crate) fn set_wants_details(&self, wants: bool) {
        self.wants_details.store(wants, Relaxed);
    }

    /// Guards alive that count for this owner.
    #[inline]
    pub(crate) fn live(&self) -> u64 {
        self.holds().tally.live()
    }

    /// Guards alive on the path from here to the root: what an acquisition now comes on top of.
    #[inline]
    pub(crate) fn depth(&self) -> u64 {
        let mut depth = self.live();
        let mut at = self.parent();
        while let Some(cell) = at {
            depth += cell.live();
            at = cell.parent();
        }
        depth
    }

    /// The enclosing scope, while it is the one this scope started in.
    #[inline]
    pub(crate) fn parent(&self) -> Option<&'static Self> {
        #[expect(unsafe_code, reason = "cells are reached through atomic pointers")]
        // SAFETY: null or a cell of the slab, and these are never freed.
        let parent = unsafe { self.parent.load(Relaxed).as_ref() }?;
        (parent.generation() == self.parent_generation.load(Relaxed)).then_some(parent)
    }

    /// Whether no scope encloses this one.
    #[inline(always)]
    pub(crate) fn is_outermost(&self) -> bool {
        self.parent.load(Relaxed).is_null()
    }

    /// Whether `other` is this scope or one that encloses it.
    pub(crate) fn path_contains(&'static self, other: &Self) -> bool {
        let mut at = Some(self);
        while let Some(cell) = at {
            if std::ptr::eq(cell, other) {
                return true;
            }
            at = cell.parent();
        }
        false
    }

    /// Enters a hold; only the owner calls this. For a task, `live` has been raised already.
    pub(crate) fn claim(&'static self, hold: &HoldInfo) -> HoldRef {
        let holds = self.holds_of_its_own();
        let key = holds.slots.claim(slots::key_of(self.place, holds.tally.claim()), hold);
        if key & SPILLED == SPILLED {
            self.spill(key, hold);
        }
        HoldRef { cell: self, key }
    }

    /// As [`claim`](Self::claim), in a slot of `holds` known to be free.
    #[inline(always)]
    pub(crate) fn claim_in(
        &'static self,
        holds: &Holds,
        slot: (u64, &Slot),
        hold: &HoldInfo,
    ) -> HoldRef {
        HoldRef { cell: self, key: holds.claim_in(slot, self.place, hold) }
    }

    #[cold]
    fn spill(&self, key: u64, hold: &HoldInfo) {
        let mut slow = self.slow();
        if slow.spilled.len() < MAX_SPILLED {
            slow.spilled.push((key, *hold));
        } else {
            loss::count(Dropped::Holds, 1);
        }
    }

    /// Changes what is known of the holds in the spill list.
    pub(crate) fn each_spilled(&self, mut f: impl FnMut(&mut HoldInfo)) {
        self.slow().spilled.iter_mut().for_each(|(_, hold)| f(hold));
    }

    /// Ends a hold on the owner's own path. False if the hold is not plainly here.
    #[inline]
    pub(crate) fn release_own(&self, key: u64) -> bool {
        let holds = self.holds();
        holds.slots.slot(key).map(|slot| holds.release_in(slot)).is_some()
    }

    /// How long the owner has not been polled since it claimed; 0 unless the hold is in a slot.
    #[inline]
    pub(crate) fn suspended_since_claim(&self, key: u64) -> u64 {
        let then = self.holds().slots.slot(key).map(Slot::suspended);
        then.map_or(0, |then| self.times.suspended.get().saturating_sub(then))
    }

    /// Whether the owner has ended and no guard refers to its cell; true for one caller only.
    fn is_over(&self, slow: &Slow) -> bool {
        slow.moved.is_empty() && self.holds().tally.is_over(&slow.ending)
    }

    /// The holds that count for this owner; those over the cap of the spill list are not named.
    pub(crate) fn all_holds(&self) -> impl Iterator<Item = (u64, HoldInfo)> {
        let counts = self.role() != Role::Moved; // else they count for the parent
        let spilled = if counts { self.spilled() } else { Vec::new() };
        self.holds().slots.each().filter(move |_| counts).chain(spilled)
    }

    /// Nearly always empty, which takes no memory.
    fn spilled(&self) -> Vec<(u64, HoldInfo)> {
        if self.has_spilled() { self.slow().spilled.clone() } else { Vec::new() }
    }

    /// Whether there are more holds than those in slots.
    pub(crate) fn has_spilled(&self) -> bool {
        self.live() > self.holds().slots.each().count() as u64
    }

    /// Makes a fresh cell a scope under `parent`.
    pub(crate) fn become_scope(
        &'static self,
        label: Label,
        parent: Option<&'static Self>,
        now: u64,
    ) {
        self.label.store(std::ptr::from_ref(label.0).cast_mut(), Release);
        self.parent.store(
            parent.map_or(std::ptr::null_mut(), |p| std::ptr::from_ref(p).cast_mut()),
            Relaxed,
        );
        self.parent_generation.store(parent.map_or(0, Self::generation), Relaxed);
        let tally = &self.holds().tally;
        self.before.claims.set(tally.claimed());
        self.before.foreign.set(tally.foreign());
        self.times.poll_end.set(now);
        self.set_role(Role::Scope);
    }

    /// The thread is over.
    pub(crate) fn end_thread(&'static self) {
        let slow = self.slow();
        if self.live() > 0 {
            self.set_role(Role::Gone);
        }
        self.end(slow);
    }

    /// The thread is over already: the cell is for one hold, whose release clears it.
    #[cold]
    pub(crate) fn end_before_claim(&self) {
        self.set_role(Role::Gone);
        self.holds().tally.end(&mut self.slow().ending);
    }

    /// One more hold or attempt of `task`; false if the cell is not, or no longer, that task's.
    pub(crate) fn raise(&'static self, task: u64) -> bool {
        if !self.life.raise() {
            return false;
        }
        let known = self.task() == task;
        if !known {
            crate::task::let_go(self); // it has changed hands since it was found
        }
        known
    }

    pub(crate) fn become_task(&self, task: u64) {
        self.label.store(std::ptr::null_mut(), Relaxed);
        self.parent.store(std::ptr::null_mut(), Relaxed);
        self.set_role(Role::Task);
        self.life.begin(task);
    }

    /// One hold or attempt of a task less; true if that was the end of it.
    pub(crate) fn let_go(&self) -> bool {
        self.life.let_go()
    }

    pub(crate) fn become_thread(&self) {
        self.label.store(std::ptr::null_mut(), Relaxed);
        self.parent.store(std::ptr::null_mut(), Relaxed);
        self.set_task(0);
        self.set_role(Role::Thread);
    }

    /// Clears the cell and offers it for reuse. Nobody may use it as an owner any more.
    pub(crate) fn recycle(&'static self) {
        self.set_role(Role::Free);
        // ORDERING: pairs with Acquire in `generation`. Only whoever clears the cell writes it.
        self.generation.store(self.generation.load(Relaxed).wrapping_add(1), Release);
        fence(Release);
        self.set_span(None);
        self.times.clear();
        self.holds().clear();
        self.set_wants_details(false);
        self.set_cancelled(false);
        // Whoever used it did so before the owner was over, and so before this.
        if self.rare_used.load(Relaxed) {
            let mut slow = self.slow();
            *slow = Slow::default();
            let rare = self.rare();
            rare.waits.clear(); // whoever waits has said that it may look there
            rare.blocked_others.set(0);
            rare.blocked_others_ns.set(0);
            self.rare_used.store(false, Relaxed);
        }
        if self.wakers.let_go() {
            slab::free(self);
        }
    }
}

#[cfg(all(test, not(loom), target_os = "linux", target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn an_owner_takes_a_quarter_of_a_kilobyte() {
        assert!(size_of::<OwnerCell>() <= 256, "a scope that waits takes as much");
        assert!(size_of::<Holds>() <= 256, "one that acquires takes this as well");
    }
}
