//! Owners that end in unusual ways, and the time a scope spends.

use super::figures::{edges, exclusive};
use super::hand::{Actor, manual, step};
use super::observer::told;
use plock::tokio::sync::Mutex;
use plock::{BlockCause, EndCause, HoldEnd, Precision, ScopeEnd, inspect};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// Holds the lock until it is dropped.
async fn hold_for_ever(lock: Arc<Mutex<()>>) {
    let _guard = lock.lock().await;
    pending::<()>().await;
}

#[test]
fn abort_attribution() {
    let _world = manual();
    let lock = Arc::new(Mutex::named("abort", ()));
    let runtime = runtime();
    runtime.block_on(async {
        let job = tokio::spawn(hold_for_ever(lock.clone()));
        yield_now().await;
        let held = inspect::holds("abort");
        assert_eq!((held.len(), held[0].owner.precision), (1, Precision::Task), "{held:?}");
        assert_eq!(held[0].owner.task.to_string(), job.id().to_string());
        plock::manual::set(30);
        job.abort();
        assert!(job.await.unwrap_err().is_cancelled());
    });
    let seen = exclusive("abort");
    assert_eq!((seen.hold.sum_ns(), seen.holders, seen.migrated), (30, 0, 0));

    // A runtime that shuts down drops its tasks wherever that happens.
    runtime.spawn(hold_for_ever(lock.clone()));
    runtime.block_on(yield_now());
    assert_eq!(exclusive("abort").holders, 1);
    let elsewhere = std::thread::spawn(|| {
        plock::manual::set(70);
        drop(runtime);
    });
    elsewhere.join().unwrap();
    let seen = exclusive("abort");
    assert_eq!((seen.hold.sum_ns(), seen.holders, seen.migrated), (70, 0, 0));

    // In a scope, the hold says that it ended in the drop.
    let runtime = self::runtime();
    runtime.block_on(async {
        let job = plock::spawn("abort job", hold_for_ever(lock.clone()));
        yield_now().await;
        let held = inspect::holds("abort");
        assert_eq!(held[0].owner.scope, Some("abort job"));
        assert_eq!(held[0].owner.task.to_string(), job.id().to_string());
        let next = plock::spawn("abort next", async move { drop(lock.lock().await) });
        yield_now().await;
        plock::manual::set(100);
        job.abort();
        next.await.unwrap();
    });
    let (job, next) = (told("abort job"), told("abort next"));
    assert_eq!(job.report.end, ScopeEnd::Cancelled);
    assert_eq!((job.hold().ns, job.hold().hold_end), (70, Some(HoldEnd::InDrop)));
    assert_eq!(job.report.hold_ns, 70);
    assert_eq!(next.hold().hold_end, Some(HoldEnd::Released));
    let (_, wait) = next.wait();
    assert_eq!((wait.end, wait.holder_span), (EndCause::Release, Some(job.span)));
    let seen = exclusive("abort");
    assert_eq!((seen.holders, seen.migrated), (0, 0));
}

#[test]
fn panic_paths() {
    let _world = manual();
    let lock = Mutex::named("panics", ());
    let mut a = Actor::new("panics a", async {
        let _guard = lock.lock().await;
        step().await;
        panic!("on purpose");
    });
    let mut b = Actor::new("panics b", async {
        drop(lock.lock().await);
        drop(lock.lock().await);
    });
    assert!(!a.at(0));
    assert!(!b.at(10));
    plock::manual::set(50);
    let payload = catch_unwind(AssertUnwindSafe(|| a.poll())).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"), "the payload is untouched");

    // The thread is nobody's again, with nothing held.
    let guard = lock.try_lock();
    assert!(guard.is_err(), "handed over to b");
    let other = Mutex::named("panics other", ());
    let guard = other.try_lock().unwrap();
    let held = inspect::holds("panics other");
    assert_eq!((held[0].owner.precision, held[0].owner.live), (Precision::Thread, 1));
    drop(guard);

    a.drop_at(60);
    assert!(b.at(80));
    let (a, b) = (told("panics a"), told("panics b"));
    assert_eq!((a.report.end, a.hold().ns), (ScopeEnd::Panicked, 50));
    assert_eq!(a.hold().hold_end, Some(HoldEnd::Panicked));
    let (_, wait) = b.wait();
    assert_eq!((wait.end, wait.holder_span), (EndCause::Release, Some(a.span)));
    assert_eq!((wait.queue_ns, wait.claim_ns), (40, 30));
    assert_eq!(b.report.acquisitions, 2, "the next attempt is normal");
    assert!(b.holds().iter().all(|hold| hold.hold_end == Some(HoldEnd::Released)));
    let seen = exclusive("panics");
    assert_eq!((seen.holders, seen.migrated, seen.hold.count()), (0, 0, 3));
    assert_eq!(plock::snapshot().scope("panics a").unwrap().panicked, 1);
    // Poisoning belongs to synchronous locks, which are not wrapped yet.
}

