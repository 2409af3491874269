//! Locks that block a thread, by hand: a test takes the place of the lock, so that what happens between
//! the release and the claim happens at moments of the test's choice.

use super::figures::{edges, exclusive, figures};
use super::hand::{Actor, manual};
use super::observer::told;
use plock::{BlockCause, Cause, ClaimDelay, EndCause, Finding, FindingKind, Kind, Mode, Outcome};
use plock_core::{Hold, Lock, NoTasks, Share, Spin, Start, ThreadWait};
use std::panic::Location;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope};

pub(crate) fn acquire(lock: &Lock, mode: Mode) -> Hold {
    lock.acquired_by_thread::<NoTasks>(Start::now(), mode, Location::caller())
}

pub(crate) fn release(lock: &Lock, mode: Mode, mut hold: Hold) {
    let share = if mode == Mode::Shared { Share::SHARED } else { Share::EXCLUSIVE };
    hold.release::<NoTasks>(lock, share, |releasing| releasing.mark(lock));
}

#[track_caller]
fn wait(lock: &Lock, mode: Mode) -> ThreadWait<'_> {
    let wait = ThreadWait::begin::<NoTasks>(lock, Start::now(), mode, Location::caller());
    wait.expect("recording is on")
}

/// The same, once a second try has failed.
#[track_caller]
fn block(lock: &Lock, mode: Mode) -> ThreadWait<'_> {
    let wait = wait(lock, mode);
    wait.blocks();
    wait
}

/// A thread that has a lock, in a scope, until it is told to let go.
pub(crate) struct Holder {
    let_go: Sender<u64>,
    went: Receiver<()>,
}

impl Holder {
    /// One that has it since `from`.
    pub(crate) fn new<'scope>(
        threads: &'scope Scope<'scope, '_>,
        name: &'static str,
        lock: &'scope Lock,
        mode: Mode,
        from: u64,
    ) -> Self {
        let ((let_go, go), (has, until_has), (tell, went)) = (channel(), channel(), channel());
        threads.spawn(move || {
            plock::manual::set(from);
            let mut holder = Actor::new(name, async move {
                let hold = acquire(lock, mode);
                has.send(()).expect("wanted");
                plock::manual::set(go.recv().expect("told"));
                release(lock, mode, hold);
                tell.send(()).expect("wanted");
                go.recv().expect_err("its end is all that can come");
            });
            assert!(holder.poll());
        });
        until_has.recv().expect("acquired");
        Self { let_go, went }
    }

    /// It lets go; its scope goes on.
    pub(crate) fn let_go_at(&self, ns: u64) {
        self.let_go.send(ns).expect("it waits");
        self.went.recv().expect("it has let go");
    }

    /// It lets go, and its scope ends.
    pub(crate) fn release_at(self, ns: u64) {
        self.let_go_at(ns);
        self.end();
    }

    /// Its scope ends, after it has let go.
    pub(crate) fn end(self) {
        drop(self.let_go);
        self.went.recv().expect_err("its end is all that can come");
    }
}

/// What was found about a lock.
pub(crate) fn findings(lock: &str) -> Vec<Finding> {
    plock::snapshot().findings.into_iter().filter(|finding| finding.lock == lock).collect()
}

#[test]
fn a_wait_is_queued_until_the_last_release_and_then_waking() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "thread phases");
    thread::scope(|threads| {
        let holder = Holder::new(threads, "thread phases holder", &lock, Mode::Exclusive, 0);
        let mut waiter = Actor::new("thread phases waiter", async {
            plock::manual::set(10);
            let wait = block(&lock, Mode::Exclusive);
            let open = exclusive("thread phases");
            assert_eq!((open.waiters, open.holders), (1, 1), "published while it waits");
            holder.release_at(50);
            plock::manual::set(80);
            let hold = wait.claimed::<NoTasks>(Location::caller());
            plock::manual::set(90);
            release(&lock, Mode::Exclusive, hold);
        });
        assert!(waiter.poll());
    });
    let (holder, waiter) = (told("thread phases holder"), told("thread phases waiter"));
    let (detail, wait) = waiter.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns), (70, 40, 30));
    assert_eq!(wait.claim_parts_ns[ClaimDelay::RunQueue as usize], 30);
    assert_eq!(
        (wait.block, wait.end, wait.barged_past),
        (BlockCause::HeldExclusive, EndCause::Release, 0)
    );
    assert_eq!((wait.holder, wait.holder_span), (Some("thread phases holder"), Some(holder.span)));
    assert_eq!(wait.holder_site, Some(holder.hold().site));
    let edge = ("thread phases waiter".to_owned(), "thread phases holder".to_owned(), 40);
    assert_eq!(edges("thread phases"), [edge]);
    assert_eq!((holder.report.hold_ns, waiter.report.hold_ns), (50, 10));
    assert_eq!((waiter.report.contentions, waiter.report.blocked_ns), (1, 70));
    assert_eq!((holder.report.blocked_others, holder.report.blocked_others_ns), (1, 40));
    let seen = exclusive("thread phases");
    assert_eq!((seen.waiters, seen.holders, seen.outcome(Outcome::Acquired)), (0, 0, 2));
    assert_eq!((seen.wait[Cause::Holder as usize].sum_ns(), seen.claim_delay_ns), (70, 30));
    assert_eq!(findings("thread phases"), []);
}

