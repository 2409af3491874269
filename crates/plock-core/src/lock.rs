//! The part of plock inside every wrapped lock, and the part inside every guard.
//!
//! # Publication of the exclusive holder
//! | who | does | ordering |
//! |---|---|---|
//! | whoever claimed alone | publishes its hold in a slot of its owner, then stores the hold's word here | `Release` |
//! | the same, before it unlocks | stores 0 | `Release` |
//! | a blocked attempt, a snapshot | loads the word, looks the hold up under its key | `Acquire`; the slot's double read rejects a hold that ended in between |
//!
//! The order on release is: end the publication, unlock, read the clock, account. Nothing of ours
//! runs inside the critical section of an uncontended lock but that one store.

use crate::blame;
use crate::class::{self, Origin};
use crate::owner::{HoldRef, OwnerCell, Role};
use crate::record::{self, Charge, Record};
use crate::release::{self, Releasing};
use crate::shard::{self, WorstCell};
use crate::slots::HoldInfo;
use crate::thread::{self, ThreadState};
use crate::{
    Detail, Dropped, EndCause, Exemplar, HoldEnd, Kind, Mode, Outcome, clock, loss, slab, task,
};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

/// What the wrapped runtime knows of the task that is being polled on this thread.
pub trait Runtime {
    /// A number that no other live task has, or 0 outside any task.
    fn task_id() -> u64;
}

/// A runtime without tasks: owners are scopes and threads.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NoTasks;

impl Runtime for NoTasks {
    fn task_id() -> u64 {
        0
    }
}

/// How much of a lock is asked for or held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// Alone, with other readers, or as permits.
    pub mode: Mode,
    /// Number of permits; 1 for locks.
    pub weight: u32,
}

impl Share {
    /// A mutex or a write lock.
    pub const EXCLUSIVE: Self = Self { mode: Mode::Exclusive, weight: 1 };
    /// A read lock.
    pub const SHARED: Self = Self { mode: Mode::Shared, weight: 1 };

    /// Some permits.
    #[must_use]
    pub const fn permits(n: u32) -> Self {
        Self { mode: Mode::Permit, weight: n }
    }
}

/// Identity, class and present holder of one lock; a wrapper keeps it beside the lock it wraps.
#[derive(Debug)]
pub struct Lock {
    /// Word of the exclusive hold, 0 = none. See the module page.
    who: AtomicU64,
    /// The contention record, made at the first contention; owns one count of its `Arc`.
    record: AtomicPtr<Record>,
    /// First series of the class, 0 = not looked up yet. Any thread may store it: all store the same.
    series: AtomicU32,
    kind: Kind,
    origin: Origin,
}

/// The moment an attempt began; [`Start::OFF`] when recording is off. One word: it travels through
/// every fast path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start(u64);

impl Start {
    /// Not recorded.
    pub const OFF: Self = Self(u64::MAX);

    /// Reads the clock, unless recording is switched off.
    #[inline]
    #[must_use]
    pub fn now() -> Self {
        Self(clock::start().unwrap_or(u64::MAX))
    }

    /// The present moment if `self` was recorded, for paths that measure from later on.
    #[must_use]
    pub fn again(self) -> Self {
        if self.is_recorded() { Self(clock::now()) } else { self }
    }

    /// Whether recording was on.
    #[inline]
    #[must_use]
    pub const fn is_recorded(self) -> bool {
        self.0 != u64::MAX
    }

    /// A moment that was read before.
    pub(crate) const fn at(instant: u64) -> Self {
        Self(instant)
    }

    pub(crate) const fn instant(self) -> Option<u64> {
        if self.is_recorded() { Some(self.0) } else { None }
    }
}

/// The part of a guard that ends up in the figures. Empty when it was acquired with recording off.
#[derive(Debug, Default)]
#[must_use = "a hold that is dropped without `release` stays open for ever"]
pub struct Hold {
    // Owner and key, nothing else: two words come back from `acquired` in registers. Through memory
    // they would be stored as words and read back as one vector, which the processor cannot forward.
    at: Option<HoldRef>,
}

