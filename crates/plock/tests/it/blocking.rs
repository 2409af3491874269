//! The blocking calls, from every thread that may block.

use plock::tokio::sync::{Mutex, RwLock, Semaphore};
use plock::{Mode, Outcome};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

fn waiters(name: &str, mode: Mode) -> u64 {
    plock::snapshot().lock(name, mode).map_or(0, |lock| lock.waiters)
}

/// Polls with a deadline until somebody waits.
fn until_somebody_waits(name: &str, mode: Mode) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while waiters(name, mode) == 0 {
        assert!(Instant::now() < deadline, "nobody waits for {name}");
        thread::yield_now();
    }
}

#[test]
fn a_thread_waits_for_a_thread() {
    let mutex = Arc::new(Mutex::named("blocking_mutex", 1));
    let guard = mutex.blocking_lock();
    let other = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || *mutex.blocking_lock_owned() += 1
    });
    until_somebody_waits("blocking_mutex", Mode::Exclusive);
    drop(guard);
    other.join().unwrap();
    assert_eq!(*mutex.blocking_lock(), 2);
    let snapshot = plock::snapshot();
    let lock = snapshot.lock("blocking_mutex", Mode::Exclusive).unwrap();
    assert_eq!(lock.outcome(Outcome::Acquired), 3);
    assert_eq!(lock.contentions(), 1);
}

#[test]
fn a_reader_waits_for_a_writer() {
    let lock = Arc::new(RwLock::named("blocking_rwlock", 1));
    let mut guard = lock.blocking_write();
    let other = thread::spawn({
        let lock = Arc::clone(&lock);
        move || *lock.blocking_read()
    });
    until_somebody_waits("blocking_rwlock", Mode::Shared);
    *guard = 2;
    drop(guard);
    assert_eq!(other.join().unwrap(), 2);
}

#[test]
fn a_thread_waits_for_permits_and_is_told_of_a_close() {
    let semaphore = Arc::new(Semaphore::named("blocking_semaphore", 3));
    let two = semaphore.blocking_acquire_many(2).unwrap();
    let other = thread::spawn({
        let semaphore = Arc::clone(&semaphore);
        move || semaphore.blocking_acquire_many_owned(2).map(|it| it.num_permits())
    });
    until_somebody_waits("blocking_semaphore", Mode::Permit);
    drop(two);
    assert_eq!(other.join().unwrap().unwrap(), 2);
    let all = semaphore.blocking_acquire_many(3).unwrap();
    let other = thread::spawn({
        let semaphore = Arc::clone(&semaphore);
        move || semaphore.blocking_acquire_owned().map(|it| it.num_permits())
    });
    until_somebody_waits("blocking_semaphore", Mode::Permit);
    semaphore.close();
    assert_eq!(other.join().unwrap().unwrap_err().to_string(), "semaphore closed");
    drop(all);
    assert!(semaphore.blocking_acquire().is_err());
    let snapshot = plock::snapshot();
    let lock = snapshot.lock("blocking_semaphore", Mode::Permit).unwrap();
    assert_eq!(lock.outcome(Outcome::Acquired), 3);
    assert_eq!(lock.outcome(Outcome::Closed), 2);
}

#[test]
fn blocking_is_allowed_beside_and_inside_a_worker() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mutex = Arc::new(Mutex::new(0));
    runtime.block_on(async {
        let beside = Arc::clone(&mutex);
        tokio::task::spawn_blocking(move || *beside.blocking_lock() += 1).await.unwrap();
        let inside = Arc::clone(&mutex);
        let task = tokio::spawn(async move {
            tokio::task::block_in_place(|| *inside.blocking_lock() += 1);
        });
        task.await.unwrap();
    });
    assert_eq!(*mutex.blocking_lock(), 2);
}
