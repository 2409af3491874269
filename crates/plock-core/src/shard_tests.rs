use super::*;
use crate::thread as own;
use std::thread;

/// Threads that come one after another use one table, with the totals of all before them.
#[test]
fn a_thread_goes_on_with_the_table_of_one_that_ended() {
    let series = 7;
    let total = || {
        let mut total = 0;
        tables()
            .iter()
            .filter_map(|table| table.get(series))
            .for_each(|shard| total += shard.hold_sum.get());
        total
    };
    let count = || ALL.lock().unwrap().len();
    let (before, tables_before) = (total(), count());
    for _ in 0..200 {
        let record = move || {
            with(own::state(), series, |shard| shard.held(5));
        };
        thread::spawn(record).join().unwrap();
    }
    assert_eq!(total() - before, 1_000);
    // Other tests run at the same time, but nowhere near two hundred of them.
    assert!(
        count() - tables_before < 50,
        "{} tables for one thread at a time",
        count() - tables_before
    );
}

/// Two threads at once never write to one table.
#[test]
fn threads_at_the_same_time_have_tables_of_their_own() {
    let series = 8;
    let start = std::sync::Barrier::new(4);
    let table = || {
        with(own::state(), series, |shard| shard.would_block.add(1));
        start.wait();
        std::ptr::from_ref(own::state().table()).addr()
    };
    let mut used: Vec<usize> = thread::scope(|threads| {
        let all: Vec<_> = (0..4).map(|_| threads.spawn(table)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), 4);
}