/// Hold times above this become details; writers: configuration.
static SLOW_NS: AtomicU64 = AtomicU64::new(10_000_000);
/// An interval no lock was ever held for: the clock jumped (19 hours).
const IMPOSSIBLE_NS: u64 = 1 << 46;

/// Waits and holds at least this long are kept in detail, the longest eight of each scope
/// (default 10 ms).
pub fn set_slow_threshold(threshold: std::time::Duration) {
    SLOW_NS.store(u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX), Relaxed);
}

/// The threshold in force.
#[must_use]
pub fn slow_threshold() -> std::time::Duration {
    std::time::Duration::from_nanos(SLOW_NS.load(Relaxed))
}

pub(crate) fn slow_ns() -> u64 {
    SLOW_NS.load(Relaxed)
}

impl Lock {
    /// A lock named by where it is made and what it protects. `type_name` is
    /// `std::any::type_name::<T>`.
    #[must_use]
    #[track_caller]
    pub const fn new(kind: Kind, type_name: fn() -> &'static str) -> Self {
        Self::with(kind, Origin::Site(Location::caller(), type_name))
    }

    /// A lock with a name of the user's choice.
    #[must_use]
    #[track_caller]
    pub const fn named(kind: Kind, name: &'static str) -> Self {
        Self::with(kind, Origin::Named(name, Location::caller()))
    }

    const fn with(kind: Kind, origin: Origin) -> Self {
        Self {
            who: AtomicU64::new(0),
            record: AtomicPtr::new(std::ptr::null_mut()),
            series: AtomicU32::new(0),
            kind,
            origin,
        }
    }

    /// Makes the class known now, so that its figures are there from the start with value 0.
    #[must_use]
    pub fn registered(self) -> Self {
        let _ = self.base();
        self
    }

    /// The primitive this is part of.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    #[inline]
    pub(crate) fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    #[inline]
    fn base(&self) -> u32 {
        match self.series.load(Relaxed) {
            0 => self.look_up_class(),
            series => series,
        }
    }

    #[cold]
    #[inline(never)]
    fn look_up_class(&self) -> u32 {
        let series = class::resolve(self.kind, self.origin);
        self.series.store(series, Relaxed);
        series
    }

    #[inline]
    pub(crate) fn series(&self, mode: Mode) -> u32 {
        class::series_of(self.base(), mode)
    }

    /// The word of the exclusive hold.
    pub(crate) fn who(&self) -> u64 {
        self.who.load(Acquire)
    }

    #[inline]
    pub(crate) fn record(&self) -> Option<&Record> {
        #[expect(unsafe_code, reason = "the record is reached through an atomic pointer")]
        // SAFETY: null or made by `Arc::into_raw` in `record_or_new`; only `drop` gives it up.
        unsafe {
            self.record.load(Acquire).as_ref()
        }
    }

    #[cold]
    pub(crate) fn record_or_new(&self) -> &Record {
        if self.record().is_none() {
            let fresh = Arc::into_raw(Record::new(self.base(), self.kind, self.id(), self.who()))
                .cast_mut();
            // ORDERING: pairs with Acquire in `record`; publishes the record.
            let won = self.record.compare_exchange(std::ptr::null_mut(), fresh, AcqRel, Acquire);
            if won.is_err() {
                #[expect(unsafe_code, reason = "an unpublished record is given up again")]
                // SAFETY: made by `into_raw` above and never published.
                drop(unsafe { Arc::from_raw(fresh) });
            }
        }
        match self.record() {
            Some(record) => record,
            None => unreachable_record(),
        }
    }

