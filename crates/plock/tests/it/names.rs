//! What locks are called in the figures.

use plock::std::sync::{LazyLock, Once, OnceLock};
use plock::tokio::sync::{Mutex, RwLock, Semaphore};
use plock::{Kind, Mode, Outcome};

fn acquired(name: &str, mode: Mode) -> Option<u64> {
    plock::snapshot().lock(name, mode).map(|lock| lock.outcome(Outcome::Acquired))
}

#[test]
fn a_named_lock_is_there_before_its_first_use() {
    let _locks = (
        Mutex::named("named_mutex", 1),
        RwLock::named("named_rwlock", 1),
        Semaphore::named("named_semaphore", 1),
    );
    assert_eq!(acquired("named_mutex", Mode::Exclusive), Some(0));
    assert_eq!(acquired("named_rwlock", Mode::Exclusive), Some(0));
    assert_eq!(acquired("named_rwlock", Mode::Shared), Some(0));
    assert_eq!(acquired("named_semaphore", Mode::Permit), Some(0));
}

#[test]
fn named_statics_are_there_from_their_first_use() {
    static MUTEX: Mutex<u8> = Mutex::const_named("static_mutex", 1);
    static RWLOCK: RwLock<u8> = plock::const_named!(RwLock, "static_rwlock", 2);
    static SEMAPHORE: Semaphore = plock::const_named!(Semaphore, "static_semaphore", 3);
    assert_eq!(acquired("static_mutex", Mode::Exclusive), None);
    let read = (*MUTEX.try_lock().unwrap(), *RWLOCK.try_read().unwrap());
    assert_eq!((read, SEMAPHORE.try_acquire_many(3).unwrap().num_permits()), ((1, 2), 3));
    assert_eq!(acquired("static_mutex", Mode::Exclusive), Some(1));
    assert_eq!(acquired("static_rwlock", Mode::Shared), Some(1));
    assert_eq!(acquired("static_semaphore", Mode::Permit), Some(1));
}

#[test]
fn statics_of_std_are_named_by_the_macro() {
    use plock::std::sync;
    static MUTEX: sync::Mutex<u8> = plock::const_named!(std::Mutex, "macro_std_mutex", 1);
    static RWLOCK: sync::RwLock<u8> = plock::const_named!(std::RwLock, "macro_std_rwlock", 2);
    static CELL: OnceLock<u8> = plock::const_named!(std::OnceLock, "macro_std_cell");
    static LAZY: LazyLock<u8> = plock::const_named!(std::LazyLock, "macro_std_lazy", || 4);
    static NAMES: [&str; 4] =
        ["macro_std_mutex", "macro_std_rwlock", "macro_std_cell", "macro_std_lazy"];
    let count = || NAMES.map(|name| acquired(name, Mode::Exclusive));
    assert_eq!(count(), [None; 4]);
    let sum = *MUTEX.lock().unwrap() + *RWLOCK.write().unwrap() + CELL.get_or_init(|| 3) + *LAZY;
    assert_eq!((sum, count()), (10, [Some(1); 4]));
}

#[cfg(feature = "parking_lot")]
#[test]
fn statics_of_parking_lot_are_named_by_the_macro() {
    use plock::parking_lot::{FairMutex, Mutex, RecursiveRwLock, ReentrantMutex, RwLock};
    static MUTEX: Mutex<u8> = plock::const_named!(parking_lot::Mutex, "macro_pl_mutex", 1);
    static FAIR: FairMutex<u8> = plock::const_named!(parking_lot::FairMutex, "macro_pl_fair", 2);
    static AGAIN: ReentrantMutex<u8> =
        plock::const_named!(parking_lot::ReentrantMutex, "macro_pl_again", 3);
    static RWLOCK: RwLock<u8> = plock::const_named!(parking_lot::RwLock, "macro_pl_rwlock", 4);
    static RECURSIVE: RecursiveRwLock<u8> =
        plock::const_named!(parking_lot::RecursiveRwLock, "macro_pl_recursive", 5);
    static NAMES: [&str; 5] = [
        "macro_pl_mutex",
        "macro_pl_fair",
        "macro_pl_again",
        "macro_pl_rwlock",
        "macro_pl_recursive",
    ];
    let count = || NAMES.map(|name| acquired(name, Mode::Exclusive));
    assert_eq!(count(), [None; 5]);
    let one = *MUTEX.lock() + *FAIR.lock() + *AGAIN.lock();
    assert_eq!(one + *RWLOCK.write() + *RECURSIVE.write(), 15);
    assert_eq!(count(), [Some(1); 5]);
}

#[test]
fn what_is_made_once_is_named_as_locks_are() {
    static ONCE: Once = Once::const_named("static_once");
    static CELL: OnceLock<u8> = OnceLock::const_named("static_cell");
    static LAZY: LazyLock<u8> = LazyLock::const_named("static_lazy", || 1);
    static NAMES: [&str; 3] = ["static_once", "static_cell", "static_lazy"];
    let acquired = || NAMES.map(|name| acquired(name, Mode::Exclusive));
    assert_eq!(acquired(), [None; 3]);
    ONCE.call_once(|| assert_eq!(CELL.get_or_init(|| *LAZY), &1));
    assert_eq!(acquired(), [Some(1); 3]);

    struct Menu;
    struct Dish;
    Once::new().call_once(|| {});
    OnceLock::new().get_or_init(|| Menu);
    LazyLock::force(&LazyLock::new(|| Dish));
    let snapshot = plock::snapshot();
    let of_kind = snapshot.locks.iter().filter(|lock| lock.kind == Kind::OnceCell);
    let names: Vec<&str> = of_kind.map(|lock| &*lock.name).collect();
    for end in ["::Once", "::Menu", "::Dish"] {
        let called = |name: &&str| name.contains("names") && name.ends_with(end);
        assert!(names.iter().any(called), "{end}: {names:?}");
    }
}

#[test]
fn locks_of_one_name_share_their_figures() {
    let locks = [Mutex::named("shared_name", 1), Mutex::named("shared_name", 2)];
    for lock in &locks {
        drop(lock.try_lock().unwrap());
    }
    assert_eq!(acquired("shared_name", Mode::Exclusive), Some(2));
}

#[test]
fn a_lock_without_a_name_is_called_by_place_and_type() {
    struct Basket;
    let (mutex, rwlock, semaphore) =
        (Mutex::new(Basket), RwLock::from(vec![Basket]), Semaphore::new(1));
    drop((
        mutex.try_lock().unwrap(),
        rwlock.try_write().unwrap(),
        semaphore.try_acquire().unwrap(),
    ));
    let snapshot = plock::snapshot();
    let called = |kind, end| {
        let mut of_kind = snapshot.locks.iter().filter(|lock| lock.kind == kind);
        of_kind.any(|lock| lock.name.contains("names") && lock.name.ends_with(end))
    };
    assert!(called(Kind::Mutex, "::Basket"));
    assert!(called(Kind::Rwlock, "::Vec"));
    assert!(called(Kind::Semaphore, "::Semaphore"));
}

#[test]
fn sites_are_the_callers() {
    let mutex = Mutex::named("called_here", ());
    let line = line!() + 1;
    let guard = mutex.try_lock().unwrap();
    let snapshot = plock::snapshot();
    let lock = snapshot.lock("called_here", Mode::Exclusive).unwrap();
    assert!(lock.declared.contains(&format!("names.rs:{}", line - 2)), "{}", lock.declared);
    let open = lock.oldest_hold.as_ref().unwrap();
    assert!(open.site.contains(&format!("names.rs:{line}")), "{}", open.site);
    drop(guard);
}
