//! One wait and its phases: blocked, handed over, claimed or given up.

use super::figures::{edges, exclusive};
use super::hand::{Actor, manual, step};
use super::observer::{UNOBSERVED, told};
use allocation_counter::measure;
use plock::tokio::sync::Mutex;
use plock::{BlockCause, EndCause, Outcome, inspect};
use plock_core::{Foreign, Kind, Lock, NoTasks, Share, Start};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Waker};

/// Holds the lock from its first poll to its second.
async fn hold(lock: &Mutex<()>) {
    let guard = lock.lock().await;
    step().await;
    drop(guard);
}

/// Takes the lock and lets it go at once.
async fn touch(lock: &Mutex<()>) {
    drop(lock.lock().await);
}

#[test]
fn fast_path() {
    let _world = manual();
    let lock = Mutex::named("fast_path", ());
    let mut a = Actor::new("fast_path a", hold(&lock));
    assert!(!a.at(100));
    assert!(a.at(250));

    let seen = exclusive("fast_path");
    assert_eq!(seen.outcome(Outcome::Acquired), 1);
    assert_eq!(seen.contentions(), 0);
    assert_eq!((seen.hold.count(), seen.hold.sum_ns(), seen.hold.max_ns()), (1, 150, 150));
    assert_eq!((seen.depth[0], seen.depth_sum), (1, 1));
    assert_eq!(seen.wait_total().count(), 0);
    assert_eq!(edges("fast_path"), []);
    let told = told("fast_path a");
    assert_eq!((told.report.nesting_max, told.report.contentions, told.waits().len()), (1, 0, 0));
    assert_eq!(told.hold().ns, 150);

    let allocated = |lock: &Mutex<()>| {
        let mut once = pin!(touch(lock));
        let spent = measure(|| {
            assert!(once.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        });
        spent.count_total
    };
    assert_eq!(allocated(&lock), 0, "by a thread");
    let unobserved = "unobserved fast_path"; // a kept detail would be an allocation
    assert!(unobserved.starts_with(UNOBSERVED));
    Actor::new(unobserved, async { assert_eq!(allocated(&lock), 0, "by a scope") }).at(300);
}

#[test]
fn phase_split() {
    let _world = manual();
    let lock = Mutex::named("phase_split", ());
    let mut a = Actor::new("phase_split a", hold(&lock));
    let mut b = Actor::new("phase_split b", touch(&lock));
    assert!(!a.at(0));
    assert!(!b.at(10));
    assert!(a.at(50));
    assert_eq!(b.wakes(), 1);
    assert!(b.at(80));

    let (a, b) = (told("phase_split a"), told("phase_split b"));
    let (detail, wait) = b.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns), (70, 40, 30));
    assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::Release));
    assert_eq!((wait.holder, wait.holder_span), (Some("phase_split a"), Some(a.span)));
    assert_eq!(wait.holder_site, Some(a.hold().site));
    assert_eq!((wait.holders, wait.ahead, wait.polls), (1, 0, 2));
    assert_eq!(wait.claim_parts_ns.iter().sum::<u64>(), 30);
    assert_eq!((b.report.wait_ns, b.report.blocked_ns, b.report.contentions), (70, 70, 1));
    assert_eq!((a.report.blocked_others, a.report.blocked_others_ns), (1, 40));

    let seen = exclusive("phase_split");
    assert_eq!((seen.contentions(), seen.wait_total().sum_ns(), seen.claim_delay_ns), (1, 70, 30));
    let a_to_b = ("phase_split b".to_owned(), "phase_split a".to_owned(), 40);
    assert_eq!(edges("phase_split"), [a_to_b]);
}

#[test]
fn repolls() {
    let _world = manual();
    let lock = Mutex::named("repolls", ());
    let mut a = Actor::new("repolls a", hold(&lock));
    let mut b = Actor::new("repolls b", touch(&lock));
    assert!(!a.at(0));
    for at in [10, 20, 30] {
        assert!(!b.at(at));
    }
    assert!(a.at(50));
    assert!(b.at(80));

    let (a, b) = (told("repolls a"), told("repolls b"));
    let (detail, wait) = b.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns, wait.polls), (70, 40, 30, 4));
    assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::Release));
    assert_eq!((wait.holder, wait.holder_span), (Some("repolls a"), Some(a.span)));
}

