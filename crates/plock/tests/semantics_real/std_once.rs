//! What is made once, on real threads: whoever makes it holds it, the others wait for that.

use super::figures::{depths, exclusive};
use super::observer::{all_told, told};
use super::threads::{blocked, found};
use super::{one_thread, real, spin};
use plock::std::sync::{LazyLock, Mutex, Once, OnceLock};
use plock::{BlockCause, EndCause, FindingKind, Kind, LockSeries, Mode, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_millis(20);

/// What all waits for this were charged with, and the time they were queued: the same.
#[track_caller]
fn blame_is_queue_time(seen: &LockSeries) -> u64 {
    let edges = plock::snapshot().edges;
    let charged = edges.iter().filter(|it| it.lock == seen.name).map(|it| it.wait_ns).sum();
    assert_eq!(seen.wait_total().sum_ns() - seen.claim_delay_ns, charged, "{}", seen.name);
    charged
}

/// Runs `ask` on a thread in a scope of this name.
fn asks(name: &'static str, ask: impl FnOnce()) {
    one_thread().block_on(plock::root(name, async { ask() }));
}

/// Makes it while two others wait for that.
fn slowly(lock: &'static str, begun: &Barrier) {
    begun.wait();
    blocked(lock, Mode::Exclusive, 2);
    spin(LONG);
}

/// One thread begins to make it, two others ask meanwhile.
#[track_caller]
fn made_by_one_for_two(
    [lock, maker, waiter]: [&'static str; 3],
    begun: &Barrier,
    ask: impl Fn() + Sync,
) {
    thread::scope(|threads| {
        threads.spawn(|| asks(maker, &ask));
        begun.wait();
        for _ in 0..2 {
            threads.spawn(|| asks(waiter, &ask));
        }
    });
    let (holder, waiters) = (told(maker), all_told(waiter));
    assert_eq!((waiters.len(), holder.report.blocked_others), (2, 2), "{lock}");
    for waiter in &waiters {
        let (detail, wait) = waiter.wait();
        assert!(wait.queue_ns >= 20_000_000, "{wait:?}");
        assert_eq!(wait.queue_ns + wait.claim_ns, detail.ns);
        assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::Release));
        assert_eq!((wait.holder, wait.holder_span), (Some(maker), Some(holder.span)));
        assert_eq!(waiter.holds().len(), 0, "nothing to hold");
    }
    let seen = exclusive(lock);
    assert_eq!((seen.kind, seen.outcome(Outcome::Acquired)), (Kind::OnceCell, 3));
    assert_eq!((seen.hold.count(), seen.contentions()), (1, 2));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    assert_eq!(depths(&seen), [1, 1, 1]);
    assert_eq!(blame_is_queue_time(&seen), holder.report.blocked_others_ns);
}

#[test]
fn whoever_makes_it_holds_it_and_all_others_are_served_at_its_end() {
    let _alone = real();
    let begun = Barrier::new(2);
    let once = Once::named("std once");
    let names = ["std once", "std once maker", "std once waiter"];
    made_by_one_for_two(names, &begun, || once.call_once(|| slowly("std once", &begun)));
    let cell = OnceLock::named("std cell");
    let names = ["std cell", "std cell maker", "std cell waiter"];
    made_by_one_for_two(names, &begun, || *cell.get_or_init(|| slowly("std cell", &begun)));
    let lazy = LazyLock::named("std lazy", || slowly("std lazy", &begun));
    let names = ["std lazy", "std lazy maker", "std lazy waiter"];
    made_by_one_for_two(names, &begun, || *lazy);
}

#[test]
fn a_cell_whose_maker_panics_is_made_by_one_that_waits() {
    let _alone = real();
    let (begun, cell) = (Barrier::new(2), OnceLock::named("std cell again"));
    thread::scope(|threads| {
        threads.spawn(|| {
            asks("std cell panics", || {
                let panics = || {
                    slowly("std cell again", &begun);
                    panic!("on purpose")
                };
                assert!(catch_unwind(AssertUnwindSafe(|| cell.get_or_init(panics))).is_err());
            });
        });
        begun.wait();
        for _ in 0..2 {
            threads.spawn(|| asks("std cell next", || assert_eq!(cell.get_or_init(|| 7), &7)));
        }
    });
    let seen = exclusive("std cell again");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (2, 3));
    assert_eq!((seen.contentions(), seen.waiters, seen.holders), (2, 0, 0));
    assert!(blame_is_queue_time(&seen) >= 40_000_000);
    assert_eq!(found("std cell again"), [], "it is not poisoned");
    let held: Vec<_> = all_told("std cell next").iter().map(|it| it.holds().len()).collect();
    assert_eq!(held.iter().sum::<usize>(), 1, "one of both made it: {held:?}");
}

