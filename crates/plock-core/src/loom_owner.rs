//! Models of who is seen to hold a lock, and of how an owner's cell ends and is used again.

use crate::holders::Holders;
use crate::loom_tests::{hold, model};
use crate::name::Label;
use crate::owner::{OwnerCell, Role, WaitEnd};
use crate::published::{Present, Published};
use crate::report::ScopeReport;
use crate::slots::{Slots, key_of, place_of};
use crate::{Cause, Kind, Lock};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Relaxed, fence};
use loom::thread;

/// The holds of one owner, numbered from 1, and which of them are over.
struct Owner {
    slots: Slots,
    over: [AtomicBool; 2],
}

impl Owner {
    fn new() -> Self {
        Self { slots: Slots::new(), over: [AtomicBool::new(false), AtomicBool::new(false)] }
    }

    fn claim(&self, number: u64) -> u64 {
        self.slots.claim(key_of(place_of(1), number), &hold(number))
    }

    fn release(&self, key: u64, number: u64) {
        self.over[number as usize - 1].store(true, Relaxed);
        self.slots.release(key);
    }

    /// Whoever came by this key sees all of the hold, or that it is over.
    fn check(&self, key: u64) {
        let number = if key == key_of(place_of(1), 1) { 1 } else { 2 };
        match self.slots.get(key) {
            Some(seen) => assert_eq!(seen, hold(number)),
            None => {
                fence(Acquire);
                assert!(self.over[number as usize - 1].load(Relaxed), "it is held, and not seen");
            }
        }
    }
}

/// A waiter looks at a lock while one hold ends and the next one begins: whoever it finds there it sees
/// whole, unless the hold has ended meanwhile. Fails if `publish` stores or `who` loads `Relaxed`.
#[test]
fn whoever_has_it_alone_is_seen_whole() {
    model(|| {
        let lock = Arc::new(Lock::named(Kind::Mutex, "modelled"));
        assert_eq!(lock.who(), 0);
        let owner = Arc::new(Owner::new());
        let waiter = {
            let (lock, owner) = (Arc::clone(&lock), Arc::clone(&owner));
            thread::spawn(move || {
                let who = lock.who();
                if who != 0 {
                    owner.check(who);
                }
            })
        };
        for number in [1, 2] {
            let key = owner.claim(number);
            lock.publish(key);
            lock.publish(0);
            owner.release(key, number);
        }
        waiter.join().unwrap();
    });
}

/// As [`whoever_has_it_alone_is_seen_whole`], for those that hold it together. Fails if `add`
/// swaps or `keys` loads `Relaxed`.
#[test]
fn whoever_is_named_holds() {
    model(|| {
        let holders = Arc::new(Holders::none());
        let owner = Arc::new(Owner::new());
        let waiter = {
            let (holders, owner) = (Arc::clone(&holders), Arc::clone(&owner));
            thread::spawn(move || holders.keys().for_each(|key| owner.check(key)))
        };
        for number in [1, 2] {
            let key = owner.claim(number);
            assert!(holders.add(key, |_| false));
            assert!(holders.remove(key));
            owner.release(key, number);
        }
        waiter.join().unwrap();
    });
}

/// Two acquisitions find one entry, which somebody has left behind: it goes to one of them, who keeps
/// it until its release. Fails if a stale entry is replaced by a store, or a free one taken so.
#[test]
fn an_entry_names_one_holder() {
    const STALE: u64 = 1 << 4;
    for free in [false, true] {
        model(move || {
            let holders = Arc::new(Holders::none());
            assert!(free || holders.add(STALE, |_| false));
            let enter = |key: u64| {
                let holders = Arc::clone(&holders);
                move || {
                    let named = holders.add(key, |known| known == STALE);
                    assert_eq!(holders.remove(key), named, "named until it goes");
                    named
                }
            };
            let other = thread::spawn(enter(2 << 4));
            let named = enter(3 << 4)();
            assert!(other.join().unwrap() || named, "there is room for one");
            assert_eq!(holders.keys().count(), 0);
        });
    }
}

