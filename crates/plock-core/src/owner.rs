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
//! Who counts and who clears a cell is decided in [`crate::life`].

use crate::life::{Ending, Life, Tally};
use crate::name::Label;
use crate::report::ScopeReport;
use crate::shard::Cell;
use crate::slots::{HoldInfo, SPILLED, Slots};
use crate::{Cause, Detail, Dropped, Idle, Mode, Precision, SpanRef, loss};
use std::panic::Location;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, fence};
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
        self.cell.slots.since(self.key).unwrap_or_else(|| self.spilled_since())
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
        self.cell.slots.get(self.key).or_else(|| self.spilled())
    }

    /// A write guard became a read guard: the same hold goes on in another series.
    pub(crate) fn downgrade(self, series: u32, since: u64) {
        let suspended = self.cell.times.suspended.get();
        self.edit(
            |slots, key| slots.downgrade(key, series, since, suspended),
            |hold| *hold = HoldInfo { series, mode: Mode::Shared, since, suspended, ..*hold },
        );
    }

    /// Permits were split off or merged in.
    pub(crate) fn set_weight(self, weight: u32) {
        self.edit(|slots, key| slots.set_weight(key, weight), |hold| hold.weight = weight);
    }

    /// Changes what is known of the hold in every place that knows it: its slot or the spill list,
    /// and the same in the scopes it has been passed on to.
    fn edit(self, in_slot: impl Fn(&Slots, u64), spilled: impl Fn(&mut HoldInfo)) {
        let mut at = Some(self);
        while let Some(Self { cell, key }) = at {
            in_slot(&cell.slots, key);
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
    life: Life,
    pub(crate) slots: Slots,
    tally: Tally,
    pub(crate) times: Times,
    pub(crate) totals: Totals,
    span: SpanCell,
    /// Whether anybody has looked behind `slow` since it was last cleared. Written under its mutex;
    /// most tasks that hold a lock never get there, and then there is nothing to clear.
    slow_used: AtomicBool,
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
    ending: Ending,
    /// Holds that left this cell for another, by key.
    moved: Vec<(u64, HoldRef)>,
    spilled: Vec<(u64, HoldInfo)>,
    /// Attempts pending now, and since when there is at least one.
    pending: u64,
    blocked_since: u64,
    /// Claims that were no acquisitions: adopted guards, and those of ended branches.
    taken_over: u64,
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
    /// The scope is being dropped before it returned.
    pub(crate) cancelled: bool,
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
            life: Life::new(),
            slots: Slots::new(),
            tally: Tally::new(),
            times: Times::default(),
            totals: Totals::default(),
            span: SpanCell::default(),
            slow_used: AtomicBool::new(false),
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

    pub(crate) fn slow(&self) -> MutexGuard<'_, Slow> {
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        self.slow_used.store(true, Relaxed);
        slow
    }

    /// Guards alive that count for this owner.
    #[inline]
    pub(crate) fn live(&self) -> u64 {
        self.tally.live()
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

    /// Enters a hold; only the owner calls this. For a task, `live` has been raised already.
    #[inline(always)]
    pub(crate) fn claim(&'static self, hold: HoldInfo) -> HoldRef {
        let count = self.tally.claim();
        let key = self.slots.claim(count, &hold);
        if key & SPILLED == SPILLED {
            // A copy made here: the hold itself then needs no place in memory.
            let HoldInfo { lock, since, site, series, mode, weight, suspended } = hold;
            self.spill(key, &HoldInfo { lock, since, site, series, mode, weight, suspended });
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

    /// Ends a hold on the owner's own path. False if the hold is not plainly here.
    #[inline]
    pub(crate) fn release_own(&self, key: u64) -> bool {
        if key & SPILLED == SPILLED {
            return false;
        }
        self.slots.release(key);
        self.tally.release();
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
            self.slots.release(key);
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
        self.slots.release(key);
        self.tally.release_foreign(&mut slow.ending);
        let over = self.is_over(&slow);
        drop(slow);
        if over {
            self.recycle();
        }
    }

    /// Whether the owner has ended and no guard refers to its cell; true for one caller only.
    fn is_over(&self, slow: &Slow) -> bool {
        slow.moved.is_empty() && self.tally.is_over(&slow.ending)
    }

    /// The holds that count for this owner; those over the cap of the spill list are not named.
    pub(crate) fn all_holds(&self) -> Vec<(u64, HoldInfo)> {
        if self.role() == Role::Moved {
            return Vec::new(); // they count for the parent
        }
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
        self.totals.claims_before.set(self.tally.claimed());
        self.times.created.set(now);
        self.times.poll_end.set(now);
        self.set_role(Role::Scope);
    }

    /// The scope is over: hands remaining guards to the parent, or lets them go, and frees the cell
    /// as soon as no guard refers to it.
    pub(crate) fn end_scope(&'static self) {
        let mut slow = self.slow();
        if self.live() > 0 {
            match self.parent().filter(|parent| parent.is_polled_here()) {
                Some(parent) => self.move_holds_to(parent, &mut slow),
                None => self.set_role(Role::Gone),
            }
        }
        self.end(slow);
    }

    /// Whether this thread is inside its poll, so that a claim for it has one writer.
    fn is_polled_here(&self) -> bool {
        crate::thread::state().scope.get().is_some_and(|scope| std::ptr::eq(scope, self))
    }

    /// The slots stay: whoever waits for such a hold still finds it under the word of the guard.
    fn move_holds_to(&self, parent: &'static Self, slow: &mut Slow) {
        self.set_role(Role::Moved);
        let spilled = std::mem::take(&mut slow.spilled);
        let holds: Vec<_> = self.slots.each().chain(spilled).collect();
        for (key, hold) in holds {
            slow.moved.push((key, parent.take_over(hold)));
            self.tally.release_foreign(&mut slow.ending);
        }
    }

    /// The owner claims nothing more. Its cell is cleared now or by the last guard.
    fn end(&'static self, mut slow: MutexGuard<'_, Slow>) {
        self.tally.end(&mut slow.ending);
        let over = self.is_over(&slow);
        drop(slow);
        if over {
            self.recycle();
        }
    }

    /// Enters a hold that another owner had obtained; only this owner calls this.
    fn take_over(&'static self, hold: HoldInfo) -> HoldRef {
        self.slow().taken_over += 1;
        self.claim(hold)
    }

    /// Moves one hold to another owner, on request of whoever has the guard.
    pub(crate) fn adopt_from(&'static self, from: HoldRef) -> Option<HoldRef> {
        let suspended = self.times.suspended.get();
        let to = self.take_over(HoldInfo { suspended, ..from.info()? });
        from.cell.release_foreign(from.key, 0);
        Some(to)
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
        self.tally.end(&mut self.slow().ending);
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
        self.totals.clear();
        // Whoever used it did so before the owner was over, and so before this.
        if self.slow_used.load(Relaxed) {
            let mut slow = self.slow();
            *slow = Slow::default();
            self.slow_used.store(false, Relaxed);
        }
        crate::slab::free(self);
    }

    /// Fills what this cell knows into a report.
    pub(crate) fn fill(&self, report: &mut ScopeReport) {
        let (times, totals) = (&self.times, &self.totals);
        report.nesting_max = totals.nesting_max.get();
        report.hold_max_ns = totals.hold_max.get();
        report.held_across_await = totals.across_await.get();
        report.busy_ns = times.busy.get();
        report.runnable_ns = times.runnable.get();
        report.idle_ns = times.idle.get();
        report.poll_max_ns = times.poll_max.get();
        let mut slow = self.slow();
        report.hold_ns = totals.hold.get() + slow.foreign_hold_ns;
        let claimed = self.tally.claimed().wrapping_sub(totals.claims_before.get());
        report.acquisitions = claimed.wrapping_sub(slow.taken_over);
        report.contentions = slow.contentions;
        report.wait_ns = slow.wait_ns;
        report.wait_max_ns = slow.wait_max_ns;
        report.blocked_ns = slow.blocked_ns;
        report.blocked_others = slow.blocked_others;
        report.blocked_others_ns = slow.blocked_others_ns;
        report.details = std::mem::take(&mut slow.details);
        let causes = Cause::ALL.iter().copied().zip(slow.cause_ns);
        let most = causes
            .filter(|(_, ns)| *ns > 0)
            .max_by_key(|(cause, ns)| (*ns, std::cmp::Reverse(*cause)));
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
        let all = [
            &self.poll_seq,
            &self.poll_start,
            &self.poll_end,
            &self.created,
            &self.busy,
            &self.runnable,
        ];
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
