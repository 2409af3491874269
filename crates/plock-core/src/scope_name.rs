//! The name of a scope: its label and its series, looked up once.

use crate::name::{Label, bounded};
use crate::{Dropped, class, loss};
use std::cell::Cell;

/// An interned scope name. Making one looks it up; keep it where that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeName {
    label: Label,
    series: u32,
}

/// Names that this thread has looked up lately, by where their text lies: most are literals or belong
/// to a route. Few enough that two of them in one place do no harm.
const KNOWN: usize = 64;

thread_local! {
    static LATELY: [Cell<Option<ScopeName>>; KNOWN] = const { [const { Cell::new(None) }; KNOWN] };
}

impl ScopeName {
    /// Interns a name. Names are label values: routes, job kinds, never ids. Beyond 4,096 distinct
    /// names (or the cap on series) it becomes `__overflow__`, a name longer than 64 bytes is cut,
    /// an empty one becomes `unnamed`; each of these is counted.
    ///
    /// # Overhead
    /// A few nanoseconds for a name that this thread has seen lately at the same place in memory,
    /// else two look-ups in tables that threads share.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::lately(name, |known| known == name, || Self::look_up(name))
    }

    /// As [`new`](Self::new) of `first`, a space, and `second`.
    #[must_use]
    pub fn of_parts(first: &str, second: &str) -> Self {
        let is_it = |known: &str| {
            let rest = known.strip_prefix(first).and_then(|rest| rest.strip_prefix(' '));
            rest == Some(second)
        };
        Self::lately(second, is_it, || Self::look_up(&format!("{first} {second}")))
    }

    fn lately(at: &str, is_it: impl Fn(&str) -> bool, look_up: impl FnOnce() -> Self) -> Self {
        LATELY.with(|lately| {
            let place = &lately[(at.as_ptr().addr() >> 3 ^ at.len()) % KNOWN];
            if let Some(known) = place.get().filter(|known| is_it(known.as_str())) {
                return known;
            }
            let found = look_up();
            place.set(Some(found));
            found
        })
    }

    #[cold]
    fn look_up(name: &str) -> Self {
        let name = bounded(if name.is_empty() { unnamed() } else { name });
        Self { label: Label::intern(name), series: class::resolve_scope(name) }
    }

    /// A name that nobody sees, of a scope that counts in this series.
    pub(crate) const fn of_series(series: u32) -> Self {
        Self { label: Label::OVERFLOW, series }
    }

    pub(crate) const fn label(self) -> Label {
        self.label
    }

    /// Series of the polls of the scopes of this name; that of their delays is next to it.
    pub(crate) const fn series(self) -> u32 {
        self.series
    }

    /// The name as it will be reported.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.label.text()
    }
}

#[cold]
fn unnamed() -> &'static str {
    loss::count(Dropped::NameEmpty, 1);
    "unnamed"
}
