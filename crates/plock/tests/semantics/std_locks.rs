//! `plock::std::sync`, by hand: guards across awaits, owners and depth beside those of tokio's locks,
//! poisoning.

use super::figures::{depths, exclusive, figures};
use super::hand::{Actor, Desk, manual, step};
use super::observer::told;
use super::threads::findings;
use plock::std::sync::{Condvar, Mutex, RwLock, RwLockWriteGuard};
use plock::{Dropped, FindingKind, Mode, Outcome, inspect};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

#[test]
fn std_guard_across_await() {
    let _world = manual();
    let (lock, other) = (Mutex::named("stranded", ()), Mutex::new(()));
    let mut careless = Actor::new("stranded careless", async {
        let line = line!() + 1;
        let guard = lock.lock().unwrap();
        step().await;
        drop(other.lock().unwrap()); // has the guards looked through again
        step().await;
        drop(guard);
        step().await;
        let found = findings("stranded");
        assert_eq!((found.len(), found[0].count), (1, 1), "once for each guard: {found:?}");
        assert_eq!(
            (found[0].kind, &*found[0].owner),
            (FindingKind::AcrossAwait, "stranded careless")
        );
        assert!(found[0].site.contains(&format!("std_locks.rs:{line}:")), "{found:?}");
    });
    while !careless.poll() {}

    let lock = RwLock::named("scoped", ());
    let mut careful = Actor::new("scoped careful", async {
        drop(lock.write().unwrap());
        step().await;
        drop((lock.read().unwrap(), lock.read().unwrap()));
        step().await;
    });
    while !careful.poll() {}
    assert_eq!(findings("scoped"), [], "released before the await");

    let lock = Mutex::named("around", ());
    let _around = lock.lock().unwrap();
    let mut inner = Actor::new("around inner", step());
    while !inner.poll() {}
    assert_eq!(findings("around"), [], "the thread's own, around the scope");
}

#[test]
fn a_guard_is_found_in_whatever_scope_it_ends_up() {
    let _world = manual();
    let lock = RwLock::named("stranded deep", 1);
    let mut parent = Actor::new("stranded parent", async {
        // Ready before it waits: its guard goes to the parent, which waits.
        let guard = plock::scope("stranded child", async { lock.write().unwrap() }).await;
        let guard = RwLockWriteGuard::downgrade(guard);
        plock::scope("stranded bystander", step()).await;
        assert_eq!(*guard, 1);
    });
    while !parent.poll() {}
    let found = findings("stranded deep");
    assert_eq!((found.len(), found[0].count), (1, 1), "{found:?}");
    assert_eq!(found[0].owner, "stranded parent");

    // More guards than an owner has slots.
    let lock = RwLock::named("stranded many", ());
    let mut many = Actor::new("stranded many", async {
        let guards: Vec<_> = (0..12).map(|_| lock.read().unwrap()).collect();
        step().await;
        step().await;
        drop(guards);
    });
    while !many.poll() {}
    assert_eq!(findings("stranded many")[0].count, 12);

    // The same once those that had a slot are released.
    let lock = RwLock::named("stranded spilled", ());
    let mut spilled = Actor::new("stranded spilled", async {
        let mut guards: Vec<_> = (0..12).map(|_| lock.read().unwrap()).collect();
        guards.drain(..9);
        step().await;
        drop(guards);
    });
    while !spilled.poll() {}
    assert_eq!(findings("stranded spilled")[0].count, 3);
}

#[test]
fn guards_of_both_kinds_nest_in_each_other() {
    let _world = manual();
    let outer = plock::tokio::sync::Mutex::named("kinds outer", ());
    let middle = plock::tokio::sync::Mutex::named("kinds middle", ());
    let inner = Mutex::named("kinds inner", ());
    let mut nested = Actor::new("kinds nested", async {
        let _outer = outer.lock().await;
        plock::scope("kinds branch", async {
            let _middle = middle.lock().await;
            let _inner = inner.lock().unwrap();
            assert_eq!(inspect::scopes("kinds branch"), [2]);
        })
        .await;
        drop(inner.lock().unwrap());
    });
    assert!(nested.poll());
    assert_eq!(depths(&exclusive("kinds inner")), [2, 3]);
    assert_eq!(told("kinds branch").report.nesting_max, 3);

    // The other way round, and siblings that do not count for each other.
    let (a, b) = (Mutex::named("kinds a", ()), Mutex::named("kinds b", ()));
    let free = plock::tokio::sync::Mutex::named("kinds free", ());
    let desk = Desk::new();
    let mut siblings = Actor::new("kinds siblings", async {
        let _a = a.lock().unwrap();
        let left = plock::scope("kinds left", async {
            drop(free.lock().await);
            desk.put(b.lock().unwrap());
            step().await;
            drop(desk.take());
        });
        let right = plock::scope("kinds right", async { drop(free.lock().await) });
        futures_util::join!(left, right);
    });
    while !siblings.poll() {}
    assert_eq!(depths(&exclusive("kinds free")), [2, 2]);
    assert_eq!(depths(&exclusive("kinds b")), [2]);
}

#[test]
fn a_thread_has_its_guards_apart_from_the_scopes_it_polls() {
    let _world = manual();
    let (around, within) = (Mutex::named("apart around", ()), Mutex::named("apart within", ()));
    let around = around.lock().unwrap();
    let mut scope = Actor::new("apart scope", async { drop(within.lock().unwrap()) });
    assert!(scope.poll());
    drop(within.lock().unwrap());
    drop(around);
    assert_eq!(depths(&exclusive("apart within")), [1, 2]);
}

