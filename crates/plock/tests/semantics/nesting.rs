//! How deep an acquisition nests, and whom a guard counts for when it travels.
//!
//! Order edges between locks are not recorded yet; these tests say depth and owner.

use super::figures::{depths, exclusive};
use super::hand::{Actor, Desk, manual, step};
use super::observer::{all_told, told};
use plock::tokio::sync::{Mutex, OwnedMutexGuard};
use plock::{BlockCause, Dropped, Precision, inspect};
use std::sync::Arc;

/// The depths at which a mutex of this name was acquired.
fn depths_of(name: &str) -> Vec<u64> {
    depths(&exclusive(name))
}

#[test]
fn out_of_order() {
    let _world = manual();
    let each = ["out_of_order a", "out_of_order b", "out_of_order c", "out_of_order d"];
    let [a, b, c, d] = each.map(|name| Mutex::named(name, ()));
    let mut owner = Actor::new("out_of_order", async {
        let first = a.lock().await;
        let second = b.lock().await;
        let third = c.lock().await;
        drop(first);
        let fourth = d.lock().await;
        assert_eq!(inspect::scopes("out_of_order"), [3]);
        step().await;
        drop((second, fourth, third));
        step().await;
    });
    assert!(!owner.at(10));
    assert_eq!(each.map(depths_of), [[1], [2], [3], [3]]);
    assert!(!owner.at(20));
    assert_eq!(inspect::scopes("out_of_order"), [0], "after all drops the cell is empty");
    assert_eq!(each.map(|name| exclusive(name).holders), [0; 4]);
    assert!(owner.at(30));
    assert_eq!(told("out_of_order").report.nesting_max, 3);
}

