//! Places in a channel: senders wait for them, the receiver gives them back.

use super::figures::{depths, edges, figures};
use super::hand::{Actor, manual, step};
use super::idle::idle;
use super::observer::told;
use plock::tokio::sync::Mutex;
use plock::tokio::sync::mpsc::{self, Receiver, Sender, named_channel};
use plock::{BlockCause, Cause, EndCause, Idle, Kind, LockSeries, Mode, Outcome, inspect};

fn places(name: &str) -> LockSeries {
    figures(name, Mode::Permit)
}

/// Sends a message and ends.
async fn send(sender: Sender<u8>, message: u8) {
    sender.send(message).await.unwrap();
}

/// Receives the messages expected, one a poll.
async fn receive(receiver: &mut Receiver<u8>, expected: &[u8]) {
    for message in expected {
        assert_eq!(receiver.recv().await, Some(*message));
        step().await;
    }
}

#[test]
fn the_receiver_is_the_releaser() {
    let _world = manual();
    let (sender, mut inbox) = named_channel("full", 1);
    sender.try_send(1).unwrap();
    assert!(sender.try_send(9).is_err());
    let other = Mutex::named("full outside", ());
    let mut first = Actor::new("full first", send(sender.clone(), 2));
    let mut second = Actor::new("full second", async {
        let guard = other.lock().await;
        send(sender.clone(), 3).await;
        drop(guard);
    });
    let mut receiver = Actor::new("full receiver", receive(&mut inbox, &[1, 2, 3]));
    assert!(!first.at(10));
    assert!(!second.at(15));
    assert_eq!(places("full").waiters, 2);
    assert!(!receiver.at(50));
    assert_eq!((first.wakes(), second.wakes()), (1, 0), "one place, first come first served");
    assert!(first.at(60));
    assert!(!receiver.at(70));
    assert!(second.at(75));
    assert!(!receiver.at(80));
    assert!(receiver.at(90));

    let seen = places("full");
    assert_eq!((seen.kind, seen.outcome(Outcome::Acquired)), (Kind::Channel, 3));
    assert_eq!((seen.outcome(Outcome::WouldBlock), seen.hold.count()), (1, 0));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    assert_eq!(seen.wait[Cause::Permits as usize].count(), 2);
    assert_eq!((seen.wait_total().sum_ns(), seen.claim_delay_ns), (110, 15));
    assert_eq!(depths(&seen), [1, 1, 2]);
    let receiver = told("full receiver");
    for (name, queue, claim, depth) in [("full first", 40, 10, 1), ("full second", 55, 5, 2)] {
        let told = told(name);
        let (detail, wait) = told.wait();
        assert_eq!((wait.queue_ns, wait.claim_ns, detail.depth), (queue, claim, depth));
        assert_eq!((wait.block, wait.end), (BlockCause::PermitsExhausted, EndCause::External));
        assert_eq!((wait.holder, wait.holder_span), (Some("full receiver"), Some(receiver.span)));
        assert!(edges("full").contains(&(name.into(), "full receiver".into(), queue)));
    }
}

#[test]
fn a_receiver_without_a_scope_is_named_by_its_module() {
    let _world = manual();
    let (sender, mut inbox) = named_channel("bare receiver", 1);
    sender.try_send(1).unwrap();
    let mut waiter = Actor::new("bare receiver's sender", send(sender.clone(), 2));
    assert!(!waiter.at(0));
    plock::manual::set(8);
    assert_eq!(inbox.try_recv(), Ok(1));
    assert!(waiter.at(8));
    let told = told("bare receiver's sender");
    let (_, wait) = told.wait();
    assert_eq!((wait.holder, wait.queue_ns), (Some("plock::semantics::mpsc"), 8));
}

#[test]
fn a_reserved_place_is_a_hold_until_its_message_is_sent() {
    let _world = manual();
    let (sender, mut inbox) = named_channel("reserved", 1);
    let mut keeper = Actor::new("reserved keeper", async {
        let place = sender.reserve().await.unwrap();
        step().await;
        drop(place);
        let place = sender.reserve().await.unwrap();
        step().await;
        place.send(5);
    });
    let mut waiter = Actor::new("reserved waiter", async {
        drop(sender.reserve().await.unwrap());
    });
    assert!(!keeper.at(0));
    assert_eq!(inspect::holds("reserved").len(), 1);
    assert!(!waiter.at(10));
    assert!(!keeper.at(30), "behind the waiter now");
    assert!(waiter.at(30));
    assert!(!keeper.at(40));
    assert!(keeper.at(60));
    assert_eq!(inbox.try_recv(), Ok(5));

    let seen = places("reserved");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns(), seen.holders), (3, 30 + 20, 0));
    assert_eq!(told("reserved waiter").wait().1.end, EndCause::Release);
    let expected = ("reserved waiter".to_owned(), "reserved keeper".to_owned(), 20);
    assert!(edges("reserved").contains(&expected));
}

