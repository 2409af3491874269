//! The rows of the table: which operation runs where.

use crate::blocking;
use crate::harness::Row;
use crate::here::{Here, clocked, polls};
use crate::messages;
use crate::once;
use crate::operations::{Spin, Work, bare, wrapped};
use crate::threads::{self, Acquired, Contention, Turns};
use http::{Request, Response};
use plock::tokio::sync::Mutex;
use plock::tower::PlockLayer;
use plock::{Mode, Outcome, Snapshot};
use plock_core::Start;
use std::convert::Infallible;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::task::Poll;
use std::time::Instant;
use tokio::task::unconstrained;
use tower::{Layer, Service, service_fn};

/// Name of the locks that threads and workers fight for.
pub(crate) const CONTENDED: &str = "bench_contended";

/// Every row. A row without a bare one of the same situation does not exist.
pub(crate) fn all() -> Vec<Row> {
    let here = Here::new();
    let mut rows = vec![clock()];
    rows.extend(mutex(&here));
    rows.extend(others(&here));
    rows.extend(messages::all(&here));
    rows.extend(blocking::all(&here));
    rows.extend(once::all(&here));
    rows.extend(scopes(&here));
    rows.extend(requests(&here));
    rows.extend(many_threads());
    rows
}

/// Two reads of plock's clock: what any exact measurement costs at least.
fn clock() -> Row {
    Row::counted("clock/two-reads/bare", |operations| {
        let start = Instant::now();
        for _ in 0..operations {
            clocked(|| {});
        }
        start.elapsed()
    })
}

fn mutex(here: &Here) -> Vec<Row> {
    let ([free], [kept]) = (bare::mutexes(), wrapped::mutexes());
    let (bare, full) = (move |n| bare::lock(free, n), move |n| wrapped::lock(kept, n));
    // Locks of their own: one that has been contended is never quite the same.
    let ([passed], [kept]) = (bare::mutexes(), wrapped::mutexes());
    let turns = move |n| plock::scope("bench", unconstrained(wrapped::take_turns(kept, n)));
    vec![
        here.task("tokio::Mutex/uncontended/bare", bare),
        here.scoped("tokio::Mutex/uncontended/full", full),
        here.scoped("tokio::Mutex/uncontended/coarse", full).coarse(),
        here.scoped("tokio::Mutex/uncontended/off", full).switched_off(),
        here.task("tokio::Mutex/uncontended-task/bare", bare),
        here.task("tokio::Mutex/uncontended-task/full", full),
        here.taskless("tokio::Mutex/uncontended-unscoped/bare", bare),
        here.taskless("tokio::Mutex/uncontended-unscoped/full", full),
        here.tasks("tokio::Mutex/handed-over/bare", move |n| {
            unconstrained(bare::take_turns(passed, n))
        }),
        here.tasks("tokio::Mutex/handed-over/full", turns),
        here.tasks("tokio::Mutex/handed-over/off", turns).switched_off(),
    ]
}

fn others(here: &Here) -> Vec<Row> {
    let (free, kept) = (bare::read_write_lock(), wrapped::read_write_lock());
    let (permits, kept_permits) = (bare::semaphore(), wrapped::semaphore());
    let read = move |n| wrapped::read(kept, n);
    let write = move |n| wrapped::write(kept, n);
    let acquire = move |n| wrapped::acquire(kept_permits, n);
    vec![
        here.task("tokio::RwLock/uncontended-read/bare", move |n| bare::read(free, n)),
        here.scoped("tokio::RwLock/uncontended-read/full", read),
        here.scoped("tokio::RwLock/uncontended-read/coarse", read).coarse(),
        here.scoped("tokio::RwLock/uncontended-read/off", read).switched_off(),
        here.task("tokio::RwLock/uncontended-write/bare", move |n| bare::write(free, n)),
        here.scoped("tokio::RwLock/uncontended-write/full", write),
        here.scoped("tokio::RwLock/uncontended-write/coarse", write).coarse(),
        here.scoped("tokio::RwLock/uncontended-write/off", write).switched_off(),
        here.task("tokio::Semaphore/uncontended/bare", move |n| bare::acquire(permits, n)),
        here.scoped("tokio::Semaphore/uncontended/full", acquire),
        here.scoped("tokio::Semaphore/uncontended/coarse", acquire).coarse(),
        here.scoped("tokio::Semaphore/uncontended/off", acquire).switched_off(),
    ]
}

/// Polls of a future that is never ready, bare and as a scope.
fn scopes(here: &Here) -> Vec<Row> {
    let never = || poll_fn(|_| black_box(Poll::<()>::Pending));
    let scope = move |n| polls(plock::scope("bench-poll", never()), n);
    let timed = || poll_fn(|_| clocked(|| black_box(Poll::<()>::Pending)));
    vec![
        here.task("poll/timed/bare", move |n| polls(never(), n)),
        here.task("poll/timed/clocked", move |n| polls(timed(), n)),
        here.task("poll/timed/full", scope),
        here.task("poll/timed/off", scope).switched_off(),
    ]
}

