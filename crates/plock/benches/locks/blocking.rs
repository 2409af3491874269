//! Locks that block a thread: the same source under another import, as in `operations`.

use crate::harness::Row;
use crate::here::{Here, clocked};
use crate::operations::{Spin, Work};
use crate::rows::{CONTENDED, taking_turns};
use crate::threads;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

macro_rules! operations {
    (
        $(#[$doc:meta])* $module:ident, $($import:ident)::+,
        $mutex:expr, $lock:expr $(, $unwrap:ident)?
    ) => {
        $(#[$doc])*
        mod $module {
            use crate::operations::{Spin, Work};
            use crate::threads::Acquired;
            use $($import)::+::*;
            use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
            use std::time::Instant;

            pub(super) fn mutex() -> &'static Mutex<u64> {
                crate::threads::apart($mutex)
            }

            pub(super) fn read_write_lock() -> &'static RwLock<u64> {
                crate::threads::apart($lock)
            }

            #[inline(always)]
            pub(super) fn add(mutex: &Mutex<u64>) {
                *mutex.lock()$(.$unwrap())? += 1;
            }

            #[inline(always)]
            pub(super) fn read(lock: &RwLock<u64>) {
                std::hint::black_box(*lock.read()$(.$unwrap())?);
            }

            #[inline(always)]
            pub(super) fn write(lock: &RwLock<u64>) {
                *lock.write()$(.$unwrap())? += 1;
            }

            #[inline(always)]
            pub(super) fn hold(mutex: &Mutex<u64>, section: Spin) {
                let mut guard = mutex.lock()$(.$unwrap())?;
                section.run();
                *guard += 1;
            }

            /// Locks until `stop`, twice at least.
            pub(super) fn sections(
                mutex: &Mutex<u64>,
                work: Work,
                stop: &AtomicBool,
            ) -> Vec<Acquired> {
                let mut all = Vec::new();
                while all.len() < 2 || !stop.load(Relaxed) {
                    let asked = Instant::now();
                    let mut guard = mutex.lock()$(.$unwrap())?;
                    all.push(Acquired { asked, got: Instant::now() });
                    work.section.run();
                    *guard += 1;
                    drop(guard);
                    work.between.run();
                }
                all
            }
        }
    };
}

/// The class of tokio's locks in `operations`: a class of their own for each would leave too few for the
/// read-outs.
const CLASS: &str = "plock::locks::operations::u64";

operations!(
    /// The standard library's own types.
    bare_std, std::sync, Mutex::new(0), RwLock::new(0), unwrap
);
operations!(
    /// The wrapped types.
    wrapped_std, plock::std::sync,
    Mutex::named(super::CLASS, 0), RwLock::named(super::CLASS, 0), unwrap
);
operations!(
    /// parking_lot's own types.
    bare_parking_lot, parking_lot, Mutex::new(0), RwLock::new(0)
);
operations!(
    /// The wrapped types.
    wrapped_parking_lot, plock::parking_lot,
    <Mutex<_> as Named>::named(super::CLASS, 0), <RwLock<_> as Named>::named(super::CLASS, 0)
);

async fn repeat(operation: impl Fn(), operations: u64) {
    for _ in 0..operations {
        operation();
    }
}

/// Holds until `stop`; returns how often.
fn hammer(hold: impl Fn(), work: Work, stop: &AtomicBool) -> u64 {
    let mut operations = 0;
    while !stop.load(Relaxed) {
        hold();
        work.between.run();
        operations += 1;
    }
    operations
}

