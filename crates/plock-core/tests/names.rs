//! Names at and beyond their limits. One process for itself: the tests fill the registries.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use plock_core::{
    Dropped, Hold, Kind, Lock, LockSeries, MAX_LABELS, MAX_NAME, MAX_SERIES, Mode, NoTasks,
    OVERFLOW, Outcome, Scope, ScopeName, Share, Snapshot, Start, snapshot,
};
use std::future::ready;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The registries are one per process and only ever fill up, so the tests run in a fixed order.
#[test]
fn names_within_and_beyond_the_limits() {
    an_overlong_name_is_cut_at_a_character_and_counted();
    an_empty_name_is_replaced_and_counted();
    one_name_for_two_kinds_is_two_series_and_counted();
    locks_of_one_name_share_their_figures();
    unnamed_locks_are_named_by_module_and_type();
    beyond_the_cap_nothing_is_lost();
    beyond_the_cap_scopes_still_count();
}

fn named(kind: Kind, name: &str) -> Lock {
    Lock::named(kind, Box::leak(name.to_owned().into_boxed_str())).registered()
}

/// One acquisition, released at once.
fn use_once(lock: &Lock, share: Share) {
    let mut hold: Hold = lock.acquired::<NoTasks>(Start::now(), share, Location::caller());
    assert!(hold.is_recorded());
    hold.release::<NoTasks>(lock, share, |_| {});
}

fn run_scope(name: &str) -> &'static str {
    let name = ScopeName::new(name);
    let mut scope = Scope::root(name);
    let cx = Context::from_waker(Waker::noop());
    assert_eq!(scope.poll::<NoTasks, _>(pin!(ready(1)), &cx), Poll::Ready(1));
    scope.end::<NoTasks>(true, || {});
    name.as_str()
}

fn acquired(snapshot: &Snapshot, name: &str, mode: Mode) -> u64 {
    snapshot.lock(name, mode).map_or(0, |lock| lock.outcome(Outcome::Acquired))
}

fn losses(reason: Dropped, f: impl FnOnce()) -> u64 {
    let before = snapshot(false).dropped(reason);
    f();
    snapshot(false).dropped(reason) - before
}

fn an_overlong_name_is_cut_at_a_character_and_counted() {
    let exact = "x".repeat(MAX_NAME);
    assert_eq!(
        losses(Dropped::NameLength, || use_once(&named(Kind::Mutex, &exact), Share::EXCLUSIVE)),
        0
    );
    let long = format!("{exact}yz");
    assert_eq!(
        losses(Dropped::NameLength, || use_once(&named(Kind::Mutex, &long), Share::EXCLUSIVE)),
        1
    );
    assert_eq!(acquired(&snapshot(false), &exact, Mode::Exclusive), 2, "both under the cut name");

    // 63 bytes and a character of 3: the cut must not split it.
    let wide = format!("{}€", "é".repeat(31) + "a");
    assert_eq!(wide.len(), 66);
    assert_eq!(
        losses(Dropped::NameLength, || use_once(&named(Kind::Mutex, &wide), Share::EXCLUSIVE)),
        1
    );
    assert_eq!(acquired(&snapshot(false), &("é".repeat(31) + "a"), Mode::Exclusive), 1);

    // A scope name is cut in two places and still counted once.
    assert_eq!(losses(Dropped::NameLength, || assert_eq!(run_scope(&long), exact)), 1);
    assert_eq!(snapshot(false).scope(&exact).map(|scope| scope.finished), Some(1));
}

fn an_empty_name_is_replaced_and_counted() {
    assert_eq!(
        losses(Dropped::NameEmpty, || use_once(&named(Kind::Mutex, ""), Share::EXCLUSIVE)),
        1
    );
    assert_eq!(acquired(&snapshot(false), "plock_core::names", Mode::Exclusive), 1);
    assert_eq!(losses(Dropped::NameEmpty, || assert_eq!(run_scope(""), "unnamed")), 1);
    assert_eq!(snapshot(false).scope("unnamed").map(|scope| scope.started), Some(1));
}

