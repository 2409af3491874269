//! A value that is made once: whoever makes it holds the cell, the others wait for that.

use super::figures::{depths, edges, exclusive};
use super::hand::{Actor, manual, step};
use super::observer::told;
use plock::tokio::sync::{Mutex, OnceCell};
use plock::{BlockCause, EndCause, HoldEnd, Kind, Outcome};

/// Makes the value in two polls.
async fn make(cell: &OnceCell<u8>, value: u8) -> u8 {
    let made = async || {
        step().await;
        value
    };
    *cell.get_or_init(made).await
}

#[test]
fn the_initialiser_is_the_holder_and_all_waiters_are_served_at_once() {
    let _world = manual();
    let cell = OnceCell::named("made once");
    let other = Mutex::named("made once inside", ());
    let mut maker = Actor::new("once maker", async { assert_eq!(make(&cell, 7).await, 7) });
    let mut early = Actor::new("once early", async { assert_eq!(make(&cell, 8).await, 7) });
    let mut late = Actor::new("once late", async {
        let guard = other.lock().await;
        assert_eq!(make(&cell, 9).await, 7);
        drop(guard);
    });
    assert!(!maker.at(0));
    assert!(!early.at(10));
    assert!(!late.at(20));
    assert_eq!((exclusive("made once").waiters, exclusive("made once").holders), (2, 1));
    assert!(maker.at(50));
    assert_eq!((early.wakes(), late.wakes()), (1, 1), "both at once");
    assert!(early.at(60));
    assert!(late.at(70));

    let seen = exclusive("made once");
    assert_eq!((seen.kind, seen.outcome(Outcome::Acquired)), (Kind::OnceCell, 3));
    assert_eq!((seen.hold.count(), seen.hold.sum_ns()), (1, 50));
    assert_eq!((seen.contentions(), seen.wait_total().sum_ns(), seen.claim_delay_ns), (2, 100, 30));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    assert_eq!(depths(&seen), [1, 1, 2]);
    for (name, queue, claim, depth) in [("once early", 40, 10, 1), ("once late", 30, 20, 2)] {
        let told = told(name);
        let (detail, wait) = told.wait();
        assert_eq!((wait.queue_ns, wait.claim_ns, detail.depth), (queue, claim, depth));
        assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::Release));
        assert_eq!(wait.holder, Some("once maker"));
        assert!(edges("made once").contains(&(name.into(), "once maker".into(), queue)));
    }
    assert_eq!(told("once maker").report.blocked_others_ns, 70);
    assert_eq!(told("once early").holds().len(), 0, "nothing to hold");
}

#[test]
fn an_initialiser_that_gives_up_hands_over_to_the_next() {
    let _world = manual();
    let cell = OnceCell::named("made late");
    let mut gone = Actor::new("once gone", async { assert_eq!(make(&cell, 1).await, 1) });
    let mut next = Actor::new("once next", async { assert_eq!(make(&cell, 2).await, 2) });
    let mut last = Actor::new("once last", async { assert_eq!(make(&cell, 3).await, 2) });
    assert!(!gone.at(0));
    assert!(!next.at(10));
    assert!(!last.at(20));
    gone.drop_at(30);
    assert_eq!((next.wakes(), last.wakes()), (1, 0), "one after the other");
    assert!(!next.at(35));
    assert!(next.at(60));
    assert!(last.at(60));

    assert_eq!(told("once gone").hold().hold_end, Some(HoldEnd::InDrop));
    let mut charged = edges("made late");
    charged.retain(|(waiter, ..)| waiter == "once last");
    charged.sort();
    let charge = |holder: &str, ns| ("once last".to_owned(), holder.to_owned(), ns);
    let expected = [charge("(hand-over)", 5), charge("once gone", 10), charge("once next", 25)];
    assert_eq!(charged, expected, "together its queue time of 40");
    assert_eq!(exclusive("made late").hold.sum_ns(), 30 + 25);
}

#[test]
fn an_error_lets_the_next_one_try() {
    let _world = manual();
    let cell = OnceCell::named("made with errors");
    let mut failing = Actor::new("once failing", async {
        let made = async || {
            step().await;
            Err::<u8, _>("no")
        };
        assert_eq!(cell.get_or_try_init(made).await, Err("no"));
    });
    let mut next = Actor::new("once after", async {
        assert_eq!(cell.get_or_try_init(async || Ok::<_, ()>(4)).await, Ok(&4));
    });
    assert!(!failing.at(0));
    assert!(!next.at(3));
    assert_eq!(cell.set(9).map_err(|error| error.is_initializing_err()), Err(true));
    assert!(failing.at(10));
    assert!(next.at(12));
    assert_eq!(cell.set(9).map_err(|error| error.is_already_init_err()), Err(true));

    let seen = exclusive("made with errors");
    assert_eq!((seen.outcome(Outcome::Acquired), seen.outcome(Outcome::WouldBlock)), (2, 1));
    assert_eq!((seen.hold.count(), seen.hold.sum_ns()), (2, 10));
    assert_eq!(edges("made with errors"), [("once after".into(), "once failing".into(), 7)]);
}

#[test]
fn a_value_that_is_there_is_not_recorded() {
    let _world = manual();
    let mut cell = OnceCell::named("there");
    cell.set(1).unwrap();
    let copy = cell.clone();
    let mut reader = Actor::unscoped(async {
        assert_eq!(make(&cell, 2).await, 1);
        assert_eq!(make(&copy, 2).await, 1);
    });
    assert!(reader.at(5));
    drop(reader);
    assert_eq!(exclusive("there").outcome(Outcome::Acquired), 1, "the one that set it");
    assert_eq!((cell.take(), cell.get()), (Some(1), None));
    cell.set(3).unwrap();
    assert_eq!(exclusive("there").outcome(Outcome::Acquired), 2, "under the same name");
}
