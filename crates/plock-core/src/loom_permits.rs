//! Models of the permits and the queue behind them, as attempts use them; see [`crate::permits`]. What
//! the models run is the code itself. Recording is off in them: thread-locals are shared there.

use crate::grant::Granted;
use crate::lock::{Lock, Start};
use crate::loom_tests::{Task, model};
use crate::permits::Permits;
use crate::share::Share;
use crate::{Attempt, Closed, EndCause, Hold, Kind, NoTasks};
use loom::sync::Arc;
use loom::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use loom::thread;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

/// A lock and what it protects: no read-modify-write, so that two at once are seen.
struct Locked {
    permits: Permits,
    value: AtomicU32,
}

impl Locked {
    fn new(permits: u64) -> Arc<Self> {
        let permits = Permits::new(Lock::of_series(Kind::Mutex, 1), permits);
        assert!(permits.take(0), "a modelled word is made when it is first used");
        Arc::new(Self { permits, value: AtomicU32::new(0) })
    }

    /// Waits for `n` permits.
    fn acquire(&self, n: u32) -> Result<(), Closed> {
        if self.permits.take(n) {
            return Ok(());
        }
        let task = std::sync::Arc::new(Task::default());
        let waker = Waker::from(std::sync::Arc::clone(&task));
        let cx = Context::from_waker(&waker);
        let (mut attempt, mut polled) = self.begin(n, &cx);
        loop {
            match polled {
                Poll::Pending => task.0.wait(), // may return for nothing
                Poll::Ready(Ok(())) => {
                    let _off = attempt.claimed::<NoTasks>(&self.permits, share(n), site());
                    return Ok(());
                }
                Poll::Ready(Err(closed)) => {
                    attempt.failed(&self.permits);
                    return Err(closed);
                }
            }
            polled = attempt.poll(&self.permits, &cx);
        }
    }

    fn begin(&self, n: u32, cx: &Context<'_>) -> (Attempt, Poll<Result<(), Closed>>) {
        Attempt::begin::<NoTasks>(&self.permits, Start::OFF, share(n), n, site(), cx)
    }

    fn release(&self, n: u32) {
        self.permits.release::<NoTasks>(&mut Hold::default(), share(n), u64::from(n));
    }

    fn section(&self) {
        self.value.store(self.value.load(Relaxed) + 1, Relaxed);
    }
}

fn share(n: u32) -> Share {
    Share::permits(n)
}

fn site() -> &'static Location<'static> {
    Location::caller()
}

/// Each section sees the ones before it, whether the lock was free, handed over, or given back while the
/// other one joined; and whoever waits is woken. Fails if a take is not `Acquire`, a give not
/// `Release`, if `Grant::set` is not `Release`, or if a give does not look at the flag again.
#[test]
fn sections_follow_each_other() {
    model(|| {
        let lock = Locked::new(1);
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.acquire(1).unwrap();
                lock.section();
                lock.release(1);
            })
        };
        lock.acquire(1).unwrap();
        lock.section();
        lock.release(1);
        other.join().unwrap();
        assert_eq!(lock.value.load(Relaxed), 2);
        assert_eq!(lock.permits.available(), 1);
    });
}

/// The same of a lock that is taken and given as a whole, in one step from one value to another. Fails if
/// the take is not `Acquire`, the give not `Release`, or if it gives although somebody is queued.
#[test]
fn sections_of_a_whole_follow_each_other() {
    let section = |lock: &Locked| {
        if !lock.permits.take_whole(2) {
            lock.acquire(2).unwrap();
        }
        lock.section();
        if !lock.permits.give_whole(2) {
            lock.permits.give_to(2, Granted::here(0, EndCause::Release, None));
        }
    };
    model(move || {
        let lock = Locked::new(2);
        let other = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || section(&lock))
        };
        section(&lock);
        other.join().unwrap();
        assert_eq!(lock.value.load(Relaxed), 2);
        assert_eq!(lock.permits.available(), 2);
    });
}

/// Who gives up while the lock is handed to it passes it on. Fails if a served one that leaves keeps
/// what it has got, or if what the queue has left over is not given back with `Release`.
#[test]
fn who_gives_up_passes_it_on() {
    model(|| {
        let lock = Locked::new(1);
        assert!(lock.permits.take(1));
        let (first, polled) = lock.begin(1, &Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        let second = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.acquire(1).unwrap();
                lock.section();
            })
        };
        let releaser = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.section();
                lock.release(1);
            })
        };
        first.abandon(&lock.permits);
        second.join().unwrap();
        releaser.join().unwrap();
        assert_eq!(lock.value.load(Relaxed), 2, "it saw the section before");
        assert_eq!(lock.permits.available(), 0, "the second one has it still");
    });
}

/// While somebody is queued, nobody else takes what is given (P1). Fails if a give puts it where a take
/// finds it.
#[test]
fn nobody_is_overtaken() {
    model(|| {
        let lock = Locked::new(1);
        assert!(lock.permits.take(1));
        let queued = Arc::new(AtomicBool::new(false));
        let waiting = {
            let (lock, queued) = (Arc::clone(&lock), Arc::clone(&queued));
            thread::spawn(move || {
                let (attempt, polled) = lock.begin(1, &Context::from_waker(Waker::noop()));
                if polled.is_pending() {
                    queued.store(true, Release);
                }
                (attempt, polled)
            })
        };
        let releaser = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.release(1))
        };
        let is_queued = queued.load(Acquire);
        let taken = lock.permits.take(1);
        assert!(!(is_queued && taken), "it was queued first");
        releaser.join().unwrap();
        let (mut attempt, polled) = waiting.join().unwrap();
        if polled.is_pending() && !taken {
            let polled = attempt.poll(&lock.permits, &Context::from_waker(Waker::noop()));
            assert!(polled.is_ready());
        }
        if taken {
            lock.release(1);
        }
        attempt.abandon(&lock.permits);
        assert_eq!(lock.permits.available(), 1);
    });
}

/// Two give one permit each to somebody who waits for both, and who may have found one of them free.
/// Fails if what a join takes is not kept.
#[test]
fn permits_are_kept_until_there_are_enough() {
    model(|| {
        let lock = Locked::new(2);
        assert!(lock.permits.take(2));
        let givers = [(); 2].map(|()| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.release(1))
        });
        lock.acquire(2).unwrap();
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        assert_eq!(lock.permits.available(), 0);
        lock.release(2);
        assert_eq!(lock.permits.available(), 2);
    });
}

/// A close ends every wait, however it meets the join. Hangs if a close looks for those that queue before
/// it says that it is closed.
#[test]
fn close_meets_join() {
    model(|| {
        let lock = Locked::new(1);
        assert!(lock.permits.take(1));
        let waiting = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.acquire(1).unwrap_err())
        };
        lock.permits.close();
        waiting.join().unwrap();
        lock.release(1);
        assert_eq!(lock.permits.available(), 1);
    });
}

/// No permit is lost when a close meets a join and a release. Fails if a closed one keeps what it was
/// handed.
#[test]
fn close_meets_join_and_release() {
    model(|| {
        let lock = Locked::new(1);
        assert!(lock.permits.take(1));
        let waiting = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || match lock.acquire(1) {
                Ok(()) => lock.release(1),
                Err(Closed) => assert!(lock.permits.is_closed()),
            })
        };
        let releaser = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.release(1))
        };
        lock.permits.close();
        waiting.join().unwrap();
        releaser.join().unwrap();
        assert_eq!(lock.permits.available(), 1);
        assert!(lock.permits.is_closed() && !lock.permits.take(1));
    });
}