#[test]
fn wake_during_poll() {
    const MS: u64 = 1_000_000;
    let _world = manual();
    let mut polls = 0;
    let mut busy = Actor::new(
        "self-waking",
        poll_fn(move |cx| {
            polls += 1;
            if polls > 3 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            plock::manual::advance(30 * MS);
            Poll::Pending
        }),
    );
    for poll in 1..=4 {
        assert_eq!(busy.poll(), poll == 4);
    }
    assert_eq!(busy.wakes(), 3);
    let report = told("self-waking").report;
    assert_eq!((report.busy_ns, report.runnable_ns, report.idle_ns), (90 * MS, 0, 0));
    assert_eq!(report.poll_max_ns, 30 * MS);

    // The same wakes, each served 5 ms after the poll has ended: that is waiting for a worker.
    let mut polls = 0;
    let mut late = Actor::new(
        "self-waking late",
        poll_fn(move |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            plock::manual::advance(30 * MS);
            if polls > 3 { Poll::Ready(()) } else { Poll::Pending }
        }),
    );
    while !late.poll() {
        plock::manual::advance(5 * MS);
    }
    let report = told("self-waking late").report;
    assert_eq!((report.busy_ns, report.runnable_ns, report.idle_ns), (120 * MS, 15 * MS, 0));
}

#[test]
fn bounded_detail() {
    const WAITS: u64 = 10_000;
    let _world = manual();
    let lock = Mutex::named("bounded", ());
    // The holder's scopes are not observed: only the waiter's details are of interest.
    let mut holder = Actor::unscoped(async {
        loop {
            let guard = lock.lock().await;
            step().await;
            drop(guard);
            step().await;
        }
    });
    let mut waiter = Actor::new("bounded", async {
        for _ in 0..WAITS {
            drop(lock.lock().await);
            step().await;
        }
    });
    // Waits of 1 to 10,000 us, neither rising nor falling.
    let us = |turn: u64| (turn * 7_919) % WAITS + 1;
    for turn in 0..WAITS {
        assert!(!holder.poll());
        assert!(!waiter.poll());
        plock::manual::advance(us(turn) * 1_000);
        assert!(!holder.poll());
        assert!(!waiter.poll());
    }
    assert!(waiter.poll());

    let bounded = told("bounded");
    let kept: Vec<u64> = bounded.waits().iter().map(|(detail, _)| detail.ns / 1_000).collect();
    assert_eq!(kept, [10_000, 9_999, 9_998, 9_997, 9_996, 9_995, 9_994, 9_993]);
    assert_eq!(bounded.report.details.len(), 8, "holds of 0 ns have no place among them");
    let total = WAITS * (WAITS + 1) / 2 * 1_000;
    assert_eq!((bounded.report.contentions, bounded.report.wait_ns), (WAITS, total));
    assert_eq!((bounded.report.wait_max_ns, bounded.report.acquisitions), (WAITS * 1_000, WAITS));
    let seen = exclusive("bounded");
    assert_eq!((seen.contentions(), seen.wait_total().sum_ns()), (WAITS, total));
    assert_eq!(edges("bounded").iter().map(|(.., ns)| ns).sum::<u64>(), total);
    // That the eight become child spans: crates/plock-otel/tests.
}

#[test]
#[expect(clippy::mem_forget, reason = "the case")]
fn forgotten_guard() {
    let _world = manual();
    let lock = Mutex::named("forgotten", ());
    let mut owner = Actor::new("forgotten owner", async { std::mem::forget(lock.lock().await) });
    assert!(owner.at(10));
    let mut waiter = Actor::new("forgotten waiter", async { drop(lock.lock().await) });
    assert!(!waiter.at(20));
    let held = inspect::holds("forgotten");
    assert_eq!((held.len(), held[0].owner.gone), (1, true));
    assert_eq!((exclusive("forgotten").holders, exclusive("forgotten").waiters), (1, 1));
    waiter.drop_at(90);
    let waiter = told("forgotten waiter");
    let (detail, wait) = waiter.wait();
    assert_eq!((detail.ns, wait.block), (70, BlockCause::HolderGone));
    assert_eq!(wait.end, EndCause::AbandonedBeforeGrant);
    // Deadlocks are not looked for yet, so none is reported.
}