/// Whoever polls last is woken, and a task that comes again is not asked for its waker again.
#[test]
fn repolls_by_others() {
    let _world = manual();
    let lock = Mutex::named("repolls_by_others", ());
    let mut holder = Actor::new("repolls_by_others a", hold(&lock));
    assert!(!holder.at(0));
    let tasks = [(); 2].map(|()| std::sync::Arc::new(Counted::default()));
    let [first, second] = tasks.clone().map(Waker::from);
    let mut waiting = pin!(lock.lock());
    for waker in [&first, &first, &second, &second] {
        assert!(waiting.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    }
    assert_eq!(
        tasks.each_ref().map(std::sync::Arc::strong_count),
        [2, 3],
        "kept of the second alone"
    );
    assert!(holder.at(50));
    let wakes = tasks.each_ref().map(|task| task.0.load(Relaxed));
    assert_eq!(wakes, [0, 1]);
    assert!(waiting.as_mut().poll(&mut Context::from_waker(&first)).is_ready());
}

/// Counts its wakes.
#[derive(Default)]
struct Counted(AtomicU64);

impl std::task::Wake for Counted {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

#[test]
fn abandon_before() {
    let _world = manual();
    let lock = Mutex::named("abandon_before", ());
    let mut a = Actor::new("abandon_before a", hold(&lock));
    let mut b = Actor::new("abandon_before b", touch(&lock));
    assert!(!a.at(0));
    assert!(!b.at(10));
    let cells = inspect::holds("abandon_before");
    assert_eq!((exclusive("abandon_before").waiters, cells.len()), (1, 1));
    b.drop_at(40);

    let b = told("abandon_before b");
    let (detail, wait) = b.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns), (30, 30, 0));
    assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::AbandonedBeforeGrant));
    let seen = exclusive("abandon_before");
    assert_eq!((seen.waiters, seen.holders), (0, 1));
    assert_eq!((seen.outcome(Outcome::Abandoned), seen.outcome(Outcome::Acquired)), (1, 1));
    assert_eq!(seen.wait_total().sum_ns(), 30);
    assert_eq!(inspect::holds("abandon_before"), cells, "a wait is no hold");
    assert!(a.at(50));
    assert_eq!(exclusive("abandon_before").holders, 0);
}

#[test]
fn abandon_after() {
    let _world = manual();
    let lock = Mutex::named("abandon_after", ());
    let mut a = Actor::new("abandon_after a", hold(&lock));
    let mut b = Actor::new("abandon_after b", touch(&lock));
    let mut c = Actor::new("abandon_after c", touch(&lock));
    assert!(!a.at(0));
    assert!(!b.at(10));
    assert!(!c.at(20));
    assert!(a.at(50));
    b.drop_at(60);
    assert_eq!(c.wakes(), 1);
    assert!(c.at(75));

    let (b, c) = (told("abandon_after b"), told("abandon_after c"));
    let (detail, wait) = b.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns), (50, 40, 10));
    assert_eq!(wait.end, EndCause::AbandonedAfterGrant);
    let (detail, wait) = c.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns), (55, 40, 15));
    assert_eq!((wait.block, wait.ahead), (BlockCause::HeldExclusive, 1));
    assert_eq!(wait.end, EndCause::Cancel);
    assert_eq!((wait.holder, wait.holder_span), (Some("abandon_after b"), Some(b.span)));
    assert_eq!(wait.holder_site, Some(b.wait().0.site));
    let seen = exclusive("abandon_after");
    assert_eq!((seen.outcome(Outcome::Abandoned), seen.outcome(Outcome::Acquired)), (1, 2));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
}

/// A queue that is not ours: the wakers of its waiters learn from the release around them who let go.
#[test]
fn handed_over_elsewhere() {
    let _world = manual();
    let (share, site) = (Share::EXCLUSIVE, std::panic::Location::caller());
    let lock = Lock::named(Kind::Mutex, "elsewhere");
    let inner = std::sync::Arc::new(::tokio::sync::Mutex::new(()));
    let mut guard = Some(std::sync::Arc::clone(&inner).try_lock_owned().unwrap());
    let mut hold = lock.acquired::<NoTasks>(Start::now(), share, site);
    let (task, mut locking) = (Counted::default().into(), pin!(inner.lock_owned()));
    let waker = Waker::from(std::sync::Arc::clone(&task));
    let cx = Context::from_waker(&waker);
    let begin = || Foreign::begin::<NoTasks>(&lock, Start::now(), share, 0, true, site, &waker);
    plock::manual::set(10);
    let mut attempt = begin().unwrap();
    assert!(attempt.poll(locking.as_mut(), false, &cx).is_pending());
    assert_eq!(exclusive("elsewhere").waiters, 1);
    plock::manual::set(50);
    hold.release::<NoTasks>(&lock, share, |releasing| releasing.during(|| drop(guard.take())));
    assert_eq!(task.0.load(Relaxed), 1);
    plock::manual::set(80);
    assert!(attempt.poll(locking, false, &cx).is_ready());
    let mut hold = attempt.claimed::<NoTasks>(&lock, site);
    plock::manual::set(90);
    let mut other = begin().unwrap();
    assert!(other.poll(pin!(std::future::pending::<()>()), false, &cx).is_pending());
    plock::manual::set(95);
    other.abandon(&lock, || {});
    hold.release::<NoTasks>(&lock, share, |_| {});

    let seen = exclusive("elsewhere");
    assert_eq!((seen.contentions(), seen.wait_total().sum_ns(), seen.claim_delay_ns), (2, 75, 30));
    assert_eq!((seen.outcome(Outcome::Abandoned), seen.waiters), (1, 0));
    let label = edges("elsewhere").first().unwrap().0.clone();
    assert_eq!(edges("elsewhere"), [(label.clone(), label, 45)]);
}
