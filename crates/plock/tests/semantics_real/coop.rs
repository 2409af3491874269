//! Locks and tokio's cooperative budget: 128 operations per poll.

use super::figures::{edges, exclusive};
use super::observer::told;
use super::{one_thread, queued, real};
use plock::tokio::sync::Mutex;
use plock::{BlockCause, Cause, ClaimDelay, Outcome};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use tokio::task::{LocalSet, coop, yield_now};

async fn burn_budget() {
    while coop::has_budget_remaining() {
        coop::consume_budget().await;
    }
}

#[test]
fn coop_free_lock() {
    let _alone = real();
    let lock = Arc::new(Mutex::named("coop_free_lock", ()));
    let task = {
        let lock = lock.clone();
        async move {
            burn_budget().await;
            let mut attempt = pin!(lock.lock());
            let first = poll_fn(|cx| {
                let pending = attempt.as_mut().poll(cx).is_pending();
                Poll::Ready((pending, lock.try_lock().is_err()))
            });
            assert_eq!(first.await, (true, true), "pending, and ours already");
            drop(attempt.await);
        }
    };
    one_thread().block_on(async { plock::spawn("coop_free_lock", task).await.unwrap() });

    let told = told("coop_free_lock");
    let (detail, wait) = told.wait();
    assert_eq!((wait.block, wait.cause), (BlockCause::Coop, Cause::Scheduler));
    assert_eq!((wait.holder, wait.holder_site, wait.holder_span), (None, None, None));
    assert_eq!((wait.queue_ns, wait.claim_ns), (0, detail.ns));
    assert_eq!(wait.claim_parts_ns[ClaimDelay::CoopDeferred as usize], detail.ns);
    assert_eq!((told.report.acquisitions, told.report.contentions, told.report.wait_ns), (1, 0, 0));
    let seen = exclusive("coop_free_lock");
    assert_eq!((seen.contentions(), seen.outcome(Outcome::Acquired), seen.waiters), (0, 1, 0));
    assert_eq!(seen.outcome(Outcome::WouldBlock), 1);
    assert_eq!(edges("coop_free_lock"), [], "nobody is blamed");
}

#[test]
fn coop_fifo() {
    let _alone = real();
    let lock = Mutex::named("coop_fifo", ());
    let order = RefCell::new(Vec::new());
    let take = async |name| {
        let _guard = lock.lock().await;
        order.borrow_mut().push(name);
    };
    one_thread().block_on(async {
        let guard = lock.lock().await;
        let mut spent = pin!(async {
            burn_budget().await;
            take("a").await;
        });
        // Its first poll finds the budget gone and the lock taken.
        poll_fn(|cx| {
            assert!(spent.as_mut().poll(cx).is_pending());
            assert!(!coop::has_budget_remaining());
            Poll::Ready(())
        })
        .await;
        yield_now().await; // a fresh budget for the others
        assert!(coop::has_budget_remaining());
        let mut next = pin!(take("b"));
        let mut last = pin!(take("c"));
        assert!(poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_pending())).await);
        queued("coop_fifo", 2).await;
        drop(guard);
        // Handed over to a: nobody who comes now can be quicker.
        assert!(poll_fn(|cx| Poll::Ready(last.as_mut().poll(cx).is_pending())).await);
        assert!(lock.try_lock().is_err());
        tokio::join!(last, next, spent);
    });
    assert_eq!(*order.borrow(), ["a", "b", "c"]);
}

#[test]
fn coop_yields() {
    let _alone = real();
    let local = LocalSet::new();
    let lock = Rc::new(Mutex::named("coop_yields", ()));
    let done = Rc::new(Cell::new(false));
    let ready = local.spawn_local({
        let done = done.clone();
        async move {
            let mut runs = 0;
            while !done.get() {
                runs += 1;
                yield_now().await;
            }
            runs
        }
    });
    local.spawn_local(async move {
        for _ in 0..10_000 {
            drop(lock.lock().await);
        }
        done.set(true);
    });
    let runs = one_thread().block_on(local.run_until(ready)).unwrap();
    assert!((70..=90).contains(&runs), "10,000 locks in slices of 128: {runs} runs");
    let seen = exclusive("coop_yields");
    assert_eq!((seen.outcome(Outcome::Acquired), seen.contentions()), (10_000, 0));
}
