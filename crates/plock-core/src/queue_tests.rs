use super::*;
use crate::owner::OwnerCell;
use crate::wait::Waiter;
use crate::{Share, slab};
use proptest::prelude::*;
use std::task::Waker;

#[derive(Clone, Debug)]
enum Event {
    Block,
    /// One of those queued gives up.
    Abandon(usize),
    /// The hold ends; the head of the queue, or else a newcomer, has the lock some time later.
    Release {
        hand_over: u64,
    },
}

fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let event = prop_oneof![
        3 => Just(Event::Block),
        1 => (0..8usize).prop_map(Event::Abandon),
        2 => (0..50u64).prop_map(|hand_over| Event::Release { hand_over }),
    ];
    prop::collection::vec((0..1_000u64, event), 1..80)
}

fn charge(number: u64) -> Charge {
    let label = Label::intern(&format!("holder {number}"));
    Charge { label, ns: 0, site: Location::caller() }
}

fn waiting(since: u64, owner: &'static OwnerCell) -> Arc<Wait> {
    let waiter = Waiter::new(since, owner, Location::caller());
    Arc::new(Wait::new(Share::EXCLUSIVE, 1, Some(waiter)))
}

proptest! {
    /// A release counts who waits and for how long within the hold, without looking at each of them.
    #[test]
    fn a_hold_inflicts_what_a_look_at_every_waiter_says(events in events()) {
        let owner = slab::allocate().unwrap();
        let mut queue = Queue::default();
        let (mut now, mut since) = (1_000u64, 1_000u64);
        let mut queued: Vec<(u64, u64)> = Vec::new();
        let mut charged = 0;
        for (passed, event) in events {
            now += passed;
            match event {
                Event::Block => {
                    let ticket = queue.enter(waiting(now, owner), Some(Waker::noop().clone()), 0);
                    queued.push((ticket, now));
                }
                Event::Abandon(number) if !queued.is_empty() => {
                    let (ticket, _) = queued.remove(number % queued.len());
                    prop_assert!(queue.leave(ticket).is_some());
                    prop_assert!(queue.leave(ticket).is_none(), "once");
                }
                Event::Abandon(_) => {}
                Event::Release { hand_over } => {
                    let inflicted: u64 = queued.iter().map(|(_, blocked)| now - (*blocked).max(since)).sum();
                    let found = queue.charge(charge(0), since, now);
                    prop_assert_eq!(found, Inflicted { queued: queued.len() as u64, ns: inflicted });
                    charged += now - since;
                    now += hand_over;
                    if !queued.is_empty() {
                        let (ticket, _) = queued.remove(0);
                        prop_assert!(queue.leave(ticket).is_some());
                    prop_assert!(queue.leave(ticket).is_none(), "once");
                        queue.claimed(1);
                    }
                    since = now;
                }
            }
            prop_assert_eq!(u64::from(queue.len()), queued.len() as u64);
            prop_assert_eq!(queue.waits().map(|wait| wait.since().unwrap()).collect::<Vec<_>>(), queued.iter().map(|(_, since)| *since).collect::<Vec<_>>());
            prop_assert_eq!(queue.head().map(|wait| wait.since().unwrap()), queued.first().map(|(_, since)| *since));
        }
        prop_assert_eq!(queue.charged().iter().map(|c| c.ns).sum::<u64>(), charged);
    }

    /// Charges by label never fall and none is lost, however many labels there are.
    #[test]
    fn labels_beyond_the_cap_share_one_entry_that_keeps_its_sum(
        holds in prop::collection::vec((0..300u64, 0..1_000u64), 1..600),
    ) {
        let mut queue = Queue::default();
        let mut before: Vec<Charge> = Vec::new();
        for (i, (number, ns)) in holds.iter().enumerate() {
            queue.charge(charge(*number), 0, *ns);
            for old in &before {
                let new = queue.charged().iter().find(|c| c.label == old.label).unwrap();
                prop_assert!(new.ns >= old.ns, "{} fell", old.label.text());
            }
            before = queue.charged().to_vec();
            let sum: u64 = holds[..=i].iter().map(|(_, ns)| ns).sum();
            prop_assert_eq!(before.iter().map(|c| c.ns).sum::<u64>(), sum);
            prop_assert!(before.len() <= CHARGED + 1);
        }
    }

    /// However many come and go behind one that stays, no more than they is kept, and each leaves once.
    #[test]
    fn gaps_between_those_who_wait_are_closed(steps in prop::collection::vec((any::<bool>(), 0..50usize), 1..2_000)) {
        let owner = slab::allocate().unwrap();
        let mut queue = Queue::default();
        let enter = |queue: &mut Queue, since| {
            queue.enter(waiting(since, owner), Some(Waker::noop().clone()), 0)
        };
        let first = enter(&mut queue, 0);
        let mut queued = Vec::new();
        for (since, (comes, at)) in (1..).zip(steps) {
            if comes || queued.is_empty() {
                queued.push(enter(&mut queue, since));
            } else {
                let ticket = queued.remove(at % queued.len());
                prop_assert!(queue.leave(ticket).is_some());
                prop_assert!(queue.leave(ticket).is_none());
            }
            prop_assert_eq!(queue.len() as usize, 1 + queued.len());
            prop_assert!(queue.places.len() <= GAPS + 2 * (2 + queued.len()));
        }
        prop_assert!(queue.leave(first).is_some());
        prop_assert!(queued.iter().all(|ticket| queue.leave(*ticket).is_some()));
        prop_assert_eq!(queue.len(), 0);
    }
}
