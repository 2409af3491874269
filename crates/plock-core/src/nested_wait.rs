//! Waits of somebody who has something in hand that others need. Connections are few and locks are held
//! for the length of a section, so either makes the other as scarce as itself:
//!
//! | waits for | has meanwhile | finding |
//! |---|---|---|
//! | a connection | a mutex or read-write lock | pool under lock |
//! | a mutex or read-write lock | a connection | lock under pool |
//! | a connection | a connection of the same pool | pool under pool |
//!
//! Permits of semaphores and places in channels are kept, and waited for, as long as the work takes: that
//! is no mistake.
//!
//! It is counted when the wait begins, so that one that never ends shows. Its time is added when it is
//! over, for what has been in hand from before its beginning to its end: that is looked up in the
//! published holds of the owner and of the scopes around it, like the nesting depth. An acquisition that
//! does not wait never comes here.

use crate::finding::{self, Key};
use crate::slots::HoldInfo;
use crate::wait::Waiter;
use crate::{FindingKind, Kind, class, pool};

/// `waiter` is blocked by a lock of this kind and series from now on.
#[inline]
pub(crate) fn begins(kind: Kind, series: u32, waiter: &Waiter) {
    if is_of_interest(kind) {
        each(kind, series, waiter, finding::count);
    }
}

/// It has been for `ns`.
#[inline]
pub(crate) fn ended(kind: Kind, series: u32, waiter: &Waiter, ns: u64) {
    if is_of_interest(kind) && ns > 0 && waiter.owner_is_alive() {
        each(kind, series, waiter, |key| finding::add_wait(key, ns));
    }
}

fn is_of_interest(kind: Kind) -> bool {
    pool::exist() && (kind == Kind::Pool || kind.is_section())
}

#[cold]
fn each(kind: Kind, series: u32, waiter: &Waiter, tell: impl Fn(Key)) {
    let mut at = Some(waiter.owner);
    while let Some(cell) = at {
        for (_, hold) in cell.all_holds().filter(|(_, hold)| hold.since <= waiter.since) {
            if let Some((kind, lock, pool)) = mistake(kind, series, &hold) {
                let (owner, site) = (waiter.label, Some(waiter.site));
                let holder = Some((cell.label_at(hold.site), hold.site));
                tell(Key { kind, series: lock, pool, owner, site, holder });
            }
        }
        at = cell.parent();
    }
}

/// What is wrong with waiting for a lock of this kind and series while having `hold`: of which lock, with
/// which pool.
fn mistake(kind: Kind, series: u32, hold: &HoldInfo) -> Option<(FindingKind, u32, u32)> {
    let (held, _) = class::series(hold.series)?.lock()?;
    match (kind, held) {
        (Kind::Pool, Kind::Pool) if series == hold.series => {
            Some((FindingKind::PoolUnderPool, series, series))
        }
        (Kind::Pool, held) if held.is_section() => {
            Some((FindingKind::PoolUnderLock, hold.series, series))
        }
        (kind, Kind::Pool) if kind.is_section() => {
            Some((FindingKind::LockUnderPool, series, hold.series))
        }
        _ => None,
    }
}
