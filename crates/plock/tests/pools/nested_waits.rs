//! Waits for a connection with a lock in hand, and for a lock with a connection in use.

use super::figures::figures;
use super::hand::{self, Actor, step};
use super::of_deadpool;
use plock::tokio::sync::{Mutex, RwLock, Semaphore};
use plock::{Finding, FindingKind, Mode, manual};
use std::sync::atomic::AtomicU64;
use std::thread;

/// What was found with a pool.
fn found(pool: &str) -> Vec<Finding> {
    plock::snapshot().findings.into_iter().filter(|finding| finding.pool == pool).collect()
}

#[track_caller]
fn is_here(site: &str, line: u32) {
    assert!(site.contains(&format!("nested_waits.rs:{line}:")), "{site} is not line {line}");
}

#[test]
fn a_connection_that_is_waited_for_under_a_lock() {
    let _world = hand::manual();
    let pool = of_deadpool("scarce");
    let (lock, permits) = (Mutex::named("keeps scarce", ()), Semaphore::named("keeps none", 2));
    let mut user = Actor::new("scarce user", async {
        let _connection = pool.get().await.unwrap();
        step().await;
    });
    let lines = [line!() + 3, line!() + 5];
    let mut keeper = Actor::new("scarce keeper", async {
        let _permit = permits.acquire().await.unwrap();
        let _guard = lock.lock().await;
        let asking = async {
            drop(pool.get().await.unwrap());
        };
        plock::scope("scarce asking", asking).await;
    });
    assert!(!user.at(5));
    assert!(!keeper.at(10));
    let open = &found("scarce")[..];
    assert_eq!((open.len(), open[0].count, open[0].wait_ns), (1, 1, 0), "told while it waits");
    assert!(user.at(50));
    assert!(keeper.at(60));

    let found = found("scarce");
    let [it] = &found[..] else { panic!("a permit is no lock: {found:?}") };
    assert_eq!((it.kind, &*it.lock), (FindingKind::PoolUnderLock, "keeps scarce"));
    assert_eq!((&*it.owner, &*it.holder), ("scarce asking", "scarce keeper"));
    is_here(&it.holder_site, lines[0]);
    is_here(&it.site, lines[1]);
    assert_eq!((it.count, it.wait_ns), (1, 50));
    assert_eq!(figures("scarce", Mode::Permit).wait_total().sum_ns(), 50, "all of the wait");
}

#[test]
fn a_lock_that_is_waited_for_while_a_connection_is_in_use() {
    let _world = hand::manual();
    let pool = of_deadpool("idles");
    let lock = RwLock::named("idles for", ());
    let mut reader = Actor::new("idles reader", async {
        let _guard = lock.read().await;
        step().await;
    });
    let lines = [line!() + 2, line!() + 3];
    let mut writer = Actor::new("idles writer", async {
        let _connection = pool.get().await.unwrap();
        drop(lock.write().await);
    });
    assert!(!reader.at(0));
    assert!(!writer.at(10));
    assert!(reader.at(30));
    assert!(writer.at(45));

    let found = found("idles");
    let [it] = &found[..] else { panic!("{found:?}") };
    assert_eq!((it.kind, &*it.lock), (FindingKind::LockUnderPool, "idles for"));
    assert_eq!((&*it.owner, &*it.holder), ("idles writer", "idles writer"));
    is_here(&it.holder_site, lines[0]);
    is_here(&it.site, lines[1]);
    assert_eq!((it.count, it.wait_ns), (1, 35));
}

/// A lock that blocks a thread, at the same place twice.
#[test]
fn a_thread_that_is_blocked_with_a_connection_in_use() {
    let _world = hand::manual();
    let pool = of_deadpool("blocks");
    let lock = plock::std::sync::Mutex::named("blocks for", ());
    static CLOCK: AtomicU64 = AtomicU64::new(0);
    manual::share(&CLOCK);
    let block = || {
        manual::share(&CLOCK);
        let mut user = Actor::new("blocks user", async {
            let _connection = pool.get().await.unwrap();
            drop(lock.lock().unwrap());
        });
        assert!(user.poll());
    };
    for (round, ended) in [(1, 30), (2, 60)] {
        manual::set(10);
        let guard = lock.lock().unwrap();
        thread::scope(|threads| {
            threads.spawn(block);
            while found("blocks").first().is_none_or(|it| it.count < round) {
                thread::yield_now();
            }
            manual::set(40);
            drop(guard);
        });
        let found = found("blocks");
        let [it] = &found[..] else { panic!("{found:?}") };
        assert_eq!((it.kind, &*it.lock), (FindingKind::LockUnderPool, "blocks for"));
        assert_eq!((it.count, it.wait_ns), (round, ended));
    }
}

#[test]
fn a_second_connection_of_the_same_pool() {
    let _world = hand::manual();
    let (pool, other) = (of_deadpool("twice"), of_deadpool("twice other"));
    let mut greedy = Actor::new("twice greedy", async {
        let _other = other.get().await.unwrap();
        let _connection = pool.get().await.unwrap();
        drop(pool.get().await);
    });
    assert!(!greedy.at(10));
    let open = found("twice");
    let [it] = &open[..] else { panic!("another pool is no mistake: {open:?}") };
    assert_eq!((it.kind, &*it.lock), (FindingKind::PoolUnderPool, "twice"));
    assert_eq!((it.count, it.wait_ns), (1, 0), "it never ends, and is told");
    greedy.drop_at(25);
    assert_eq!(found("twice")[0].wait_ns, 15, "given up");
    assert_eq!(found("twice other"), []);
}

#[test]
fn what_is_had_without_waiting_is_no_finding() {
    let _world = hand::manual();
    let pool = of_deadpool("plenty");
    let lock = Mutex::named("plenty lock", ());
    let mut quick = Actor::new("plenty quick", async {
        {
            let _guard = lock.lock().await;
            drop(pool.get().await.unwrap());
        }
        let _connection = pool.get().await.unwrap();
        drop(lock.lock().await);
    });
    assert!(quick.at(10));
    assert_eq!(found("plenty"), []);
}
