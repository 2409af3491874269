//! The writer side of the figures: one shard per thread and series, written by that thread alone.
//!
//! # Protocol
//! | who | does | ordering |
//! |---|---|---|
//! | owning thread | load, add, store each cell | `Relaxed`: single writer, each cell stands alone |
//! | owning thread, first use of a series | makes the shard, stores its pointer in the table | `Release` |
//! | snapshot | loads the pointer, then the cells | `Acquire`, then `Relaxed` |
//! | owning thread, slow path | locks `notable` or `contention` of its own shard | mutex, contended only by a snapshot |
//! | snapshot | locks `notable` if a reading of what is published from there says that it has something to add | the reading is `Relaxed`: what it misses the next one sees |
//! | exiting thread | puts the table on the free list | mutex |
//! | later thread | adopts a table with its totals | mutex: publishes the previous owner's stores |
//!
//! Tables and shards are never freed and never reset. A reader may see an operation's count and not
//! yet its sum; each cell by itself never falls. Locks used while a thread's locals are being
//! destroyed go through one shared table under a mutex, so nothing is lost there either.

use crate::buckets::{Buckets, Cell};
use crate::class::PLACES;
use crate::contention::Contention;
use crate::name::Label;
use crate::published::Published;
use crate::thread::{self, ThreadState};
use crate::{DEPTHS, Exemplar, Idle, account};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Holds shorter than this never become exemplars: the fast path stays off the slow one.
const EXEMPLAR_FLOOR_NS: u64 = 100_000;

/// The figures of one series on one thread. Two lines of 64 bytes are fetched together, hence the
/// alignment: the first pair holds all that an acquisition writes besides its bucket, the second what
/// a snapshot reads besides, and of the buckets it reads the used ones.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Shard {
    pub(crate) hold_sum: Cell,
    pub(crate) hold_max: Cell,
    pub(crate) suspended: Cell,
    pub(crate) depth: [Cell; DEPTHS],
    pub(crate) deep_sum: Cell,
    pub(crate) would_block: Cell,
    /// Acquisitions that left the fast path, and those of them by tasks.
    pub(crate) unusual: Cell,
    pub(crate) by_tasks: Cell,
    /// Guards released by another owner than the one that acquired them.
    pub(crate) migrated: Cell,
    /// Durations at least this long go to the slow path: the longest so far, exemplars, slow ones.
    /// Written under `notable`, so the recorder and the snapshot never overwrite each other.
    notable_from: AtomicU64,
    /// Whether a collection has an exemplar to take, or a bar to lower. Written under `notable`.
    has_exemplar: AtomicBool,
    /// Made at the first contention, which most locks never see.
    contention: Published<Mutex<Contention>>,
    pub(crate) hold: Buckets,
    /// Used by the series of scopes only.
    pub(crate) scope: ScopeCells,
    notable: Mutex<Notable>,
}

/// Counters of a scope name.
#[derive(Debug, Default)]
pub(crate) struct ScopeCells {
    pub(crate) started: Cell,
    pub(crate) finished: Cell,
    pub(crate) cancelled: Cell,
    pub(crate) panicked: Cell,
    pub(crate) spawn_delay: Cell,
    pub(crate) idle: [Cell; Idle::COUNT],
}

/// What a hold writes that is the longest so far, or an exemplar.
#[derive(Debug, Default)]
pub(crate) struct Notable {
    pub(crate) worst_hold: Option<WorstCell>,
    pub(crate) hold_exemplar: Option<Exemplar>,
    /// Holds longer than this become exemplars; 0 = not set yet.
    exemplar_floor: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct WorstCell {
    pub(crate) ns: u64,
    pub(crate) owner: Label,
    pub(crate) site: &'static Location<'static>,
}

/// What is fetched at once.
const LINE: usize = 64;
/// Lines at the start of a shard that a snapshot reads in any case.
const SNAPSHOT_LINES: usize = (std::mem::offset_of!(Shard, hold) + Buckets::NOTE).div_ceil(LINE);

impl Shard {
    fn new() -> Self {
        Self {
            hold_sum: Cell::new(),
            hold_max: Cell::new(),
            suspended: Cell::new(),
            depth: [const { Cell::new() }; DEPTHS],
            deep_sum: Cell::new(),
            would_block: Cell::new(),
            unusual: Cell::new(),
            by_tasks: Cell::new(),
            migrated: Cell::new(),
            notable_from: AtomicU64::new(1),
            has_exemplar: AtomicBool::new(false),
            notable: Mutex::default(),
            contention: Published::nothing(),
            hold: Buckets::new(),
            scope: ScopeCells::default(),
        }
    }