/// What a second try makes of it, of a lock that came free at 12: before it was queued for, or after.
fn second_try(name: &'static str, holder: &'static str, second: &'static str, is_queued: bool) {
    let lock = Lock::named(Kind::Mutex, name);
    thread::scope(|threads| {
        let holder = Holder::new(threads, holder, &lock, Mode::Exclusive, 0);
        let mut second = Actor::new(second, async {
            plock::manual::set(10);
            let start = Start::now();
            let spin = Spin::begin::<NoTasks>(&lock, start, Mode::Exclusive, Location::caller());
            let spin = spin.expect("recording is on");
            let wait = if is_queued {
                let wait = spin.queue();
                holder.release_at(12);
                wait
            } else {
                holder.release_at(12);
                spin.queue()
            };
            plock::manual::set(15);
            release(&lock, Mode::Exclusive, wait.raced::<NoTasks>(Location::caller()));
        });
        assert!(second.poll());
    });
    let seen = exclusive(name);
    assert_eq!((seen.waiters, seen.outcome(Outcome::Acquired)), (0, 2));
}

#[test]
fn a_lock_that_comes_free_before_it_is_queued_for_is_uncontended() {
    let _world = manual();
    second_try("thread raced", "thread raced holder", "thread raced second", false);
    let second = told("thread raced second").report;
    assert_eq!((second.contentions, second.blocked_ns, second.hold_ns), (0, 0, 5));
    assert_eq!(exclusive("thread raced").contentions(), 0);
    assert_eq!(told("thread raced holder").report.blocked_others, 0);
}

#[test]
fn whoever_was_seen_waiting_has_waited_though_its_second_try_succeeds() {
    let _world = manual();
    second_try("thread seen", "thread seen holder", "thread seen second", true);
    let second = told("thread seen second").report;
    assert_eq!((second.contentions, second.blocked_ns, second.hold_ns), (1, 5, 0));
    assert_eq!(exclusive("thread seen").contentions(), 1);
    let holder = told("thread seen holder").report;
    assert_eq!((holder.blocked_others, holder.blocked_others_ns), (1, 2));
}

/// What it waits for is done by the holder: nothing is held from then on.
#[test]
fn a_thread_whose_wish_is_done_by_another_is_served() {
    let _world = manual();
    let lock = Lock::named(Kind::OnceCell, "thread served");
    let outer = Lock::named(Kind::Mutex, "thread served around");
    thread::scope(|threads| {
        let maker = Holder::new(threads, "thread served maker", &lock, Mode::Exclusive, 0);
        let mut waiter = Actor::new("thread served waiter", async {
            let around = acquire(&outer, Mode::Exclusive);
            plock::manual::set(10);
            let (blocked, withdrawn) =
                (block(&lock, Mode::Exclusive), wait(&lock, Mode::Exclusive));
            withdrawn.withdrawn();
            maker.release_at(50);
            plock::manual::set(80);
            blocked.served::<NoTasks>();
            release(&outer, Mode::Exclusive, around);
        });
        assert!(waiter.poll());
    });
    let waiter = told("thread served waiter");
    let (detail, wait) = waiter.wait();
    assert_eq!((detail.ns, detail.depth, wait.queue_ns, wait.claim_ns), (70, 2, 40, 30));
    assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::Release));
    assert_eq!(wait.holder, Some("thread served maker"));
    let edge = ("thread served waiter".to_owned(), "thread served maker".to_owned(), 40);
    assert_eq!(edges("thread served"), [edge]);
    assert_eq!((waiter.report.contentions, waiter.report.blocked_ns), (1, 70));
    let seen = exclusive("thread served");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns(), seen.contentions()), (1, 50, 1));
    assert_eq!((seen.waiters, seen.holders, seen.outcome(Outcome::Acquired)), (0, 0, 2));
    assert_eq!((seen.wait[Cause::Holder as usize].sum_ns(), seen.claim_delay_ns), (70, 30));
}