/// Somebody who finds no free entry looks whether the hold that is named there has ended, while that
/// hold begins: it keeps its name. Fails if `add` loads the entry `Relaxed` before it asks.
#[test]
fn whoever_holds_keeps_its_name() {
    model(|| {
        let (holders, owner) = (Arc::new(Holders::none()), Arc::new(Owner::new()));
        let other = {
            let (holders, owner) = (Arc::clone(&holders), Arc::clone(&owner));
            thread::spawn(move || holders.add(2 << 4, |known| owner.slots.get(known).is_none()))
        };
        let key = owner.claim(1);
        let named = holders.add(key, |_| false);
        assert_ne!(other.join().unwrap(), named, "there is room for one");
        assert_eq!(holders.remove(key), named);
    });
}

/// A snapshot looks for a shard while its thread makes it. Fails if `set` stores or `get` loads
/// `Relaxed`.
#[test]
fn what_is_published_is_whole() {
    model(|| {
        let place = Arc::new(Published::<AtomicU64>::nothing());
        assert!(place.get().is_none());
        let reader = {
            let place = Arc::clone(&place);
            thread::spawn(move || {
                if let Some(cell) = place.get() {
                    let first = cell.load(Relaxed);
                    assert!(first >= 1 && cell.load(Relaxed) >= first, "a counter never falls");
                }
            })
        };
        let cell: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(1)));
        place.set(cell);
        cell.store(2, Relaxed);
        reader.join().unwrap();
    });
}

/// The same of what an owner holds, which a snapshot looks at while the owner makes it. Fails likewise.
#[test]
fn what_takes_the_place_of_another_is_whole() {
    model(|| {
        let made = |count| -> &'static AtomicU64 { Box::leak(Box::new(AtomicU64::new(count))) };
        let place = Arc::new(Present::new(made(0)));
        let reader = {
            let place = Arc::clone(&place);
            thread::spawn(move || {
                let before = place.get().load(Relaxed);
                assert!(place.get().load(Relaxed) >= before, "a counter never falls");
            })
        };
        let own = made(1);
        place.set(own);
        own.store(2, Relaxed);
        reader.join().unwrap();
    });
}

/// A cell that is a scope's.
fn scope() -> &'static OwnerCell {
    let cell: &'static OwnerCell = Box::leak(Box::new(OwnerCell::new(1)));
    cell.become_scope(Label::OVERFLOW, None, 0);
    cell
}

/// A scope ends while its last guard is dropped elsewhere: the cell is cleared once, after both, and
/// nothing of the one scope is left for the next. Fails if `is_untouched` does not ask for guards, and
/// if `slow` does not say that it was used.
#[test]
fn foreign_drop_vs_scope_end() {
    model(|| {
        let cell = scope();
        let given = cell.claim(&hold(1));
        let dropper = thread::spawn(move || cell.release_foreign(given.key, 7));
        cell.end_scope();
        dropper.join().unwrap();
        assert_eq!((cell.generation(), cell.role(), cell.live()), (1, Role::Free, 0));
        cell.become_scope(Label::OVERFLOW, None, 0);
        assert_eq!(cell.slow().foreign_hold_ns, 0);
    });
}

/// As above, with a guard of its own that the scope drops itself, as most do. Fails if `slow` does not
/// say that it was used.
#[test]
fn foreign_drop_vs_scope_that_holds() {
    model(|| {
        let cell = scope();
        let (own, given) = (cell.claim(&hold(1)), cell.claim(&hold(2)));
        let dropper = thread::spawn(move || cell.release_foreign(given.key, 7));
        assert!(cell.release_own(own.key) || cell.live() > 0);
        cell.end_scope();
        dropper.join().unwrap();
        assert_eq!((cell.generation(), cell.role()), (1, Role::Free));
        assert_eq!(cell.slow().foreign_hold_ns, 0);
    });
}

/// An attempt of a scope is given up elsewhere while the scope ends and its cell becomes another
/// one's: it notes its wait for the scope that waited, or not at all. Fails without `expect_slow`, and
/// if the cell is cleared before its generation is raised.
#[test]
fn late_attempt_vs_next_scope() {
    model(|| {
        let cell = scope();
        let generation = cell.generation();
        cell.expect_slow(); // as an attempt does when it is pending
        let end = WaitEnd { at: 9, ns: 9, cause: Cause::Holder, series: 0, holder: None };
        let attempt = thread::spawn(move || cell.note_wait(generation, end));
        cell.end_scope();
        cell.become_scope(Label::OVERFLOW, None, 0);
        let told = || {
            let mut report = ScopeReport::default();
            cell.fill(&mut report);
            report.contentions
        };
        let early = told();
        attempt.join().unwrap();
        assert_eq!((early, told()), (0, 0));
    });
}
