//! What the figures learn when a hold ends: after the unlock, out of line.

use crate::current::{Runtime, has_migrated, is_own};
use crate::owner::{HoldRef, Role};
use crate::shard::{self, WorstCell};
use crate::thread::{self, ThreadState};
use crate::{Detail, Dropped, Exemplar, HoldEnd, class, clock, loss, task};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Hold times above this become details; writers: configuration.
static SLOW_NS: AtomicU64 = AtomicU64::new(10_000_000);

/// Waits and holds at least this long are kept in detail, the longest eight of each scope
/// (default 10 ms).
pub fn set_slow_threshold(threshold: std::time::Duration) {
    SLOW_NS.store(u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    shard::reset_bars();
}

/// The threshold in force.
#[must_use]
pub fn slow_threshold() -> std::time::Duration {
    std::time::Duration::from_nanos(SLOW_NS.load(Relaxed))
}

pub(crate) fn slow_ns() -> u64 {
    SLOW_NS.load(Relaxed)
}

/// Accounts a hold after the unlock, also when a waker panics inside of it.
pub(crate) struct Books<R: Runtime> {
    at: HoldRef,
    series: u32,
    /// The end, if it is known already; 0 = it is now.
    end: u64,
    runtime: PhantomData<R>,
}

impl<R: Runtime> Books<R> {
    #[inline(always)]
    pub(crate) fn open(at: HoldRef, series: u32, end: u64) -> Self {
        Self { at, series, end, runtime: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn close(self) {
        let this = ManuallyDrop::new(self);
        account_at::<R>(this.at, this.series, this.end);
    }
}

impl<R: Runtime> Drop for Books<R> {
    #[inline(always)] // by value into the cold path, so that the fast one keeps it in registers
    fn drop(&mut self) {
        account_now::<R>(self.at, self.series);
    }
}

/// The same for a hold that ended at `end`; 0 = now.
#[inline(always)]
pub(crate) fn account_at<R: Runtime>(at: HoldRef, series: u32, end: u64) {
    account::<R>(at, series, if end == 0 { clock::now() } else { end });
}

#[cold]
#[inline(never)]
pub(crate) fn account_now<R: Runtime>(at: HoldRef, series: u32) {
    account::<R>(at, series, clock::now());
}

/// The end of a hold. The scope that acquired is usually the one that releases, without having
/// been parked meanwhile. As at the acquisition, either everything is as usual or nothing has been
/// done yet.
#[inline(always)]
pub(crate) fn account<R: Runtime>(at: HoldRef, series: u32, end: u64) {
    let ts = thread::state();
    let holds = at.cell.holds();
    if let Some(slot) = holds.slots.usual_slot(at.key)
        && ts.scope.get().is_some_and(|scope| std::ptr::eq(scope, at.cell))
        && at.cell.times.suspended.get() == slot.suspended()
        && let Some(shard) = ts.table().get(series)
    {
        let ns = end.wrapping_sub(slot.since()); // backwards is unusually long
        if shard.held_as_usual(ns) {
            holds.release_in(slot);
            return holds.note_hold(series, ns);
        }
    }
    account_unusually::<R>(at, series, end);
}

/// The part of a hold before its downgrade; the hold itself goes on.
#[cold]
pub(crate) fn account_exclusive_part<R: Runtime>(
    ts: &ThreadState,
    at: HoldRef,
    series: u32,
    end: u64,
) {
    let ns = length(at, end);
    let own = is_own::<R>(ts, at.cell);
    let suspended = if own { at.cell.suspended_since_claim(at.key) } else { 0 };
    if suspended > 0 {
        note_suspended(ts, at, series, suspended.min(ns));
    }
    if shard::with(ts, series, |shard| shard.held(ns)) {
        file_notable(ts, at, series, ns, Some(HoldEnd::Downgraded));
    }
    if own {
        at.cell.holds().note_hold(series, ns);
    } else {
        at.now_in().slow().foreign_hold_ns += ns;
    }
}

/// Holds of tasks and threads, or across an await; guards that changed hands, clocks that jumped, and
/// what is notable.
#[inline(never)]
fn account_unusually<R: Runtime>(at: HoldRef, series: u32, end: u64) {
    let ts = thread::state();
    let ns = length(at, end);
    let cell = at.cell;
    if ts.scope.get().is_some_and(|scope| scope.path_contains(cell)) {
        // Dropped by a branch: the pauses of its owner still count.
        let suspended = cell.suspended_since_claim(at.key);
        if suspended > 0 {
            note_suspended(ts, at, series, suspended.min(ns));
        }
    }
    if shard::with(ts, series, |shard| shard.held(ns)) {
        file_notable(ts, at, series, ns, None);
    }
    let is_task = cell.role() == Role::Task;
    if is_own::<R>(ts, cell) && cell.release_own(at.key) {
        cell.holds().note_hold(series, ns);
    } else {
        release_elsewhere::<R>(ts, at, series, ns);
    }
    if is_task {
        task::let_go(cell);
    }
}

/// How long it was held; nothing if the clock jumped meanwhile.
fn length(at: HoldRef, end: u64) -> u64 {
    let since = at.since();
    if clock::has_jumped(since, end) {
        loss::count(Dropped::Clock, 1);
        return 0;
    }
    end.saturating_sub(since)
}

#[cold]
fn note_suspended(ts: &ThreadState, at: HoldRef, series: u32, suspended: u64) {
    shard::with(ts, series, |shard| shard.suspended.add(suspended));
    at.cell.holds().totals.across_await.add(1);
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
        let mut notable = shard.notable();
        if notable.worst_hold.is_none_or(|worst| ns > worst.ns) {
            let owner = at.cell.label_at(hold.site);
            notable.worst_hold = Some(WorstCell { ns, owner, site: hold.site });
        }
        if let Some(span) = span.filter(|_| notable.hold_exemplar.is_none_or(|e| ns > e.ns)) {
            notable.hold_exemplar = Some(Exemplar { ns, unix_ns: wall.unix_ns(), span });
        }
        shard.set_exemplar_floor(&mut notable, ns);
    });
    if ns < slow_ns() {
        return;
    }
    if !at.cell.wants_details() {
        return;
    }
    let Some(class) = class::series(series) else { return };
    let Some((kind, mode)) = class.lock() else { return };
    let hold_end = end.unwrap_or(match at.cell.is_cancelled() {
        _ if std::thread::panicking() => HoldEnd::Panicked,
        true => HoldEnd::InDrop,
        false => HoldEnd::Released,
    });
    at.cell.slow().keep(Detail {
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
