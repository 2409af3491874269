//! What plock says that it costs, against what it costs: the same work with recording switched on and
//! off. In a process for itself, because the switch is one for all. Only of an optimised build: in one
//! that is not, much of the cost of a wrapper is that of what others wrote, as tokio's look for its task.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use futures_util::FutureExt;
use plock::tokio::sync::{Mutex, RwLock};
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Operations of one batch: so few that one of the batches is not interrupted.
const BATCH: u32 = 100;
/// Batches between two looks at what plock says: so many that the collection hardly counts.
const BATCHES: u32 = 200;
/// Looks of a comparison; the least of each figure counts.
const LOOKS: usize = 5;

/// What an operation takes longer while it is recorded, and what plock says that it took; picoseconds.
fn added_and_told(batch: &mut impl FnMut()) -> (u64, u64) {
    let told = || plock::snapshot().overhead_ns;
    let mut quickest = || {
        let one = |batch: &mut dyn FnMut()| {
            let began = Instant::now();
            batch();
            began.elapsed()
        };
        (0..BATCHES).map(|_| one(batch)).min().unwrap()
    };
    let (mut on, mut off) = (Duration::MAX, Duration::MAX);
    let (mut with, mut without) = (u64::MAX, u64::MAX);
    for _ in 0..LOOKS {
        let before = told();
        on = on.min(quickest());
        let after = told();
        with = with.min(after - before);
        without = without.min(told() - after);
        plock::set_enabled(false);
        off = off.min(quickest());
        plock::set_enabled(true);
    }
    let added = u64::try_from(on.saturating_sub(off).as_nanos()).unwrap() * 1_000;
    let told = with.saturating_sub(without) * 1_000 / u64::from(BATCHES);
    (added / u64::from(BATCH), told / u64::from(BATCH))
}

/// Whether plock says what an operation of `batch` costs to within a fifth. Others run on this machine as
/// well: of a few comparisons one has to be undisturbed.
#[track_caller]
fn assert_told(what: &str, mut batch: impl FnMut()) {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    plock::calibrate();
    batch();
    let mut seen = Vec::new();
    for _ in 0..8 {
        let (added, told) = added_and_told(&mut batch);
        seen.push((added, told, told * 100 / added.max(1)));
        if seen.last().is_some_and(|(.., share)| (80..=120).contains(share)) {
            return;
        }
    }
    panic!("{what}: picoseconds that it costs and that plock says, and percent: {seen:?}");
}

#[test]
fn the_cost_of_acquisitions_in_a_scope_is_told_to_within_a_fifth() {
    let lock = Mutex::named("overhead scope", ());
    assert_told("mutex in a scope", || {
        let many = async {
            for _ in 0..BATCH {
                drop(lock.lock().await);
            }
        };
        plock::root("overhead", many).now_or_never().unwrap();
    });
    let lock = RwLock::named("overhead read", ());
    assert_told("read lock in a scope", || {
        let many = async {
            for _ in 0..BATCH {
                drop(lock.read().await);
            }
        };
        plock::root("overhead", many).now_or_never().unwrap();
    });
}

#[test]
fn the_cost_of_acquisitions_of_a_thread_is_told_to_within_a_fifth() {
    let lock = Mutex::named("overhead thread", ());
    assert_told("mutex of a thread", || {
        for _ in 0..BATCH {
            drop(lock.try_lock().unwrap());
        }
    });
}

#[test]
fn the_cost_of_acquisitions_of_a_task_is_told_to_within_a_fifth() {
    let lock: &'static _ = Box::leak(Box::new(Mutex::named("overhead task", ())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_told("mutex of a task", || {
        let many = async {
            for _ in 0..BATCH {
                drop(lock.try_lock().unwrap());
            }
        };
        runtime.block_on(runtime.spawn(many)).unwrap();
    });
}

#[test]
fn the_cost_of_polls_is_told_to_within_a_fifth() {
    assert_told("poll", || {
        let mut left = BATCH;
        let mut many = Box::pin(plock::root(
            "overhead polls",
            poll_fn(|_| {
                left -= 1;
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            }),
        ));
        while many.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
    });
}

/// Beside the bare future, for a scope that records nothing is not for nothing.
#[test]
fn the_cost_of_scopes_is_told_to_within_a_fifth() {
    assert_told("scope", || {
        for _ in 0..BATCH {
            if plock::is_enabled() {
                plock::root("overhead scopes", async {}).now_or_never().unwrap();
            } else {
                black_box(async {}).now_or_never().unwrap();
            }
        }
    });
}
