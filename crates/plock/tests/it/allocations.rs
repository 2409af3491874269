//! An uncontended acquisition and its release allocate nothing, whoever the owner is, nor does a scope. An
//! attempt that waits allocates once.

use allocation_counter::measure;
use futures_util::FutureExt;
use plock::PlockExt;
use plock::tokio::sync::{Mutex, RwLock, Semaphore};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use tokio::runtime::Builder;

struct Locks {
    mutex: Arc<Mutex<u8>>,
    rwlock: Arc<RwLock<u8>>,
    semaphore: Arc<Semaphore>,
}

impl Locks {
    fn new() -> Self {
        Self {
            mutex: Arc::new(Mutex::new(1)),
            rwlock: Arc::new(RwLock::new(1)),
            semaphore: Arc::new(Semaphore::new(2)),
        }
    }

    /// Every way to a guard that does not wait, and what can be done with one.
    fn use_all(&self) {
        drop(self.mutex.lock().now_or_never().unwrap());
        drop(self.mutex.try_lock().unwrap());
        drop(Arc::clone(&self.mutex).lock_owned().now_or_never().unwrap());
        drop(self.rwlock.read().now_or_never().unwrap());
        drop(self.rwlock.write().now_or_never().unwrap().downgrade());
        drop(Arc::clone(&self.rwlock).write_owned().now_or_never().unwrap());
        let mut permit = self.semaphore.acquire_many(2).now_or_never().unwrap().unwrap();
        let part = permit.split(1).unwrap();
        permit.merge(part);
        drop(permit);
        drop(Arc::clone(&self.semaphore).acquire_owned().now_or_never().unwrap().unwrap());
        // Nested, and taken: neither is a wait.
        let _mutex = self.mutex.try_lock().unwrap();
        let _reader = self.rwlock.try_read().unwrap();
        let _permits = self.semaphore.try_acquire_many(2).unwrap();
        assert!(self.mutex.try_lock().is_err() && self.rwlock.try_write().is_err());
        assert!(self.semaphore.try_acquire().is_err());
    }

    /// Counts the allocations of a further use; the first one warms up. A thread that is suspended in
    /// the middle makes the longest hold so far, and the name of its place may be new: hence a few.
    fn allocations(&self) -> u64 {
        self.use_all();
        (0..5).map(|_| measure(|| self.use_all()).count_total).min().unwrap()
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(Box::new(1))).count_total, 1);
}

#[test]
fn a_thread_allocates_nothing() {
    let locks = Locks::new();
    let blocking = || drop((locks.mutex.blocking_lock(), locks.rwlock.blocking_read()));
    blocking();
    assert_eq!(measure(blocking).count_total, 0);
    assert_eq!(locks.allocations(), 0);
}

#[test]
fn a_task_allocates_nothing() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let task = runtime.spawn(async { Locks::new().allocations() });
    assert_eq!(runtime.block_on(task).unwrap(), 0);
}

#[test]
fn a_scope_allocates_nothing() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let scope = async { Locks::new().allocations() }.plock_scope("allocates_nothing");
    assert_eq!(runtime.block_on(scope), 0);
    let finished = plock::snapshot().scope("allocates_nothing").map(|scope| scope.finished);
    assert_eq!(finished, Some(1));
}

/// Whoever polls: a waker that is equal to itself, as that of `Waker::noop` need not be.
struct Outer;

impl Wake for Outer {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn the_next_scope_allocates_nothing() {
    let outer = Waker::from(Arc::new(Outer));
    let run = || {
        let mut scope = std::pin::pin!(plock::scope("allocates_nothing_itself", async {}));
        assert!(scope.as_mut().poll(&mut Context::from_waker(&outer)).is_ready());
    };
    run();
    assert_eq!(measure(run).count_total, 0);
}

#[test]
fn a_scope_that_goes_on_in_another_task_allocates_once() {
    let mut scope = std::pin::pin!(plock::scope("goes_on_elsewhere", std::future::pending::<()>()));
    let mut poll = |outer: &Waker| {
        let mut cx = Context::from_waker(outer);
        measure(|| assert!(scope.as_mut().poll(&mut cx).is_pending())).count_total
    };
    let [first, second] = [(); 2].map(|()| Waker::from(Arc::new(Outer)));
    for _ in 0..3 {
        poll(&first); // and whatever a thread needs once
    }
    assert_eq!([&second, &second, &second].map(&mut poll), [1, 0, 0]);
}

/// What others see of the attempt; the queue itself has grown before.
#[test]
fn an_attempt_that_waits_allocates_once() {
    let mutex = Mutex::named("waits", ());
    let guard = mutex.try_lock().unwrap();
    let wait = || {
        let mut lock = std::pin::pin!(mutex.lock());
        let mut cx = Context::from_waker(Waker::noop());
        measure(|| assert!(lock.as_mut().poll(&mut cx).is_pending())).count_total
    };
    wait();
    assert_eq!(wait(), 1);
    drop(guard);
}
