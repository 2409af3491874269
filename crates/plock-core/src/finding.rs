//! What is wrong with how a lock is used: found exactly, counted, with the places in the code. Only
//! paths that have gone wrong come here.

use crate::name::{Label, site_text};
use crate::{Dropped, FindingKind, class, loss};
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

/// Different findings a process keeps; further ones are counted as left out.
const MAX_FINDINGS: usize = 256;

static FINDINGS: Mutex<Vec<(Key, u64)>> = Mutex::new(Vec::new());

/// One habit of the program, however often it shows. See [`Finding`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) kind: FindingKind,
    pub(crate) series: u32,
    pub(crate) owner: Label,
    pub(crate) site: &'static Location<'static>,
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
    /// Where, `file:line:column`: see [`FindingKind`].
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
    if let Some((_, count)) = findings.iter_mut().find(|(known, _)| *known == key) {
        *count += 1;
    } else if findings.len() < MAX_FINDINGS {
        findings.push((key, 1));
    } else {
        loss::count(Dropped::Findings, 1);
    }
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
        let (owner, site) = (self.owner.text().to_owned(), site_text(self.site));
        Finding { kind: self.kind, lock, owner, site, holder, holder_site, count }
    }
}