/// The rows of one library: bare, the same with the clock alone, recorded, switched off; of the mutex also
/// without a scope.
macro_rules! rows {
    ($here:ident, $library:literal, $bare:ident, $wrapped:ident) => {{
        let (free, kept) = ($bare::mutex(), $wrapped::mutex());
        let (free_lock, kept_lock) = ($bare::read_write_lock(), $wrapped::read_write_lock());
        let bare = move |n| repeat(|| $bare::add(free), n);
        let lock = move |n| repeat(|| $wrapped::add(kept), n);
        let read = move |n| repeat(|| $wrapped::read(kept_lock), n);
        let write = move |n| repeat(|| $wrapped::write(kept_lock), n);
        let name = |rest: &str| format!("{}::{rest}", $library);
        vec![
            $here.task(&name("Mutex/uncontended/bare"), bare),
            $here.task(&name("Mutex/uncontended/clocked"), move |n| {
                repeat(|| clocked(|| $bare::add(free)), n)
            }),
            $here.scoped(&name("Mutex/uncontended/full"), lock),
            $here.scoped(&name("Mutex/uncontended/off"), lock).switched_off(),
            $here.task(&name("Mutex/uncontended-task/bare"), bare),
            $here.task(&name("Mutex/uncontended-task/full"), lock),
            $here.taskless(&name("Mutex/uncontended-unscoped/bare"), bare),
            $here.taskless(&name("Mutex/uncontended-unscoped/full"), lock),
            $here.task(&name("RwLock/uncontended-read/bare"), move |n| {
                repeat(|| $bare::read(free_lock), n)
            }),
            $here.task(&name("RwLock/uncontended-read/clocked"), move |n| {
                repeat(|| clocked(|| $bare::read(free_lock)), n)
            }),
            $here.scoped(&name("RwLock/uncontended-read/full"), read),
            $here.scoped(&name("RwLock/uncontended-read/off"), read).switched_off(),
            $here.task(&name("RwLock/uncontended-write/bare"), move |n| {
                repeat(|| $bare::write(free_lock), n)
            }),
            $here.task(&name("RwLock/uncontended-write/clocked"), move |n| {
                repeat(|| clocked(|| $bare::write(free_lock)), n)
            }),
            $here.scoped(&name("RwLock/uncontended-write/full"), write),
            $here.scoped(&name("RwLock/uncontended-write/off"), write).switched_off(),
        ]
    }};
}

/// The rows of two threads that want one lock for half of their time. Both libraries spin before they block,
/// so that most acquisitions wait, and few for the system to wake their thread.
macro_rules! contended {
    ($library:literal, $bare:ident, $wrapped:ident, $kept:expr, $work:ident) => {{
        let (free, kept) = ($bare::mutex(), threads::apart($kept));
        taking_turns(
            concat!($library, "::Mutex/contended-1us-apart-1us"),
            move |stop| $bare::sections(free, $work, stop),
            move |stop| {
                let sections = async { $wrapped::sections(kept, $work, stop) };
                threads::block_on(plock::scope("bench", sections))
            },
        )
    }};
}

/// The rows of two threads whose sections are as short as they get, with little in between.
macro_rules! hammered {
    ($library:literal, $bare:ident, $wrapped:ident, $kept:expr) => {{
        let work = Work { section: Spin::nanoseconds(22), between: Spin::nanoseconds(65) };
        let (free, kept) = ($bare::mutex(), threads::apart($kept));
        let bare = move || $bare::hold(free, work.section);
        let clocked = move |_: usize, stop: &AtomicBool| hammer(|| clocked(bare), work, stop);
        let bare = move |_: usize, stop: &AtomicBool| hammer(bare, work, stop);
        let recorded = move |_: usize, stop: &AtomicBool| {
            let hammer = async { hammer(|| $wrapped::hold(kept, work.section), work, stop) };
            threads::block_on(plock::scope("bench", hammer))
        };
        let name = |mode| format!("{}::Mutex/hammered/{mode}", $library);
        [
            Row::timed(&name("bare"), move |time| threads::two(time, &bare)),
            Row::timed(&name("clocked"), move |time| threads::two(time, &clocked)),
            Row::timed(&name("full"), move |time| threads::two(time, &recorded)),
            Row::timed(&name("off"), move |time| threads::two(time, &recorded)).switched_off(),
        ]
    }};
}

/// Of both libraries.
pub(crate) fn contended() -> Vec<Row> {
    use plock::parking_lot::{Mutex, Named};
    use plock::std::sync;

    let section = Spin::nanoseconds(1_000);
    let work = Work { section, between: section };
    let kept = || sync::Mutex::named(CONTENDED, 0);
    let mut rows = contended!("std", bare_std, wrapped_std, kept(), work);
    rows.extend(hammered!("std", bare_std, wrapped_std, kept()));
    let kept = || <Mutex<_> as Named>::named(CONTENDED, 0);
    rows.extend(contended!("parking_lot", bare_parking_lot, wrapped_parking_lot, kept(), work));
    rows.extend(hammered!("parking_lot", bare_parking_lot, wrapped_parking_lot, kept()));
    rows
}

/// Both libraries.
pub(crate) fn all(here: &Here) -> Vec<Row> {
    let mut rows = rows!(here, "std", bare_std, wrapped_std);
    rows.extend(rows!(here, "parking_lot", bare_parking_lot, wrapped_parking_lot));
    rows
}