    /// An attempt got the lock. `start` is when it asked (uncontended) or claimed (after a wait).
    #[inline(always)]
    pub fn acquired<R: Runtime>(
        &self,
        start: Start,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        let Some(since) = start.instant() else { return Hold::default() };
        let ts = thread::state();
        let Some(cell) = owner_for_claim::<R>(ts) else { return Hold::default() };
        let depth = cell.depth() + 1;
        let series = self.series(share.mode);
        let suspended = cell.times.suspended.get();
        let Share { mode, weight } = share;
        let at =
            cell.claim(HoldInfo { lock: self.id(), since, site, series, mode, weight, suspended });
        if mode == Mode::Exclusive {
            // ORDERING: pairs with Acquire in `who`; the hold was published by `claim`.
            self.who.store(record::word(at), Release);
        }
        if let Some(record) = self.record() {
            record.note_holder(at, mode);
        }
        shard::with(ts, series, |shard| shard.acquired(depth));
        if depth > cell.totals.nesting_max.get() {
            cell.totals.nesting_max.set(depth);
        }
        Hold { at: Some(at) }
    }

    /// A `try_` call found the lock taken.
    #[cold]
    pub fn would_block(&self, start: Start, mode: Mode) {
        if start.is_recorded() {
            shard::with(thread::state(), self.series(mode), |shard| shard.would_block.add(1));
        }
    }

    /// A `try_` call or an attempt that never queued ended without a guard.
    #[cold]
    pub fn failed(&self, start: Start, mode: Mode, outcome: Outcome) {
        if start.is_recorded() {
            let series = self.series(mode);
            shard::with(thread::state(), series, |shard| {
                shard.cold().outcomes[outcome as usize] += 1;
            });
        }
    }

    /// Runs `release`, which wakes waiters without a guard being dropped: permits added from
    /// outside (`EndCause::External`) or a close (`EndCause::Closed`).
    pub fn release_without_guard<T>(
        &self,
        end: EndCause,
        permits: usize,
        release: impl FnOnce() -> T,
    ) -> T {
        if let Some(record) = self.record().filter(|record| record.has_waiters()) {
            record.queue().free += permits as u64;
        }
        release::during(Releasing::new(self.id(), end, 0), release)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let record = *self.record.get_mut();
        if !record.is_null() {
            #[expect(unsafe_code, reason = "gives up the record's count")]
            // SAFETY: made by `into_raw` in `record_or_new`; nobody else gives this count up.
            drop(unsafe { Arc::from_raw(record) });
        }
    }
}

#[cold]
#[expect(clippy::panic, reason = "the pointer was set a line before and only `drop` clears it")]
fn unreachable_record() -> ! {
    panic!("the record was just made")
}

/// The owner of an acquisition that happens now on this thread. A task's cell comes back alive for
/// one more hold.
#[inline]
fn owner_for_claim<R: Runtime>(ts: &ThreadState) -> Option<&'static OwnerCell> {
    match ts.scope.get() {
        // A task polled inside a scope's poll (LocalSet, nested runtime) is not that scope.
        Some(scope) if R::task_id() == ts.scope_task.get() => Some(scope),
        _ => unscoped_owner(ts, R::task_id()),
    }
}

#[inline(never)]
fn unscoped_owner(ts: &ThreadState, task_id: u64) -> Option<&'static OwnerCell> {
    let cell = || task::find(task_id).or_else(|| task::insert(task_id));
    if let Some(cell) = (task_id != 0).then(cell).flatten() {
        return Some(cell);
    }
    thread_owner(ts)
}

pub(crate) fn thread_owner(ts: &ThreadState) -> Option<&'static OwnerCell> {
    if ts.own.get().is_none() {
        let cell = slab::allocate()?;
        cell.become_thread();
        if !thread::will_give_back() {
            // Nobody comes back for it: it ends with its first hold.
            cell.end_before_claim();
            return Some(cell);
        }
        ts.own.set(Some(cell));
    }
    ts.own.get()
}

/// Whether the code that runs here now is the owner itself.
#[inline]
fn is_own<R: Runtime>(ts: &ThreadState, cell: &'static OwnerCell) -> bool {
    if ts.scope.get().is_some_and(|scope| std::ptr::eq(scope, cell)) {
        return true;
    }
    match cell.role() {
        Role::Thread => ts.own.get().is_some_and(|own| std::ptr::eq(own, cell)),
        Role::Task => R::task_id() == cell.task(),
        _ => false,
    }
}

