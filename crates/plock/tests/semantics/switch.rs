//! Recording switched on and off while locks are held and waited for.

use super::figures::figures;
use super::hand::{Actor, manual_alone};
use plock::tokio::sync::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit,
};
use plock::{Mode, Outcome, inspect, set_enabled};

/// Guards of all three kinds, by whoever runs here.
struct Guards<'a>(
    Option<MutexGuard<'a, ()>>,
    Option<RwLockReadGuard<'a, ()>>,
    Option<RwLockWriteGuard<'a, ()>>,
    Option<SemaphorePermit<'a>>,
);

#[test]
fn kill_switch() {
    let _world = manual_alone();
    let mutex = Mutex::named("switch mutex", ());
    let read = RwLock::named("switch read", ());
    let write = RwLock::named("switch write", ());
    let semaphore = Semaphore::named("switch semaphore", 3);
    let all = [
        ("switch mutex", Mode::Exclusive),
        ("switch read", Mode::Shared),
        ("switch write", Mode::Exclusive),
        ("switch semaphore", Mode::Permit),
    ];
    let gauges =
        || all.map(|(name, mode)| (figures(name, mode).holders, figures(name, mode).waiters));
    let acquire = || {
        Guards(
            mutex.try_lock().ok(),
            read.try_read().ok(),
            write.try_write().ok(),
            semaphore.try_acquire().ok(),
        )
    };
    // By a thread and by a scope.
    for scoped in [false, true] {
        for on_first in [true, false] {
            let work = async {
                set_enabled(on_first);
                let Guards(Some(a), Some(b), Some(c), Some(d)) = acquire() else {
                    panic!("all are free")
                };
                let live = u64::from(on_first);
                assert_eq!(gauges(), [(live, 0); 4]);
                set_enabled(!on_first);
                drop((a, b, c, d));
                assert_eq!(gauges(), [(0, 0); 4]);
            };
            set_enabled(true);
            let mut actor = if scoped { Actor::new("switch", work) } else { Actor::unscoped(work) };
            assert!(actor.poll());
            set_enabled(true);
            assert!(all.iter().all(|(name, _)| inspect::holds(name).is_empty()));
        }
    }
    let acquired = |(name, mode)| figures(name, mode).outcome(Outcome::Acquired);
    assert_eq!(all.map(acquired), [2; 4], "what began while it was on, and nothing else");

    // Attempts that wait across the switch, both ways, claimed and abandoned.
    for on_first in [true, false] {
        set_enabled(on_first);
        let guard = mutex.try_lock().unwrap();
        let mut claims = Actor::unscoped(async { drop(mutex.lock().await) });
        let mut abandons = Actor::unscoped(async { drop(mutex.lock().await) });
        assert!(!claims.poll());
        assert!(!abandons.poll());
        assert_eq!(figures("switch mutex", Mode::Exclusive).waiters, 2 * u64::from(on_first));
        set_enabled(!on_first);
        drop(guard);
        assert!(claims.poll());
        drop(abandons);
        set_enabled(true);
        assert_eq!(gauges(), [(0, 0); 4]);
    }
    assert!(inspect::scopes("switch").is_empty());
}
