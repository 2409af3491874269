//! Who a wait is charged to. Everybody who holds a lock while somebody waits is charged with that
//! time, by label; a waiter is charged for by the growth of these charges between its block and its
//! hand-over. Whoever happens to release last gets no more than its own part.
//!
//! | held | charged | a wait's shares |
//! |---|---|---|
//! | alone | the hold | exact: what each holder occupied; the rest is hand-over |
//! | together, by readers | each reader's hold | a writer: the last reader first, then in proportion |
//! | as permits | permits times the hold | in proportion |
//!
//! Shares are whole nanoseconds and sum to the queue time.

use crate::Mode;
use crate::name::Label;
use crate::owner::OwnerCell;
use crate::queue::{Charge, Queue};
use crate::record::Holder;
use crate::slots::HoldInfo;
use smallvec::SmallVec;
use std::panic::Location;

/// Charges by label; few labels hold a lock while others wait for it.
pub(crate) type Few = SmallVec<[Charge; 3]>;

/// What everybody is charged with at one moment, running holds included.
pub(crate) fn charges(queue: &Queue, holders: &[Holder], now: u64) -> Few {
    let mut all = Few::from_slice(queue.charged());
    for (cell, hold) in holders {
        add(&mut all, running(cell, hold, now));
    }
    all
}

/// One more charge, among the others by its label.
pub(crate) fn add(all: &mut Few, charge: Charge) {
    match all.iter_mut().find(|known| known.label == charge.label) {
        Some(known) => known.ns = known.ns.wrapping_add(charge.ns),
        None => all.push(charge),
    }
}

/// A wait that is to be charged to somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blamed {
    pub(crate) queue_ns: u64,
    /// The holder that it ran into, for waits during which nobody was seen to hold the lock.
    pub(crate) met: Option<(Label, &'static Location<'static>)>,
    /// The reader that a writer waited for to the end: for that time the others did not matter.
    pub(crate) last: Option<Label>,
    pub(crate) site: &'static Location<'static>,
}

impl Blamed {
    /// Splits the queue time by what was charged between `base` and `later`.
    pub(crate) fn split(&self, base: &[Charge], later: &[Charge]) -> Few {
        // A lock charges a label in the same place for ever; only those that held it are elsewhere.
        let before = |place: usize, label: Label| {
            let is_same = |charge: &&Charge| charge.label == label;
            let charge = base.get(place).filter(is_same);
            charge.or_else(|| base.iter().find(is_same)).map_or(0, |charge| charge.ns)
        };
        let growth = |(place, charge): (usize, &Charge)| Charge {
            ns: charge.ns.saturating_sub(before(place, charge.label)),
            ..*charge
        };
        let grown = later.iter().enumerate().map(growth).filter(|charge| charge.ns > 0);
        let mut shares: Few = grown.collect();
        let total: u128 = shares.iter().map(|share| u128::from(share.ns)).sum();
        if total > u128::from(self.queue_ns) {
            scale(&mut shares, self.last, self.queue_ns);
            return shares;
        }
        let left = self.queue_ns - shares.iter().map(|share| share.ns).sum::<u64>();
        if left == 0 {
            return shares;
        }
        let (label, site) = match self.met {
            Some(met) if shares.is_empty() => met,
            None if shares.is_empty() => (Label::NOBODY, self.site),
            _ => (Label::HAND_OVER, self.site),
        };
        shares.push(Charge { label, ns: left, site });
        shares
    }
}

/// Several held at once: `last` gets its own, the others their part of what is left, the largest
/// what rounding leaves over.
fn scale(shares: &mut Few, last: Option<Label>, queue_ns: u64) {
    shares.sort_by_key(|share| (Some(share.label) != last, std::cmp::Reverse(share.ns)));
    let mut left = queue_ns;
    let (first, others) = match shares.split_first_mut() {
        Some((first, others)) if Some(first.label) == last => (Some(first), others),
        _ => (None, shares.as_mut_slice()),
    };
    if let Some(first) = first {
        first.ns = first.ns.min(left);
        left -= first.ns;
    }
    let total: u128 = others.iter().map(|share| u128::from(share.ns)).sum();
    let whole = left;
    for share in others.iter_mut() {
        let part = (u128::from(share.ns) * u128::from(whole)).checked_div(total);
        share.ns = part.and_then(|part| u64::try_from(part).ok()).unwrap_or(0);
        left -= share.ns;
    }
    if let Some(most) = others.first_mut() {
        most.ns += left;
    }
    shares.retain(|share| share.ns > 0);
}

/// What a hold that goes on is charged with up to `now`.
pub(crate) fn running(cell: &OwnerCell, hold: &HoldInfo, now: u64) -> Charge {
    let share = hold.share;
    let weight = if share.mode() == Mode::Permit { u64::from(share.weight()) } else { 1 };
    let ns = now.saturating_sub(hold.since).saturating_mul(weight);
    Charge { label: cell.label_at(hold.site), ns, site: hold.site }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        before: &[(&str, u64)],
        after: &[(&str, u64)],
        queue_ns: u64,
        expected: &[(&str, u64)],
    ) {
        let site = Location::caller();
        let charges = |list: &[(&str, u64)]| {
            let charge =
                |(label, ns): &(&str, u64)| Charge { label: Label::intern(label), ns: *ns, site };
            list.iter().map(charge).collect::<Few>()
        };
        let met = Some((Label::intern("met"), site));
        let blamed = Blamed { queue_ns, met, last: None, site };
        let shares = blamed.split(&charges(before), &charges(after));
        let found: Vec<_> = shares.iter().map(|share| (share.label.text(), share.ns)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn holders_that_took_turns_are_charged_exactly_and_the_rest_is_hand_over() {
        check(
            &[("a", 5)],
            &[("a", 45), ("b", 30)],
            80,
            &[("a", 40), ("b", 30), ("(hand-over)", 10)],
        );
    }

    #[test]
    fn holders_at_the_same_time_share_in_proportion_and_to_the_nanosecond() {
        check(&[], &[("slow", 900), ("quick", 100)], 500, &[("slow", 450), ("quick", 50)]);
        check(&[], &[("a", 10), ("b", 10), ("c", 10)], 10, &[("a", 4), ("b", 3), ("c", 3)]);
        check(&[], &[("a", 1), ("b", 1)], 1, &[("a", 1)]);
    }

    #[test]
    fn a_writer_waits_for_the_last_reader() {
        let site = Location::caller();
        let charge = |label, ns| Charge { label: Label::intern(label), ns, site };
        let later = [charge("first", 5), charge("last", 20), charge("second", 15)];
        let last = Some(Label::intern("last"));
        let shares = Blamed { queue_ns: 25, met: None, last, site }.split(&[], &later);
        let found: Vec<_> = shares.iter().map(|share| (share.label.text(), share.ns)).collect();
        assert_eq!(found, [("last", 20), ("second", 4), ("first", 1)]);
    }

    #[test]
    fn a_wait_without_any_hold_goes_to_whoever_it_ran_into() {
        check(&[("a", 5)], &[("a", 5)], 7, &[("met", 7)]);
    }
}
