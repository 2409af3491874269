//! When a wait that was spun is filed: not while the lock is held, and never too late for its scope.

use crate::support::{Run, Tasks, alone, of};
use plock_core::{Hold, Kind, Lock, Mode, Share, Spin, Start, manual, snapshot};
use std::panic::Location;
use std::sync::mpsc::channel;
use std::thread;

/// Has the lock after 20 ns, of which somebody on another thread had it.
fn spun(lock: &Lock) -> Hold {
    let start = Start::now();
    let ((tell, told), (go_on, goes_on)) = (channel(), channel());
    thread::scope(|threads| {
        threads.spawn(move || {
            let hold =
                lock.acquired_by_thread::<Tasks>(Start::now(), Mode::Exclusive, Location::caller());
            tell.send(()).expect("wanted");
            goes_on.recv().expect("told");
            release(lock, hold);
            tell.send(()).expect("wanted");
        });
        told.recv().expect("it has the lock");
        let spin = Spin::begin::<Tasks>(lock, start, Mode::Exclusive, Location::caller());
        let mut spin = spin.expect("recording is on");
        assert_eq!(spin.look(|| Some(())), None, "it is taken");
        go_on.send(()).expect("it waits");
        told.recv().expect("it has let go");
        manual::advance(20);
        assert_eq!(spin.look(|| Some(())), Some(()));
        spin.claimed::<Tasks>(Location::caller())
    })
}

fn release(lock: &Lock, mut hold: Hold) {
    hold.release_blocking::<Tasks>(lock, Share::EXCLUSIVE, || ());
}

/// How many waits for the lock of this name are filed, and their time.
fn filed(lock: &str) -> (u64, u64) {
    let now = snapshot(false);
    let waits = of(&now, lock, Mode::Exclusive).wait_total();
    (waits.count(), waits.sum_ns())
}

#[test]
fn a_wait_that_was_spun_is_filed_after_the_unlock() {
    alone(|| {
        let lock = Lock::named(Kind::Mutex, "spun released").registered();
        let mut scope = Run::root("spun released");
        scope.poll(|| {
            let mut hold = spun(&lock);
            assert_eq!(filed("spun released"), (0, 0), "others may be spinning");
            let unlock = || assert_eq!(filed("spun released"), (0, 0));
            hold.release_blocking::<Tasks>(&lock, Share::EXCLUSIVE, unlock);
            assert_eq!(filed("spun released"), (1, 20));
        });
        scope.complete();
    });
}

#[test]
fn a_second_one_makes_room_for_itself() {
    alone(|| {
        let names = ["spun inner", "spun outer"];
        let [inner, outer] = names.map(|name| Lock::named(Kind::Mutex, name).registered());
        let outer_hold = spun(&outer);
        let inner_hold = spun(&inner);
        assert_eq!(names.map(filed), [(0, 0), (1, 20)]);
        release(&inner, inner_hold);
        assert_eq!(names.map(filed), [(1, 20), (1, 20)]);
        release(&outer, outer_hold);
    });
}

#[test]
fn a_wait_whose_guard_outlives_the_poll_is_filed_with_that() {
    alone(|| {
        let lock = Lock::named(Kind::Mutex, "spun kept").registered();
        let mut scope = Run::root("spun kept");
        let hold = scope.poll(|| spun(&lock));
        assert_eq!(filed("spun kept"), (1, 20), "the scope may be told next");
        scope.complete();
        release(&lock, hold);
        assert_eq!(filed("spun kept"), (1, 20), "once");
    });
}

#[test]
fn a_wait_whose_guard_outlives_the_thread_is_filed_with_that() {
    alone(|| {
        let lock = Lock::named(Kind::Mutex, "spun leaked").registered();
        thread::scope(|threads| {
            let leaking = threads.spawn(|| {
                manual::set(0);
                let _leaked = spun(&lock);
                assert_eq!(filed("spun leaked"), (0, 0));
            });
            leaking.join().expect("it does"); // a scope does not wait for a thread's destructors
        });
        assert_eq!(filed("spun leaked"), (1, 20));
    });
}
