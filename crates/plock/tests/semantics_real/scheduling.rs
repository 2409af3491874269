//! A lock that has been handed over waits for its new owner to be run.

use super::observer::told;
use super::{ms, one_thread, queued, real, spin, workers};
use plock::tokio::sync::Mutex;
use plock::{ClaimDelay, EndCause};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::yield_now;

/// How long a releaser keeps the lock after somebody has queued for it.
const QUEUE: Duration = Duration::from_millis(20);
/// How long it computes after the unlock.
const BUSY: Duration = Duration::from_millis(200);

/// A releaser that goes on computing after the unlock, with or without a yield in between, and a
/// waiter. Returns the time from before the attempt to after the unlock.
fn release_then_compute(name: [&'static str; 3], yields: bool) -> Duration {
    let [lock_name, releaser, waiter] = name;
    let lock = Arc::new(Mutex::named(lock_name, ()));
    workers(2).block_on(async {
        let (locked, is_locked) = tokio::sync::oneshot::channel();
        let releaser = plock::spawn(releaser, {
            let lock = lock.clone();
            async move {
                let guard = lock.lock().await;
                locked.send(()).unwrap();
                queued(lock_name, 1).await;
                spin(QUEUE);
                drop(guard);
                let unlocked = Instant::now();
                if yields {
                    yield_now().await;
                }
                spin(BUSY);
                unlocked
            }
        });
        is_locked.await.unwrap();
        let asked = Instant::now();
        let waiter = plock::spawn(waiter, async move { drop(lock.lock().await) });
        waiter.await.unwrap();
        releaser.await.unwrap() - asked
    })
}

#[test]
fn lifo_tail() {
    let _alone = real();
    let before = release_then_compute(["lifo", "lifo releaser", "lifo waiter"], false);
    let (releaser, waiter) = (told("lifo releaser"), told("lifo waiter"));
    let (detail, wait) = waiter.wait();
    assert_eq!((wait.end, wait.holder_span), (EndCause::Release, Some(releaser.span)));
    assert!(
        (QUEUE..=before).contains(&Duration::from_nanos(wait.queue_ns)),
        "{wait:?} of {before:?}"
    );
    assert!(ms(wait.claim_ns) >= 150, "{wait:?}");
    assert!(ms(wait.claim_parts_ns[ClaimDelay::BehindReleaser as usize]) >= 150, "{wait:?}");
    assert_eq!(wait.claim_parts_ns.iter().sum::<u64>(), wait.claim_ns);
    assert_eq!(wait.queue_ns + wait.claim_ns, detail.ns);

    // A releaser that yields lets the new owner run at once. Other load may spoil a try.
    let tries = [
        ["lifo yield 1", "lifo yield 1 releaser", "lifo yield 1 waiter"],
        ["lifo yield 2", "lifo yield 2 releaser", "lifo yield 2 waiter"],
        ["lifo yield 3", "lifo yield 3 releaser", "lifo yield 3 waiter"],
    ];
    let delay = |name: [&'static str; 3]| {
        release_then_compute(name, true);
        ms(told(name[2]).wait().1.claim_ns)
    };
    let delays: Vec<_> = tries.into_iter().map(delay).collect();
    assert!(delays.iter().any(|delay| *delay < 20), "{delays:?} ms");
}

#[test]
fn stalled_runtime() {
    let _alone = real();
    let lock = Mutex::named("stalled", ());
    let asked = std::cell::Cell::new(None);
    let [mut blocked, mut releasing, mut released] = [None; 3];
    one_thread().block_on(async {
        let releaser = plock::scope("stalled releaser", async {
            let guard = lock.lock().await;
            queued("stalled", 1).await;
            blocked = Some(Instant::now());
            spin(QUEUE);
            releasing = Some(Instant::now());
            drop(guard);
            released = Some(Instant::now());
            spin(Duration::from_millis(100));
        });
        let waiter = plock::scope("stalled waiter", async {
            yield_now().await; // the releaser is first
            asked.set(Some(Instant::now()));
            drop(lock.lock().await);
        });
        tokio::join!(releaser, waiter);
    });
    let told = told("stalled waiter");
    let (_, wait) = told.wait();
    assert!(ms(wait.claim_ns) >= 95, "{wait:?}");
    let queue = Duration::from_nanos(wait.queue_ns);
    let at_least = releasing.unwrap() - blocked.unwrap();
    let at_most = released.unwrap() - asked.get().unwrap();
    assert!((at_least..=at_most).contains(&queue), "{at_least:?} <= {queue:?} <= {at_most:?}");
    assert!(at_least >= QUEUE);
}
