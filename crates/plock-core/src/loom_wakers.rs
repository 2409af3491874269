//! Models of the wakers of a scope: who is woken, when the first wake came, and how the cell that they
//! refer to becomes free.

use crate::Idle;
use crate::loom_tests::{Task, model};
use crate::outer::Outer;
use crate::signal::Signal;
use crate::wake::News;
use crate::wakers::Wakers;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use std::task::Waker;

/// A poll that takes the signal, registers and finds nothing, while one wake is still on its way and
/// another one follows.
#[test]
fn wake_vs_poll_enter() {
    model(|| {
        let task = std::sync::Arc::new(Task::default());
        let outer = Waker::from(std::sync::Arc::clone(&task));
        let signal = Arc::new(Signal::new(&outer));
        let ready = Arc::new(AtomicBool::new(false));
        let wakers = [false, true].map(|makes_ready| {
            let (signal, ready) = (Arc::clone(&signal), Arc::clone(&ready));
            thread::spawn(move || {
                if makes_ready {
                    ready.store(true, Relaxed);
                }
                signal.raise(|| News { at: 7, kind: Idle::Lock });
            })
        });
        loop {
            let woken = signal.take();
            assert!(woken.is_none_or(|woken| woken == News { at: 7, kind: Idle::Lock }));
            signal.register(&outer);
            if ready.load(Relaxed) {
                break;
            }
            task.0.wait();
        }
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
    });
}

/// A poll that comes from another task than the one before, while a wake is on its way: the one task
/// is woken, or the other has seen why. Hangs if `change` stores or `wake` loads instead of a
/// read-modify-write, or if one of them is `Relaxed`.
#[test]
fn wake_vs_other_waker() {
    model(|| {
        let tasks = [(); 2].map(|()| std::sync::Arc::new(Task::default()));
        let [first, second] = tasks.clone().map(Waker::from);
        let outer = Arc::new(Outer::new(&first));
        let ready = Arc::new(AtomicBool::new(false));
        let waker = {
            let (outer, ready) = (Arc::clone(&outer), Arc::clone(&ready));
            thread::spawn(move || {
                ready.store(true, Relaxed);
                outer.wake();
            })
        };
        outer.register(&second);
        while !ready.load(Relaxed) {
            tasks[1].0.wait();
        }
        waker.join().unwrap();
    });
}

/// Of two first wakes one counts, with the kind that belongs to its moment.
#[test]
fn first_wake_brings_its_kind() {
    model(|| {
        let signal = Arc::new(Signal::new(Waker::noop()));
        let kinds = [(3, Idle::Lock), (4, Idle::Permit)];
        let wakers = kinds.map(|(at, kind)| {
            let signal = Arc::clone(&signal);
            thread::spawn(move || signal.raise(|| News { at, kind }))
        });
        let early = signal.take();
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
        let late = signal.take();
        for woken in [early, late].into_iter().flatten() {
            assert!(kinds.contains(&(woken.at, woken.kind)));
        }
        assert!(early.is_some() || late.is_some());
    });
}

/// A scope ends, and its cell is cleared, while somebody wakes it and drops the last waker: one of them
/// frees the cell, after which nobody looks at the signal, and what the scope woke is let go. Fails if
/// `remove` or `let_go` counts `Relaxed`, or without the fence.
#[test]
fn the_last_waker_vs_the_end_of_the_owner() {
    model(|| {
        let task = std::sync::Arc::new(Task::default());
        let wakers = Arc::new(Wakers::new());
        #[expect(unsafe_code, reason = "as a scope does")]
        // SAFETY: nobody has a waker yet.
        unsafe {
            wakers.begin(&Waker::from(std::sync::Arc::clone(&task)));
        }
        wakers.add();
        let waker = {
            let wakers = Arc::clone(&wakers);
            thread::spawn(move || {
                #[expect(unsafe_code, reason = "as a waker does")]
                // SAFETY: added above.
                unsafe {
                    wakers.with(|signal| signal.raise(|| News { at: 7, kind: Idle::Lock }));
                }
                wakers.remove()
            })
        };
        #[expect(unsafe_code, reason = "as a scope does")]
        // SAFETY: not ended yet.
        unsafe {
            wakers.with(Signal::take);
        }
        wakers.end();
        let by_owner = wakers.let_go();
        assert_ne!(waker.join().unwrap(), by_owner, "one frees the cell");
        assert_eq!(std::sync::Arc::strong_count(&task), 1, "nobody is left to wake it");
        assert!(wakers.let_go(), "the next owner of the cell begins anew");
    });
}