fn one_name_for_two_kinds_is_two_series_and_counted() {
    use_once(&named(Kind::Mutex, "twice"), Share::EXCLUSIVE);
    let conflicts = losses(Dropped::NameConflict, || {
        let lock = named(Kind::Rwlock, "twice");
        use_once(&lock, Share::SHARED);
        use_once(&lock, Share::EXCLUSIVE);
    });
    assert_eq!(conflicts, 1);
    let snapshot = snapshot(false);
    let mut twice: Vec<&LockSeries> =
        snapshot.locks.iter().filter(|lock| lock.name == "twice").collect();
    twice.sort_by_key(|lock| (lock.kind, lock.mode));
    let counts: Vec<_> =
        twice.iter().map(|lock| (lock.kind, lock.mode, lock.outcome(Outcome::Acquired))).collect();
    let expected = [
        (Kind::Mutex, Mode::Exclusive, 1),
        (Kind::Rwlock, Mode::Exclusive, 1),
        (Kind::Rwlock, Mode::Shared, 1),
    ];
    assert_eq!(counts, expected);
}

fn locks_of_one_name_share_their_figures() {
    let locks = [named(Kind::Semaphore, "pool"), named(Kind::Semaphore, "pool")];
    for lock in &locks {
        use_once(lock, Share::permits(2));
    }
    assert_eq!(acquired(&snapshot(false), "pool", Mode::Permit), 2);
}

fn unnamed_locks_are_named_by_module_and_type() {
    let lock = Lock::new(Kind::Mutex, std::any::type_name::<Vec<u8>>);
    use_once(&lock, Share::EXCLUSIVE);
    assert_eq!(acquired(&snapshot(false), "plock_core::names::Vec", Mode::Exclusive), 1);
}

/// 100,000 distinct names: those under the cap by name, the rest under one, none lost.
fn beyond_the_cap_nothing_is_lost() {
    const NAMES: u64 = 100_000;
    let before = snapshot(false);
    let all = |snapshot: &Snapshot| -> u64 {
        snapshot.locks.iter().map(|lock| lock.outcome(Outcome::Acquired)).sum()
    };
    for number in 0..NAMES {
        use_once(&named(Kind::Mutex, &format!("lock-{number}")), Share::EXCLUSIVE);
    }
    let after = snapshot(false);
    assert_eq!(all(&after) - all(&before), NAMES);
    let own = after.locks.iter().filter(|lock| lock.name.starts_with("lock-")).count() as u64;
    assert!(own > 500 && own < MAX_SERIES as u64, "{own} under their own name");
    assert!(after.locks.len() + after.scopes.len() <= MAX_SERIES);
    assert_eq!(acquired(&after, OVERFLOW, Mode::Exclusive), NAMES - own);
    assert_eq!(after.dropped(Dropped::Classes) - before.dropped(Dropped::Classes), NAMES - own);
    assert_eq!(acquired(&after, "lock-0", Mode::Exclusive), 1);

    // Every kind and mode has its own overflow series; the known names go on.
    use_once(&named(Kind::Rwlock, "one more"), Share::SHARED);
    use_once(&named(Kind::Semaphore, "one more"), Share::permits(1));
    use_once(&named(Kind::Mutex, "lock-0"), Share::EXCLUSIVE);
    let last = snapshot(false);
    assert_eq!(acquired(&last, OVERFLOW, Mode::Shared), 1);
    assert_eq!(acquired(&last, OVERFLOW, Mode::Permit), 1);
    assert_eq!(acquired(&last, "lock-0", Mode::Exclusive), 2);
}

fn beyond_the_cap_scopes_still_count() {
    const NAMES: u64 = 100_000;
    let before = snapshot(false);
    let overflow = |snapshot: &Snapshot| snapshot.scope(OVERFLOW).map_or(0, |scope| scope.finished);
    let mut labels = std::collections::HashSet::new();
    for number in 0..NAMES {
        labels.insert(run_scope(&format!("scope-{number}")));
    }
    let after = snapshot(false);
    assert_eq!(overflow(&after) - overflow(&before), NAMES, "the series were all taken by locks");
    assert!(labels.len() <= MAX_LABELS && labels.contains(OVERFLOW), "{} labels", labels.len());
    let folded = after.dropped(Dropped::Names) - before.dropped(Dropped::Names);
    assert_eq!(folded, NAMES - (labels.len() as u64 - 1));
    let series = after.scope(OVERFLOW).unwrap();
    assert_eq!((series.started, series.cancelled, series.panicked), (series.finished, 0, 0));
    assert_eq!(series.poll.count(), series.finished, "one poll each");
}