#[test]
fn places_are_split_and_none_is_lost() {
    let _world = manual();
    let (sender, mut inbox) = named_channel("many", 4);
    // P9: what is kept, what is used up and what is free is what there is.
    let check = |inbox: &Receiver<u8>, expected: &[u32]| {
        let held: Vec<_> = inspect::holds("many").iter().map(|hold| hold.weight).collect();
        assert_eq!(held, expected);
        let kept: u32 = held.iter().sum();
        assert_eq!(kept as usize + inbox.len() + sender.capacity(), 4);
    };
    let mut owner = Actor::new("many", async {
        let mut places = sender.reserve_many(3).await.unwrap();
        check(&inbox, &[3]);
        plock::manual::set(10);
        let first = places.next().unwrap();
        check(&inbox, &[2, 1]);
        first.send(1);
        check(&inbox, &[2]);
        let second = places.next().unwrap();
        check(&inbox, &[1, 1]);
        assert!(inspect::holds("many").iter().all(|hold| hold.since_ns == 0));
        drop(places);
        check(&inbox, &[1]);
        drop(second);
        check(&inbox, &[]);
        let owned = sender.clone().reserve_owned().await.unwrap();
        check(&inbox, &[1]);
        let owned = owned.release().try_reserve_owned().unwrap();
        check(&inbox, &[1]);
        drop(owned.send(2));
        check(&inbox, &[]);
    });
    assert!(owner.at(0));
    drop(owner);
    assert_eq!((inbox.try_recv(), inbox.try_recv()), (Ok(1), Ok(2)));
    assert_eq!(sender.capacity(), 4);
}

#[test]
fn nobody_is_blamed_for_a_close() {
    let _world = manual();
    let (sender, mut inbox) = named_channel("mpsc closed", 1);
    sender.try_send(1).unwrap();
    let refused = async |n| {
        let refused = sender.send(n).await;
        assert_eq!(refused, Err(mpsc::error::SendError(n)));
    };
    let mut waiters =
        [Actor::new("mpsc closed a", refused(2)), Actor::new("mpsc closed b", refused(3))];
    for waiter in &mut waiters {
        assert!(!waiter.at(10));
    }
    plock::manual::set(40);
    inbox.close();
    for waiter in &mut waiters {
        assert!(waiter.at(60));
    }
    assert!(sender.try_send(4).is_err());
    let seen = places("mpsc closed");
    assert_eq!((seen.outcome(Outcome::Closed), seen.wait_total().sum_ns()), (3, 100));
    assert_eq!(edges("mpsc closed"), []);
    assert_eq!(told("mpsc closed a").wait().1.end, EndCause::Closed);
}

#[test]
fn a_send_that_is_given_up_is_abandoned() {
    let _world = manual();
    let (sender, _inbox) = named_channel("mpsc abandoned", 1);
    sender.try_send(1).unwrap();
    let mut waiter = Actor::new("mpsc abandoned", send(sender.clone(), 2));
    assert!(!waiter.at(10));
    waiter.drop_at(40);
    let seen = places("mpsc abandoned");
    assert_eq!((seen.outcome(Outcome::Abandoned), seen.wait_total().sum_ns()), (1, 30));
    assert_eq!(told("mpsc abandoned").wait().1.end, EndCause::AbandonedBeforeGrant);
}

#[test]
fn waiting_for_a_message_or_a_place_is_idle_time_of_a_channel() {
    let _world = manual();
    let (sender, mut inbox) = named_channel("mpsc idle", 1);
    let (unbounded, mut unbounded_inbox) = mpsc::unbounded_channel();
    let mut receiver = Actor::new("mpsc idle receiver", async {
        assert_eq!(inbox.recv().await, Some(1));
        assert_eq!(unbounded_inbox.recv().await, Some(7));
        step().await;
        assert_eq!(inbox.recv().await, Some(2));
    });
    assert!(!receiver.at(0));
    plock::manual::set(30);
    sender.try_send(1).unwrap();
    assert!(!receiver.at(30));
    plock::manual::set(50);
    unbounded.send(7).unwrap();
    assert!(!receiver.at(50));
    sender.try_send(2).unwrap();
    let mut waiting = Actor::new("mpsc idle sender", send(sender.clone(), 3));
    assert!(!waiting.at(60));
    assert!(receiver.at(90));
    assert!(waiting.at(90));

    // The message that came while nobody waited for one woke nobody.
    assert_eq!(idle("mpsc idle receiver"), [(Idle::Channel, 50), (Idle::Other, 40)]);
    assert_eq!(idle("mpsc idle sender"), [(Idle::Channel, 30)]);
}