#[test]
fn a_call_that_panics_poisons_and_those_that_wait_panic() {
    let _alone = real();
    let (begun, once) = (Barrier::new(2), Once::named("std once poisoned"));
    let panics = |ask: &dyn Fn()| assert!(catch_unwind(AssertUnwindSafe(ask)).is_err());
    thread::scope(|threads| {
        threads.spawn(|| {
            panics(&|| {
                once.call_once(|| {
                    slowly("std once poisoned", &begun);
                    panic!("on purpose")
                });
            });
        });
        begun.wait();
        threads.spawn(|| panics(&|| once.call_once(|| unreachable!("it is poisoned"))));
        threads.spawn(|| panics(&|| once.wait()));
    });
    panics(&|| once.call_once(|| unreachable!("it is poisoned")));
    let seen = exclusive("std once poisoned");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (1, 1));
    assert_eq!((seen.outcome(Outcome::Poisoned), seen.contentions()), (3, 2));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    assert_eq!(found("std once poisoned"), [(FindingKind::Poisoned, 1)]);

    // Forced, it is done: what waited for that is served.
    thread::scope(|threads| {
        threads.spawn(|| asks("std once forced", || once.wait_force()));
        blocked("std once poisoned", Mode::Exclusive, 1);
        once.call_once_force(|state| assert!(state.is_poisoned()));
    });
    let seen = exclusive("std once poisoned");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (2, 3));
    assert_eq!(seen.outcome(Outcome::Poisoned), 4);
    assert_eq!(told("std once forced").wait().1.end, EndCause::Release);
}

#[test]
fn waiting_before_anybody_makes_it_is_a_wait_for_nobody() {
    let _alone = real();
    let cell = OnceLock::named("std cell early");
    thread::scope(|threads| {
        threads.spawn(|| asks("std cell early waiter", || assert_eq!(cell.wait(), &3)));
        blocked("std cell early", Mode::Exclusive, 1);
        asks("std cell early maker", || assert_eq!(cell.set(3), Ok(())));
    });
    let (waiter, maker) = (told("std cell early waiter"), told("std cell early maker"));
    let (_, wait) = waiter.wait();
    assert_eq!((wait.block, wait.end), (BlockCause::Transient, EndCause::Release));
    assert_eq!((wait.holder, wait.holder_span), (Some("std cell early maker"), Some(maker.span)));
    let seen = exclusive("std cell early");
    assert_eq!((seen.hold.count(), seen.outcome(Outcome::Acquired)), (1, 2));
    blame_is_queue_time(&seen);
    assert_eq!((cell.set(4), cell.wait()), (Err(4), &3));
    assert_eq!(exclusive("std cell early").outcome(Outcome::Acquired), 2, "it is there");
}

/// Whoever is first, each is made once, and the figures balance.
#[test]
fn many_cells_asked_for_at_once_leave_balanced_figures() {
    const THREADS: u64 = 4;
    const CELLS: u64 = 300;
    let _alone = real();
    let cells: Vec<_> = (0..CELLS).map(|_| OnceLock::named("std cells")).collect();
    let (made, start) = (Mutex::new(0), Barrier::new(4));
    thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for (number, cell) in cells.iter().enumerate() {
                    start.wait();
                    cell.get_or_init(|| {
                        if number % 10 == 0 {
                            blocked("std cells", Mode::Exclusive, 1);
                        }
                        *made.lock().unwrap() += 1;
                    });
                }
            });
        }
    });
    assert_eq!(*made.lock().unwrap(), CELLS);
    let seen = exclusive("std cells");
    assert_eq!((seen.hold.count(), seen.waiters, seen.holders), (CELLS, 0, 0));
    assert_eq!(seen.outcome(Outcome::Acquired), CELLS + seen.contentions(), "made or waited for");
    assert!(seen.contentions() >= CELLS / 10, "{}", seen.contentions());
    assert!(seen.claim_delay_ns <= seen.wait_total().sum_ns());
    blame_is_queue_time(&seen);
}
