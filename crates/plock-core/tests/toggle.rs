//! Recording is switched off and on while guards and scopes are alive. One process for itself: the
//! switch is one for all.

use plock_core::{
    Hold, Kind, Lock, Mode, NoTasks, Outcome, Scope, ScopeName, Share, Start, inspect, is_enabled,
    manual, set_enabled, snapshot,
};
use std::future::pending;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Waker};

fn acquire(lock: &Lock) -> Hold {
    lock.acquired::<NoTasks>(Start::now(), Share::EXCLUSIVE, Location::caller())
}

fn poll(scope: &mut Scope) {
    let polled =
        scope.poll::<NoTasks, _>(pin!(pending::<()>()), &Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}

#[test]
fn a_guard_is_recorded_if_recording_was_on_when_it_was_acquired() {
    manual::install();
    let lock = Lock::named(Kind::Mutex, "toggled").registered();
    let release = |hold: &mut Hold| hold.release::<NoTasks>(&lock, Share::EXCLUSIVE, |_| {});
    let figures = || {
        let snapshot = snapshot(false);
        let lock = snapshot.lock("toggled", Mode::Exclusive).unwrap();
        (lock.outcome(Outcome::Acquired), lock.hold.count(), lock.hold.sum_ns(), lock.holders)
    };

    let mut hold = acquire(&lock);
    set_enabled(false);
    assert!(!is_enabled());
    assert_eq!(snapshot(false).clock, "off");
    manual::advance(10);
    assert_eq!(figures(), (1, 0, 0, 1));
    release(&mut hold);
    assert_eq!(figures(), (1, 1, 10, 0), "acquired on, dropped off");

    let mut hold = acquire(&lock);
    assert!(!hold.is_recorded() && !Start::now().is_recorded());
    set_enabled(true);
    assert_eq!(snapshot(false).clock, "manual", "the clock there was before");
    manual::advance(10);
    release(&mut hold);
    assert_eq!(figures(), (1, 1, 10, 0), "acquired off, dropped on");

    set_enabled(false);
    set_enabled(false);
    set_enabled(true);
    let mut hold = acquire(&lock);
    manual::advance(5);
    release(&mut hold);
    assert_eq!(figures(), (2, 2, 15, 0), "on again");

    // A scope that was polled while recording was off begins when it is polled with recording on.
    set_enabled(false);
    let mut scope = Scope::root(ScopeName::new("toggled scope"));
    poll(&mut scope);
    set_enabled(true);
    poll(&mut scope);
    set_enabled(false);
    manual::advance(7);
    poll(&mut scope);
    scope.end::<NoTasks>(true, || {});
    set_enabled(true);
    let ended = snapshot(false).scope("toggled scope").unwrap().clone();
    assert_eq!((ended.started, ended.finished, ended.poll.count()), (1, 1, 2));
    assert_eq!(ended.idle_ns.iter().sum::<u64>(), 7);
    assert_eq!(inspect::scopes("toggled scope"), Vec::<u64>::new());
}
