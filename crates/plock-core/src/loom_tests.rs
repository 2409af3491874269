//! Models of the lock-free protocols, one per edge, named by the race. Run them with
//! `RUSTFLAGS="--cfg loom" cargo test -p plock-core --release --lib loom_`.
//!
//! Loom runs all threads of a model on one thread of the system, so thread-locals are shared between
//! them: a model may use one from one of its threads at most.

use crate::grant::{Grant, Granted, Releaser};
use crate::life::{Ending, Life, Tally};
use crate::name::Label;
use crate::slots::{HoldInfo, Slots, key_of, place_of};
use crate::{EndCause, Mode, Share, SpanRef};
use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
use loom::sync::{Arc, Mutex, Notify};
use loom::thread;
use std::panic::Location;
use std::task::Wake;

/// Explores every interleaving with at most three preemptions.
pub(crate) fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(run);
}

/// A task: waits until it is woken.
#[derive(Default)]
pub(crate) struct Task(pub(crate) Notify);

impl Wake for Task {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

fn granted(at: u64, site: &'static Location<'static>) -> Granted {
    let span = SpanRef::new(u128::from(at) << 64 | u128::from(at), at, true);
    Granted {
        at,
        end: EndCause::Cancel,
        releaser: Some(Releaser::new(Some(Label::OVERFLOW), site, Some(span), true)),
        thread: at,
        thread_poll: at,
        own_poll: at,
    }
}

/// Whoever sees a hand-over sees all of it. Fails if `Grant::set` stores its last state `Relaxed`, or
/// `get` loads it so.
#[test]
fn grant_implies_visible_releaser() {
    model(|| {
        let (grant, site) = (Arc::new(Grant::new()), Location::caller());
        let releaser = {
            let grant = Arc::clone(&grant);
            thread::spawn(move || grant.set(&granted(1, site)))
        };
        if let Some(seen) = grant.get() {
            assert_eq!(format!("{seen:?}"), format!("{:?}", granted(1, site)));
        }
        releaser.join().unwrap();
        assert!(grant.get().is_some());
    });
}

pub(crate) fn hold(number: u64) -> HoldInfo {
    HoldInfo {
        lock: number as usize,
        since: number,
        site: Location::caller(),
        series: number as u32,
        share: Share::new(Mode::Shared, number as u32),
        suspended: number,
    }
}

/// A slot is used again while somebody reads it: a read gives all of the hold it asked for, or
/// nothing. Fails without either fence, and if `publish` stores or `read` loads the key `Relaxed`.
#[test]
fn hold_read_is_never_torn() {
    model(|| {
        let slots = Arc::new(Slots::new());
        let first = slots.claim(key_of(place_of(1), 1), &hold(1));
        let key = Arc::new(AtomicU64::new(first));
        let reader = (Arc::clone(&slots), Arc::clone(&key));
        let reader = thread::spawn(move || {
            let (slots, key) = reader;
            // A key that was come by without any ordering.
            let key = key.load(Relaxed);
            let expected = hold(if key == first { 1 } else { 2 });
            assert!(slots.get(key).is_none_or(|seen| seen == expected));
            for (key, seen) in slots.each() {
                assert_eq!(seen, hold(if key == first { 1 } else { 2 }));
            }
        });
        slots.release(first);
        let second = slots.claim(key_of(place_of(1), 2), &hold(2));
        key.store(second, Relaxed);
        assert_eq!(slots.get(second), Some(hold(2)), "the owner reads its own");
        reader.join().unwrap();
        assert_eq!(slots.get(first), None);
    });
}

/// Somebody else counts the owner's guards, as the depth of a branch on another thread does. Fails
/// if `release` or `release_foreign` stores `Relaxed`, or `live` loads so.
#[test]
fn live_is_never_below_zero() {
    model(|| {
        let owner = Arc::new((Tally::new(), Mutex::new(Ending::default())));
        let reader = {
            let owner = Arc::clone(&owner);
            thread::spawn(move || assert!(owner.0.live() <= 3))
        };
        owner.0.claim();
        owner.0.release();
        owner.0.claim();
        let dropper = {
            let owner = Arc::clone(&owner);
            thread::spawn(move || owner.0.release_foreign(&mut owner.1.lock().unwrap()))
        };
        reader.join().unwrap();
        dropper.join().unwrap();
        assert_eq!(owner.0.live(), 0);
    });
}

/// The owner ends while the last guard is dropped elsewhere: exactly one of them clears the cell.
/// Fails if the owner counts its guards before it has the mutex, or the other one does not ask
/// whether the owner has ended.
#[test]
fn foreign_drop_vs_owner_end() {
    model(|| {
        let owner = Arc::new((Tally::new(), Mutex::new(Ending::default())));
        owner.0.claim();
        owner.0.claim();
        let dropper = {
            let owner = Arc::clone(&owner);
            thread::spawn(move || {
                let mut ending = owner.1.lock().unwrap();
                owner.0.release_foreign(&mut ending);
                u32::from(owner.0.is_over(&ending))
            })
        };
        owner.0.release();
        let cleared = {
            let mut ending = owner.1.lock().unwrap();
            owner.0.end(&mut ending);
            u32::from(owner.0.is_over(&ending))
        };
        assert_eq!(cleared + dropper.join().unwrap(), 1);
        assert_eq!(owner.0.live(), 0);
    });
}

/// The owner goes on claiming and releasing while two of its guards are dropped elsewhere: no guard
/// is lost or counted twice. Fails if foreign drops are not counted apart, or by load and store.
#[test]
fn foreign_drop_vs_owner_claim() {
    model(|| {
        let owner = Arc::new((Tally::new(), Mutex::new(Ending::default())));
        owner.0.claim();
        owner.0.claim();
        let droppers = [(), ()].map(|()| {
            let owner = Arc::clone(&owner);
            thread::spawn(move || {
                let mut ending = owner.1.lock().unwrap();
                owner.0.release_foreign(&mut ending);
                u32::from(owner.0.is_over(&ending))
            })
        });
        assert_eq!(owner.0.claim(), 3);
        assert!((1..=3).contains(&owner.0.live()), "its own guard counts, whatever the others do");
        owner.0.release();
        let cleared = {
            let mut ending = owner.1.lock().unwrap();
            owner.0.end(&mut ending);
            u32::from(owner.0.is_over(&ending))
        };
        let elsewhere: u32 = droppers.map(|dropper| dropper.join().unwrap()).iter().sum();
        assert_eq!(cleared + elsewhere, 1);
        assert_eq!(owner.0.live(), 0);
    });
}

/// A task looks up its cell while its last guard is dropped elsewhere and the cell goes to another
/// task: it gets the cell alive or not at all. Fails if `begin` stores `live` `Relaxed`, and if the
/// task is not compared again after `raise`.
#[test]
fn revive_vs_last_release() {
    model(|| {
        let life = Arc::new(Life::new());
        life.begin(5);
        let dropper = {
            let life = Arc::clone(&life);
            thread::spawn(move || {
                let was_last = life.let_go();
                if was_last {
                    life.begin(6);
                }
                was_last
            })
        };
        let found = life.task() == 5;
        let raised = found && life.raise();
        let mine = raised && life.task() == 5;
        if raised && !mine {
            assert!(!life.let_go(), "task 6 has it still");
        }
        let was_last = dropper.join().unwrap();
        assert_eq!(mine, !was_last, "alive for one of them");
        assert!(!mine || life.let_go(), "and the last one lets go");
    });
}

/// The last one to let go of a task's cell sees what the others did with it. Fails if `let_go` is
/// `Relaxed`.
#[test]
fn the_last_one_sees_the_others() {
    model(|| {
        let life = Arc::new(Life::new());
        life.begin(5);
        assert!(life.raise());
        let done = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let let_go = |i: usize| {
            let (life, done) = (Arc::clone(&life), Arc::clone(&done));
            move || {
                done[i].store(1, Relaxed);
                if life.let_go() {
                    assert_eq!(done[0].load(Relaxed) + done[1].load(Relaxed), 2);
                }
            }
        };
        let other = thread::spawn(let_go(1));
        let_go(0)();
        other.join().unwrap();
    });
}
