//! Threads that look again before they queue, by hand: between two looks of a thread the test changes who
//! has the lock.

use super::figures::{edges, exclusive};
use super::hand::{Actor, manual};
use super::observer::told;
use super::threads::{Holder, acquire, release};
use plock::{BlockCause, Cause, EndCause, Kind, Mode, Outcome};
use plock_core::{HANDED_OVER, Lock, NoTasks, Spin, Start, ThreadWait};
use std::panic::Location;
use std::sync::mpsc::channel;
use std::thread;

#[track_caller]
fn spin(lock: &Lock) -> Spin<'_> {
    let spin = Spin::begin::<NoTasks>(lock, Start::now(), Mode::Exclusive, Location::caller());
    spin.expect("recording is on")
}

/// It looks as often as it does, and sees the lock taken.
fn finds_it_taken(spin: &mut Spin<'_>) {
    assert_eq!(spin.look(|| Some(())), None, "it is not even tried");
}

fn edge(waiter: &str, holder: &str, ns: u64) -> (String, String, u64) {
    (waiter.to_owned(), holder.to_owned(), ns)
}

#[test]
fn a_wait_that_was_spun_is_charged_to_whom_it_saw() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "spun");
    thread::scope(|threads| {
        let first = Holder::new(threads, "spun first", &lock, Mode::Exclusive, 0);
        let mut waiter = Actor::new("spun waiter", async {
            plock::manual::set(10);
            let mut spin = spin(&lock);
            finds_it_taken(&mut spin);
            assert_eq!(exclusive("spun").waiters, 0, "it does not queue");
            first.let_go_at(50);
            let second = Holder::new(threads, "spun second", &lock, Mode::Exclusive, 55);
            plock::manual::set(60);
            finds_it_taken(&mut spin);
            second.let_go_at(80);
            assert_eq!(spin.look(|| None::<()>), None, "somebody was quicker");
            plock::manual::set(90);
            assert_eq!(spin.look(|| Some(1)), Some(1));
            let hold = spin.claimed::<NoTasks>(Location::caller());
            plock::manual::set(95);
            release(&lock, Mode::Exclusive, hold);
            first.end();
            second.end();
        });
        assert!(waiter.poll());
    });
    let expected = [edge("spun waiter", "spun first", 50), edge("spun waiter", "spun second", 30)];
    assert_eq!(edges("spun"), expected);
    let seen = exclusive("spun");
    assert_eq!((seen.contentions(), seen.outcome(Outcome::Acquired)), (1, 3));
    assert_eq!((seen.wait[Cause::Holder as usize].sum_ns(), seen.claim_delay_ns), (80, 0));
    let waiter = told("spun waiter");
    let report = &waiter.report;
    assert_eq!((report.contentions, report.wait_ns, report.blocked_ns), (1, 80, 80));
    assert_eq!(report.hold_ns, 5);
    let (detail, wait) = waiter.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.end), (80, 80, EndCause::Raced));
    assert_eq!((wait.block, wait.holder), (BlockCause::HeldExclusive, Some("spun first")));
    for (holder, ns) in [("spun first", 50), ("spun second", 30)] {
        let report = told(holder).report;
        assert_eq!((report.blocked_others, report.blocked_others_ns), (1, ns), "{holder}");
    }
}

#[test]
fn what_was_seen_before_it_queued_is_part_of_the_wait() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "spun, queued");
    thread::scope(|threads| {
        let first = Holder::new(threads, "spun, queued first", &lock, Mode::Exclusive, 0);
        let mut waiter = Actor::new("spun, queued waiter", async {
            plock::manual::set(10);
            let mut spin = spin(&lock);
            finds_it_taken(&mut spin);
            first.let_go_at(50);
            let second = Holder::new(threads, "spun, queued second", &lock, Mode::Exclusive, 60);
            plock::manual::set(60);
            let wait = spin.queue();
            wait.blocks();
            assert_eq!(exclusive("spun, queued").waiters, 1);
            second.release_at(90);
            plock::manual::set(100);
            release(&lock, Mode::Exclusive, wait.claimed::<NoTasks>(Location::caller()));
            first.end();
        });
        assert!(waiter.poll());
    });
    let waiter = "spun, queued waiter";
    let (first, second) = ("spun, queued first", "spun, queued second");
    let mut charged = edges("spun, queued");
    charged.sort();
    assert_eq!(charged, [edge(waiter, first, 50), edge(waiter, second, 30)]);
    let waiter = told(waiter);
    let (detail, wait) = waiter.wait();
    assert_eq!(
        (detail.ns, wait.queue_ns, wait.claim_ns, wait.end),
        (90, 80, 10, EndCause::Release)
    );
    for (holder, ns) in [(first, 50), (second, 30)] {
        let report = told(holder).report;
        assert_eq!((report.blocked_others, report.blocked_others_ns), (1, ns), "{holder}");
    }
}

