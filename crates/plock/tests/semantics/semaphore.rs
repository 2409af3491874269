//! Permits.

use super::figures::{edges, figures};
use super::hand::{Actor, manual, step};
use super::observer::told;
use plock::tokio::sync::Semaphore;
use plock::{BlockCause, EndCause, LockSeries, Mode, Outcome, inspect};

fn permits(name: &str) -> LockSeries {
    figures(name, Mode::Permit)
}

/// Takes so many permits and gives them back at once.
async fn touch(semaphore: &Semaphore, n: u32) {
    drop(semaphore.acquire_many(n).await.unwrap());
}

#[test]
fn semaphore_hol() {
    let _world = manual();
    let semaphore = Semaphore::named("hol", 4);
    let mut holder = Actor::new("hol holder", async {
        let two = semaphore.acquire_many(2).await.unwrap();
        step().await;
        drop(two);
    });
    let mut large = Actor::new("hol large", touch(&semaphore, 3));
    let mut small = Actor::new("hol small", touch(&semaphore, 1));
    assert!(!holder.at(0));
    assert!(!large.at(10));
    assert!(!small.at(20), "behind the large one, although two are free");
    large.drop_at(50);
    assert_eq!(small.wakes(), 1);
    assert!(small.at(55));

    let (large, small) = (told("hol large"), told("hol small"));
    let (detail, wait) = large.wait();
    assert_eq!((wait.block, wait.need, wait.free), (BlockCause::PermitsExhausted, 3, 2));
    assert_eq!((detail.ns, wait.end), (40, EndCause::AbandonedBeforeGrant));
    assert_eq!((wait.holders, wait.ahead), (1, 0));
    let (detail, wait) = small.wait();
    assert_eq!((wait.block, wait.need, wait.free), (BlockCause::QueuedBehindLarger, 1, 2));
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns, wait.ahead), (35, 30, 5, 1));
    assert_eq!((wait.end, wait.holder_span), (EndCause::Cancel, Some(large.span)));
    assert!(holder.at(60));
    assert_eq!((permits("hol").holders, permits("hol").waiters), (0, 0));
    assert_eq!(semaphore.available_permits(), 4);
}

#[test]
fn permit_algebra() {
    let _world = manual();
    let semaphore = Semaphore::named("algebra", 5);
    // P9: what is held and what is free is what there is.
    let check = |holds: u64, capacity: usize| {
        let held = inspect::holds("algebra");
        let weights: u32 = held.iter().map(|hold| hold.weight).sum();
        assert_eq!((permits("algebra").holders, held.len() as u64), (holds, holds));
        assert_eq!(weights as usize + semaphore.available_permits(), capacity);
        held.iter().map(|hold| hold.weight).collect::<Vec<_>>()
    };
    let mut owner = Actor::new("algebra", async {
        let mut many = semaphore.acquire_many(4).await.unwrap();
        assert_eq!(check(1, 5), [4]);
        plock::manual::set(10);
        let one = many.split(1).unwrap();
        assert_eq!(check(2, 5), [3, 1]);
        assert!(
            inspect::holds("algebra").iter().all(|hold| hold.since_ns == 0),
            "both from the claim"
        );
        many.merge(one);
        assert_eq!(check(1, 5), [4]);
        let one = many.split(1).unwrap();
        assert_eq!(check(2, 5), [3, 1]);
        one.forget();
        assert_eq!(check(1, 4), [3], "the capacity shrinks");
        step().await;
        drop(many);
    });
    assert!(!owner.at(0));
    assert!(owner.at(30));
    assert_eq!(check(0, 4), [0; 0]);
    assert_eq!(permits("algebra").hold.max_ns(), 30);
}

#[test]
fn close() {
    let _world = manual();
    let semaphore = Semaphore::named("closed", 1);
    let mut holder = Actor::new("closed holder", async {
        let permit = semaphore.acquire().await.unwrap();
        step().await;
        drop(permit);
    });
    let names = ["closed a", "closed b", "closed c"];
    let mut waiters =
        names.map(|name| Actor::new(name, async { assert!(semaphore.acquire().await.is_err()) }));
    assert!(!holder.at(0));
    for waiter in &mut waiters {
        assert!(!waiter.at(10));
    }
    plock::manual::set(40);
    semaphore.close();
    for waiter in &mut waiters {
        assert!(waiter.at(60));
    }
    let seen = permits("closed");
    assert_eq!((seen.outcome(Outcome::Closed), seen.outcome(Outcome::Acquired)), (3, 1));
    assert_eq!((seen.waiters, seen.wait_total().sum_ns()), (0, 150));
    assert_eq!(edges("closed"), [], "nobody is blamed");
    for name in names {
        let told = told(name);
        let (_, wait) = told.wait();
        assert_eq!((wait.block, wait.end), (BlockCause::PermitsExhausted, EndCause::Closed));
        assert_eq!((wait.holder, wait.holder_site, wait.holder_span), (None, None, None));
        assert_eq!(told.report.blocker, None);
    }
    assert!(holder.at(70));
    assert_eq!(told("closed holder").report.blocked_others, 0);
}
