//! Who a hold counts for, through everything that can happen to its guard and its owner.

use crate::support::{Probe, Run, alone, in_task, of};
use plock_core::{Dropped, Hold, LockSeries, Mode, inspect, manual, snapshot};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

fn series(name: &str, mode: Mode) -> LockSeries {
    of(&snapshot(false), name, mode).clone()
}

/// The depth of an acquisition that happens now.
fn depth(probe: &Probe, name: &str) -> u64 {
    let before = series(name, probe.share.mode()).depth_sum;
    let hold = probe.acquire();
    let depth = series(name, probe.share.mode()).depth_sum - before;
    probe.release(hold);
    depth
}

#[test]
fn a_guard_of_an_ended_branch_counts_for_the_scope_around_it() {
    alone(|| {
        let probe = Probe::mutex("handed up");
        let before = inspect::cells();
        let mut root = Run::root("around");
        let hold = root.poll(|| {
            let mut branch = Run::branch("step");
            let hold = branch.poll(|| probe.acquire());
            branch.complete();
            hold
        });
        assert_eq!(inspect::scopes("around"), [1]);
        assert_eq!(series("handed up", Mode::Exclusive).holders, 1, "it is one hold");
        manual::advance(5);
        root.poll(|| {
            assert_eq!(depth(&Probe::reader("on top"), "on top"), 2);
            probe.release(hold);
            assert_eq!(depth(&Probe::reader("on top"), "on top"), 1);
        });
        root.complete();
        let series = series("handed up", Mode::Exclusive);
        assert_eq!((series.hold.count(), series.hold.sum_ns(), series.migrated), (1, 5, 0));
        assert_eq!(inspect::cells(), before);
    });
}

#[test]
fn a_guard_of_an_ended_root_has_escaped_and_is_no_migration() {
    alone(|| {
        let probe = Probe::mutex("escapes");
        let (before, late) = (inspect::cells(), snapshot(false).dropped(Dropped::Late));
        let mut root = Run::root("gone");
        let hold = root.poll(|| probe.acquire());
        root.complete();
        let live = inspect::holds("escapes");
        assert!(live[0].owner.gone && live[0].owner.live == 1, "{live:?}");
        manual::advance(9);
        probe.release(hold);
        let series = series("escapes", Mode::Exclusive);
        assert_eq!((series.hold.sum_ns(), series.migrated, series.holders), (9, 0, 0));
        assert_eq!(snapshot(false).dropped(Dropped::Late), late + 1);
        assert_eq!(inspect::cells(), before);
    });
}

/// The parent's counts have one writer, the thread that polls it: a branch that ends elsewhere must
/// not touch them.
#[test]
fn a_branch_that_ends_outside_its_parents_poll_lets_its_guards_escape() {
    alone(|| {
        let probe = Arc::new(Probe::mutex("stray"));
        let before = inspect::cells();
        let mut root = Run::root("parent");
        let mut branch = Run::branch("moved out");
        let hold = root.poll(|| branch.poll(|| probe.acquire()));
        let elsewhere = {
            let probe = Arc::clone(&probe);
            thread::spawn(move || {
                branch.complete();
                assert_eq!(inspect::scopes("parent"), [0]);
                probe.release(hold);
            })
        };
        elsewhere.join().unwrap();
        root.poll(|| assert_eq!(depth(&probe, "stray"), 1));
        root.complete();
        assert_eq!(inspect::cells(), before);
    });
}

#[test]
fn holds_beyond_the_slots_are_timed_charged_and_adopted_like_the_others() {
    const MANY: u64 = 20;
    alone(|| {
        let probe = Probe::reader("many");
        let before = inspect::cells();
        let mut root = Run::root("hoarder");
        manual::advance(1000); // a pause before the claims must not count for them
        root.poll(|| ());
        manual::advance(1000);
        let mut holds: Vec<Hold> = root.poll(|| (0..MANY).map(|_| probe.acquire()).collect());
        assert_eq!(series("many", Mode::Shared).holders, MANY);
        assert_eq!(inspect::scopes("hoarder"), [MANY]);
        root.poll(|| {
            manual::advance(10);
            for hold in holds.drain(..4) {
                probe.release(hold);
            }
            for hold in holds.drain(12..) {
                probe.release(hold);
            }
        });
        let figures = series("many", Mode::Shared);
        assert_eq!((figures.hold.count(), figures.hold.sum_ns()), (8, 80));
        assert_eq!(figures.hold_suspended_ns, 0, "nothing was held across a pause");
        assert_eq!(inspect::scopes("hoarder"), [12]);
        in_task(77, || {
            for hold in &mut holds {
                hold.adopt::<crate::support::Tasks>(&probe.lock, probe.share);
            }
        });
        assert_eq!(inspect::scopes("hoarder"), [0]);
        let live = inspect::holds("many");
        assert_eq!(live.len(), 12);
        assert!(live.iter().all(|hold| hold.owner.task == 77 && hold.owner.live == 12), "{live:?}");
        root.complete();
        manual::advance(5);
        in_task(77, || holds.drain(..).for_each(|hold| probe.release(hold)));
        let figures = series("many", Mode::Shared);
        assert_eq!((figures.hold.count(), figures.hold.sum_ns()), (MANY, 80 + 12 * 15));
        assert_eq!((figures.migrated, figures.holders), (0, 0));
        assert_eq!(inspect::cells(), before, "nor is a task left in the table");
    });
}

