//! How cost grows: with threads, with locks, with classes. Numbers of threads beyond the processors
//! show what happens when they have to share.

use crate::harness::Row;
use crate::here::Here;
use crate::operations::{Spin, Work, bare, wrapped};
use crate::threads::{self, Contention};
use plock::tokio::sync::Mutex;
use std::cell::Cell;
use std::sync::atomic::AtomicBool;

const THREADS: [usize; 4] = [1, 2, 4, 8];
const LOCKS: [usize; 5] = [1, 16, 256, 4096, 65_536];
/// Up to nearly as many as are told apart.
const CLASSES: [usize; 4] = [1, 16, 256, 1000];

pub(crate) fn all() -> Vec<Row> {
    let here = Here::new();
    let mut rows = own_locks();
    rows.extend(one_lock());
    rows.extend(LOCKS.iter().flat_map(|count| one_class(&here, *count)));
    rows.extend(CLASSES.iter().flat_map(|count| own_classes(&here, *count)));
    rows
}

/// A lock per thread, all of one class.
fn own_locks() -> Vec<Row> {
    let (free, kept) = (bare::mutexes::<8>(), wrapped::mutexes::<8>());
    let alone = move |thread: usize, stop: &AtomicBool| {
        threads::block_on(bare::lock_until(free[thread], stop))
    };
    let recorded = move |thread: usize, stop: &AtomicBool| {
        threads::block_on(plock::scope("bench", wrapped::lock_until(kept[thread], stop)))
    };
    let rows = THREADS.iter().flat_map(|count| {
        let name = |mode| format!("growth/threads/own-locks/{count}/{mode}");
        [
            Row::timed(&name("bare"), move |time| threads::on_each(*count, time, &alone)),
            Row::timed(&name("full"), move |time| threads::on_each(*count, time, &recorded)),
        ]
    });
    rows.collect()
}

/// One lock for all threads, held for a microsecond each time and never without a queue.
fn one_lock() -> Vec<Row> {
    let work = Work { section: Spin::nanoseconds(1_000), between: Spin::NONE };
    let rows = THREADS.iter().flat_map(|count| {
        let ([free], [kept]) = (bare::mutexes(), wrapped::mutexes());
        let bare =
            Contention::on(
                *count,
                move |stop| async move { bare::hammer(free, work, &stop).await },
            );
        let full = Contention::on(*count, move |stop| {
            plock::scope("bench", async move { wrapped::hammer(kept, work, &stop).await })
        });
        let name = |mode| format!("growth/threads/one-lock/{count}/{mode}");
        [
            Row::timed(&name("bare"), move |time| bare.run(time)),
            Row::timed(&name("full"), move |time| full.run(time)),
        ]
    });
    rows.collect()
}

/// Locks of one class in turn, on one thread.
fn one_class(here: &Here, count: usize) -> [Row; 2] {
    in_turn(here, &format!("growth/locks/one-class/{count}"), count, wrapped::table(count))
}

/// Locks of a class each in turn, on one thread.
fn own_classes(here: &Here, count: usize) -> [Row; 2] {
    let names = (0..count).map(|number| &*format!("bench_growth_{number}").leak());
    let locks: Vec<Mutex<u64>> = names.map(|name| Mutex::named(name, 0)).collect();
    in_turn(here, &format!("growth/locks/own-class/{count}"), count, locks.leak())
}

fn in_turn(here: &Here, name: &str, count: usize, kept: &'static [Mutex<u64>]) -> [Row; 2] {
    let free = bare::table(count);
    let (next, next_kept) = (Cell::new(0), Cell::new(0));
    let advance = |next: &Cell<usize>, by: u64| {
        next.replace(next.get() + usize::try_from(by).expect("locks in one batch"))
    };
    [
        here.task(&format!("{name}/bare"), move |n| bare::lock_in_turn(free, advance(&next, n), n)),
        here.scoped(&format!("{name}/full"), move |n| {
            wrapped::lock_in_turn(kept, advance(&next_kept, n), n)
        }),
    ]
}