/// Whether a guard of `cell` that is dropped here and now has changed hands. A scope on the path is
/// still its owner, and so are the task and the thread a scope runs in. A guard whose scope ended
/// for good has escaped, which is counted as such.
#[cold]
fn has_migrated<R: Runtime>(ts: &ThreadState, cell: &'static OwnerCell) -> bool {
    let on_path = ts.scope.get().is_some_and(|scope| scope.path_contains(cell));
    !on_path && !is_own::<R>(ts, cell) && cell.role() != Role::Gone
}

impl Hold {
    /// Whether it is in the figures.
    #[inline]
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.at.is_some()
    }

    /// Takes the hold out, so that another guard can carry it on.
    #[inline]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Ends the hold around `unlock`: first the lock is free, then the accounts are made.
    #[inline(always)] // the guard's two words stay in registers
    pub fn release<R: Runtime>(&mut self, lock: &Lock, share: Share, unlock: impl FnOnce()) {
        match self.at.take() {
            Some(at) => at.end::<R>(lock, share, unlock),
            // Waiters may be recorded although this guard is not: they learn how it ended.
            None => {
                release::during(Releasing::new(lock.id(), EndCause::Release, 0), unlock);
            }
        }
    }

    /// A write guard becomes a read guard: the exclusive segment of the hold ends, the shared one
    /// begins, under the same hold. `downgrade` does it on the wrapped lock.
    pub fn downgrade<R: Runtime, T>(&mut self, lock: &Lock, downgrade: impl FnOnce() -> T) -> T {
        let Some(at) = self.at else { return downgrade() };
        let now = clock::now();
        lock.who.store(0, Release);
        let releasing = Releasing::new(lock.id(), EndCause::Downgrade, record::word(at));
        if let Some(record) = lock.record() {
            let named = record.note_release(at, Mode::Exclusive);
            if record.has_waiters() {
                before_release(record, at, at.since(), Share::EXCLUSIVE, named);
            }
            record.add_holder(at);
        }
        let out = release::during(releasing, downgrade);
        let ts = thread::state();
        account_exclusive_part::<R>(ts, at, lock.series(Mode::Exclusive), now);
        let shared = lock.series(Mode::Shared);
        shard::with(ts, shared, |shard| shard.acquired(at.cell.depth().max(1)));
        at.downgrade(shared, now);
        out
    }

    /// A second hold for permits that were split off; both keep the moment of the claim.
    pub fn split<R: Runtime>(
        &self,
        lock: &Lock,
        rest: u32,
        split: u32,
        site: &'static Location<'static>,
    ) -> Self {
        let Some(at) = self.at else { return Self::default() };
        at.set_weight(rest);
        lock.acquired::<R>(Start::at(at.since()), Share::permits(split), site)
    }

    /// The permits of another guard joined this one; that guard's hold ends without a release.
    pub fn merge<R: Runtime>(&self, other: &mut Self, lock: &Lock, total: u32) {
        if let Some(at) = self.at {
            at.set_weight(total);
        }
        other.forget::<R>(lock, Mode::Permit);
    }

    /// Ends the hold although nothing is released: the permits are gone for good.
    pub fn forget<R: Runtime>(&mut self, lock: &Lock, mode: Mode) {
        let Some(at) = self.at.take() else { return };
        if let Some(record) = lock.record() {
            record.remove_holder(at);
        }
        account_unwinding::<R>(at, lock.series(mode), at.since());
    }

    /// Makes whoever runs here the owner of the hold: for guards that were handed over on purpose.
    /// The nesting depth of both owners changes at once.
    pub fn adopt<R: Runtime>(&mut self, lock: &Lock, share: Share) {
        let Some(from) = self.at else { return };
        let ts = thread::state();
        let Some(cell) = owner_for_claim::<R>(ts) else { return };
        let has_it = std::ptr::eq(cell, from.now_in());
        let Some(to) = (!has_it).then(|| cell.adopt_from(from)).flatten() else {
            if cell.role() == Role::Task {
                task::let_go(cell);
            }
            return;
        };
        if from.cell.role() == Role::Task {
            task::let_go(from.cell);
        }
        self.at = Some(to);
        if share.mode == Mode::Exclusive {
            lock.who.store(record::word(to), Release);
        }
        if let Some(record) = lock.record() {
            record.remove_holder(from);
            record.note_holder(to, share.mode);
        }
    }
}

