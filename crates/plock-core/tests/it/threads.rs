//! Threads that come and go: nothing recorded is lost with them, and what they used is used again.

use crate::support::{Probe, Run, alone, in_task, of};
use plock_core::{Histogram, Mode, Outcome, Snapshot, inspect, manual, snapshot};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
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

#[test]
fn a_lock_used_while_the_thread_is_torn_down_is_recorded() {
    struct Late(Arc<Probe>);
    impl Drop for Late {
        fn drop(&mut self) {
            let hold = self.0.acquire();
            manual::advance(100);
            self.0.release(hold);
        }
    }
    thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });
    alone(|| {
        let probe = Arc::new(Probe::mutex("teardown"));
        let before = inspect::cells();
        for _ in 0..20 {
            let probe = Arc::clone(&probe);
            let thread = thread::spawn(move || {
                // Registered before plock's own thread-local, so destroyed after it.
                LATE.set(Some(Late(Arc::clone(&probe))));
                let hold = probe.acquire();
                manual::advance(7);
                probe.release(hold);
            });
            thread.join().expect("no panic");
        }
        let now = snapshot(false);
        let teardown = of(&now, "teardown", Mode::Exclusive);
        assert_eq!(teardown.hold, Histogram::of(&[[7; 20], [100; 20]].concat()));
        assert_eq!((teardown.holders, teardown.migrated), (0, 0));
        assert_eq!(inspect::cells(), before, "and leaves no owner behind");
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
