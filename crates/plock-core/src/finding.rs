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

static FINDINGS: Mutex<Vec<(Key, u64)>> = Mutex::new(Vec::new());

/// One habit of the program, however often it shows. See [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) kind: FindingKind,
    pub(crate) series: u32,
    pub(crate) owner: Label,
    /// Unknown beyond the cap.
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) holder: Option<(Label, &'static Location<'static>)>,
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
    /// Label of whoever did it: the scope, else the module.
    pub owner: String,
    /// Where, `file:line:column`: see [`FindingKind`]. Empty beyond the cap of places, where the owner
    /// is [`OVERFLOW`](crate::OVERFLOW).
    pub site: String,
    /// Label of the holder that is in the way; empty if there is none.
    pub holder: String,
    /// Where that holder had acquired; empty if there is none.
    pub holder_site: String,
    /// How often.
    pub count: u64,
}

#[cold]
pub(crate) fn count(key: Key) {
    let mut findings = FINDINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if add(&mut findings, key) {
        return;
    }
    if findings.len() < MAX_FINDINGS {
        findings.push((key, 1));
        return;
    }
    loss::count(Dropped::Findings, 1);
    let folded = Key { owner: Label::OVERFLOW, site: None, holder: None, ..key };
    if !add(&mut findings, folded) {
        findings.push((folded, 1)); // as many as there are kinds and series
    }
}

/// Counts it if it is known.
fn add(findings: &mut [(Key, u64)], key: Key) -> bool {
    let known = findings.iter_mut().find(|(known, _)| *known == key);
    known.map(|(_, count)| *count += 1).is_some()
}

/// Everything found so far, the first first.
pub(crate) fn all() -> Vec<Finding> {
    let findings = FINDINGS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    findings.iter().map(|(key, count)| key.told(*count)).collect()
}

impl Key {
    fn told(&self, count: u64) -> Finding {
        let lock = class::series(self.series).map_or_else(String::new, |it| it.name.to_owned());
        let holder = self.holder.map(|(label, site)| (label.text().to_owned(), site_text(site)));
        let (holder, holder_site) = holder.unwrap_or_default();
        let site = self.site.map(site_text).unwrap_or_default();
        let owner = self.owner.text().to_owned();
        Finding { kind: self.kind, lock, owner, site, holder, holder_site, count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::OVERFLOW;

    fn found(series: u32, owner: &str) {
        let (owner, site) = (Label::intern(owner), Some(Location::caller()));
        count(Key { kind: FindingKind::AcrossAwait, series, owner, site, holder: None });
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
            of_series.iter().map(|(_, count)| count).sum::<u64>()
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
