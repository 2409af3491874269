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

#[test]
fn edges_beyond_the_cap_fold_into_one_and_keep_the_time() {
    let mut cold = Contention::default();
    let site = Location::caller();
    for number in 0..200_u64 {
        let waiter = Label::intern(&format!("edge {number}"));
        cold.charge(EdgeCell {
            cause: Cause::Holder,
            waiter,
            holder: Label::NOBODY,
            holder_site: Some(site),
            waits: 1,
            wait_ns: number,
        });
    }
    assert!(cold.edges.len() <= MAX_EDGES + 1, "{}", cold.edges.len());
    assert_eq!(cold.edges.iter().map(|edge| edge.wait_ns).sum::<u64>(), 199 * 100);
    assert_eq!(cold.edges.iter().map(|edge| edge.waits).sum::<u64>(), 200);
}

/// With many waiting at once a sum of waits passes the word in days.
#[test]
fn sums_that_pass_the_word_go_around() {
    let mut cold = Contention::default();
    for number in 0..MAX_EDGES + 2 {
        let waiter = Label::intern(&format!("around {number}"));
        for _ in 0..2 {
            cold.charge(EdgeCell {
                cause: Cause::Holder,
                waiter,
                holder: Label::NOBODY,
                holder_site: None,
                waits: 1,
                wait_ns: u64::MAX,
            });
        }
    }
    let (last, single) = cold.edges.split_last().unwrap();
    assert!(single.iter().all(|edge| (edge.waits, edge.wait_ns) == (2, u64::MAX - 1)));
    assert_eq!((last.waits, last.wait_ns), (4, u64::MAX - 3), "the overflow edge");
    cold.waited(Cause::Holder, u64::MAX);
    cold.waited(Cause::Holder, u64::MAX);
    let counts = cold.wait[Cause::Holder as usize].as_ref().unwrap();
    assert_eq!((counts.sum_ns, counts.max_ns), (u64::MAX - 1, u64::MAX));
}
