//! What plock costs the program it is in. Measuring each acquisition would cost as much as what is
//! measured, so the frequent operations are tried out beside the real ones at every collection, with
//! recording and without, and the difference counts for as many as there were since the last one.
//! What is rare enough is timed where it happens ([`loss::overhead_began`]).
//!
//! | operation | is tried out as | and therefore |
//! |---|---|---|
//! | acquisition and release, as usual | one in a scope | exact |
//! | the same of a task outside any scope | one of a task | exact |
//! | the same otherwise off the fast path | one of a thread | about right: in a nested scope it costs less |
//! | poll of a scope | one without a wake | about right |
//! | scope, from first poll to end | one that nobody observes | without the observer's part, which is not plock's alone |
//!
//! The tries run in hot caches: in a program that does other things in between, the same operations
//! cost more. They leave no trace in any figure: they have a table, owners, a task and a lock of their
//! own, and a series that is nobody's.

use crate::current::{NoTasks, Runtime};
use crate::name::Label;
use crate::owner::OwnerCell;
use crate::permits::Permits;
use crate::scope::Scope;
use crate::scope_name::ScopeName;
use crate::shard::Table;
use crate::thread::{self, Apart};
use crate::{Kind, Lock, Share, Start, clock};
use std::future::{pending, ready};
use std::hint::black_box;
use std::panic::Location;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Waker};

/// Operations of a batch, and batches of which the quickest counts.
const BATCH: u64 = 64;
const TRIES: usize = 5;
/// Series that the tries count in; the numbers of registered ones end long before.
const SERIES: u32 = 0xFFFF;

/// Where the one task is that there never is.
struct OneTask;

impl Runtime for OneTask {
    fn task_id() -> u64 {
        black_box(u64::MAX)
    }
}

/// Numbers of operations, or what a batch of each costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Each {
    pub(crate) usual: u64,
    pub(crate) unusual: u64,
    pub(crate) by_tasks: u64,
    pub(crate) polls: u64,
    pub(crate) scopes: u64,
}

#[derive(Debug, Default)]
struct Ledger {
    known: Each,
    batch_ns: Each,
    /// The clock that was read for it.
    by: &'static str,
    ns: u64,
    rig: Option<&'static Rig>,
}

static LEDGER: Mutex<Ledger> =
    Mutex::new(Ledger { known: Each::ZERO, batch_ns: Each::ZERO, by: "", ns: 0, rig: None });

/// Adds what these operations cost since the last call; `counts` are those of the whole process. Returns
/// what all cost so far, in nanoseconds.
pub(crate) fn settle(counts: Each) -> u64 {
    let mut ledger = LEDGER.lock().unwrap_or_else(PoisonError::into_inner);
    if clock::is_on() && !clock::is_manual() {
        ledger.rig = ledger.rig.or_else(Rig::new);
        let measured = ledger.rig.map_or(Each::ZERO, Rig::measure);
        let by = clock::mode_name();
        // What it takes undisturbed, which is by one clock always the same.
        let is_known = std::mem::replace(&mut ledger.by, by) == by;
        ledger.batch_ns = if is_known { measured.zip(ledger.batch_ns, u64::min) } else { measured };
    }
    let new = counts.zip(ledger.known, u64::saturating_sub);
    ledger.known = counts.zip(ledger.known, u64::max);
    let cost = new.zip(ledger.batch_ns, |n, ns| n.saturating_mul(ns) / BATCH);
    ledger.ns += cost.usual + cost.unusual + cost.by_tasks + cost.polls + cost.scopes;
    ledger.ns
}

impl Each {
    const ZERO: Self = Self { usual: 0, unusual: 0, by_tasks: 0, polls: 0, scopes: 0 };

    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            usual: f(self.usual, other.usual),
            unusual: f(self.unusual, other.unusual),
            by_tasks: f(self.by_tasks, other.by_tasks),
            polls: f(self.polls, other.polls),
            scopes: f(self.scopes, other.scopes),
        }
    }
}

/// What the tries are made with; made once.
#[derive(Debug)]
struct Rig {
    table: Table,
    cell: OwnerCell,
    thread: OwnerCell,
    permits: Permits,
}

impl Rig {
    fn new() -> Option<&'static Self> {
        let this: &'static Self = Box::leak(Box::new(Self {
            table: Table::new(),
            cell: OwnerCell::new(0),
            thread: OwnerCell::new(0),
            permits: Permits::new(Lock::of_series(Kind::Mutex, SERIES), 1),
        }));
        this.cell.become_scope(Label::OVERFLOW, None, 0);
        this.thread.become_thread();
        Some(this)
    }

    fn measure(&'static self) -> Each {
        let bare = quickest(|| self.acquire::<NoTasks>(Start::OFF));
        let apart = Apart::begin(thread::state(), &self.table, &self.thread);
        let unusual = quickest(|| self.acquire::<NoTasks>(Start::now()));
        let by_tasks = quickest(|| self.acquire::<OneTask>(Start::now()));
        apart.enter(&self.cell);
        let usual = quickest(|| self.acquire::<NoTasks>(Start::now()));
        apart.leave();
        let cx = Context::from_waker(Waker::noop());
        let bare_poll = quickest(|| {
            let _ = black_box(
                black_box(pin!(pending::<()>())).poll(&mut Context::from_waker(cx.waker())),
            );
        });
        let name = ScopeName::of_series(SERIES);
        let mut polled = Scope::root(name);
        polled.begin::<NoTasks>(cx.waker(), |_| None);
        let poll = quickest(|| {
            let _ = black_box(polled.poll::<NoTasks, _>(black_box(pin!(pending::<()>())), &cx));
        });
        polled.end::<NoTasks>(true, || {});
        let scope = quickest(|| {
            let mut scope = Scope::root(name);
            scope.begin::<NoTasks>(cx.waker(), |_| None);
            let _ = black_box(scope.poll::<NoTasks, _>(black_box(pin!(ready(()))), &cx));
            scope.end::<NoTasks>(true, || {});
        });
        Each {
            usual: usual.saturating_sub(bare),
            unusual: unusual.saturating_sub(bare),
            by_tasks: by_tasks.saturating_sub(bare),
            polls: poll.saturating_sub(bare_poll),
            scopes: scope.saturating_sub(poll),
        }
    }

    /// What a wrapped lock does while nobody else wants it.
    #[inline(always)]
    fn acquire<R: Runtime>(&self, start: Start) {
        let permits = black_box(&self.permits);
        if permits.take(1) {
            let site = Location::caller();
            let mut hold = permits.lock().acquired::<R>(start, Share::EXCLUSIVE, site);
            permits.release::<R>(&mut hold, Share::EXCLUSIVE, 1);
        }
    }
}

/// The nanoseconds of a batch of `f`.
#[inline(always)]
fn quickest(mut f: impl FnMut()) -> u64 {
    let mut batch = || {
        let began = clock::exact_now();
        (0..BATCH).for_each(|_| f());
        clock::exact_now().saturating_sub(began)
    };
    (0..TRIES).map(|_| batch()).min().unwrap_or_default()
}
