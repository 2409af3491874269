//! The part of plock inside every wrapped lock: class, holder, contention record, and the claim.
//!
//! # Publication of the exclusive holder
//! | who | does | ordering |
//! |---|---|---|
//! | whoever claimed alone | publishes its hold in a slot of its owner, then stores the hold's word here | `Release` |
//! | the same, before it unlocks | stores 0 | `Release` |
//! | a blocked attempt, a snapshot | loads the word, looks the hold up under its key | `Acquire`; the slot's double read rejects a hold that ended in between |
//!
//! Model: `whoever_has_it_alone_is_seen_whole`.
//!
//! Nothing of ours runs inside the critical section of an uncontended lock but these two stores and one
//! reading of the clock.

use crate::class::{self, Origin, UNKNOWN};
use crate::current::{Runtime, owner_for_claim};
use crate::hold::Hold;
use crate::owner::Role;
use crate::record::Record;
use crate::shard;
use crate::share::{Alone, InMode, Permitted, Share, Together};
use crate::slots::HoldInfo;
use crate::sync::ConstU64;
use crate::thread;
use crate::{Kind, Mode, Outcome, clock};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// Identity, class and present holder of one lock; a wrapper keeps it beside the lock it wraps.
#[derive(Debug)]
#[repr(C)] // the holder beside the lock inside: both are written at each acquisition and release
pub struct Lock {
    origin: Origin,
    kind: Kind,
    /// First series of the class, or [`UNKNOWN`] until it is looked up. Any thread may store it: all store the same.
    series: AtomicU32,
    /// The contention record, made at the first contention; owns one count of its `Arc`.
    record: AtomicPtr<Record>,
    /// Word of the exclusive hold, 0 = none. See the module page.
    who: ConstU64,
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

    /// A lock that cannot know where it is made, as in an associated constant: named by the module that
    /// uses it first.
    #[must_use]
    #[track_caller]
    pub const fn named_by_use(kind: Kind) -> Self {
        Self::with(kind, Origin::by_use(Location::caller()))
    }

    const fn with(kind: Kind, origin: Origin) -> Self {
        Self {
            who: ConstU64::new(0),
            record: AtomicPtr::new(std::ptr::null_mut()),
            series: AtomicU32::new(UNKNOWN),
            kind,
            origin,
        }
    }

    /// Another one of the same class.
    #[must_use]
    pub fn another(&self) -> Self {
        let this = Self::with(self.kind, self.origin);
        this.series.store(self.series.load(Relaxed), Relaxed);
        this
    }

    /// A lock of no class, that counts in this series.
    pub(crate) fn of_series(kind: Kind, series: u32) -> Self {
        let this = Self::named(kind, "");
        this.series.store(series, Relaxed);
        this
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
            UNKNOWN => self.look_up_class(),
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

    /// It is used here: that is its name if it has none.
    #[inline]
    pub(crate) fn used_at(&self, site: &'static Location<'static>) {
        if self.series.load(Relaxed) == UNKNOWN && self.origin.is_by_use() {
            self.series.store(class::resolve_used(self.kind, site), Relaxed);
        }
    }

    #[inline]
    pub(crate) fn series(&self, mode: Mode) -> u32 {
        class::series_of(self.base(), mode)
    }

    /// The same of a lock that has been acquired, and so looked up.
    #[inline(always)]
    pub(crate) fn known_series(&self, mode: Mode) -> u32 {
        class::series_of(self.series.load(Relaxed), mode)
    }

    /// Says who holds the lock alone; 0 = nobody.
    #[inline]
    pub(crate) fn publish(&self, word: u64) {
        // ORDERING: pairs with Acquire in `who`; the hold was published in its slot before.
        self.who.store(word, Release);
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
            let fresh = Arc::into_raw(Record::new(self.base(), self.kind, self.id())).cast_mut();
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
    #[inline]
    pub fn acquired<R: Runtime>(
        &self,
        start: Start,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        match start.instant() {
            Some(since) => self.enter::<R>(since, share, site),
            None => Hold::default(),
        }
    }

    #[inline(always)]
    pub(crate) fn enter<R: Runtime>(
        &self,
        since: u64,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        let task = R::task_id();
        match share.mode() {
            Mode::Exclusive => self.enter_as::<R, Alone>(since, share, site, task),
            Mode::Shared => self.enter_as::<R, Together>(since, share, site, task),
            Mode::Permit => self.enter_as::<R, Permitted>(since, share, site, task),
        }
    }

    /// The fast path of every acquisition. Either everything is as usual, or nothing has been done
    /// yet: so no call lies in between, and nothing has to be saved for after it. Out of line, since
    /// between a try and a guard there are too few registers for this as well.
    #[inline(never)]
    fn enter_as<R: Runtime, M: InMode>(
        &self,
        since: u64,
        share: Share,
        site: &'static Location<'static>,
        task: u64,
    ) -> Hold {
        let ts = thread::state();
        let series = self.known_series(M::MODE); // or one that no table has
        // A task polled inside a scope's poll (LocalSet, nested runtime) is not that scope.
        if let Some(cell) = ts.scope.get()
            && task == ts.scope_task.get()
            && let Some(shard) = ts.table().get(series)
            && (M::MODE == Mode::Exclusive || self.record().is_none())
            && cell.is_outermost()
            && let holds = cell.holds()
            && let Some(slot) = holds.slots.free()
            && let live = holds.tally.live()
            && let Some(depth) = shard.usual_depth(live)
        {
            depth.add(1);
            holds.note_depth(live + 1);
            let suspended = cell.times.suspended.get();
            let hold = HoldInfo { lock: self.id(), since, site, series, share, suspended };
            let at = cell.claim_in(holds, slot, &hold);
            if M::MODE == Mode::Exclusive {
                self.publish(at.key);
            }
            return Hold { at: Some(at) };
        }
        self.enter_unusually::<R>(since, share, site)
    }

    /// Outside a scope or in a nested one, for the first time, with many guards, or together with
    /// others a lock that has been contended.
    #[inline(never)]
    fn enter_unusually<R: Runtime>(
        &self,
        since: u64,
        share: Share,
        site: &'static Location<'static>,
    ) -> Hold {
        let ts = thread::state();
        let Some(cell) = owner_for_claim::<R>(ts) else { return Hold::default() };
        let depth = cell.depth() + 1;
        self.used_at(site);
        let series = self.series(share.mode());
        let suspended = cell.times.suspended.get();
        let hold = HoldInfo { lock: self.id(), since, site, series, share, suspended };
        let at = cell.claim(&hold);
        if share.is_exclusive() {
            self.publish(at.key);
        }
        if let Some(record) = self.record() {
            record.note_holder(at, share.mode());
        }
        shard::with(ts, series, |shard| {
            shard.acquired(depth);
            shard.unusual.add(1);
            shard.by_tasks.add(u64::from(cell.role() == Role::Task));
        });
        cell.holds().note_depth(depth);
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
                shard.contention_or_new().outcomes[outcome as usize] += 1;
            });
        }
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
