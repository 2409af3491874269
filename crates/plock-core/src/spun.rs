//! A wait that was [spun](crate::spin) and is over, until it is filed: that is done when the lock has been
//! given back. Done in the section it would make everybody wait who wants one as short, and each of those
//! waits had to be filed in turn: of sections of 20 ns two threads got a sixth.
//!
//! | event | what was kept |
//! |---|---|
//! | a wait that was spun is over | nothing yet, or filed; then this one is kept |
//! | a guard of the thread has been dropped | filed |
//! | the poll of a scope, the thread | filed |
//!
//! It is kept in the state of its thread, which guards of threads do not leave. So a snapshot lacks it as
//! long as its guard is alive in that poll: a wait of some microseconds. What takes more than one charge,
//! or is worth a detail, or is an unscoped task's, is not kept but filed.

use crate::account;
use crate::cause::Blocked;
use crate::claim::Claimed;
use crate::ended::Ended;
use crate::owner::{OwnerCell, Role};
use crate::queue::Charge;
use crate::wait::{Wait, Waiter};
use crate::{EndCause, Kind, Outcome, Share, thread};

/// The wait, what is to be charged for it, and whose hold that was, if one was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spun {
    pub(crate) kind: Kind,
    pub(crate) series: u32,
    pub(crate) share: Share,
    pub(crate) waiter: Waiter,
    pub(crate) seen: Blocked,
    pub(crate) until: u64,
    pub(crate) charge: Charge,
    pub(crate) by: Option<By>,
}

/// Whose hold kept somebody spinning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) owner: &'static OwnerCell,
    pub(crate) generation: u32,
}

impl By {
    /// Tells the scope whose hold it was for how long.
    pub(crate) fn tell(self, ns: u64) {
        self.owner.note_spinning(self.generation, ns);
    }
}

/// Files what is kept on this thread.
#[inline(always)]
pub(crate) fn file_kept() {
    if thread::state().has_spun.get() {
        file();
    }
}

#[cold]
#[inline(never)]
fn file() {
    let ts = thread::state();
    ts.has_spun.set(false);
    if let Some(spun) = ts.spun.take() {
        spun.file(&[spun.charge]);
    }
}

impl Spun {
    /// Keeps it until its lock is given back.
    pub(crate) fn keep(self) {
        file_kept();
        let ts = thread::state();
        ts.spun.set(Some(self));
        ts.has_spun.set(true);
    }

    /// Whether it may be filed later.
    pub(crate) fn can_be_kept(&self) -> bool {
        let ns = self.until.saturating_sub(self.waiter.since);
        let is_slow = ns >= account::slow_ns();
        !is_slow && self.waiter.owner.role() != Role::Task && thread::will_give_back()
    }

    /// Files it with all that it is charged to.
    pub(crate) fn file(&self, charged: &[Charge]) {
        let Self { kind, series, share, waiter, seen, until, charge, by } = self;
        let wait = Wait::new(*share, 1, Some(*waiter));
        waiter.blocks_owner(*kind, *series);
        let ended = Ended {
            kind: *kind,
            series: *series,
            wait: &wait,
            waiter,
            blocked: *seen,
            polls: 1,
            now: *until,
            claimed: Claimed::NONE,
            end: EndCause::Raced,
        };
        ended.file(Outcome::Acquired, charged);
        if let Some(by) = by {
            by.tell(charge.ns);
        }
    }
}