#[test]
fn barging() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "barged");
    thread::scope(|threads| {
        let first = Holder::new(threads, "barged first", &lock, Mode::Exclusive, 0);
        let mut waiter = Actor::new("barged waiter", async {
            plock::manual::set(10);
            let wait = block(&lock, Mode::Exclusive);
            first.release_at(50);
            for (from, to) in [(50, 60), (65, 75)] {
                let barger = Holder::new(threads, "barged barger", &lock, Mode::Exclusive, from);
                barger.release_at(to);
            }
            plock::manual::set(90);
            let hold = wait.claimed::<NoTasks>(Location::caller());
            release(&lock, Mode::Exclusive, hold);
        });
        assert!(waiter.poll());
    });
    let waiter = told("barged waiter");
    let (_, wait) = waiter.wait();
    assert_eq!((wait.barged_past, wait.queue_ns, wait.claim_ns), (2, 65, 15));
    assert_eq!(wait.holder, Some("barged barger"), "who let go last");
    let charged = |holder: &str, ns| ("barged waiter".to_owned(), holder.to_owned(), ns);
    let expected =
        [charged("barged first", 40), charged("barged barger", 20), charged("(hand-over)", 5)];
    assert_eq!(edges("barged"), expected);
    let others = super::observer::all_told("barged barger");
    let inflicted: Vec<_> = others.iter().map(|told| told.report.blocked_others_ns).collect();
    assert_eq!(inflicted, [10, 10], "each for the time it had the lock itself");
}

#[test]
fn whoever_was_queued_before_does_not_count_as_gone_past() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "in turn");
    thread::scope(|threads| {
        let holder = Holder::new(threads, "in turn holder", &lock, Mode::Exclusive, 0);
        let mut both = Actor::new("in turn both", async {
            plock::manual::set(10);
            let (first, second) = (block(&lock, Mode::Exclusive), block(&lock, Mode::Exclusive));
            holder.release_at(20);
            plock::manual::set(20);
            release(&lock, Mode::Exclusive, first.claimed::<NoTasks>(Location::caller()));
            plock::manual::set(30);
            release(&lock, Mode::Exclusive, second.claimed::<NoTasks>(Location::caller()));
        });
        assert!(both.poll());
    });
    let both = told("in turn both");
    let barged: Vec<_> = both.waits().iter().map(|(_, wait)| wait.barged_past).collect();
    assert_eq!(barged, [0, 0]);
}

#[test]
fn a_writer_waits_for_the_last_reader() {
    let _world = manual();
    let lock = Lock::named(Kind::Rwlock, "thread drained");
    thread::scope(|threads| {
        let names = ["thread drained r1", "thread drained r2", "thread drained r3"];
        let readers = names.map(|name| Holder::new(threads, name, &lock, Mode::Shared, 0));
        let mut writer = Actor::new("thread drained writer", async {
            plock::manual::set(5);
            let wait = block(&lock, Mode::Exclusive);
            readers.into_iter().zip([10, 20, 30]).for_each(|(reader, at)| reader.release_at(at));
            plock::manual::set(37);
            let hold = wait.claimed::<NoTasks>(Location::caller());
            release(&lock, Mode::Exclusive, hold);
        });
        assert!(writer.poll());
    });
    let writer = told("thread drained writer");
    let (_, wait) = writer.wait();
    assert_eq!((wait.queue_ns, wait.claim_ns, wait.holders), (25, 7, 3));
    assert_eq!((wait.block, wait.barged_past), (BlockCause::HeldByReaders, 0));
    let edge = ("thread drained writer".to_owned(), "thread drained r3".to_owned(), 25);
    assert_eq!(edges("thread drained"), [edge]);
}

#[test]
fn a_reader_is_let_in_by_the_end_of_a_sole_hold() {
    let _world = manual();
    let lock = Lock::named(Kind::Rwlock, "let in");
    thread::scope(|threads| {
        let writer = Holder::new(threads, "let in writer", &lock, Mode::Exclusive, 0);
        let mut reader = Actor::new("let in reader", async {
            plock::manual::set(10);
            let wait = block(&lock, Mode::Shared);
            writer.release_at(50);
            let other = Holder::new(threads, "let in other", &lock, Mode::Shared, 50);
            other.release_at(60);
            plock::manual::set(70);
            let hold = wait.claimed::<NoTasks>(Location::caller());
            release(&lock, Mode::Shared, hold);
        });
        assert!(reader.poll());
    });
    let reader = told("let in reader");
    let (_, wait) = reader.wait();
    assert_eq!((wait.queue_ns, wait.claim_ns, wait.barged_past), (40, 20, 0));
    assert_eq!(wait.holder, Some("let in writer"));
}

