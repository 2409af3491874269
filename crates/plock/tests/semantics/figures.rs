//! Reads one lock's figures out of a snapshot.

use plock::{LockSeries, Mode};

/// The figures of a lock in one mode.
#[track_caller]
pub(crate) fn figures(name: &str, mode: Mode) -> LockSeries {
    plock::snapshot().lock(name, mode).cloned().expect("the lock is known")
}

/// The figures of a mutex or of the writers of a lock.
#[track_caller]
pub(crate) fn exclusive(name: &str) -> LockSeries {
    figures(name, Mode::Exclusive)
}

/// Who was charged for waits on this lock: waiter, holder, nanoseconds.
pub(crate) fn edges(lock: &str) -> Vec<(String, String, u64)> {
    let of = |edge: &plock::Edge| edge.lock == lock;
    plock::snapshot()
        .edges
        .into_iter()
        .filter(of)
        .map(|edge| (edge.waiter, edge.holder, edge.wait_ns))
        .collect()
}

/// The depths at which a lock was acquired, shallow ones first.
pub(crate) fn depths(lock: &LockSeries) -> Vec<u64> {
    let each = (1..)
        .zip(lock.depth)
        .flat_map(|(depth, count)| std::iter::repeat_n(depth, usize::try_from(count).unwrap()));
    each.collect()
}
