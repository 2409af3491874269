//! `plock::parking_lot`, by hand: what its locks have beyond those of the standard library.

use super::figures::{depths, exclusive, figures};
use super::hand::{Actor, manual, step};
use super::observer::told;
use super::threads::findings;
use plock::parking_lot::{
    Condvar, FairMutex, FairMutexGuard, Mutex, MutexGuard, Named, RawMutex, RawRwLock,
    ReentrantMutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use plock::{EndCause, FindingKind, Kind, Mode, Outcome, inspect};
use std::sync::Arc;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(1);

#[test]
#[expect(clippy::mem_forget, reason = "a guard that is leaked")]
fn a_hold_goes_with_its_guard_wherever_that_is_mapped() {
    let _world = manual();
    let lock = Arc::new(Mutex::named("pl mapped", (1, 2)));
    plock::manual::set(10);
    let part = MutexGuard::map(lock.lock(), |pair| &mut pair.1);
    plock::manual::set(15);
    assert!(lock.try_lock().is_none());
    drop(part);
    plock::manual::set(20);
    let mut guard = lock.lock_arc();
    guard.0 += 1;
    plock::manual::set(27);
    drop(guard);
    let seen = exclusive("pl mapped");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns(), seen.holders), (2, 12, 0));
    assert_eq!(seen.outcome(Outcome::WouldBlock), 1);
    std::mem::forget(lock.lock());
    assert_eq!((lock.is_locked(), exclusive("pl mapped").holders), (true, 1));
}

#[test]
fn a_lock_without_a_name_is_named_by_whoever_uses_it_first() {
    static NAMED: RwLock<u8> = RwLock::from_raw(RawRwLock::named("pl static"), 1);
    let _world = manual();
    let lock = Mutex::new(1);
    drop(lock.lock());
    drop(NAMED.read());
    let snapshot = plock::snapshot();
    let seen = snapshot.lock("plock::semantics::parking_lots::Mutex", Mode::Exclusive).unwrap();
    assert!(seen.outcome(Outcome::Acquired) >= 1, "{}", seen.declared);
    assert!(seen.declared.contains("parking_lots.rs"), "{}", seen.declared);
    assert_eq!(figures("pl static", Mode::Shared).hold.count(), 1);
    assert_eq!(figures("pl static", Mode::Exclusive).kind, Kind::Rwlock);
}

#[test]
fn a_deadline_that_passes_is_a_timeout_and_blames_nobody() {
    let _world = manual();
    let (mutex, lock) = (Mutex::named("pl late", ()), RwLock::named("pl late too", ()));
    let (held, read) = (mutex.lock(), lock.read());
    let mut late = Actor::new("pl late waiter", async {
        assert!(mutex.try_lock_for(SHORT).is_none());
        assert!(mutex.try_lock_until(std::time::Instant::now() + SHORT).is_none());
        assert!(lock.try_write_for(SHORT).is_none());
        drop(lock.try_read_for(SHORT).unwrap());
    });
    assert!(late.at(10));
    drop((held, read));
    drop(mutex.try_lock_for(SHORT).unwrap());
    let (seen, write) = (exclusive("pl late"), exclusive("pl late too"));
    assert_eq!((seen.outcome(Outcome::Timeout), seen.outcome(Outcome::Acquired)), (2, 2));
    assert_eq!((write.outcome(Outcome::Timeout), write.waiters, seen.waiters), (1, 0, 0));
    assert_eq!(figures("pl late too", Mode::Shared).hold.count(), 2);
    let ends: Vec<_> = told("pl late waiter").waits().iter().map(|(_, wait)| wait.end).collect();
    assert_eq!(ends, [EndCause::Timeout; 3]);
    // The thread waited for itself, for a limited time.
    assert!(findings("pl late").iter().all(|it| it.kind == FindingKind::SelfDeadlock));
}

