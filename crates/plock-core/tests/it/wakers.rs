//! Wakers of a scope that live longer than it, and what they keep.

use crate::support::{Probe, Run, alone};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Wake, Waker};
use std::thread;

/// Whoever polls; how often it was woken.
#[derive(Default)]
struct Outer(AtomicU64);

impl Wake for Outer {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A scope that has ended, and the waker that was left of it.
fn left_of(outer: &Arc<Outer>) -> Waker {
    let mut scope = Run::root("leaves a waker");
    let waker = scope.poll_with(&Waker::from(Arc::clone(outer)), Clone::clone);
    scope.complete();
    waker
}

#[test]
fn a_waker_that_outlives_its_scope_wakes_and_keeps_its_place() {
    alone(|| {
        let outer = Arc::new(Outer::default());
        let left = left_of(&outer);
        let mut next = Run::root("next");
        let of_next = next.poll_with(Waker::noop(), Clone::clone);
        assert!(!left.will_wake(&of_next), "it is another scope's");
        left.wake_by_ref();
        thread::spawn({
            let another = left.clone();
            move || another.wake()
        })
        .join()
        .unwrap();
        assert_eq!((outer.0.load(Relaxed), Arc::strong_count(&outer)), (2, 2));
        thread::spawn(move || drop(left)).join().unwrap();
        assert_eq!(Arc::strong_count(&outer), 1, "nobody is left to wake it");
        next.complete();
    });
}

#[test]
fn a_scope_that_has_ended_keeps_nobody_that_it_would_wake() {
    alone(|| {
        let outer = Arc::new(Outer::default());
        drop(left_of(&outer));
        assert_eq!(Arc::strong_count(&outer), 1, "completed");
        let mut scope = Run::root("cancelled");
        scope.poll_with(&Waker::from(Arc::clone(&outer)), |_| ());
        assert_eq!(Arc::strong_count(&outer), 2);
        scope.cancel(|| ());
        assert_eq!(Arc::strong_count(&outer), 1, "cancelled");
    });
}

/// Its cell is not cleared before the guard is gone.
#[test]
fn a_guard_that_has_escaped_does_not_keep_whom_its_scope_would_wake() {
    alone(|| {
        let (outer, probe) = (Arc::new(Outer::default()), Probe::mutex("escapes with a waker"));
        let mut scope = Run::root("lets it escape");
        let hold = scope.poll_with(&Waker::from(Arc::clone(&outer)), |_| probe.acquire());
        scope.complete();
        assert_eq!(Arc::strong_count(&outer), 1);
        probe.release(hold);
    });
}

/// Where a scope ended without a waker left, the next one begins: nothing is allocated for it.
#[test]
fn the_place_of_a_scope_is_used_again() {
    alone(|| {
        let address = || {
            let mut scope = Run::root("again");
            let address = scope.poll_with(Waker::noop(), |waker| waker.data().addr());
            scope.complete();
            address
        };
        assert_eq!(address(), address());
    });
}