    /// An acquisition at this nesting depth (1 = nothing else held).
    #[inline]
    pub(crate) fn acquired(&self, depth: u64) {
        let last = DEPTHS as u64 - 1;
        if depth > last {
            self.deep_sum.add(depth);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most DEPTHS - 1")]
        self.depth[depth.saturating_sub(1).min(last) as usize].add(1);
    }

    /// Where an acquisition on top of so many others counts, unless they are so many that their number
    /// is summed up.
    #[inline(always)]
    pub(crate) fn usual_depth(&self, others: u64) -> Option<&Cell> {
        let (_, usual) = self.depth.split_last()?;
        usual.get(usize::try_from(others).ok()?)
    }

    /// A finished hold or poll. Returns whether it is notable, which a hold's caller then files on
    /// the slow path.
    #[inline]
    pub(crate) fn held(&self, ns: u64) -> bool {
        !self.held_as_usual(ns) && self.held_unusually(ns)
    }

    #[cold]
    #[inline(never)]
    fn held_unusually(&self, ns: u64) -> bool {
        self.hold.count(ns);
        self.hold_sum.add(ns);
        let notable = self.is_notable(ns);
        if notable {
            self.note_longest(ns);
        }
        notable
    }

    /// As [`held`](Self::held) for one with which nothing is the first; false if it is not such a one, and
    /// then nothing has been done.
    #[inline(always)]
    pub(crate) fn held_as_usual(&self, ns: u64) -> bool {
        let usual = !self.is_notable(ns) && self.hold.count_as_usual(ns);
        if usual {
            self.hold_sum.add(ns);
        }
        usual
    }

    #[inline(always)]
    pub(crate) fn is_notable(&self, ns: u64) -> bool {
        ns >= self.notable_from.load(Relaxed)
    }

    #[cold]
    #[inline(never)]
    fn note_longest(&self, ns: u64) {
        let notable = self.notable();
        if ns > self.hold_max.get() {
            self.hold_max.set(ns);
        }
        self.set_bar(&notable);
    }

    /// After a change of what is notable.
    fn set_bar(&self, notable: &Notable) {
        let longer = self.hold_max.get().saturating_add(1);
        let from = longer.min(notable.exemplar_from()).min(account::slow_ns());
        self.notable_from.store(from, Relaxed);
        self.has_exemplar.store(notable.has_exemplar(), Relaxed);
    }

    pub(crate) fn notable(&self) -> MutexGuard<'_, Notable> {
        self.notable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same if there is an exemplar, or a hold longer than `known`; in the others, which are most, a
    /// collection has nothing to look for.
    pub(crate) fn notable_beyond(&self, known: u64) -> Option<MutexGuard<'_, Notable>> {
        let has_more = self.hold_max.get() > known || self.has_exemplar.load(Relaxed);
        has_more.then(|| self.notable())
    }

    /// What attempts wrote that waited or failed, if there was one.
    pub(crate) fn contention(&self) -> Option<MutexGuard<'_, Contention>> {
        self.contention.get().map(lock)
    }

    /// The same, made if there was none. Only the shard's present writer calls this.
    pub(crate) fn contention_or_new(&self) -> MutexGuard<'_, Contention> {
        lock(self.contention.get().unwrap_or_else(|| {
            let fresh: &'static _ = Box::leak(Box::default());
            self.contention.set(fresh);
            fresh
        }))
    }

    /// Raises the bar for the next exemplar, with or without a span in this one.
    pub(crate) fn set_exemplar_floor(&self, notable: &mut Notable, ns: u64) {
        notable.exemplar_floor = ns.max(EXEMPLAR_FLOOR_NS);
        self.set_bar(notable);
    }

    pub(crate) fn reset_exemplar_floor(&self, notable: &mut Notable) {
        self.set_exemplar_floor(notable, 0);
    }
}

