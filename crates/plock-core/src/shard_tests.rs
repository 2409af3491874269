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

/// A collection looks at what is rare where that can add something, and nowhere else.
#[test]
fn notable_holds_are_read_if_longer_than_known_or_exemplars() {
    let shard = Shard::new();
    assert!(shard.notable_beyond(0).is_none(), "nothing has been held");
    assert!(shard.held(50));
    assert!(shard.notable_beyond(49).is_some());
    assert!(shard.notable_beyond(50).is_none());

    let long = EXEMPLAR_FLOOR_NS + 1;
    let mut notable = shard.notable();
    notable.hold_exemplar = Some(Exemplar { ns: 50, ..Exemplar::default() });
    shard.set_exemplar_floor(&mut notable, 50);
    drop(notable);
    assert!(
        shard.notable_beyond(long).is_some(),
        "another's hold was longer, the exemplar is here"
    );

    let mut notable = shard.notable();
    notable.hold_exemplar = None;
    shard.set_exemplar_floor(&mut notable, long);
    drop(notable);
    assert!(shard.notable_beyond(long).is_some(), "its bar is still to be lowered");

    shard.reset_exemplar_floor(&mut shard.notable());
    assert!(shard.notable_beyond(long).is_none());
}

#[test]
#[cfg(target_pointer_width = "64")]
fn a_class_takes_little_more_than_a_kilobyte_of_each_thread() {
    assert!(size_of::<Shard>() <= 1152, "{}", size_of::<Shard>());
}