/// What a contended lock's holder does before it unlocks: charges its label for the time others
/// waited, notes on its own scope whom it kept waiting.
#[cold]
#[inline(never)]
fn before_release(record: &Record, at: HoldRef, since: u64, share: Share, named: bool) {
    let Some(hold) = at.info() else { return };
    let cell = at.now_in();
    if share.mode != Mode::Exclusive {
        let charge = blame::running(cell, &hold, clock::now());
        let mut queue = record.queue();
        queue.free += u64::from(share.weight);
        if named {
            queue.add(charge);
        }
        return;
    }
    let label = cell.label_at(hold.site);
    let mut queue = record.queue();
    let (queued, inflicted) =
        queue.charge(Charge { label, ns: 0, site: hold.site }, since, clock::now());
    drop(queue);
    let mut slow = cell.slow();
    slow.blocked_others += queued;
    slow.blocked_others_ns += inflicted;
}

impl HoldRef {
    /// Out of line, once per kind of lock: what a guard's drop takes is the call.
    #[inline(never)]
    fn end<R: Runtime>(self, lock: &Lock, share: Share, unlock: impl FnOnce()) {
        let series = lock.series(share.mode);
        if share.mode == Mode::Exclusive {
            lock.who.store(0, Release);
        }
        if let Some(record) = lock.record() {
            let named = record.note_release(self, share.mode);
            if record.has_waiters() {
                before_release(record, self, self.since(), share, named);
            }
        }
        let books = Books::<R> { at: self, series, since: self.since(), runtime: PhantomData };
        let releasing = Releasing::new(lock.id(), EndCause::Release, record::word(self));
        release::during(releasing, unlock);
        books.close();
    }
}

/// Accounts a hold after the unlock, also when a waker panics inside of it.
struct Books<R: Runtime> {
    at: HoldRef,
    series: u32,
    since: u64,
    runtime: PhantomData<R>,
}

impl<R: Runtime> Books<R> {
    #[inline(always)]
    fn close(self) {
        let this = ManuallyDrop::new(self);
        account::<R>(this.at, this.series, this.since, clock::now());
    }
}

impl<R: Runtime> Drop for Books<R> {
    #[inline(always)] // by value into the cold path, so that the fast one keeps it in registers
    fn drop(&mut self) {
        account_unwinding::<R>(self.at, self.series, self.since);
    }
}

#[cold]
#[inline(never)]
fn account_unwinding<R: Runtime>(at: HoldRef, series: u32, since: u64) {
    account::<R>(at, series, since, clock::now());
}

/// The scope that acquired is usually the one that releases; everyone else takes
/// [`account_elsewhere`].
#[inline(always)]
fn account<R: Runtime>(at: HoldRef, series: u32, since: u64, end: u64) {
    let ts = thread::state();
    let ns = end.saturating_sub(since);
    let in_scope = ts.scope.get().is_some_and(|scope| std::ptr::eq(scope, at.cell));
    if !in_scope | (ns > IMPOSSIBLE_NS) {
        return account_elsewhere::<R>(ts, at, series, ns);
    }
    let suspended = at.cell.suspended_since_claim(at.key);
    if suspended > 0 {
        note_suspended(ts, at, series, suspended.min(ns));
    }
    if shard::with(ts, series, |shard| shard.held(ns)) | (ns >= slow_ns()) {
        file_notable(ts, at, series, ns, None);
    }
    if at.cell.release_own(at.key) {
        at.cell.note_hold(series, ns);
    } else {
        release_elsewhere::<R>(ts, at, series, ns);
    }
}

