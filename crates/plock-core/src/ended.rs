//! A wait that is over, and where it is written down: the figures of the lock with the blame, the
//! totals of the scope, and the scope's details if it was slow.

use crate::account;
use crate::blame::{self, Blamed, Few};
use crate::cause::Blocked;
use crate::claim::Claimed;
use crate::contention::EdgeCell;
use crate::grant::Releaser;
use crate::name::Label;
use crate::owner::WaitEnd;
use crate::queue::{Charge, Queue};
use crate::record::Holder;
use crate::shard::{self, WorstCell};
use crate::wait::{Wait, Waiter};
use crate::{
    Cause, Detail, EndCause, Exemplar, Kind, Mode, Outcome, WaitDetail, class, clock, loss,
    nested_wait, thread,
};

/// An attempt that did block, at its end.
pub(crate) struct Ended<'a> {
    pub(crate) kind: Kind,
    pub(crate) series: u32,
    pub(crate) wait: &'a Wait,
    pub(crate) waiter: &'a Waiter,
    pub(crate) blocked: Blocked,
    pub(crate) polls: u64,
    /// The end of the wait.
    pub(crate) now: u64,
    pub(crate) claimed: Claimed,
    pub(crate) end: EndCause,
}

impl Ended<'_> {
    /// Files it everywhere.
    pub(crate) fn file(&self, outcome: Outcome, shares: &[Charge]) {
        let began = loss::overhead_began();
        let most = shares.iter().max_by_key(|share| share.ns).copied();
        self.file_in_lock(outcome, shares, most);
        self.file_in_scope(most.filter(|most| most.label.is_holder()));
        loss::overhead_ended(began);
    }

    /// Files it as a detail only: a wait for the cooperative budget alone is no contention, and
    /// nobody's fault; a detail says where the time went.
    pub(crate) fn file_detail(&self) {
        self.keep(None);
    }

    fn wait_ns(&self) -> u64 {
        self.now.saturating_sub(self.waiter.since)
    }

    fn claim_ns(&self) -> u64 {
        self.claimed.delay_ns.min(self.wait_ns())
    }

    fn queue_ns(&self) -> u64 {
        self.wait_ns() - self.claim_ns()
    }

    fn cause(&self) -> Cause {
        if self.claim_ns() > self.queue_ns() {
            Cause::Scheduler
        } else {
            self.blocked.cause.cause()
        }
    }

    /// The holder that let go, if letting go ended it.
    fn releaser(&self) -> Option<Releaser> {
        self.claimed.granted.and_then(|granted| granted.releaser)
    }

    /// Who is charged with the queue time, and with how much each; sums to it exactly. `base` is what
    /// everybody was charged with when it blocked, `holders` have the lock now.
    pub(crate) fn shares(&self, holders: &[Holder], queue: &Queue, base: &[Charge]) -> Few {
        let before: u64 = self.wait.before.iter().map(|charge| charge.ns).sum();
        let Some(queue_ns) = self.queue_ns().checked_sub(before) else {
            return self.queued_shares(holders, queue, base, self.queue_ns()); // the clock jumped
        };
        let mut shares = self.queued_shares(holders, queue, base, queue_ns);
        self.wait.before.iter().for_each(|charge| blame::add(&mut shares, *charge));
        shares
    }

    /// The same of what is left when those are charged that were seen before it queued.
    fn queued_shares(
        &self,
        holders: &[Holder],
        queue: &Queue,
        base: &[Charge],
        queue_ns: u64,
    ) -> Few {
        let by = self.releaser();
        let met = self.blocked.holder.or_else(|| by.map(|by| (by.label(), by.site)));
        let drained = by.filter(|by| self.wait.mode == Mode::Exclusive && !by.exclusive);
        let last = drained.map(|by| by.label());
        let blamed = Blamed { queue_ns, met, last, site: self.waiter.site };
        if holders.is_empty() {
            return blamed.split(base, queue.charged());
        }
        blamed.split(base, &blame::charges(queue, holders, self.waiter.since + self.queue_ns()))
    }

    fn file_in_lock(&self, outcome: Outcome, shares: &[Charge], most: Option<Charge>) {
        let (cause, ns) = (self.cause(), self.wait_ns());
        let span = self.waiter.owner.span().filter(|_| self.waiter.owner_is_alive());
        let (waiter, site) = (self.waiter.label, self.waiter.site);
        shard::with(thread::state(), self.series, |shard| {
            let mut contention = shard.contention_or_new();
            if outcome != Outcome::Acquired {
                contention.outcomes[outcome as usize] += 1;
            }
            contention.waited(cause, ns);
            contention.claim_delay_ns = contention.claim_delay_ns.wrapping_add(self.claim_ns());
            for share in shares {
                let waits = u64::from(most.is_some_and(|most| most.label == share.label));
                let holder_site = share.label.is_holder().then_some(share.site);
                let (holder, wait_ns) = (share.label, share.ns);
                contention.charge(EdgeCell { cause, waiter, holder, holder_site, waits, wait_ns });
            }
            if contention.worst_wait.is_none_or(|worst| ns > worst.ns) {
                contention.worst_wait = Some(WorstCell { ns, owner: waiter, site });
            }
            if let Some(span) = span.filter(|_| contention.wants_exemplar(cause, ns)) {
                let unix_ns = clock::WallClock::now().unix_ns();
                contention.wait_exemplar(cause, Exemplar { ns, unix_ns, span });
            }
        });
    }

    fn file_in_scope(&self, holder: Option<Charge>) {
        self.waiter.unblocks_owner(WaitEnd {
            at: self.now,
            ns: self.wait_ns(),
            cause: self.cause(),
            series: self.series,
            holder: holder.map(|most| most.label),
        });
        nested_wait::ended(self.kind, self.series, self.waiter, self.wait_ns());
        self.keep(holder);
    }

    /// Keeps it in detail if it was slow.
    fn keep(&self, holder: Option<Charge>) {
        let (owner, ns) = (self.waiter.owner, self.wait_ns());
        if ns < account::slow_ns() || !owner.wants_details() {
            return;
        }
        let mut slow = owner.slow();
        if !self.waiter.owner_is_alive() {
            return; // the scope is gone; its details have been told
        }
        let Some(class) = class::series(self.series) else { return };
        let (wait, waiter) = (self.wait, self.waiter);
        slow.keep(Detail {
            lock: class.name,
            kind: self.kind,
            mode: wait.mode,
            start_unix_ns: clock::WallClock::now().convert(waiter.since),
            ns,
            depth: self.depth(),
            site: waiter.site,
            site_label: Label::of_site(waiter.site).text(),
            precision: waiter.owner.precision(),
            hold_end: None,
            wait: Some(self.detail(holder)),
        });
    }

    /// The guard counts by now, if there is one.
    fn depth(&self) -> u64 {
        let without_guard = matches!(
            self.end,
            EndCause::AbandonedBeforeGrant
                | EndCause::AbandonedAfterGrant
                | EndCause::Closed
                | EndCause::Timeout
        );
        self.waiter.owner.depth() + u64::from(without_guard || !self.claimed.holds)
    }

    fn detail(&self, holder: Option<Charge>) -> WaitDetail {
        let releaser = self.releaser();
        let named = releaser.map(|by| (by.label(), by.site)).or(holder.map(|h| (h.label, h.site)));
        WaitDetail {
            queue_ns: self.queue_ns(),
            claim_ns: self.claim_ns(),
            claim_parts_ns: self.claimed.parts,
            block: self.blocked.cause,
            holders: self.blocked.holders,
            ahead: self.blocked.ahead,
            need: self.wait.need,
            free: self.blocked.free,
            polls: self.polls,
            barged_past: self.wait.barged_past(),
            end: self.end,
            cause: self.cause(),
            holder: named.map(|(label, _)| label.text()),
            holder_site: named.map(|(_, site)| site),
            holder_span: releaser.and_then(|by| by.span),
        }
    }
}
