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
use crate::lock::Lock;
use crate::name::Label;
use crate::owner::OwnerCell;
use crate::record::{self, Charge, Queue, Record};
use crate::slots::HoldInfo;
use std::panic::Location;

/// The charges of a lock at one moment, running holds included.
#[derive(Debug, Default)]
pub(crate) struct Charges(Vec<Charge>);

impl Charges {
    pub(crate) fn at(lock: &Lock, record: &Record, queue: &Queue, now: u64) -> Self {
        let mut this = Self(queue.charged().to_vec());
        let alone = record::look_up(lock.who()).into_iter();
        for (cell, hold) in alone.chain(record.holders()) {
            let charge = running(cell, &hold, now);
            match this.0.iter_mut().find(|known| known.label == charge.label) {
                Some(known) => known.ns += charge.ns,
                None => this.0.push(charge),
            }
        }
        this
    }

    /// Splits `queue_ns` by what was charged since `self`. `met` is the holder that the wait ran
    /// into, for waits during which nobody was seen to hold the lock. `last` is the reader that a
    /// writer waited for to the end: for that time the others did not matter.
    pub(crate) fn split(
        &self,
        later: &Self,
        queue_ns: u64,
        met: Option<(Label, &'static Location<'static>)>,
        last: Option<Label>,
        waiter_site: &'static Location<'static>,
    ) -> Vec<Charge> {
        let before = |label| self.0.iter().find(|c| c.label == label).map_or(0, |c| c.ns);
        let growth = |c: &Charge| Charge { ns: c.ns.saturating_sub(before(c.label)), ..*c };
        let mut shares: Vec<Charge> =
            later.0.iter().map(growth).filter(|charge| charge.ns > 0).collect();
        let total: u128 = shares.iter().map(|share| u128::from(share.ns)).sum();
        if total > u128::from(queue_ns) {
            scale(&mut shares, last, queue_ns);
            return shares;
        }
        let left = queue_ns - shares.iter().map(|share| share.ns).sum::<u64>();
        if left == 0 {
            return shares;
        }
        let (label, site) = match met {
            Some(met) if shares.is_empty() => met,
            None if shares.is_empty() => (Label::NOBODY, waiter_site),
            _ => (Label::HAND_OVER, waiter_site),
        };
        shares.push(Charge { label, ns: left, site });
        shares
    }
}

/// Several held at once: `last` gets its own, the others their part of what is left, the largest
/// what rounding leaves over.
fn scale(shares: &mut Vec<Charge>, last: Option<Label>, queue_ns: u64) {
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
            Charges(list.iter().map(charge).collect())
        };
        let met = Some((Label::intern("met"), site));
        let shares = charges(before).split(&charges(after), queue_ns, met, None, site);
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
        let later = Charges(vec![charge("first", 5), charge("last", 20), charge("second", 15)]);
        let last = Some(Label::intern("last"));
        let shares = Charges::default().split(&later, 25, None, last, site);
        let found: Vec<_> = shares.iter().map(|share| (share.label.text(), share.ns)).collect();
        assert_eq!(found, [("last", 20), ("second", 4), ("first", 1)]);
    }

    #[test]
    fn a_wait_without_any_hold_goes_to_whoever_it_ran_into() {
        check(&[("a", 5)], &[("a", 5)], 7, &[("met", 7)]);
    }
}
