//! What is wrong with how a lock is used: found exactly, counted, with the places in the code. Only
//! paths that have gone wrong come here.
//!
//! Places are capped, counts are not: beyond the cap a finding is told without its place, under the
//! owner [`OVERFLOW`](crate::OVERFLOW). So the figure of each kind and lock stays exact.

use crate::name::{Label, site_text};
use crate::{Dropped, FindingKind, class, loss};
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

/// Different findings a process keeps with their places; further ones fold by kind and series, and are
/// counted as left out.
const MAX_FINDINGS: usize = 256;

static FINDINGS: Mutex<Vec<(Key, Tally)>> = Mutex::new(Vec::new());

/// One habit of the program, however often it shows. See [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) kind: FindingKind,
    pub(crate) series: u32,
    /// 0 = it has nothing to do with a pool.
    pub(crate) pool: u32,
    pub(crate) owner: Label,
    /// Unknown beyond the cap.
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) holder: Option<(Label, &'static Location<'static>)>,
}

/// How often it showed, and what that cost.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    wait_ns: u64,
}

/// Something that a lock is used for wrongly, and how often. Exact: none of them is a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// Name of the lock.
    pub lock: String,
    /// Name of the pool that it is used together with; empty if there is none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub pool: String,
    /// Label of whoever did it: the scope, else the module.
    pub owner: String,
    /// Where, `file:line:column`: see [`FindingKind`]. Empty beyond the cap of places, where the owner
    /// is [`OVERFLOW`](crate::OVERFLOW).
    pub site: String,
    /// Label of the holder that is in the way, or of the scope that acquired what is kept meanwhile; empty
    /// if there is none.
    pub holder: String,
    /// Where that had been acquired; empty if there is none.
    pub holder_site: String,
    /// How often.
    pub count: u64,
    /// How long it has been waited like this, in nanoseconds, by what is over; 0 for kinds that are no waits.
    #[cfg_attr(feature = "serde", serde(default))]
    pub wait_ns: u64,
}

pub(crate) fn count(key: Key) {
    add(key, Tally { count: 1, wait_ns: 0 });
}

/// A wait that was counted when it began is over.
pub(crate) fn add_wait(key: Key, wait_ns: u64) {
    add(key, Tally { count: 0, wait_ns });
}

#[cold]
fn add(key: Key, more: Tally) {
    let mut findings = FINDINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if add_known(&mut findings, key, more) {
        return;
    }
    if findings.len() < MAX_FINDINGS {
        findings.push((key, more));
        return;
    }
    loss::count(Dropped::Findings, more.count);
    let folded = Key { pool: 0, owner: Label::OVERFLOW, site: None, holder: None, ..key };
    if !add_known(&mut findings, folded, more) {
        findings.push((folded, more)); // as many as there are kinds and series
    }
}

/// Adds to it if it is known.
fn add_known(findings: &mut [(Key, Tally)], key: Key, more: Tally) -> bool {
    let known = findings.iter_mut().find(|(known, _)| *known == key);
    known
        .map(|(_, tally)| {
            tally.count += more.count;
            tally.wait_ns = tally.wait_ns.wrapping_add(more.wait_ns);
        })
        .is_some()
}

/// Everything found so far, the first first.
pub(crate) fn all() -> Vec<Finding> {
    let findings = FINDINGS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    findings.iter().map(|(key, tally)| key.told(*tally)).collect()
}

impl Key {
    fn told(&self, Tally { count, wait_ns }: Tally) -> Finding {
        let named =
            |series| class::series(series).map_or_else(String::new, |it| it.name.to_owned());
        let (lock, pool) = (named(self.series), named(self.pool));
        let holder = self.holder.map(|(label, site)| (label.text().to_owned(), site_text(site)));
        let (holder, holder_site) = holder.unwrap_or_default();
        let site = self.site.map(site_text).unwrap_or_default();
        let owner = self.owner.text().to_owned();
        Finding { kind: self.kind, lock, pool, owner, site, holder, holder_site, count, wait_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::OVERFLOW;

    fn found(series: u32, owner: &str) {
        let (owner, site) = (Label::intern(owner), Some(Location::caller()));
        let kind = FindingKind::AcrossAwait;
        count(Key { kind, series, pool: 0, owner, site, holder: None });
    }

    #[test]
    fn beyond_the_cap_places_are_lost_and_counted_and_the_count_is_exact() {
        const BEYOND: u64 = 7;
        let before = loss::counts()[Dropped::Findings as usize].1;
        let owners: Vec<_> = (0..MAX_FINDINGS).map(|nth| format!("finding {nth}")).collect();
        owners.iter().for_each(|owner| found(1, owner));
        (0..BEYOND).for_each(|nth| found(1, &format!("late finding {nth}")));
        found(1, &owners[0]);
        found(2, "late finding");

        let total = |series| {
            let mut of_series = FINDINGS.lock().unwrap().clone();
            of_series.retain(|(key, _)| key.series == series);
            of_series.iter().map(|(_, tally)| tally.count).sum::<u64>()
        };
        assert_eq!((total(1), total(2)), (MAX_FINDINGS as u64 + BEYOND + 1, 1));
        let all = all();
        let first = all.iter().find(|it| it.owner == owners[0]).unwrap();
        assert_eq!((first.count, first.site.is_empty()), (2, false), "a known place stays known");
        let folded: Vec<_> = all.iter().filter(|it| it.owner == OVERFLOW).collect();
        assert_eq!(folded.iter().map(|it| it.count).collect::<Vec<_>>(), [BEYOND, 1]);
        assert!(folded.iter().all(|it| it.site.is_empty()), "{folded:?}");
        assert_eq!(loss::counts()[Dropped::Findings as usize].1, before + BEYOND + 1);
    }
}