#[test]
fn a_panic_in_the_drop_of_the_wrapped_future_ends_the_scope() {
    alone(|| {
        let probe = Probe::mutex("dropped with a panic");
        let before = inspect::cells();
        for completed in [true, false] {
            let mut root = Run::root("panics in drop");
            let hold = root.poll(|| probe.acquire());
            let mut hold = Some(hold);
            let drop_inner = || {
                probe.release(hold.take().unwrap());
                panic!("in a user's drop");
            };
            let end = catch_unwind(AssertUnwindSafe(|| root.end(completed, drop_inner)));
            assert!(end.is_err());
            assert_eq!(depth(&probe, "dropped with a panic"), 1);
        }
        let ended = snapshot(false).scope("panics in drop").unwrap().clone();
        assert_eq!((ended.started, ended.finished, ended.panicked), (2, 2, 2));
        assert_eq!(inspect::cells(), (before.0 + 1, 0), "this thread, by the probes of depth");
    });
}

#[test]
fn a_scope_around_another_task_is_not_its_owner() {
    alone(|| {
        let (outer, inner) = (Probe::mutex("outer"), Probe::mutex("inner"));
        let mut root = in_task(1, || Run::root("polls others"));
        in_task(1, || {
            root.poll(|| {
                let hold = outer.acquire();
                in_task(2, || {
                    assert_eq!(
                        depth(&inner, "inner"),
                        1,
                        "a local task, polled inside the scope's poll"
                    );
                    let hold = inner.acquire();
                    assert_eq!(inspect::holds("inner")[0].owner.task, 2);
                    let mut branch = Run::branch("of the local task");
                    branch.poll(|| {
                        assert_eq!(depth(&outer, "outer"), 1, "and its scopes start at the root");
                    });
                    branch.complete();
                    inner.release(hold);
                });
                assert_eq!(depth(&inner, "inner"), 2, "the task itself, further on");
                outer.release(hold);
            });
        });
        in_task(1, || root.complete());
    });
}

#[test]
fn unwinding_out_of_nested_polls_restores_what_was_around_them() {
    alone(|| {
        let probe = Probe::mutex("unwinds");
        let mut root = Run::root("catches");
        root.poll(|| {
            let hold = probe.acquire();
            let mut branch = Run::branch("thrown");
            let caught = catch_unwind(AssertUnwindSafe(|| {
                branch.poll(|| {
                    assert_eq!(depth(&Probe::reader("deep"), "deep"), 2);
                    panic!("in a poll");
                });
            }));
            assert!(caught.is_err());
            assert_eq!(inspect::scopes("catches"), [1]);
            assert_eq!(
                depth(&Probe::reader("deep"), "deep"),
                2,
                "the outer scope is current again"
            );
            branch.cancel(|| {});
            probe.release(hold);
        });
        root.complete();
        assert_eq!(depth(&Probe::reader("deep"), "deep"), 1);
        let thrown = snapshot(false).scope("thrown").unwrap().clone();
        assert_eq!((thrown.finished, thrown.cancelled, thrown.panicked), (1, 0, 1));
    });
}

#[test]
fn a_guard_dropped_by_a_branch_was_parked_with_its_owner() {
    alone(|| {
        let probe = Probe::mutex("parked above");
        let mut root = Run::root("parks above");
        let hold = root.poll(|| probe.acquire());
        manual::advance(40);
        root.poll(|| {
            let mut branch = Run::branch("drops");
            branch.poll(|| probe.release(hold));
            branch.complete();
        });
        root.complete();
        let figures = series("parked above", Mode::Exclusive);
        assert_eq!(
            (figures.hold.sum_ns(), figures.hold_suspended_ns, figures.migrated),
            (40, 40, 0)
        );
    });
}

#[test]
fn a_hold_that_spans_a_pause_says_how_much_of_it_was_parked() {
    alone(|| {
        let probe = Probe::mutex("parked");
        let mut root = Run::root("parks");
        let hold = root.poll(|| {
            let hold = probe.acquire();
            manual::advance(3);
            hold
        });
        manual::advance(40);
        root.poll(|| {
            manual::advance(2);
            probe.release(hold);
        });
        root.complete();
        let figures = series("parked", Mode::Exclusive);
        assert_eq!((figures.hold.sum_ns(), figures.hold_suspended_ns), (45, 40));
    });
}