#[test]
fn a_scope_that_ends_before_its_waiter_has_the_lock_is_not_told() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "spun late");
    let ((tell, told_so), (go_on, goes_on)) = (channel(), channel());
    thread::scope(|threads| {
        let lock = &lock;
        threads.spawn(move || {
            let step = || {
                tell.send(()).expect("wanted");
                goes_on.recv().expect("told");
            };
            let mut holder = Actor::new("spun late holder", async {
                let hold = acquire(lock, Mode::Exclusive);
                step();
                release(lock, Mode::Exclusive, hold);
            });
            assert!(holder.poll());
            drop(holder);
            // What its scope was kept in is used again, by a scope that has nothing to do with it.
            assert!(Actor::new("spun late next", async { step() }).poll());
        });
        let mut waiter = Actor::new("spun late waiter", async {
            told_so.recv().expect("it has the lock");
            plock::manual::set(10);
            let mut spin = spin(lock);
            finds_it_taken(&mut spin);
            go_on.send(()).expect("it waits");
            told_so.recv().expect("its scope has ended");
            plock::manual::set(60);
            assert_eq!(spin.look(|| Some(())), Some(()));
            release(lock, Mode::Exclusive, spin.claimed::<NoTasks>(Location::caller()));
            go_on.send(()).expect("it waits");
        });
        assert!(waiter.poll());
    });
    assert_eq!(edges("spun late"), [edge("spun late waiter", "spun late holder", 50)]);
    for name in ["spun late holder", "spun late next"] {
        let report = told(name).report;
        assert_eq!((report.blocked_others, report.blocked_others_ns), (0, 0), "{name}");
    }
}

#[test]
fn free_at_the_first_look_is_uncontended() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "spun raced");
    let mut second = Actor::new("spun raced second", async {
        plock::manual::set(10);
        let mut spin = spin(&lock);
        plock::manual::set(12);
        assert_eq!(spin.look(|| Some(())), Some(()));
        let hold = spin.claimed::<NoTasks>(Location::caller());
        plock::manual::set(15);
        release(&lock, Mode::Exclusive, hold);
    });
    assert!(second.poll());
    let report = told("spun raced second").report;
    assert_eq!((report.contentions, report.hold_ns), (0, 5), "held since it asked");
    assert_eq!(exclusive("spun raced").contentions(), 0);
}

/// The lock is taken, and nobody is to be seen: whoever has it has just come, or is about to go.
#[test]
fn a_lock_that_changes_hands_is_waited_for() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "changes hands");
    let mut waiter = Actor::new("changes hands waiter", async {
        plock::manual::set(10);
        let mut spin = spin(&lock);
        let mut tries = 0;
        let third = || {
            tries += 1;
            (tries == 3).then(|| plock::manual::set(17))
        };
        assert_eq!(spin.look(third), Some(()));
        release(&lock, Mode::Exclusive, spin.claimed::<NoTasks>(Location::caller()));
    });
    assert!(waiter.poll());
    assert_eq!(edges("changes hands"), [edge("changes hands waiter", HANDED_OVER, 7)]);
    let waiter = told("changes hands waiter");
    let (detail, wait) = waiter.wait();
    assert_eq!((detail.ns, wait.block, wait.holder), (7, BlockCause::Transient, None));
    assert_eq!(exclusive("changes hands").wait[Cause::Unknown as usize].sum_ns(), 7);
}

#[test]
fn whoever_comes_into_sight_later_is_charged_from_the_beginning() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "comes late");
    thread::scope(|threads| {
        let mut holder = None;
        let mut waiter = Actor::new("comes late waiter", async {
            plock::manual::set(10);
            let mut spin = spin(&lock);
            let comes = || {
                let new = || Holder::new(threads, "comes late holder", &lock, Mode::Exclusive, 15);
                holder.get_or_insert_with(new);
                plock::manual::set(13);
                None::<()>
            };
            assert_eq!(spin.look(comes), None);
            let holder = holder.take().expect("it was tried");
            holder.let_go_at(40);
            plock::manual::set(40);
            assert_eq!(spin.look(|| Some(())), Some(()));
            release(&lock, Mode::Exclusive, spin.claimed::<NoTasks>(Location::caller()));
            holder.end();
        });
        assert!(waiter.poll());
    });
    assert_eq!(edges("comes late"), [edge("comes late waiter", "comes late holder", 30)]);
}

/// Readers are never seen, nor is who is not recorded: to look on would only be in their way.
#[test]
fn whom_it_cannot_see_it_soon_queues_for() {
    let _world = manual();
    let lock = Lock::named(Kind::Rwlock, "out of sight");
    let mut tries = 0;
    let never = || {
        tries += 1;
        None::<()>
    };
    assert_eq!(spin(&lock).look(never), None);
    assert!((2..30).contains(&tries), "{tries}");
}

#[test]
fn nobody_spins_behind_a_queue_nor_for_itself() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "not spun");
    let mut own = Actor::new("not spun own", async {
        let hold = acquire(&lock, Mode::Exclusive);
        plock::manual::set(10);
        let mut own = spin(&lock);
        finds_it_taken(&mut own);
        plock::manual::set(20);
        release(&lock, Mode::Exclusive, hold);
        assert_eq!(own.look(|| Some(())), Some(()));
        let hold = own.claimed::<NoTasks>(Location::caller());
        assert_eq!(exclusive("not spun").contentions(), 0, "it did not wait by looking");
        release(&lock, Mode::Exclusive, hold);
    });
    assert!(own.poll());
    drop(own);
    thread::scope(|threads| {
        let holder = Holder::new(threads, "not spun holder", &lock, Mode::Exclusive, 30);
        let mut waiter = Actor::new("not spun waiter", async {
            plock::manual::set(40);
            let queued = ThreadWait::begin::<NoTasks>(
                &lock,
                Start::now(),
                Mode::Exclusive,
                Location::caller(),
            );
            let mut late = spin(&lock);
            finds_it_taken(&mut late);
            queued.expect("recording is on").withdrawn();
            holder.release_at(50);
            assert_eq!(late.look(|| Some(())), Some(()));
            let hold = late.claimed::<NoTasks>(Location::caller());
            assert_eq!(exclusive("not spun").contentions(), 0, "it did not wait by looking");
            release(&lock, Mode::Exclusive, hold);
        });
        assert!(waiter.poll());
    });
}