#[test]
fn panic_paths_of_std_locks() {
    let _world = manual();
    let lock = Mutex::named("poisoned", 1);
    let mut line = 0;
    let mut panics = Actor::new("poisoned panics", async {
        line = line!() + 1;
        let _guard = lock.lock().unwrap();
        panic!("on purpose");
    });
    catch_unwind(AssertUnwindSafe(|| panics.poll())).expect_err("panics");
    drop(panics);
    let found = findings("poisoned");
    assert_eq!((found.len(), found[0].count), (1, 1), "{found:?}");
    assert_eq!((found[0].kind, &*found[0].owner), (FindingKind::Poisoned, "poisoned panics"));
    assert!(found[0].site.contains(&format!("std_locks.rs:{line}:")), "{found:?}");
    assert_eq!(exclusive("poisoned").outcome(Outcome::Poisoned), 0, "nobody has seen it yet");

    assert!(lock.is_poisoned());
    let poisoned = lock.lock().unwrap_err();
    assert_eq!(**poisoned.get_ref(), 1);
    drop(poisoned);
    assert_eq!(**lock.try_lock().unwrap_err().into_guard(), 1);
    let seen = exclusive("poisoned");
    assert_eq!((seen.outcome(Outcome::Poisoned), seen.outcome(Outcome::Acquired)), (2, 3));
    assert_eq!((seen.holders, seen.hold.count()), (0, 3));
    lock.clear_poison();
    drop(lock.lock().unwrap());
    assert_eq!(exclusive("poisoned").outcome(Outcome::Poisoned), 2);

    // A guard that was acquired by a drop during a panic poisons nothing; nor does a reader.
    struct Locks<'a>(&'a RwLock<()>);
    impl Drop for Locks<'_> {
        fn drop(&mut self) {
            drop(self.0.write().unwrap());
        }
    }
    let lock = RwLock::named("not poisoned", ());
    let panics = || {
        let _locks = Locks(&lock);
        let _reader = lock.read().unwrap();
        panic!("on purpose");
    };
    catch_unwind(AssertUnwindSafe(panics)).expect_err("panics");
    assert!(!lock.is_poisoned());
    assert_eq!(findings("not poisoned"), []);
    assert_eq!(figures("not poisoned", Mode::Exclusive).hold.count(), 1);
}

/// What is in the error of an attempt.
trait IntoGuard<G> {
    fn into_guard(self) -> Box<G>;
}

impl<G> IntoGuard<G> for std::sync::TryLockError<G> {
    fn into_guard(self) -> Box<G> {
        match self {
            Self::Poisoned(poisoned) => Box::new(poisoned.into_inner()),
            Self::WouldBlock => unreachable!("it is free"),
        }
    }
}

#[test]
fn a_downgrade_of_a_thread_goes_on_as_a_reader() {
    let _world = manual();
    let lock = RwLock::named("std downgraded", 1);
    plock::manual::set(10);
    let writer = lock.write().unwrap();
    let id = inspect::holds("std downgraded")[0].id;
    plock::manual::set(30);
    let reader = RwLockWriteGuard::downgrade(writer);
    let held = inspect::holds("std downgraded");
    assert_eq!((held[0].id, held[0].mode, held[0].weight), (id, Mode::Shared, 1));
    plock::manual::set(35);
    assert!(lock.try_write().is_err() && lock.try_read().is_ok());
    drop(reader);
    assert!(lock.try_write().is_ok());
    let (write, read) = (exclusive("std downgraded"), figures("std downgraded", Mode::Shared));
    assert_eq!((write.hold.sum_ns(), read.hold.sum_ns()), (20, 5));
    assert_eq!((write.outcome(Outcome::WouldBlock), read.holders, write.holders), (1, 0, 0));
}

#[test]
fn waiting_for_a_condition_is_neither_hold_nor_wait() {
    let _world = manual();
    let (lock, condvar) = (Mutex::named("condition", 0), Condvar::new());
    plock::manual::set(10);
    let guard = lock.lock().unwrap();
    plock::manual::set(15);
    let (guard, result) = condvar.wait_timeout(guard, Duration::from_millis(1)).unwrap();
    assert!(result.timed_out());
    plock::manual::set(22);
    drop(guard);
    let seen = exclusive("condition");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns(), seen.hold.max_ns()), (2, 12, 7));
    assert_eq!((seen.outcome(Outcome::Acquired), seen.contentions(), seen.holders), (2, 0, 0));

    // A condition that is met already lets go of nothing; one that is never met, until time is over.
    let guard = lock.lock().unwrap();
    let (guard, result) =
        condvar.wait_timeout_while(guard, Duration::from_secs(60), |value| *value == 1).unwrap();
    assert!(!result.timed_out());
    assert_eq!(exclusive("condition").outcome(Outcome::Acquired), 3);
    let (guard, result) =
        condvar.wait_timeout_while(guard, Duration::from_millis(1), |value| *value == 0).unwrap();
    assert!(result.timed_out());
    drop(guard);
    let seen = exclusive("condition");
    assert_eq!(
        (seen.hold.count(), seen.hold.sum_ns(), seen.holders),
        (seen.outcome(Outcome::Acquired), 12, 0)
    );
    assert_eq!(plock::snapshot().dropped(Dropped::Findings), 0);
}