/// Of threads: a reader that asks again while a writer waits.
#[test]
fn reentrant_read_behind_writer_on_a_thread() {
    let _world = manual();
    let lock = Lock::named(Kind::Rwlock, "reentrant");
    let mut reader = Actor::new("reentrant reader", async {
        let first = acquire(&lock, Mode::Shared);
        thread::scope(|threads| {
            let ((queued, until), (end, ended)) = (channel(), channel::<()>());
            let lock = &lock;
            threads.spawn(move || {
                plock::manual::set(5);
                let writer = block(lock, Mode::Exclusive);
                queued.send(()).expect("wanted");
                ended.recv().expect_err("dropped");
                writer.failed(Outcome::Timeout);
            });
            until.recv().expect("queued");
            plock::manual::set(10);
            let second = block(lock, Mode::Shared);
            let found = findings("reentrant");
            assert_eq!(found.len(), 1, "told before it blocks: {found:?}");
            plock::manual::set(30);
            second.failed(Outcome::Timeout);
            drop(end);
        });
        release(&lock, Mode::Shared, first);
    });
    assert!(reader.poll());
    let reader = told("reentrant reader");
    let (_, wait) = reader.wait();
    assert_eq!((wait.block, wait.end), (BlockCause::QueuedBehindWriter, EndCause::Timeout));
    let found = &findings("reentrant")[0];
    assert_eq!(
        (found.kind, found.holder.as_str()),
        (FindingKind::SelfDeadlock, "reentrant reader")
    );
}

#[test]
fn an_attempt_that_gives_up_blames_nobody() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "thread late");
    thread::scope(|threads| {
        let holder = Holder::new(threads, "thread late holder", &lock, Mode::Exclusive, 0);
        let mut waiter = Actor::new("thread late waiter", async {
            plock::manual::set(10);
            let late = block(&lock, Mode::Exclusive);
            plock::manual::set(40);
            late.failed(Outcome::Timeout);
            drop(block(&lock, Mode::Exclusive)); // as when the lock panics
        });
        assert!(waiter.poll());
        holder.release_at(50);
    });
    let seen = exclusive("thread late");
    assert_eq!((seen.outcome(Outcome::Timeout), seen.outcome(Outcome::Abandoned)), (1, 1));
    assert_eq!(
        (seen.wait[Cause::Holder as usize].sum_ns(), seen.waiters, edges("thread late")),
        (30, 0, vec![])
    );
    let waiter = told("thread late waiter");
    let ends: Vec<_> = waiter.waits().iter().map(|(_, wait)| wait.end).collect();
    assert_eq!(ends, [EndCause::Timeout, EndCause::AbandonedBeforeGrant]);
    assert_eq!((waiter.report.blocked_ns, waiter.report.contentions), (30, 2));
}

#[test]
fn a_thread_that_waits_for_itself_is_told_before_it_blocks() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "relocked");
    let hold = acquire(&lock, Mode::Exclusive);
    let line = line!() + 1;
    let again = block(&lock, Mode::Exclusive);
    let found = findings("relocked");
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = &found[0];
    assert_eq!((finding.kind, finding.count), (FindingKind::SelfDeadlock, 1));
    assert!(finding.site.contains(&format!("threads.rs:{line}:")), "{finding:?}");
    assert!(finding.holder_site.contains("threads.rs:"), "{finding:?}");
    again.failed(Outcome::Timeout);
    release(&lock, Mode::Exclusive, hold);
    // Somebody else's guard is nobody's mistake.
    thread::scope(|threads| {
        let holder = Holder::new(threads, "relocked holder", &lock, Mode::Exclusive, 0);
        let wait = block(&lock, Mode::Exclusive);
        holder.release_at(5);
        let hold = wait.claimed::<NoTasks>(Location::caller());
        release(&lock, Mode::Exclusive, hold);
    });
    assert_eq!(findings("relocked")[0].count, 1);
}

#[test]
fn a_leaked_guard_of_a_thread_that_is_gone() {
    let _world = manual();
    let lock = Lock::named(Kind::Mutex, "thread leaked");
    thread::scope(|threads| {
        let leaks = threads.spawn(|| {
            let _never_released = acquire(&lock, Mode::Exclusive);
        });
        leaks.join().expect("no panic"); // gone with what it has of its own
    });
    let mut waiter = Actor::new("thread leaked waiter", async {
        block(&lock, Mode::Exclusive).failed(Outcome::Timeout);
    });
    assert!(waiter.at(20));
    assert_eq!(told("thread leaked waiter").wait().1.block, BlockCause::HolderGone);
    assert_eq!(findings("thread leaked"), [], "a guess is not a finding");
    assert_eq!(figures("thread leaked", Mode::Exclusive).holders, 1);
}
