//! What a scope waited for while it was idle: the kinds together are all of its idle time.

use super::hand::{Actor, manual, step};
use super::observer::told;
use allocation_counter::measure;
use futures_util::FutureExt;
use plock::tokio::sync::{Barrier, Mutex, SetOnce, broadcast, mpsc, oneshot, watch};
use plock::tokio::{task, time};
use plock::{Idle, waiting_on};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio_test::task::spawn as executor;

/// The idle time of a scope's name by kind, without the kinds that have none; checked against the
/// total that the scope told.
#[track_caller]
pub(crate) fn idle(scope: &str) -> Vec<(Idle, u64)> {
    let series = plock::snapshot().scope(scope).cloned().expect("the scope is known");
    let of = |kind: &Idle| (*kind, series.idle_ns[*kind as usize]);
    let by_kind: Vec<_> = Idle::ALL.iter().map(of).filter(|(_, ns)| *ns > 0).collect();
    let sum: u64 = by_kind.iter().map(|(_, ns)| ns).sum();
    assert_eq!(sum, told(scope).report.idle_ns, "the kinds are the whole");
    by_kind
}

#[test]
fn a_wait_is_filed_under_the_kind_it_was_given() {
    let _world = manual();
    let (answer, tick) = (Notify::new(), Notify::new());
    let mut scope = Actor::new("named waits", async {
        waiting_on("io", answer.notified()).await;
        waiting_on(Idle::Timer, tick.notified()).await;
        step().await;
    });
    assert!(!scope.at(0));
    plock::manual::set(30);
    answer.notify_one();
    assert!(!scope.at(50), "runnable for 20");
    plock::manual::set(57);
    tick.notify_one();
    assert!(!scope.at(60));
    assert!(scope.at(100), "polled without a wake");

    assert_eq!(idle("named waits"), [(Idle::Timer, 7), (Idle::Io, 30), (Idle::Other, 40)]);
    let report = told("named waits").report;
    assert_eq!((report.idle_ns, report.runnable_ns, report.busy_ns), (77, 23, 0));
}

#[test]
fn a_notification_is_waited_for_as_a_channel() {
    let _world = manual();
    let word = Arc::new(plock::tokio::sync::Notify::new());
    let mut scope = Actor::new("notified", async {
        word.notified().await;
        let mut owned = pin!(Arc::clone(&word).notified_owned());
        assert!(!owned.as_mut().enable(), "in the queue from now on");
        step().await;
        owned.await;
    });
    assert!(!scope.at(0));
    plock::manual::set(30);
    word.notify_one();
    assert!(!scope.at(35));
    word.notify_waiters();
    assert!(scope.poll(), "notified before it waits");
    assert_eq!(idle("notified"), [(Idle::Channel, 30)]);
}

#[test]
fn a_word_that_is_no_kind_counts_as_other() {
    assert_eq!(Idle::from("the weather"), Idle::Other);
    for kind in Idle::ALL {
        assert_eq!(Idle::from(kind.as_str()), *kind);
    }
}

#[test]
fn the_innermost_kind_counts() {
    let _world = manual();
    let lock = Mutex::named("inner wait", ());
    let mut holder = Actor::new("inner holder", async {
        let guard = lock.lock().await;
        step().await;
        drop(guard);
    });
    let word = Notify::new();
    let mut scope = Actor::new("inner waiter", async {
        waiting_on("io", async { drop(lock.lock().await) }).await;
        waiting_on("io", waiting_on("channel", word.notified())).await;
    });
    assert!(!holder.at(0));
    assert!(!scope.at(0));
    assert!(holder.at(11));
    assert!(!scope.at(11));
    plock::manual::set(16);
    word.notify_one();
    assert!(scope.at(16));
    assert_eq!(idle("inner waiter"), [(Idle::Lock, 11), (Idle::Channel, 5)]);
}

#[test]
fn of_several_branches_the_one_that_woke_counts() {
    let _world = manual();
    let (slow, quick) = (Notify::new(), Notify::new());
    let mut scope = Actor::new("branches", async {
        let slow = waiting_on("timer", slow.notified());
        let quick = waiting_on("io", quick.notified());
        futures_util::future::select(pin!(slow), pin!(quick)).await;
    });
    assert!(!scope.at(0));
    plock::manual::set(9);
    quick.notify_one();
    slow.notify_one();
    assert!(scope.at(9));
    assert_eq!(idle("branches"), [(Idle::Io, 9)]);
}

/// A future that moves from one executor to another.
#[test]
fn whoever_polled_last_is_woken() {
    let _world = manual();
    let word = Notify::new();
    let mut future = pin!(waiting_on("io", word.notified()));
    let (mut first, mut second) = (executor(()), executor(()));
    let mut scope = Actor::new("pollers", async {
        for executor in [&mut first, &mut second] {
            executor.enter(|cx, _| assert!(future.as_mut().poll(cx).is_pending()));
        }
    });
    assert!(scope.at(0));
    drop(scope);
    word.notify_one();
    assert!(!first.is_woken());
    assert!(second.is_woken());
}

#[test]
fn outside_any_scope_nothing_comes_between() {
    let _world = manual();
    executor(()).enter(|cx, _| {
        let outer = cx.waker().clone();
        let seen = poll_fn(|cx| Poll::Ready(cx.waker().will_wake(&outer)));
        assert_eq!(pin!(waiting_on("io", seen)).poll(cx), Poll::Ready(true));
    });
}