/// A request to a service that does nothing: made, answered, dropped. The least that tells its parts apart
/// reads the clock three times: when it is called, at the first poll, and at the end.
fn requests(here: &Here) -> Vec<Row> {
    let nothing = || service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let timed = || {
        service_fn(|_: Request<()>| {
            black_box(Start::now());
            async { clocked(|| Ok::<_, Infallible>(Response::new(()))) }
        })
    };
    let wrapped = move |n| call(PlockLayer::new().layer(nothing()), n);
    vec![
        here.task("tower/do-nothing/bare", move |n| call(nothing(), n)),
        here.task("tower/do-nothing/clocked", move |n| call(timed(), n)),
        here.task("tower/do-nothing/full", wrapped),
        here.task("tower/do-nothing/off", wrapped).switched_off(),
    ]
}

async fn call<S>(mut service: S, operations: u64)
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible>,
{
    for _ in 0..operations {
        black_box(service.call(Request::new(())).await.unwrap());
    }
}

fn many_threads() -> Vec<Row> {
    let (free, kept) = (bare::mutexes::<2>(), wrapped::mutexes::<2>());
    let alone = move |thread: usize, stop: &AtomicBool| {
        threads::block_on(bare::lock_until(free[thread], stop))
    };
    let recorded = move |thread: usize, stop: &AtomicBool| {
        threads::block_on(plock::scope("bench", wrapped::lock_until(kept[thread], stop)))
    };
    let two_locks = "tokio::Mutex/two-threads-own-locks";
    let mut rows = vec![
        Row::timed(&format!("{two_locks}/bare"), move |time| threads::two(time, &alone))
            .beside("tokio::Mutex/uncontended/bare"),
        Row::timed(&format!("{two_locks}/full"), move |time| threads::two(time, &recorded))
            .beside("tokio::Mutex/uncontended/full"),
    ];
    let read_out = "tokio::Mutex/uncontended-while-read";
    rows.extend([
        Row::timed(&format!("{read_out}/bare"), move |time| threads::while_read(time, &alone))
            .beside("tokio::Mutex/uncontended/bare"),
        Row::timed(&format!("{read_out}/full"), move |time| threads::while_read(time, &recorded))
            .beside("tokio::Mutex/uncontended/full"),
    ]);
    let section = Spin::nanoseconds(1_000);
    rows.extend(in_turn(section));
    rows.extend(blocking::contended());
    rows.extend(convoy("convoy-1us", Work { section, between: Spin::NONE }));
    rows.extend(convoy("convoy-1us-apart-1us", Work { section, between: section }));
    rows
}

/// Two threads that have nothing to do but with one lock. Whoever lets the other have it wakes a thread, in
/// which time that one has it to itself: hence few of them wait, and each for long.
fn in_turn(section: Spin) -> Vec<Row> {
    let [free] = bare::mutexes();
    let kept: &Mutex<u64> = Box::leak(Box::new(Mutex::named(CONTENDED, 0)));
    taking_turns(
        "tokio::Mutex/contended-1us",
        move |stop| threads::block_on(bare::sections(free, section, stop)),
        move |stop| {
            threads::block_on(plock::scope("bench", wrapped::sections(kept, section, stop)))
        },
    )
}

/// The rows of two threads that take turns: from one section to the next, and what one wait of a hundred
/// exceeds.
pub(crate) fn taking_turns(
    situation: &str,
    bare: impl Fn(&AtomicBool) -> Vec<Acquired> + Copy + Sync + 'static,
    recorded: impl Fn(&AtomicBool) -> Vec<Acquired> + Copy + Sync + 'static,
) -> Vec<Row> {
    let rows = |situation: &str, figure: fn(Turns) -> f64| {
        let name = |mode| format!("{situation}/{mode}");
        let of = move |turns: &dyn Fn() -> Option<Turns>| loop {
            if let Some(turns) = turns() {
                return figure(turns);
            }
        };
        let recorded = move |time| of(&|| threads::in_turn(time, &recorded));
        [
            Row::timed(&name("bare"), move |time| of(&|| threads::in_turn(time, &bare))),
            Row::timed(&name("full"), recorded),
            Row::timed(&name("off"), recorded).switched_off(),
        ]
        .map(Row::longer)
    };
    let mut all = Vec::from(rows(situation, |turns| turns.nanoseconds));
    all.extend(rows(&format!("{situation}-wait-p99"), |turns| turns.wait_p99));
    all
}

/// Eight tasks on two workers that keep the queue of one lock filled.
fn convoy(situation: &str, work: Work) -> [Row; 3] {
    let [free] = bare::mutexes();
    let kept: &Mutex<u64> = Box::leak(Box::new(Mutex::named(CONTENDED, 0)));
    let bare = Contention::new(move |stop| async move { bare::hammer(free, work, &stop).await });
    let full = Contention::new(move |stop| {
        plock::scope("bench", async move { wrapped::hammer(kept, work, &stop).await })
    });
    let off = full.clone();
    let name = |mode| format!("tokio::Mutex/{situation}/{mode}");
    [
        Row::timed(&name("bare"), move |time| bare.run(time)),
        Row::timed(&name("full"), move |time| full.run(time)),
        Row::timed(&name("off"), move |time| off.run(time)).switched_off(),
    ]
}

/// How much of the acquisitions that were meant to be contended were so; `None` without any.
pub(crate) fn contended_share(snapshot: &Snapshot) -> Option<f64> {
    let lock = snapshot.lock(CONTENDED, Mode::Exclusive)?;
    let acquired = lock.outcome(Outcome::Acquired);
    (acquired > 0).then(|| lock.contentions() as f64 / acquired as f64)
}