#[test]
fn an_upgrade_ends_the_shared_part_of_a_hold() {
    let _world = manual();
    let lock = RwLock::named("pl upgraded", 1);
    plock::manual::set(10);
    let upgradable = lock.upgradable_read();
    plock::manual::set(14);
    let writer = RwLockUpgradableReadGuard::upgrade(upgradable);
    assert_eq!(inspect::holds("pl upgraded").len(), 1);
    plock::manual::set(20);
    let upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
    let reader = lock.read();
    plock::manual::set(23);
    // Not alone: it stays what it is, at once or in a while.
    let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
    assert_eq!(exclusive("pl upgraded").outcome(Outcome::WouldBlock), 1);
    let upgradable = RwLockUpgradableReadGuard::try_upgrade_for(upgradable, SHORT).unwrap_err();
    assert_eq!(exclusive("pl upgraded").outcome(Outcome::Timeout), 1);
    plock::manual::set(25);
    drop(reader);
    let writer = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap();
    plock::manual::set(26);
    let reader = RwLockWriteGuard::downgrade(writer);
    plock::manual::set(30);
    drop(reader);
    let (write, read) = (exclusive("pl upgraded"), figures("pl upgraded", Mode::Shared));
    assert_eq!((write.hold.count(), write.hold.sum_ns()), (2, 6 + 1));
    // Upgradable 4 and 3, the reader 5, upgradable again 2, after the downgrade 4.
    assert_eq!((read.hold.count(), read.hold.sum_ns()), (5, 4 + 3 + 5 + 2 + 4));
    assert_eq!((write.holders, read.holders, inspect::holds("pl upgraded").len()), (0, 0, 0));
    assert!(lock.try_write().is_some());
}

#[test]
fn a_condition_ends_the_hold() {
    let _world = manual();
    let (lock, condvar) = (Mutex::named("pl condition", 0), Condvar::new());
    plock::manual::set(10);
    let mut guard = lock.lock();
    plock::manual::set(15);
    assert!(condvar.wait_for(&mut guard, SHORT).timed_out());
    plock::manual::set(22);
    drop(guard);
    let seen = exclusive("pl condition");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns(), seen.hold.max_ns()), (2, 12, 7));
    assert_eq!((seen.outcome(Outcome::Acquired), seen.contentions(), seen.holders), (2, 0, 0));
}

#[test]
fn the_lock_is_let_go_of_in_between() {
    let _world = manual();
    let lock = Mutex::named("pl unlocked", 0);
    plock::manual::set(10);
    let mut guard = lock.lock();
    plock::manual::set(13);
    MutexGuard::unlocked(&mut guard, || plock::manual::set(50));
    MutexGuard::bump(&mut guard); // nobody waits: nothing happens
    plock::manual::set(54);
    MutexGuard::unlock_fair(guard);
    let seen = exclusive("pl unlocked");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns()), (2, 3 + 4));

    let fair = FairMutex::named("pl fair", 0);
    drop(FairMutexGuard::map(fair.lock(), |value| value));
    assert_eq!(exclusive("pl fair").hold.count(), 1);
}

#[test]
fn a_reentrant_hold_is_that_of_the_outermost_guard() {
    let _world = manual();
    let lock = ReentrantMutex::named("pl reentrant", ());
    plock::manual::set(10);
    let outer = lock.lock();
    plock::manual::set(12);
    drop((lock.lock(), lock.try_lock().unwrap()));
    plock::manual::set(17);
    drop(outer);
    let seen = exclusive("pl reentrant");
    assert_eq!((seen.kind, seen.hold.count(), seen.hold.sum_ns()), (Kind::Reentrant, 1, 7));
    assert_eq!((seen.contentions(), findings("pl reentrant")), (0, vec![]));
}

#[test]
#[expect(clippy::await_holding_lock, reason = "the mistake that is found")]
fn guards_of_three_kinds_nest_and_none_may_cross_an_await() {
    let _world = manual();
    let outer = plock::tokio::sync::Mutex::named("pl outer", ());
    let middle = plock::std::sync::Mutex::named("pl middle", ());
    let inner = Mutex::from_raw(RawMutex::named("pl inner"), ());
    let mut nested = Actor::new("pl nested", async {
        let _outer = outer.lock().await;
        let middle = middle.lock().unwrap();
        let inner = inner.lock();
        drop(middle);
        step().await;
        drop(inner);
    });
    while !nested.poll() {}
    assert_eq!(depths(&exclusive("pl inner")), [3]);
    let found = findings("pl inner");
    assert_eq!((found.len(), found[0].kind, found[0].count), (1, FindingKind::AcrossAwait, 1));
    assert_eq!(findings("pl middle"), []);
}