/// Every type that has no holder: what is waited for is word from another task.
#[test]
fn whatever_waits_for_another_task_is_idle_for_a_channel() {
    let _world = manual();
    let barrier = Barrier::new(2);
    let set_once = SetOnce::new();
    let (one, mut asked) = oneshot::channel();
    let (two, mut watched) = watch::channel(0);
    let (three, mut reader) = broadcast::channel(1);
    let (mut unsent, dropped) = oneshot::channel::<u8>();
    let (inbox, closing) = mpsc::channel::<u8>(1);
    let mut scope = Actor::new("every channel", async {
        barrier.wait().await;
        assert_eq!(*set_once.wait().await, 7);
        assert_eq!((&mut asked).await, Ok(1));
        watched.changed().await.unwrap();
        assert_eq!(*watched.wait_for(|value| *value == 3).await.unwrap(), 3);
        assert_eq!(reader.recv().await, Ok(4));
        unsent.closed().await;
        inbox.closed().await;
        two.closed().await;
        three.closed().await;
    });
    let mut other = Actor::unscoped(async { assert!(barrier.wait().await.is_leader()) });
    assert!(!scope.at(0));
    let mut at = 0;
    let mut then = |word: &mut dyn FnMut()| {
        at += 10;
        plock::manual::set(at);
        word();
        scope.poll()
    };
    assert!(!then(&mut || assert!(other.poll())));
    assert!(!then(&mut || set_once.set(7).unwrap()));
    let mut one = Some(one);
    assert!(!then(&mut || one.take().unwrap().send(1).unwrap()));
    assert!(!then(&mut || two.send(2).unwrap()));
    assert!(!then(&mut || two.send(3).unwrap()));
    assert!(!then(&mut || assert!(three.send(4).is_ok())));
    let mut dropped = Some(dropped);
    assert!(!then(&mut || drop(dropped.take())));
    let mut closing = Some(closing);
    assert!(!then(&mut || drop(closing.take())));
    drop(scope);
    assert_eq!(idle("every channel"), [(Idle::Channel, 80)]);
}

#[test]
fn waiting_for_a_task_to_end_is_idle_time_of_a_channel() {
    let _world = manual();
    let runtime = Builder::new_current_thread().build().unwrap();
    let turn = |at| {
        plock::manual::set(at);
        runtime.block_on(tokio::task::yield_now());
    };
    let _context = runtime.enter();
    let job = task::spawn(async { 1 });
    let mut jobs = task::JoinSet::from_iter([async { 2 }]);
    let mut others = task::JoinSet::new();
    let mut scope = Actor::new("joining", async {
        assert_eq!(job.await.unwrap(), 1);
        assert_eq!(jobs.join_next().await.unwrap().unwrap(), 2);
        others.spawn(async { 3 });
        assert_eq!(others.join_all().await, [3]);
    });
    assert!(!scope.at(0));
    turn(10);
    assert!(!scope.poll(), "the second job ended with the first");
    turn(30);
    assert!(scope.poll());
    assert_eq!(idle("joining"), [(Idle::Channel, 30)]);
}

#[test]
fn a_timeout_is_idle_for_what_ended_it() {
    let _world = manual();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let lock = Mutex::named("timed out", ());
    let guard = lock.try_lock().unwrap();
    let second = Duration::from_secs(1);
    let scope = plock::root("timed", async {
        assert!(time::timeout(second, lock.lock()).await.is_ok());
        assert!(time::timeout(second, pending::<()>()).await.is_err());
        time::sleep(second).await;
        time::interval_at(time::Instant::now() + second, second).tick().await;
    });
    runtime.block_on(async {
        let mut scope = pin!(scope);
        assert!(futures_util::poll!(scope.as_mut()).is_pending());
        plock::manual::set(10);
        drop(guard);
        assert!(futures_util::poll!(scope.as_mut()).is_pending());
        for at in [20, 30, 40] {
            plock::manual::set(at);
            time::advance(second).await;
            assert_eq!(futures_util::poll!(scope.as_mut()).is_ready(), at == 40);
        }
    });
    assert_eq!(idle("timed"), [(Idle::Lock, 10), (Idle::Timer, 30)]);
}

/// Looking for a word that is there, and one that comes before anybody looks, allocates nothing.
#[test]
fn what_is_there_is_not_waited_for() {
    let _world = manual();
    let (sender, mut inbox) = mpsc::channel(2);
    let mut scope = Actor::new("warm channel", async {
        for is_warm in [false, true] {
            let (answer, question) = oneshot::channel();
            answer.send(1).unwrap();
            let count = measure(|| {
                sender.send(2).now_or_never().unwrap().unwrap();
                assert_eq!(inbox.recv().now_or_never().unwrap(), Some(2));
                assert_eq!(question.now_or_never().unwrap(), Ok(1));
            });
            assert!(!is_warm || count.count_total == 0, "{} allocations", count.count_total);
        }
    });
    assert!(scope.at(0));
}

#[test]
fn a_named_wait_allocates_once() {
    let _world = manual();
    let word = Notify::new();
    let mut executor = executor(());
    let mut poll_thrice = || {
        let mut future = pin!(waiting_on("io", word.notified()));
        executor.enter(|cx, _| {
            let polls = measure(|| {
                for _ in 0..3 {
                    assert!(future.as_mut().poll(cx).is_pending());
                }
            });
            polls.count_total
        })
    };
    assert_eq!(poll_thrice(), 0, "outside any scope");
    let mut scope = Actor::new("named wait", async { assert_eq!(poll_thrice(), 1) });
    assert!(scope.at(0));
}