/// T1 acquires, holds on and acquires again before and after T2 has the guard. What T2 does with the
/// guard is `travel`; returns T1's and T2's later depths.
fn moved(name: [&'static str; 4], travel: impl AsyncFnOnce(OwnedMutexGuard<()>, &Mutex<()>)) {
    let [lock, other, t1, t2] = name;
    let lock = Arc::new(Mutex::named(lock, ()));
    let other = Mutex::named(other, ());
    let desk = Desk::new();
    let mut first = Actor::new(t1, async {
        desk.put(Arc::clone(&lock).lock_owned().await);
        drop(other.lock().await); // on top of its own guard
        step().await;
        drop(other.lock().await); // T2 has it
        step().await;
        drop(other.lock().await); // T2 has let it go
    });
    let mut second = Actor::new(t2, async {
        travel(desk.take(), &other).await;
    });
    assert!(!first.at(10));
    assert!(!second.at(20), "T2 has the guard");
    assert!(!first.at(30));
    assert!(second.at(40));
    assert!(first.at(50));
}

#[test]
fn moved_owned_guard() {
    let _world = manual();
    moved(["moved lock", "moved other", "moved t1", "moved t2"], async |guard, other| {
        assert_eq!((inspect::scopes("moved t1"), inspect::scopes("moved t2")), (vec![1], vec![0]));
        drop(other.lock().await); // not its guard: depth 1
        step().await;
        assert_eq!(inspect::scopes("moved t1"), [1], "until the drop");
        drop(guard);
        assert_eq!((inspect::scopes("moved t1"), inspect::scopes("moved t2")), (vec![0], vec![0]));
    });
    assert_eq!(depths_of("moved other"), [1, 1, 2, 2]);
    let (t1, t2) = (told("moved t1").report, told("moved t2").report);
    assert_eq!((t1.nesting_max, t2.nesting_max), (2, 1));
    assert_eq!((t1.hold_ns, t2.hold_ns), (30, 0), "the hold is the acquirer's");
    let seen = exclusive("moved lock");
    assert_eq!((seen.migrated, seen.holders, seen.hold.sum_ns()), (1, 0, 30));
    assert_eq!(exclusive("moved other").migrated, 0);

    moved(
        ["adopted lock", "adopted other", "adopted t1", "adopted t2"],
        async |mut guard, other| {
            OwnedMutexGuard::adopt(&mut guard);
            assert_eq!(
                (inspect::scopes("adopted t1"), inspect::scopes("adopted t2")),
                (vec![0], vec![1])
            );
            drop(other.lock().await); // depth 2
            step().await;
            drop(guard);
        },
    );
    // T1: 2 before, 1 after; T2: 2.
    assert_eq!(depths_of("adopted other"), [1, 1, 2, 2]);
    let (t1, t2) = (told("adopted t1").report, told("adopted t2").report);
    assert_eq!((t1.nesting_max, t2.nesting_max), (2, 2));
    let seen = exclusive("adopted lock");
    assert_eq!((seen.migrated, seen.holders), (0, 0));
}

#[test]
fn guard_returned_from_child_scope() {
    let _world = manual();
    let lock = Arc::new(Mutex::named("returned lock", ()));
    let other = Mutex::named("returned other", ());
    let desk = Desk::new();
    let mut parent = Actor::new("returned parent", async {
        let guard =
            plock::scope("returned child", async { Arc::clone(&lock).lock_owned().await }).await;
        assert_eq!(inspect::scopes("returned parent"), [1], "re-parented");
        drop(other.lock().await);
        desk.put(guard);
    });
    assert!(parent.at(10));
    assert_eq!(depths_of("returned other"), [2]);
    assert_eq!(told("returned parent").report.nesting_max, 2);

    let hold = inspect::holds("returned lock");
    assert_eq!((hold.len(), hold[0].owner.gone), (1, true), "escaped: {hold:?}");
    let mut waiter = Actor::new("returned waiter", async { drop(lock.lock().await) });
    assert!(!waiter.at(20));
    let late = plock::snapshot().dropped(Dropped::Late);
    drop(desk.take());
    assert_eq!(plock::snapshot().dropped(Dropped::Late), late + 1);
    assert!(waiter.at(30));
    assert_eq!(told("returned waiter").wait().1.block, BlockCause::HolderGone);
    let seen = exclusive("returned lock");
    assert_eq!((seen.holders, seen.hold.count(), inspect::holds("returned lock").len()), (0, 2, 0));
}

#[test]
fn join_siblings() {
    let _world = manual();
    let [z, a, b] = ["siblings z", "siblings a", "siblings b"].map(|name| Mutex::named(name, ()));
    let branches = async || {
        let one = plock::scope("siblings 1", async {
            let _a = a.lock().await;
            step().await;
            step().await;
        });
        let two = plock::scope("siblings 2", async {
            step().await;
            drop(b.lock().await);
        });
        tokio::join!(one, two);
    };
    let mut alone = Actor::new("siblings", branches());
    assert!(!alone.at(10));
    assert!(!alone.at(20));
    let (held, taken) = (exclusive("siblings a").holders, depths_of("siblings b").len());
    assert_eq!((held, taken), (1, 1), "A is held while B is taken");
    assert!(alone.at(30));
    assert_eq!((depths_of("siblings a"), depths_of("siblings b")), (vec![1], vec![1]));

    let mut within = Actor::new("siblings", async {
        let _z = z.lock().await;
        branches().await;
    });
    assert!(!within.at(40));
    assert!(!within.at(50));
    assert!(within.at(60));
    assert_eq!(depths_of("siblings z"), [1]);
    assert_eq!((depths_of("siblings a"), depths_of("siblings b")), (vec![1, 2], vec![1, 2]));
    assert_eq!(
        all_told("siblings 2").iter().map(|told| told.report.nesting_max).collect::<Vec<_>>(),
        [1, 2]
    );
    // Order edges (none from A to B, Z to each) come with the lock order graph.
}

#[test]
fn join_unscoped() {
    let _world = manual();
    let [a, b] = ["unscoped a", "unscoped b"].map(|name| Arc::new(Mutex::named(name, ())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let joined = runtime.spawn(async move {
        let one = async {
            let _a = a.lock().await;
            tokio::task::yield_now().await;
        };
        let two = async {
            let _b = b.lock().await;
            tokio::task::yield_now().await;
        };
        let look = async { [inspect::holds("unscoped a"), inspect::holds("unscoped b")] };
        tokio::join!(one, two, look).2
    });
    let [of_a, of_b] = runtime.block_on(joined).unwrap();
    assert_eq!((depths_of("unscoped a"), depths_of("unscoped b")), (vec![1], vec![2]));
    for holds in [of_a, of_b] {
        assert_eq!((holds.len(), holds[0].owner.precision), (1, Precision::Task), "{holds:?}");
        assert_eq!(holds[0].owner.live, 2);
    }
    // The weak order edge, and that it is never reported alone, come with the lock order graph.
}
