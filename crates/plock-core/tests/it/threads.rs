//! Threads that come and go: nothing recorded is lost with them, and what they used is used again.

use crate::support::{Probe, Run, alone, in_task, of};
use plock_core::{Histogram, Hold, Mode, Outcome, Snapshot, inspect, manual, snapshot};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

#[test]
fn counts_and_sums_survive_the_threads_that_made_them() {
    alone(|| {
        let probe = Arc::new(Probe::mutex("churn"));
        let (mut holds, before) = (Vec::new(), inspect::cells());
        for generation in 0..100_u64 {
            let threads: Vec<_> = (0..4)
                .map(|number| {
                    let probe = Arc::clone(&probe);
                    let held: Vec<u64> =
                        (0..=generation % 7).map(|i| 10 + 1000 * i + number).collect();
                    holds.extend(held.iter().copied());
                    thread::spawn(move || {
                        for ns in held {
                            let hold = probe.acquire();
                            manual::advance(ns);
                            probe.release(hold);
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
            let now = snapshot(false);
            let churn = of(&now, "churn", Mode::Exclusive);
            assert_eq!(churn.hold.count(), holds.len() as u64, "generation {generation}");
            assert_eq!(churn.hold.sum_ns(), holds.iter().sum::<u64>());
        }
        let now = snapshot(false);
        let churn = of(&now, "churn", Mode::Exclusive);
        assert_eq!(churn.hold, Histogram::of(&holds));
        assert_eq!(churn.outcome(Outcome::Acquired), holds.len() as u64);
        assert_eq!(churn.depth[0], holds.len() as u64);
        assert_eq!((churn.holders, churn.migrated), (0, 0));
        assert_eq!(inspect::cells(), before, "every thread gave its owner cell back");
    });
}

/// Runs `f` when this thread's locals are destroyed: before plock's own are if plock has been used on
/// the thread already, after them if not.
fn at_teardown(f: impl FnOnce() + 'static) {
    thread_local!(static LATE: RefCell<Vec<Late>> = const { RefCell::new(Vec::new()) });
    struct Late(Option<Box<dyn FnOnce()>>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.take().expect("dropped once")();
        }
    }
    LATE.with_borrow_mut(|late| late.push(Late(Some(Box::new(f)))));
}

/// Whether plock has given back what this thread had: then a hold's owner has ended before it began.
fn is_cleaned_up(lock: &str) -> bool {
    inspect::holds(lock)[0].owner.gone
}

#[test]
fn a_lock_used_while_the_thread_is_torn_down_is_recorded() {
    alone(|| {
        let probe = Arc::new(Probe::mutex("teardown"));
        let before = inspect::cells();
        // After plock's own clean-up, before it, and with no use of plock on the thread but that.
        for (used_first, used_later) in [(false, true), (true, false), (false, false)] {
            for _ in 0..20 {
                let probe = Arc::clone(&probe);
                let thread = thread::spawn(move || {
                    let use_it = {
                        let probe = Arc::clone(&probe);
                        move |ns| {
                            let hold = probe.acquire();
                            manual::advance(ns);
                            probe.release(hold);
                        }
                    };
                    if used_first {
                        use_it(7);
                    }
                    let late = use_it.clone();
                    at_teardown(move || {
                        let hold = probe.acquire();
                        assert_eq!(is_cleaned_up("teardown"), used_later);
                        manual::advance(50);
                        late(100); // nested
                        probe.release(hold);
                    });
                    if used_later {
                        use_it(7);
                    }
                });
                thread.join().expect("no panic");
            }
        }
        let now = snapshot(false);
        let teardown = of(&now, "teardown", Mode::Exclusive);
        let expected = [vec![7; 40], vec![100; 60], vec![150; 60]].concat();
        assert_eq!(teardown.hold, Histogram::of(&expected));
        assert_eq!((teardown.holders, teardown.migrated), (0, 0));
        assert_eq!(inspect::cells(), before, "and leaves no owner behind");
    });
}

#[test]
fn a_scope_that_runs_while_the_thread_is_torn_down_is_recorded() {
    alone(|| {
        let probe = Arc::new(Probe::mutex("teardown scope"));
        let before = inspect::cells();
        for _ in 0..20 {
            let probe = Arc::clone(&probe);
            let thread = thread::spawn(move || {
                let late = Arc::clone(&probe);
                at_teardown(move || {
                    let mut run = Run::root("late scope");
                    let hold = run.poll(|| late.acquire());
                    manual::advance(3);
                    run.poll(|| late.release(hold));
                    run.complete();
                });
                let hold = probe.acquire();
                probe.release(hold);
            });
            thread.join().expect("no panic");
        }
        let now = snapshot(false);
        let teardown = of(&now, "teardown scope", Mode::Exclusive);
        assert_eq!((teardown.hold.count(), teardown.hold.sum_ns(), teardown.holders), (40, 60, 0));
        let scope = now.scope("late scope").expect("ran");
        assert_eq!((scope.started, scope.finished, scope.poll.count()), (20, 20, 40));
        assert_eq!(inspect::cells(), before);
    });
}

/// Threads that are being torn down share the cells they write to.
#[test]
fn threads_that_are_torn_down_at_the_same_time_lose_nothing() {
    const THREADS: usize = 4;
    const EACH: u64 = 2_000;
    alone(|| {
        let probe = Arc::new(Probe::reader("torn down"));
        let before = inspect::cells();
        let start = Arc::new(Barrier::new(THREADS));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let (probe, start) = (Arc::clone(&probe), Arc::clone(&start));
                thread::spawn(move || {
                    let late = Arc::clone(&probe);
                    at_teardown(move || {
                        start.wait();
                        for _ in 0..EACH {
                            let hold = late.acquire();
                            manual::advance(3);
                            late.release(hold);
                        }
                    });
                    let hold = probe.acquire();
                    probe.release(hold);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let now = snapshot(false);
        let figures = of(&now, "torn down", Mode::Shared);
        let late = THREADS as u64 * EACH;
        assert_eq!(figures.hold.count(), late + THREADS as u64);
        assert_eq!((figures.hold.sum_ns(), figures.holders), (3 * late, 0));
        assert_eq!(figures.outcome(Outcome::Acquired), late + THREADS as u64);
        assert_eq!(inspect::cells(), before);
    });
}

/// Every kind of owner acquires, and its guard is dropped on another thread, by every kind of owner and
/// with the acquirer still there or gone.
#[test]
fn a_guard_dropped_on_another_thread_ends_there_whoever_acquired_it() {
    alone(|| {
        let probe = Arc::new(Probe::mutex("travels"));
        let before = inspect::cells();
        let (mut guards, mut migrations) = (0, 0);
        for owner in ["scope", "task", "thread"] {
            for dropper in ["scope", "task", "thread"] {
                for is_gone in [false, true] {
                    travel(&probe, owner, dropper, is_gone);
                    guards += 1;
                    // The guard of an owner that has ended belongs to nobody else.
                    migrations += u64::from(!is_gone || owner == "task");
                    let now = snapshot(false);
                    let figures = of(&now, "travels", Mode::Exclusive);
                    let case = format!("from {owner} to {dropper}, gone: {is_gone}");
                    assert_eq!((figures.hold.count(), figures.holders), (guards, 0), "{case}");
                    assert_eq!(figures.hold.sum_ns(), 30 * guards, "{case}");
                    assert_eq!(figures.migrated, migrations, "{case}");
                    assert_eq!(inspect::cells(), before, "{case}");
                }
            }
        }
    });
}

/// Acquires as `owner` on one thread and drops as `dropper` on another one, at 10 and 40.
fn travel(probe: &Arc<Probe>, owner: &'static str, dropper: &'static str, is_gone: bool) {
    let (give, take) = mpsc::channel();
    let (done, until_done) = mpsc::channel::<()>();
    let acquirer = {
        let probe = Arc::clone(probe);
        thread::spawn(move || {
            manual::set(10);
            let mut run = (owner == "scope").then(|| Run::root("acquirer"));
            let hold = match (&mut run, owner) {
                (Some(run), _) => run.poll(|| probe.acquire()),
                (None, "task") => in_task(5, || probe.acquire()),
                (None, _) => probe.acquire(),
            };
            let run = run.and_then(|run| {
                if is_gone {
                    run.complete();
                    None
                } else {
                    Some(run)
                }
            });
            if !is_gone {
                give.send(hold).expect("wanted");
                until_done.recv().expect_err("the guard is dropped");
                run.into_iter().for_each(Run::complete);
                return None;
            }
            Some(hold)
        })
    };
    let hold = if is_gone {
        acquirer.join().expect("no panic").expect("handed out")
    } else {
        let hold = take.recv().expect("handed out");
        let probe = Arc::clone(probe);
        return drop_elsewhere(probe, dropper, hold, move || {
            drop(done);
            acquirer.join().expect("no panic");
        });
    };
    drop_elsewhere(Arc::clone(probe), dropper, hold, || ());
}

fn drop_elsewhere(probe: Arc<Probe>, dropper: &'static str, hold: Hold, then: impl FnOnce()) {
    let dropping = thread::spawn(move || {
        manual::set(40);
        match dropper {
            "scope" => {
                let mut run = Run::root("dropper");
                run.poll(|| probe.release(hold));
                run.complete();
            }
            "task" => in_task(6, || probe.release(hold)),
            _ => probe.release(hold),
        }
    });
    dropping.join().expect("no panic");
    then();
}

#[test]
fn a_guard_that_is_leaked_stays_open_and_takes_nothing_else_along() {
    alone(|| {
        let probe = Arc::new(Probe::mutex("leaked"));
        let before = inspect::cells();
        let acquired = {
            let probe = Arc::clone(&probe);
            move || {
                let _never_released = probe.acquire();
            }
        };
        let leaks = thread::spawn(move || {
            let mut run = Run::root("leaks");
            run.poll(&acquired);
            run.complete();
            in_task(9, &acquired);
            acquired();
        });
        leaks.join().expect("no panic");
        let live = inspect::holds("leaked");
        let gone: Vec<_> = live.iter().map(|hold| hold.owner.gone).collect();
        assert_eq!(live.len(), 3);
        assert_eq!(gone.iter().filter(|gone| **gone).count(), 2, "a task has no end that shows");
        let now = snapshot(false);
        let figures = of(&now, "leaked", Mode::Exclusive);
        assert_eq!((figures.holders, figures.hold.count()), (3, 0));
        assert_eq!(inspect::cells(), (before.0 + 3, before.1 + 3));
        // Whoever comes after has cells of their own, and the depth they have reached themselves.
        let hold = in_task(10, || probe.acquire());
        assert_eq!(inspect::holds("leaked").len(), 4);
        in_task(10, || probe.release(hold));
        let now = snapshot(false);
        assert_eq!(of(&now, "leaked", Mode::Exclusive).depth[0], 4);
    });
}

/// Every figure that only grows, as one list.
fn counters(snapshot: &Snapshot) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    for lock in &snapshot.locks {
        let mut add =
            |what: String, n: u64| out.push((format!("{} {} {what}", lock.name, lock.mode), n));
        for (i, n) in lock.outcomes.iter().chain(&lock.depth).enumerate() {
            add(format!("outcome or depth {i}"), *n);
        }
        for bound in 0..40 {
            add(format!("holds up to 2^{bound}"), lock.hold.count_at_most(1 << bound));
        }
        add("depth sum".to_owned(), lock.depth_sum);
        add("hold sum".to_owned(), lock.hold.sum_ns());
        add("hold max".to_owned(), lock.hold.max_ns());
        add("migrated".to_owned(), lock.migrated);
    }
    for scope in &snapshot.scopes {
        let mut add = |what: &str, n: u64| out.push((format!("{} {what}", scope.name), n));
        add("started", scope.started);
        add("finished", scope.finished);
        add("cancelled", scope.cancelled);
        add("polls", scope.poll.count());
        add("busy", scope.poll.sum_ns());
        add("idle", scope.idle_ns.iter().sum());
    }
    out
}

#[test]
fn no_counter_falls_while_others_record() {
    alone(|| {
        let probes = Arc::new([Probe::mutex("busy"), Probe::reader("busier")]);
        let stop = Arc::new(AtomicBool::new(false));
        let recorders = [1, 2, 3].map(|task| {
            let (probes, stop) = (Arc::clone(&probes), Arc::clone(&stop));
            thread::spawn(move || {
                let mut rounds = 0;
                while !stop.load(Relaxed) || rounds == 0 {
                    let mut run = Run::root("recorder");
                    let (a, b) = run.poll(|| (probes[0].acquire(), probes[1].acquire()));
                    manual::advance(3 + rounds % 5000);
                    run.poll(|| probes[0].release(a));
                    in_task(task, || probes[1].release(b));
                    run.complete();
                    rounds += 1;
                }
                rounds
            })
        });
        let mut last = counters(&snapshot(false));
        for _ in 0..300 {
            let now = counters(&snapshot(false));
            for (before, after) in last.iter().zip(&now) {
                assert_eq!(before.0, after.0);
                assert!(before.1 <= after.1, "{} fell from {} to {}", before.0, before.1, after.1);
            }
            last = now;
        }
        stop.store(true, Relaxed);
        let rounds: u64 = recorders.map(|recorder| recorder.join().expect("no panic")).iter().sum();
        let now = snapshot(false);
        assert_eq!(of(&now, "busy", Mode::Exclusive).hold.count(), rounds);
        assert_eq!(of(&now, "busier", Mode::Shared).hold.count(), rounds);
        let scope = now.scope("recorder").expect("ran");
        assert_eq!(
            (scope.started, scope.finished, scope.poll.count()),
            (rounds, rounds, 2 * rounds)
        );
    });
}

/// The end of a scope and the drop of its last guard on another thread, as close together as a
/// channel allows: each cell is cleared once.
#[test]
fn guards_dropped_while_their_scope_ends_leave_no_cell_behind() {
    alone(|| {
        const ROUNDS: u64 = 10_000;
        let probe = Arc::new(Probe::reader("handed over"));
        let before = inspect::cells();
        let (give, take) = mpsc::sync_channel(1);
        let dropper = {
            let probe = Arc::clone(&probe);
            thread::spawn(move || take.iter().for_each(|hold| probe.release(hold)))
        };
        for round in 0..ROUNDS {
            let mut run = Run::root("hands over");
            let (own, given) = run.poll(|| (probe.acquire(), probe.acquire()));
            give.send(given).expect("the other thread lives");
            run.poll(|| probe.release(own));
            match round % 2 {
                0 => run.complete(),
                _ => run.cancel(|| {}),
            }
            // Two scopes at once never share a cell.
            let (mut a, mut b) = (Run::root("a"), Run::root("b"));
            let hold = a.poll(|| probe.acquire());
            b.poll(|| assert_eq!(guards_of(["a", "b"]), [vec![1], vec![0]], "round {round}"));
            a.poll(|| probe.release(hold));
            a.complete();
            b.complete();
        }
        drop(give);
        dropper.join().expect("no panic");
        assert_eq!(inspect::cells(), before);
        let now = snapshot(false);
        let series = of(&now, "handed over", Mode::Shared);
        assert_eq!(series.hold.count(), 3 * ROUNDS);
        assert_eq!(series.holders, 0);
    });
}

fn guards_of(scopes: [&str; 2]) -> [Vec<u64>; 2] {
    scopes.map(inspect::scopes)
}