fn lock(contention: &'static Mutex<Contention>) -> MutexGuard<'static, Contention> {
    contention.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Notable {
    fn exemplar_from(&self) -> u64 {
        self.exemplar_floor.max(EXEMPLAR_FLOOR_NS) + 1
    }

    /// Whether there is one, or one has raised the bar.
    fn has_exemplar(&self) -> bool {
        self.hold_exemplar.is_some() || self.exemplar_floor > EXEMPLAR_FLOOR_NS
    }
}

/// One thread's shards by series number.
#[derive(Debug)]
pub(crate) struct Table {
    shards: [Published<Shard>; PLACES],
}

/// Every thread starts here: all null, so the first use of any series takes the slow path and the
/// fast path needs no "is there a table" check.
pub(crate) static EMPTY: Table = Table::new();
/// Every table there is, free ones included.
static ALL: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
/// Tables whose thread has ended.
static FREE: Mutex<Vec<&'static Table>> = Mutex::new(Vec::new());
/// Shards for threads that are being torn down: many writers, one at a time.
static LATE: Table = Table::new();
static LATE_WRITER: Mutex<()> = Mutex::new(());

impl Table {
    pub(crate) const fn new() -> Self {
        Self { shards: [const { Published::nothing() }; PLACES] }
    }

    #[inline(always)]
    pub(crate) fn get(&self, series: u32) -> Option<&'static Shard> {
        self.shards[series as usize & (PLACES - 1)].get()
    }

    /// Has the processor fetch what a snapshot reads of a series in any case, long before it does: it
    /// would wait for each shard in turn otherwise.
    #[inline]
    pub(crate) fn fetch(&self, series: u32) {
        if let Some(shard) = self.get(series) {
            let start = std::ptr::from_ref(shard).cast::<u8>();
            (0..SNAPSHOT_LINES).for_each(|line| prefetch(start.wrapping_add(line * LINE)));
        }
    }

    /// Only the table's present writer calls this.
    fn insert(&self, series: u32) -> &'static Shard {
        let fresh: &'static Shard = Box::leak(Box::new(Shard::new()));
        self.shards[series as usize & (PLACES - 1)].set(fresh);
        fresh
    }
}

/// A hint, which reads nothing and may be given any address.
#[inline]
fn prefetch(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "an intrinsic that takes a pointer")]
    // SAFETY: no address is invalid, and every x86_64 processor has the instruction.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Runs `f` on this thread's shard of a series.
#[inline]
pub(crate) fn with<T>(ts: &ThreadState, series: u32, f: impl FnOnce(&Shard) -> T) -> T {
    match ts.table().get(series) {
        Some(shard) => f(shard),
        None => with_new(ts, series, f),
    }
}

#[cold]
#[inline(never)]
fn with_new<T>(ts: &ThreadState, series: u32, f: impl FnOnce(&Shard) -> T) -> T {
    if std::ptr::eq(ts.table(), &raw const EMPTY) && !thread::will_give_back() {
        let _writer = LATE_WRITER.lock().unwrap_or_else(PoisonError::into_inner);
        return f(LATE.get(series).unwrap_or_else(|| LATE.insert(series)));
    }
    if std::ptr::eq(ts.table(), &raw const EMPTY) {
        ts.set_table(adopt());
        crate::clock::maintain();
    }
    f(ts.table().get(series).unwrap_or_else(|| ts.table().insert(series)))
}

fn adopt() -> &'static Table {
    if let Some(table) = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop() {
        return table;
    }
    let table: &'static Table = Box::leak(Box::new(Table::new()));
    ALL.lock().unwrap_or_else(PoisonError::into_inner).push(table);
    table
}

/// Called when a thread ends.
pub(crate) fn give_back(table: &'static Table) {
    if !std::ptr::eq(table, &raw const EMPTY) {
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(table);
    }
}

/// The threshold of what is slow has changed.
pub(crate) fn reset_bars() {
    let tables = tables();
    let series = 0..PLACES;
    #[expect(clippy::cast_possible_truncation, reason = "below PLACES")]
    let shards = series.flat_map(|series| tables.iter().filter_map(move |t| t.get(series as u32)));
    shards.for_each(|shard| shard.set_bar(&shard.notable()));
}

/// Every table there is at this moment, for a snapshot.
pub(crate) fn tables() -> Vec<&'static Table> {
    let mut tables = ALL.lock().unwrap_or_else(PoisonError::into_inner).clone();
    tables.push(&LATE);
    tables
}

#[cfg(test)]
#[path = "shard_tests.rs"]
mod tests;
