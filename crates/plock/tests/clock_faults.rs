//! A time stamp counter that jumps or changes its speed while locks are held and waited for, as it does
//! when a virtual machine is moved, stopped or badly emulated. In a process for itself: the clock is
//! one for all.
#![cfg(target_arch = "x86_64")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use plock::tokio::sync::{Mutex, RwLock};
use plock::{Dropped, LockSeries, Mode, Outcome, inspect};
use plock_core::fault;
use std::future::poll_fn;
use std::sync::{MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const HOUR: i64 = 3_600_000_000_000;
/// Longer than anything takes.
const FAR: i64 = 1 << 50;
const MINUTE: u64 = 60_000_000_000;

/// Starts a test with a counter that is sound.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    fault::use_counter();
    assert_eq!(plock::snapshot().clock, "tsc");
    one
}

fn figures(name: &str, mode: Mode) -> LockSeries {
    plock::snapshot().lock(name, mode).unwrap().clone()
}

fn anomalies() -> u64 {
    plock::snapshot().dropped(Dropped::Clock)
}

/// Collects until the counter has been given up, as any program does in the long run.
fn until_it_is_left() {
    let began = Instant::now();
    while plock::snapshot().clock == "tsc" {
        assert!(began.elapsed() < Duration::from_secs(20), "an unsound counter is still read");
        std::thread::yield_now();
    }
    assert_eq!(plock::snapshot().clock, "monotonic");
}

/// Polls a future by hand, once before and once after `between`.
fn twice<T>(future: impl Future<Output = T>, between: impl FnOnce()) -> T {
    let (mut future, mut cx) = (Box::pin(future), Context::from_waker(Waker::noop()));
    assert!(future.as_mut().poll(&mut cx).is_pending());
    between();
    let Poll::Ready(out) = future.as_mut().poll(&mut cx) else { panic!("it can go on") };
    out
}

#[test]
fn a_hold_during_which_the_counter_is_left_is_as_long_as_it_was() {
    let _alone = alone();
    fault::jump(HOUR); // so that the two clocks are far apart when one takes over from the other
    let lock = Mutex::named("left", ());
    let before = anomalies();
    let outer = Instant::now();
    let guard = lock.try_lock().unwrap();
    let inner = Instant::now();
    fault::run_at(1_020);
    until_it_is_left();
    assert_eq!((figures("left", Mode::Exclusive).holders, inspect::holds("left").len()), (1, 1));
    let shortest = inner.elapsed();
    drop(guard);
    let longest = outer.elapsed();
    let left = figures("left", Mode::Exclusive);
    let held = Duration::from_nanos(left.hold.sum_ns());
    // It ran by 2 % too fast for a part of the time, and the two clocks are read one after the other.
    let (shortest, longest) = (shortest.mul_f64(0.999), longest.mul_f64(1.021));
    assert!((shortest..=longest).contains(&held), "{held:?} is not in {shortest:?}..{longest:?}");
    assert_eq!((left.hold.count(), left.holders), (1, 0));
    assert_eq!(anomalies(), before + 1, "that the counter was left is counted once");
}

#[test]
fn holds_and_waits_across_a_jump_back_take_no_time_and_are_all_counted() {
    let _alone = alone();
    fault::jump(2 * HOUR); // so that there is something to go back to
    let (lock, other) = (Mutex::named("back", ()), Mutex::named("after back", ()));
    let guard = lock.try_lock().unwrap();
    let next = twice(lock.lock(), || {
        fault::jump(-HOUR);
        drop(guard);
    });
    drop(next);
    let back = figures("back", Mode::Exclusive);
    assert_eq!((back.hold.count(), back.contentions(), back.waiters, back.holders), (2, 1, 0, 0));
    assert!(back.hold.sum_ns() < MINUTE, "{}", back.hold.sum_ns());
    assert_eq!(back.wait_total().sum_ns(), 0);
    let (guard, began) = (other.try_lock().unwrap(), Instant::now());
    while began.elapsed() < Duration::from_millis(1) {}
    drop(guard);
    assert!(figures("after back", Mode::Exclusive).hold.sum_ns() >= 900_000, "it goes on");
    until_it_is_left();
}

#[test]
fn nothing_across_a_jump_far_forwards_is_filed_as_long_and_each_is_counted() {
    let _alone = alone();
    let lock = Mutex::named("far", ());
    let before = anomalies();
    let guard = lock.try_lock().unwrap();
    let next = twice(lock.lock(), || {
        fault::jump(FAR);
        drop(guard);
    });
    drop(next);
    let far = figures("far", Mode::Exclusive);
    assert_eq!((far.hold.count(), far.contentions(), far.outcome(Outcome::Acquired)), (2, 1, 2));
    assert_eq!((far.waiters, far.holders), (0, 0));
    assert!(far.hold.sum_ns() < MINUTE && far.hold.max_ns() < MINUTE, "{}", far.hold.max_ns());
    assert_eq!(far.wait_total().sum_ns(), 0);
    let charged: u64 = plock::snapshot().edges.iter().map(|edge| edge.wait_ns).sum();
    assert!(charged < MINUTE, "nobody is blamed for it: {charged}");
    until_it_is_left();
    assert_eq!(anomalies(), before + 3, "the hold, the wait, and that the counter was left");
}

#[test]
fn a_write_guard_downgraded_after_a_jump_far_forwards_begins_anew() {
    let _alone = alone();
    let lock = RwLock::named("far down", ());
    let before = anomalies();
    let guard = lock.try_write().unwrap();
    fault::jump(FAR);
    let guard = guard.downgrade();
    assert_eq!(figures("far down", Mode::Exclusive).holders, 0);
    drop(guard);
    for mode in [Mode::Exclusive, Mode::Shared] {
        let part = figures("far down", mode);
        assert_eq!((part.hold.count(), part.holders), (1, 0));
        assert!(part.hold.sum_ns() < MINUTE, "{mode}: {}", part.hold.sum_ns());
    }
    until_it_is_left();
    assert_eq!(anomalies(), before + 2, "the write lock's part, and that the counter was left");
}

#[test]
fn a_poll_and_a_scheduling_delay_across_a_jump_far_forwards_are_not_filed_as_long() {
    let _alone = alone();
    let before = anomalies();
    let waker = std::sync::Mutex::new(None);
    let polled = poll_fn(|cx| match waker.lock().unwrap().replace(cx.waker().clone()) {
        None => {
            fault::jump(FAR);
            Poll::Pending
        }
        Some(_) => Poll::Ready(()),
    });
    twice(plock::root("far poll", polled), || {
        waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
        fault::jump(FAR);
    });
    let snapshot = plock::snapshot();
    let scope = snapshot.scope("far poll").unwrap();
    assert_eq!((scope.poll.count(), scope.schedule_delay.count(), scope.finished), (2, 1, 1));
    assert!(scope.poll.max_ns() < MINUTE && scope.schedule_delay.max_ns() < MINUTE, "{scope:?}");
    until_it_is_left();
    assert_eq!(anomalies(), before + 3, "the poll, the delay, and that the counter was left");
}

#[test]
fn a_sound_counter_is_kept() {
    let _alone = alone();
    let (before, began) = (anomalies(), Instant::now());
    while began.elapsed() < Duration::from_millis(350) {
        assert_eq!(plock::snapshot().clock, "tsc");
    }
    assert_eq!(anomalies(), before);
}
