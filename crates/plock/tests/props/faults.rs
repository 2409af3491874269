//! Panics of the application in places where plock runs: they pass through, and the books balance.

use super::alone;
use plock::tokio::sync::Mutex;
use plock::{Idle, Mode, Outcome, inspect, manual, snapshot};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Poll, Wake, Waker};

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("in the application's waker");
    }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

#[test]
fn a_waker_that_panics_inside_a_release_leaves_the_books_balanced() {
    let outcome = alone(|| {
        let lock = Mutex::named("fault_waker", ());
        let held = lock.try_lock().unwrap();
        manual::advance(10);
        let mut waits = pin!(lock.lock());
        let panics = Waker::from(Arc::new(Panics));
        assert!(waits.as_mut().poll(&mut Context::from_waker(&panics)).is_pending());
        manual::advance(5);
        let caught = catch_unwind(AssertUnwindSafe(|| drop(held)));
        assert!(caught.is_err(), "it passes through, as with the bare lock");
        assert_eq!(inspect::holds("fault_waker"), []);
        manual::advance(2);
        let Poll::Ready(guard) = waits.as_mut().poll(&mut noop()) else {
            panic!("it was handed over")
        };
        drop(guard);
        let snapshot = snapshot();
        let figures = snapshot.lock("fault_waker", Mode::Exclusive).unwrap();
        assert_eq!((figures.hold.count(), figures.hold.sum_ns()), (2, 15));
        assert_eq!((figures.wait_total().sum_ns(), figures.claim_delay_ns), (7, 2));
        assert_eq!(figures.outcome(Outcome::Acquired), 2);

        // Nothing of the broken wake is left on this thread: another wake is not for a lock.
        let waker = StdMutex::new(None);
        let mut turns = 0;
        let mut scope = Box::pin(plock::root(
            "fault_scope",
            poll_fn(|cx| {
                *waker.lock().unwrap() = Some(cx.waker().clone());
                turns += 1;
                if turns < 2 { Poll::Pending } else { Poll::Ready(()) }
            }),
        ));
        assert!(scope.as_mut().poll(&mut noop()).is_pending());
        manual::advance(30);
        waker.lock().unwrap().take().unwrap().wake();
        assert!(scope.as_mut().poll(&mut noop()).is_ready());
        drop(scope);
        let idle = plock::snapshot().scope("fault_scope").unwrap().idle_ns;
        assert_eq!((idle[Idle::Lock as usize], idle[Idle::Other as usize]), (0, 30));
    });
    outcome.unwrap();
}

#[test]
fn a_panic_under_a_guard_releases_it_and_ends_the_scope() {
    let outcome = alone(|| {
        let lock = Mutex::named("fault_body", ());
        let before = inspect::cells();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let body = async {
                let _guard = lock.lock().await;
                manual::advance(4);
                panic!("in the application");
            };
            let mut scope = Box::pin(plock::root("fault_panics", body));
            let _ = scope.as_mut().poll(&mut noop());
        }));
        assert!(caught.is_err());
        assert!(lock.try_lock().is_ok(), "tokio's locks are not poisoned");
        assert_eq!(inspect::cells().1, before.1);
        let snapshot = snapshot();
        let scope = snapshot.scope("fault_panics").unwrap();
        assert_eq!((scope.started, scope.finished, scope.panicked, scope.cancelled), (1, 1, 1, 0));
        assert_eq!(snapshot.lock("fault_body", Mode::Exclusive).unwrap().hold.sum_ns(), 4);
    });
    outcome.unwrap();
}
