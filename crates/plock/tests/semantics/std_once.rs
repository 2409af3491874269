//! What is made once, by hand: holds, depth and poison of a single thread. Waits are in the tests on
//! real threads.

use super::figures::{depths, exclusive};
use super::hand::{Actor, manual, manual_alone};
use super::observer::told;
use super::threads::findings;
use plock::std::sync::{LazyLock, Mutex, Once, OnceLock};
use plock::{FindingKind, Kind, Mode, Outcome, inspect};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[track_caller]
fn panics<T>(body: impl FnOnce() -> T) {
    assert!(catch_unwind(AssertUnwindSafe(|| drop(body()))).is_err());
}

#[test]
fn making_it_is_a_hold_and_nests_what_is_locked_meanwhile() {
    let _world = manual();
    let (once, cell) = (Once::named("made first"), OnceLock::named("made second"));
    let lazy = LazyLock::named("made third", || {
        plock::manual::advance(30);
        3
    });
    let lock = Mutex::named("made around", ());
    let mut maker = Actor::new("made by", async {
        once.call_once(|| {
            plock::manual::advance(10);
            let made = cell.get_or_init(|| {
                plock::manual::advance(20);
                let open = &inspect::holds("made first")[0];
                assert_eq!(
                    (open.mode, open.weight, open.owner.scope),
                    (Mode::Exclusive, 1, Some("made by"))
                );
                drop(lock.lock().unwrap());
                2
            });
            assert_eq!(*made, 2);
        });
        let _around = lock.lock().unwrap();
        assert_eq!(*lazy, 3);
    });
    assert!(maker.at(0));
    drop(maker);
    for (name, held, depth) in
        [("made first", 30, 1), ("made second", 20, 2), ("made third", 30, 2)]
    {
        let seen = exclusive(name);
        assert_eq!((seen.kind, seen.hold.count(), seen.hold.sum_ns()), (Kind::OnceCell, 1, held));
        assert_eq!((seen.outcome(Outcome::Acquired), seen.contentions()), (1, 0), "{name}");
        assert_eq!((depths(&seen), seen.holders, seen.waiters), (vec![depth], 0, 0), "{name}");
    }
    assert_eq!(depths(&exclusive("made around")), [1, 3]);
    assert_eq!(told("made by").report.nesting_max, 3);
}

#[test]
fn what_is_there_is_not_recorded() {
    let _world = manual();
    let once = Once::named("done");
    let mut cell = OnceLock::named("kept");
    let mut lazy = LazyLock::named("used", || 5);
    once.call_once(|| {});
    assert_eq!((cell.set(1), *lazy), (Ok(()), 5));
    once.call_once(|| unreachable!("done"));
    once.call_once_force(|_| unreachable!("done"));
    once.wait();
    once.wait_force();
    assert_eq!(
        (cell.set(2), cell.get(), cell.wait(), *cell.get_or_init(|| 3)),
        (Err(2), Some(&1), &1, 1)
    );
    *lazy += 1;
    assert_eq!((LazyLock::force(&lazy), LazyLock::get(&lazy)), (&6, Some(&6)));
    let copy = cell.clone();
    assert_eq!(copy.get_or_init(|| 4), &1);
    for name in ["done", "kept", "used"] {
        assert_eq!(exclusive(name).outcome(Outcome::Acquired), 1, "{name}: whoever made it");
    }
    assert_eq!((cell.take(), cell.get()), (Some(1), None));
    assert_eq!(cell.get_or_init(|| 8), &8);
    assert_eq!(exclusive("kept").outcome(Outcome::Acquired), 2, "under the same name");
}

#[test]
fn a_panic_while_it_is_made_is_told_where_the_standard_library_remembers_it() {
    let _world = manual();
    let once = Once::named("once broken");
    panics(|| once.call_once(|| panic!("on purpose")));
    panics(|| once.call_once(|| {}));
    panics(|| once.wait());
    let seen = exclusive("once broken");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (1, 1));
    assert_eq!((seen.outcome(Outcome::Poisoned), seen.contentions(), seen.holders), (2, 0, 0));
    let found = findings("once broken");
    assert_eq!((found.len(), found[0].kind, found[0].count), (1, FindingKind::Poisoned, 1));
    once.call_once_force(|state| assert!(state.is_poisoned()));
    let seen = exclusive("once broken");
    assert_eq!((seen.outcome(Outcome::Acquired), seen.outcome(Outcome::Poisoned)), (2, 3));
    assert_eq!(findings("once broken").len(), 1);

    let mut lazy: LazyLock<u8> = LazyLock::named("lazy broken", || panic!("on purpose"));
    panics(|| LazyLock::force_mut(&mut lazy).to_owned());
    panics(|| *lazy);
    panics(|| LazyLock::force_mut(&mut lazy).to_owned());
    let seen = exclusive("lazy broken");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (1, 1));
    assert_eq!(findings("lazy broken")[0].count, 1);

    let cell = OnceLock::named("cell broken");
    panics(|| *cell.get_or_init(|| panic!("on purpose")));
    assert_eq!(cell.get_or_init(|| 1), &1);
    let seen = exclusive("cell broken");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (2, 2));
    assert_eq!((seen.outcome(Outcome::Poisoned), findings("cell broken").len()), (0, 0));
}

#[test]
fn switched_off_it_is_made_and_not_recorded() {
    let _alone = manual_alone();
    let (once, cell) = (Once::named("once off"), OnceLock::named("cell off"));
    plock::set_enabled(false);
    panics(|| once.call_once(|| panic!("on purpose")));
    panics(|| once.call_once(|| {}));
    once.call_once_force(|state| assert!(state.is_poisoned()));
    assert_eq!(cell.get_or_init(|| 1), &1);
    plock::set_enabled(true);
    assert!(once.is_completed());
    for name in ["once off", "cell off"] {
        let seen = exclusive(name);
        assert_eq!((seen.outcome(Outcome::Acquired), seen.outcome(Outcome::Poisoned)), (0, 0));
        assert_eq!((seen.hold.count(), findings(name).len()), (0, 0), "{name}");
    }
}
