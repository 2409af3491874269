//! Models of the front with a fair queue behind it; see [`crate::front`].

use crate::front::{Front, Take};
use crate::loom_tests::model;
use loom::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use loom::sync::{Arc, Mutex, Notify};
use loom::thread;
use std::collections::VecDeque;

/// A fair queue of permits, which can be counted without its mutex, as in tokio's.
struct Queue {
    permits: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiters: VecDeque<Arc<Waiter>>,
    /// How many were ever handed a permit.
    served: usize,
}

#[derive(Debug)]
struct Waiter {
    served: AtomicBool,
    news: Notify,
}

/// A lock: a front and a queue.
struct Lock {
    front: Front,
    queue: Queue,
    whole: bool,
    value: AtomicU32,
}

impl Queue {
    fn try_acquire(&self) -> bool {
        let state = self.state.lock().unwrap();
        self.try_acquire_locked(&state)
    }

    fn try_acquire_locked(&self, _: &State) -> bool {
        let free = self.permits.load(Relaxed);
        if free > 0 {
            self.permits.store(free - 1, Relaxed);
        }
        free > 0
    }

    fn add(&self, n: usize) {
        let mut state = self.state.lock().unwrap();
        for _ in 0..n {
            match state.waiters.pop_front() {
                Some(waiter) => {
                    state.served += 1;
                    waiter.served.store(true, Release);
                    waiter.news.notify();
                }
                None => {
                    self.permits.fetch_add(1, Release);
                }
            }
        }
    }

    fn acquire(&self) {
        let waiter = Arc::new(Waiter { served: AtomicBool::new(false), news: Notify::new() });
        {
            let mut state = self.state.lock().unwrap();
            if self.try_acquire_locked(&state) {
                return;
            }
            state.waiters.push_back(Arc::clone(&waiter));
        }
        while !waiter.served.load(Acquire) {
            waiter.news.wait(); // may return for nothing
        }
    }

    fn available(&self) -> usize {
        self.permits.load(Acquire) as usize
    }

    /// Those that have queued so far, served ones included, and those that were served.
    fn queued_and_served(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.served + state.waiters.len(), state.served)
    }
}

impl Lock {
    fn new(permits: usize, whole: bool) -> Arc<Self> {
        let front = Front::open(permits).unwrap();
        let queue = Queue { permits: AtomicU32::new(0), state: Mutex::new(State::default()) };
        Arc::new(Self { front, queue, whole, value: AtomicU32::new(0) })
    }

    fn try_acquire(&self) -> bool {
        match self.front.take(1) {
            Take::Taken => true,
            Take::Short => false,
            Take::Behind => self.queue.try_acquire(),
        }
    }

    fn acquire(&self) {
        if self.try_acquire() {
            return;
        }
        self.front.join(|n| self.queue.add(n));
        self.queue.acquire();
        self.front.leave_with_permits(|| self.queue.available() == 0);
    }

    fn release(&self) {
        self.front.give(1, || self.whole, |n| self.queue.add(n));
    }

    fn count(&self) {
        self.acquire();
        // Two at once, or one that does not see the other, lose a count.
        self.value.store(self.value.load(Relaxed) + 1, Relaxed);
        self.release();
    }

    /// All permits are back, in one place, and can be had.
    fn check(&self, permits: usize) {
        match self.front.free() {
            Some(free) => assert_eq!((free, self.queue.available()), (permits, 0)),
            None => assert_eq!(self.queue.available(), permits),
        }
        (0..permits).for_each(|_| assert!(self.try_acquire(), "a permit is lost"));
        assert!(!self.try_acquire(), "there is a permit too many");
    }
}

/// Everybody gets the lock, alone, and sees what those before wrote. Fails if `take` or `give` is
/// `Relaxed` or `change` is, if `join` does not move the free permits, and if whoever leaves forgets to
/// look for others.
#[test]
fn front_hands_over() {
    model(|| {
        let lock = Lock::new(1, true);
        let others = [(); 2].map(|()| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.count())
        });
        lock.count();
        others.into_iter().for_each(|other| other.join().unwrap());
        lock.acquire();
        assert_eq!(lock.value.load(Relaxed), 3);
        lock.release();
        lock.check(1);
    });
}

/// Permits that are added while the last one leaves are not left behind. Fails if joining to add does
/// not turn the word, if whoever adds leaves before it adds, if the last one does not ask whether the
/// queue is drained, and if `leave` or `leave_with_permits` is `Relaxed`.
#[test]
fn front_opens_drained() {
    model(|| {
        let lock = Lock::new(1, false);
        let others = [(); 2].map(|()| {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.acquire();
                lock.release();
            })
        });
        lock.release(); // one more permit, from outside
        others.into_iter().for_each(|other| other.join().unwrap());
        lock.check(2);
    });
}

/// Whoever begins to ask while another one is queued is not served before it. Fails if a lock with
/// somebody in its queue can open.
#[test]
fn front_overtakes_nobody() {
    model(|| {
        let lock = Lock::new(1, true);
        assert!(lock.try_acquire());
        let waiter = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.count())
        };
        let asks = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let (queued, _) = lock.queue.queued_and_served();
                if lock.try_acquire() {
                    let (_, served) = lock.queue.queued_and_served();
                    assert!(served >= queued, "somebody was overtaken");
                    lock.release();
                }
            })
        };
        lock.release();
        waiter.join().unwrap();
        asks.join().unwrap();
        lock.check(1);
    });
}

/// An attempt that is given up leaves nothing but a lock that works: whoever opens it again hands on
/// what was written. Fails if `reopen_with` is `Relaxed`.
#[test]
fn front_survives_those_who_give_up() {
    model(|| {
        let lock = Lock::new(1, true);
        assert!(lock.try_acquire());
        let gives_up = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                lock.front.join(|n| lock.queue.add(n));
                lock.front.leave();
            })
        };
        let waiter = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.count())
        };
        lock.value.store(1, Relaxed);
        lock.release();
        gives_up.join().unwrap();
        waiter.join().unwrap();
        lock.acquire();
        assert_eq!(lock.value.load(Relaxed), 2);
        lock.release();
        lock.check(1);
    });
}
