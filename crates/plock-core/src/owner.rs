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
//! # Counts
//! `live = claimed - released - foreign`. The first two have one writer at a time, the owner; a
//! guard dropped by anybody else adds to `foreign` instead. A task's cell has no scope that would
//! order its accesses, so its life is decided by one counter, `live`, that cannot leave zero again.

use crate::name::Label;
use crate::report::ScopeReport;
use crate::shard::Cell;
use crate::slots::{HoldInfo, SPILLED, Slots};
use crate::{Cause, Detail, Dropped, Idle, Precision, SpanRef, loss};
use std::panic::Location;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

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

impl HoldRef {
    /// When it was claimed. Only for the guard that carries it.
    #[inline]
    pub(crate) fn since(self) -> u64 {
        self.cell.slots.since(self.key).unwrap_or_else(|| self.cell.spilled_since(self.key))
    }
}

#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct OwnerCell {
    /// Position in the slab.
    index: u32,
    role: AtomicU8,
    /// Counts reuse; a reference with an older number is to somebody who is gone.
    generation: AtomicU32,
    /// The enclosing scope and its generation at the start of this one.
    parent: AtomicPtr<Self>,
    parent_generation: AtomicU32,
    label: AtomicPtr<crate::name::LabelText>,
    /// Task being polled when this scope was last entered, or the task itself; 0 = none.
    task: AtomicU64,
    pub(crate) slots: Slots,
    claimed: Cell,
    released: Cell,
    foreign: AtomicU64,
    /// For tasks only.
    live: AtomicU32,
    pub(crate) times: Times,
    pub(crate) totals: Totals,
    span: SpanCell,
    slow: Mutex<Slow>,
}

/// Where an owner's time goes. Written by the polling thread, read by anyone; each cell alone.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Odd while it is being polled; +1 at both edges.
    pub(crate) poll_seq: Cell,
    pub(crate) poll_start: Cell,
    pub(crate) poll_end: Cell,
    pub(crate) created: Cell,
    pub(crate) busy: Cell,
    pub(crate) runnable: Cell,
    pub(crate) idle: Cell,
    pub(crate) poll_max: Cell,
    /// Time not being polled since it was created: its growth during a hold is the part of the
    /// hold that was spent parked.
    pub(crate) suspended: Cell,
}

/// What the owner's span will say; the owner writes.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    /// The running number of claims when the owner started.
    claims_before: Cell,
    pub(crate) nesting_max: Cell,
    pub(crate) hold: Cell,
    pub(crate) hold_max: Cell,
    pub(crate) hold_max_series: Cell,
    pub(crate) across_await: Cell,
}

/// The span of the scope, written once before its first poll.
#[derive(Debug, Default)]
struct SpanCell {
    trace_high: Cell,
    trace_low: Cell,
    span: Cell,
    set: AtomicU8,
}

/// What only contended, foreign and ending paths touch.
#[derive(Debug, Default)]
pub(crate) struct Slow {
    /// Holds that left this cell for another, by key.
    moved: Vec<(u64, HoldRef)>,
    spilled: Vec<(u64, HoldInfo)>,
    /// Attempts pending now, and since when there is at least one.
    pending: u64,
    blocked_since: u64,
    pub(crate) contentions: u64,
    pub(crate) wait_ns: u64,
    pub(crate) wait_max_ns: u64,
    pub(crate) blocked_ns: u64,
    pub(crate) cause_ns: [u64; Cause::COUNT],
    pub(crate) worst: Option<(u32, Option<Label>)>,
    pub(crate) blocked_others: u64,
    pub(crate) blocked_others_ns: u64,
    /// Holds that others released.
    pub(crate) foreign_hold_ns: u64,
    pub(crate) details: Vec<Detail>,
    pub(crate) wants_details: bool,
}

impl OwnerCell {
    pub(crate) fn new(index: u32) -> Self {
        Self {
            index,
            role: AtomicU8::new(Role::Free as u8),
            generation: AtomicU32::new(0),
            parent: AtomicPtr::new(std::ptr::null_mut()),
            parent_generation: AtomicU32::new(0),
            label: AtomicPtr::new(std::ptr::null_mut()),
            task: AtomicU64::new(0),
            slots: Slots::new(),
            claimed: Cell::default(),
            released: Cell::default(),
            foreign: AtomicU64::new(0),
            live: AtomicU32::new(0),
            times: Times::default(),
            totals: Totals::default(),
            span: SpanCell::default(),
            slow: Mutex::default(),
        }
    }

    pub(crate) const fn index(&self) -> u32 {
        self.index
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
        self.task.load(Relaxed)
    }