/// The part of a hold before its downgrade; the hold itself goes on.
#[cold]
fn account_exclusive_part<R: Runtime>(ts: &ThreadState, at: HoldRef, series: u32, end: u64) {
    let ns = end.saturating_sub(at.since());
    let own = is_own::<R>(ts, at.cell);
    let suspended = if own { at.cell.suspended_since_claim(at.key) } else { 0 };
    if suspended > 0 {
        note_suspended(ts, at, series, suspended.min(ns));
    }
    if shard::with(ts, series, |shard| shard.held(ns)) | (ns >= slow_ns()) {
        file_notable(ts, at, series, ns, Some(HoldEnd::Downgraded));
    }
    if own {
        at.cell.note_hold(series, ns);
    } else {
        at.now_in().slow().foreign_hold_ns += ns;
    }
}

/// Holds of tasks and threads, guards that changed hands, clocks that jumped.
#[inline(never)]
fn account_elsewhere<R: Runtime>(ts: &ThreadState, at: HoldRef, series: u32, mut ns: u64) {
    if ns > IMPOSSIBLE_NS {
        loss::count(Dropped::Clock, 1);
        ns = 0;
    }
    let cell = at.cell;
    if shard::with(ts, series, |shard| shard.held(ns)) | (ns >= slow_ns()) {
        file_notable(ts, at, series, ns, None);
    }
    let is_task = cell.role() == Role::Task;
    if is_own::<R>(ts, cell) && cell.release_own(at.key) {
        cell.note_hold(series, ns);
    } else {
        release_elsewhere::<R>(ts, at, series, ns);
    }
    if is_task {
        task::let_go(cell);
    }
}

#[cold]
fn note_suspended(ts: &ThreadState, at: HoldRef, series: u32, suspended: u64) {
    shard::with(ts, series, |shard| shard.suspended.add(suspended));
    at.cell.totals.across_await.add(1);
}

#[cold]
#[inline(never)]
fn release_elsewhere<R: Runtime>(ts: &ThreadState, at: HoldRef, series: u32, ns: u64) {
    let counts_for = at.now_in();
    if has_migrated::<R>(ts, counts_for) {
        shard::with(ts, series, |shard| shard.migrated.add(1));
    }
    if counts_for.role() == Role::Gone {
        loss::count(Dropped::Late, 1);
    }
    at.cell.release_foreign(at.key, ns);
}

/// Files a hold that is the longest so far, an exemplar, or slow. `end` if no guard was dropped.
#[cold]
#[inline(never)]
fn file_notable(ts: &ThreadState, at: HoldRef, series: u32, ns: u64, end: Option<HoldEnd>) {
    let Some(hold) = at.info() else { return };
    let wall = clock::WallClock::now();
    let span = at.cell.span();
    shard::with(ts, series, |shard| {
        let mut cold = shard.cold();
        if cold.worst_hold.is_none_or(|worst| ns > worst.ns) {
            let owner = at.cell.label_at(hold.site);
            cold.worst_hold = Some(WorstCell { ns, owner, site: hold.site });
        }
        if let Some(span) = span.filter(|_| cold.hold_exemplar.is_none_or(|e| ns > e.ns)) {
            cold.hold_exemplar = Some(Exemplar { ns, unix_ns: wall.unix_ns(), span });
        }
        shard.set_exemplar_floor(ns); // with or without a span: the bar must rise
    });
    if ns < slow_ns() {
        return;
    }
    let mut slow = at.cell.slow();
    if !slow.wants_details {
        return;
    }
    let Some(class) = class::series(series) else { return };
    let Some((kind, mode)) = class.lock() else { return };
    let hold_end = end.unwrap_or(match slow.cancelled {
        _ if std::thread::panicking() => HoldEnd::Panicked,
        true => HoldEnd::InDrop,
        false => HoldEnd::Released,
    });
    slow.keep(Detail {
        lock: class.name,
        kind,
        mode,
        start_unix_ns: wall.convert(clock::now().saturating_sub(ns)),
        ns,
        depth: at.cell.depth(),
        site: hold.site,
        site_label: crate::name::Label::of_site(hold.site).text(),
        precision: at.cell.precision(),
        hold_end: Some(hold_end),
        wait: None,
    });
}
