//! What happens in which order when a guard is dropped, and what a dropped attempt leaves behind.

use plock::tokio::sync::{Mutex, OwnedMutexGuard, RwLock, Semaphore};
use plock::{LockSeries, Mode, Outcome};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Poll, Wake, Waker};
use tokio_test::task::spawn;
use tokio_test::{assert_pending, assert_ready};

fn series(name: &str, mode: Mode) -> LockSeries {
    plock::snapshot().lock(name, mode).unwrap().clone()
}

/// Counts the finished holds of a lock at the moment it is woken.
struct Looks {
    name: &'static str,
    mode: Mode,
    seen: StdMutex<Vec<u64>>,
}

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        let finished = series(self.name, self.mode).hold.count();
        self.seen.lock().unwrap().push(finished);
    }
}

/// Has a waiter look at the figures while `guard` is dropped, which wakes it.
fn finished_when_woken<T>(
    (name, mode): (&'static str, Mode),
    waiting: impl Future<Output = T>,
    guard: impl Sized,
) -> Vec<u64> {
    let looks = Arc::new(Looks { name, mode, seen: StdMutex::default() });
    let waker = Waker::from(Arc::clone(&looks));
    let mut waiting = pin!(waiting);
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(guard);
    assert!(matches!(waiting.poll(&mut Context::from_waker(&waker)), Poll::Ready(_)));
    looks.seen.lock().unwrap().clone()
}

#[test]
fn a_lock_is_free_before_the_hold_is_accounted() {
    let mutex = Mutex::named("free_first_mutex", ());
    let key = ("free_first_mutex", Mode::Exclusive);
    let seen = finished_when_woken(key, mutex.lock(), mutex.try_lock().unwrap());
    assert_eq!((seen, series(key.0, key.1).hold.count()), (vec![0], 2));

    let lock = RwLock::named("free_first_rwlock", ());
    let key = ("free_first_rwlock", Mode::Shared);
    let seen = finished_when_woken(key, lock.write(), lock.try_read().unwrap());
    assert_eq!((seen, series(key.0, key.1).hold.count()), (vec![0], 1));

    let semaphore = Semaphore::named("free_first_semaphore", 1);
    let key = ("free_first_semaphore", Mode::Permit);
    let seen = finished_when_woken(key, semaphore.acquire(), semaphore.try_acquire().unwrap());
    assert_eq!((seen, series(key.0, key.1).hold.count()), (vec![0], 2));
}

#[test]
fn the_last_owner_drops_the_value_after_the_hold_is_accounted() {
    static FINISHED: AtomicU64 = AtomicU64::new(u64::MAX);
    struct Value;
    impl Drop for Value {
        fn drop(&mut self) {
            let finished = series("last_owner", Mode::Exclusive).hold.count();
            FINISHED.store(finished, Ordering::Relaxed);
        }
    }
    let mutex = Arc::new(Mutex::named("last_owner", Value));
    let guard = mutex.try_lock_owned().unwrap();
    let part = OwnedMutexGuard::map(guard, |value| value);
    assert_eq!(FINISHED.load(Ordering::Relaxed), u64::MAX);
    drop(part);
    assert_eq!(FINISHED.load(Ordering::Relaxed), 1);
}

#[test]
fn an_unpolled_attempt_is_no_attempt() {
    let mutex = Mutex::named("unpolled", ());
    drop(mutex.lock());
    let lock = series("unpolled", Mode::Exclusive);
    assert_eq!(lock.outcomes.iter().sum::<u64>(), 0);
}

#[test]
fn a_dropped_attempt_counts_once_and_takes_nothing() {
    let mutex = Mutex::named("dropped_attempt", ());
    let guard = mutex.try_lock().unwrap();
    let mut early = spawn(mutex.lock());
    assert_pending!(early.poll());
    drop(early);
    let mut late = spawn(mutex.lock());
    assert_pending!(late.poll());
    let mut next = spawn(mutex.lock());
    assert_pending!(next.poll());
    drop(guard);
    // Handed over to `late`, which never comes to know.
    assert!(late.is_woken() && !next.is_woken());
    drop(late);
    assert!(next.is_woken());
    drop(assert_ready!(next.poll()));
    let lock = series("dropped_attempt", Mode::Exclusive);
    assert_eq!(lock.outcome(Outcome::Abandoned), 2);
    assert_eq!(lock.outcome(Outcome::Acquired), 2);
    assert_eq!((lock.waiters, lock.holders), (0, 0));
}

#[test]
fn a_panicking_holder_releases() {
    let mutex = Mutex::named("panicking_holder", 1);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut guard = mutex.try_lock().unwrap();
        *guard = 2;
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(result.is_err());
    assert_eq!(*mutex.try_lock().unwrap(), 2);
    assert_eq!(series("panicking_holder", Mode::Exclusive).hold.count(), 2);
}

#[test]
fn a_downgrade_ends_one_hold_and_begins_another() {
    let lock = RwLock::named("downgraded", 1);
    let reader = lock.try_write().unwrap().downgrade();
    let (write, read) = (series("downgraded", Mode::Exclusive), series("downgraded", Mode::Shared));
    assert_eq!((write.hold.count(), write.holders), (1, 0));
    assert_eq!((read.hold.count(), read.holders), (0, 1));
    drop(reader);
    assert_eq!(series("downgraded", Mode::Shared).hold.count(), 1);
}

#[test]
fn formatting_leaves_no_trace() {
    let (mutex, lock) = (Mutex::named("formatted_mutex", 1), RwLock::named("formatted_rwlock", 1));
    let text = format!("{mutex:?} {lock:?}");
    assert_eq!(text, "Mutex { data: 1 } RwLock { data: 1 }");
    let guard = mutex.try_lock().unwrap();
    assert_eq!(format!("{mutex:?}"), "Mutex { data: <locked> }");
    drop(guard);
    assert_eq!(series("formatted_mutex", Mode::Exclusive).outcomes.iter().sum::<u64>(), 1);
    assert_eq!(series("formatted_rwlock", Mode::Shared).outcomes.iter().sum::<u64>(), 0);
}

/// The record of who waited belongs to the lock, wherever that is.
#[test]
fn a_lock_that_has_moved_still_knows_who_holds_it() {
    fn contend(mutex: &Mutex<u8>) {
        let guard = mutex.try_lock().unwrap();
        let mut waiting = spawn(mutex.lock());
        assert_pending!(waiting.poll());
        let wait = series("moved", Mode::Exclusive).oldest_wait.unwrap();
        assert!(wait.holder.contains("release"), "{wait:?}");
        drop(guard);
        drop(assert_ready!(waiting.poll()));
    }
    let mutex = Mutex::named("moved", 1);
    contend(&mutex);
    let moved = Box::new(mutex);
    contend(&moved);
    assert_eq!(series("moved", Mode::Exclusive).contentions(), 2);
}

/// Writers count one by one; a reader that saw two different halves would have been let in too early.
#[test]
fn threads_keep_out_of_each_others_way() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 2_000;
    let lock = Arc::new(RwLock::named("many_threads", [0_u64; 2]));
    let mutex = Arc::new(Mutex::named("many_threads_mutex", 0_u64));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (lock, mutex) = (Arc::clone(&lock), Arc::clone(&mutex));
            std::thread::spawn(move || {
                for round in 0..ROUNDS {
                    let mut write = lock.blocking_write();
                    write[0] += 1;
                    std::hint::black_box(&mut write)[1] += 1;
                    if round % 2 == 0 {
                        let read = write.downgrade();
                        assert_eq!(read[0], read[1]);
                    } else {
                        drop(write);
                    }
                    let read = lock.blocking_read();
                    assert_eq!(read[0], read[1]);
                    drop(read);
                    *mutex.blocking_lock() += 1;
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((lock.try_read().unwrap()[0], *mutex.try_lock().unwrap()), (8_000, 8_000));
    let all = THREADS * ROUNDS;
    let (write, read) =
        (series("many_threads", Mode::Exclusive), series("many_threads", Mode::Shared));
    assert_eq!((write.outcome(Outcome::Acquired), write.hold.count()), (all, all));
    // A reader per round, a downgraded writer every second one, and the look above.
    assert_eq!(read.hold.count(), all + all / 2 + 1);
    assert_eq!(series("many_threads_mutex", Mode::Exclusive).hold.count(), all + 1);
    assert_eq!((write.holders, read.holders, write.waiters, read.waiters), (0, 0, 0, 0));
}