    pub(crate) fn set_task(&self, task: u64) {
        self.task.store(task, Relaxed);
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

    pub(crate) fn slow(&self) -> MutexGuard<'_, Slow> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Guards alive that count for this owner.
    #[inline]
    pub(crate) fn live(&self) -> u64 {
        let ended = self.released.get().wrapping_add(self.foreign.load(Relaxed));
        self.claimed.get().wrapping_sub(ended)
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

    pub(crate) fn span(&self) -> Option<SpanRef> {
        if self.span.set.load(Acquire) == 0 {
            return None;
        }
        let trace_id = u128::from(self.span.trace_high.get()) << 64 | u128::from(self.span.trace_low.get());
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

    /// Enters a hold; only the owner calls this. For a task, `live` has been raised already.
    #[inline(always)]
    pub(crate) fn claim(&'static self, hold: &HoldInfo) -> HoldRef {
        let count = self.claimed.get().wrapping_add(1);
        self.claimed.set(count);
        let key = self.slots.claim(count, hold);
        if key & SPILLED == SPILLED {
            self.spill(key, hold);
        }
        HoldRef { cell: self, key }
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

    /// When a spilled hold was claimed; now, if it was over the cap of the list (it was counted).
    #[cold]
    fn spilled_since(&self, key: u64) -> u64 {
        let slow = self.slow();
        let hold = slow.spilled.iter().find(|(spilled, _)| *spilled == key);
        hold.map_or_else(crate::clock::now, |(_, hold)| hold.since)
    }

    /// Ends a hold on the owner's own path. False if the hold is not plainly here.
    #[inline]
    pub(crate) fn release_own(&self, key: u64) -> bool {
        if key & SPILLED == SPILLED {
            return false;
        }
        self.slots.release(key);
        self.released.add(1);
        true
    }

    /// How long the owner has not been polled since it claimed; 0 unless the hold is in a slot.
    #[inline]
    pub(crate) fn suspended_since_claim(&self, key: u64) -> u64 {
        let then = self.slots.suspended_at_claim(key);
        then.map_or(0, |then| self.times.suspended.get().saturating_sub(then))
    }

    /// A hold of the owner that it released itself.
    #[inline]
    pub(crate) fn note_hold(&self, series: u32, ns: u64) {
        self.totals.hold.add(ns);
        if ns > self.totals.hold_max.get() {
            self.totals.hold_max.set(ns);
            self.totals.hold_max_series.set(u64::from(series));
        }
    }

    /// Ends a hold from anywhere else; follows it to where it has moved.
    pub(crate) fn release_foreign(&'static self, key: u64, hold_ns: u64) {
        let mut slow = self.slow();
        if let Some(at) = slow.moved.iter().position(|(old, _)| *old == key) {
            let (_, to) = slow.moved.swap_remove(at);
            let finished = slow.moved.is_empty() && self.live() == 0;
            drop(slow);
            to.cell.release_foreign(to.key, hold_ns);
            if finished && self.role() == Role::Moved {
                self.recycle();
            }
            return;
        }
        slow.spilled.retain(|(spilled, _)| *spilled != key);
        slow.foreign_hold_ns += hold_ns;
        self.slots.release(key);
        self.foreign.fetch_add(1, Relaxed);
        let finished = self.live() == 0 && slow.moved.is_empty();
        drop(slow);
        if finished && matches!(self.role(), Role::Gone | Role::Moved) {
            self.recycle();
        }
    }

    /// Changes the mode of a hold from exclusive to shared.
    pub(crate) fn all_holds(&self) -> Vec<(u64, HoldInfo)> {
        let mut holds: Vec<_> = self.slots.each().collect();
        if self.live() > holds.len() as u64 {
            holds.extend(self.slow().spilled.iter().copied());
        }
        holds
    }

    /// An attempt of this owner became pending.
    pub(crate) fn blocked(&self, at: u64) {
        let mut slow = self.slow();
        slow.pending += 1;
        if slow.pending == 1 {
            slow.blocked_since = at;
        }
    }

    /// An attempt of this owner stopped being pending.
    pub(crate) fn unblocked(slow: &mut Slow, at: u64) {
        slow.pending = slow.pending.saturating_sub(1);
        if slow.pending == 0 {
            slow.blocked_ns += at.saturating_sub(slow.blocked_since);
        }
    }

    /// Makes a fresh cell a scope under `parent`.
    pub(crate) fn become_scope(&'static self, label: Label, parent: Option<&'static Self>, now: u64) {
        self.label.store(std::ptr::from_ref(label.0).cast_mut(), Release);
        self.parent.store(parent.map_or(std::ptr::null_mut(), |p| std::ptr::from_ref(p).cast_mut()), Relaxed);
        self.parent_generation.store(parent.map_or(0, Self::generation), Relaxed);
        self.totals.claims_before.set(self.claimed.get());
        self.times.created.set(now);
        self.times.poll_end.set(now);
        self.set_role(Role::Scope);
    }

    /// The scope is over: hands remaining guards to the parent, or lets them go, and frees the cell
    /// as soon as no guard refers to it.
    pub(crate) fn end_scope(&'static self) {
        if self.live() == 0 && self.slow().moved.is_empty() {
            self.recycle();
            return;
        }
        match self.parent() {
            Some(parent) => self.move_holds_to(parent),
            None => self.set_role(Role::Gone),
        }
        // A guard may have been dropped elsewhere in the meantime.
        let slow = self.slow();
        let finished = self.live() == 0 && slow.moved.is_empty();
        drop(slow);
        if finished && self.role() != Role::Free {
            self.recycle();
        }
    }

    fn move_holds_to(&'static self, parent: &'static Self) {
        let mut slow = self.slow();
        self.set_role(Role::Moved);
        let spilled = std::mem::take(&mut slow.spilled);
        let holds: Vec<_> = self.slots.each().chain(spilled).collect();
        for (key, hold) in holds {
            let to = parent.claim(&hold);
            self.slots.release(key);
            self.foreign.fetch_add(1, Relaxed);
            slow.moved.push((key, to));
        }
    }

    /// Moves one hold to another owner, on request of whoever has the guard.
    pub(crate) fn adopt_from(&'static self, from: HoldRef) -> Option<HoldRef> {
        let (cell, key) = {
            let slow = from.cell.slow();
            let moved = slow.moved.iter().find(|(old, _)| *old == from.key).map(|(_, to)| *to);
            moved.map_or((from.cell, from.key), |to| (to.cell, to.key))
        };
        let hold = cell.slots.get(key)?;
        let to = self.claim(&HoldInfo { suspended: self.times.suspended.get(), ..hold });
        from.cell.release_foreign(from.key, 0);
        Some(to)
    }

    /// The thread is over.
    pub(crate) fn end_thread(&'static self) {
        if self.live() == 0 {
            self.recycle();
        } else {
            self.set_role(Role::Gone);
        }
    }

    /// Raises a task's life; false if it has ended.
    pub(crate) fn revive(&self) -> bool {
        // ORDERING: pairs with AcqRel in `let_go`; a task's cell is seen as its last user left it.
        self.live.fetch_update(AcqRel, Acquire, |live| (live > 0).then_some(live + 1)).is_ok()
    }

    pub(crate) fn become_task(&self, task: u64) {
        self.label.store(std::ptr::null_mut(), Relaxed);
        self.parent.store(std::ptr::null_mut(), Relaxed);
        self.set_task(task);
        self.live.store(1, Relaxed);
        self.set_role(Role::Task);
    }

    /// Lowers a task's life; true if that was the end of it.
    pub(crate) fn let_go(&self) -> bool {
        // ORDERING: pairs with AcqRel in `revive`; the last one sees every slot store.
        self.live.fetch_sub(1, AcqRel) == 1
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
        self.generation.fetch_add(1, AcqRel);
        fence(Release);
        self.set_span(None);
        self.times.clear();
        self.totals.clear();
        *self.slow() = Slow::default();
        crate::slab::free(self);
    }

    /// Fills what this cell knows into a report.
    pub(crate) fn fill(&self, report: &mut ScopeReport) {
        let (times, totals) = (&self.times, &self.totals);
        report.acquisitions = self.claimed.get().wrapping_sub(totals.claims_before.get());
        report.nesting_max = totals.nesting_max.get();
        report.hold_max_ns = totals.hold_max.get();
        report.held_across_await = totals.across_await.get();
        report.busy_ns = times.busy.get();
        report.runnable_ns = times.runnable.get();
        report.idle_ns = times.idle.get();
        report.poll_max_ns = times.poll_max.get();
        let mut slow = self.slow();
        report.hold_ns = totals.hold.get() + slow.foreign_hold_ns;
        report.contentions = slow.contentions;
        report.wait_ns = slow.wait_ns;
        report.wait_max_ns = slow.wait_max_ns;
        report.blocked_ns = slow.blocked_ns;
        report.blocked_others = slow.blocked_others;
        report.blocked_others_ns = slow.blocked_others_ns;
        report.details = std::mem::take(&mut slow.details);
        let causes = Cause::ALL.iter().copied().zip(slow.cause_ns);
        let most = causes.filter(|(_, ns)| *ns > 0).max_by_key(|(cause, ns)| (*ns, std::cmp::Reverse(*cause)));
        report.cause = most.map(|(cause, _)| cause);
        let (series, blocker) = match slow.worst {
            Some((series, blocker)) => (Some(series), blocker),
            #[expect(clippy::cast_possible_truncation, reason = "a series number")]
            None => ((report.hold_max_ns > 0).then(|| totals.hold_max_series.get() as u32), None),
        };
        report.worst_lock = series.and_then(crate::class::series).map(|series| series.name);
        report.blocker = blocker.map(Label::text);
    }
}

impl Times {
    fn clear(&self) {
        let all = [&self.poll_seq, &self.poll_start, &self.poll_end, &self.created, &self.busy, &self.runnable];
        for cell in all.into_iter().chain([&self.idle, &self.poll_max, &self.suspended]) {
            cell.set(0);
        }
    }
}

impl Totals {
    fn clear(&self) {
        let all = [&self.nesting_max, &self.hold, &self.hold_max, &self.hold_max_series];
        for cell in all.into_iter().chain([&self.across_await]) {
            cell.set(0);
        }
    }
}

/// The longest waits and holds that a scope keeps in detail.
const DETAILS: usize = 8;

impl Slow {
    /// Keeps the detail if it is among the longest.
    pub(crate) fn keep(&mut self, detail: Detail) {
        if !self.wants_details {
            return;
        }
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
        _ => Idle::Lock,
    }
}
