//! Lock classes: what all locks of one name and kind share. A class has one series per mode; the
//! series number is what a lock stores and what the per-thread tables are indexed by.

use crate::name::{MAX_NAME, OVERFLOW, bounded, module_of, site_text};
use crate::{Dropped, Kind, Mode, loss};
use std::collections::HashMap;
use std::panic::Location;
use std::sync::{PoisonError, RwLock};

/// Series of all classes together, the overflow classes included. A read-write lock takes two.
pub const MAX_SERIES: usize = 1022;
/// Places in a table of series: a power of two, so that a mask keeps every number inside.
pub(crate) const PLACES: usize = 1024;
/// The number in place of that of a lock which has not been looked up. Neither this nor the one after it, which
/// has the place of number 0, is ever handed out: so no table has anything there, in whichever mode.
pub(crate) const UNKNOWN: u32 = 1023;
const _: () = assert!(MAX_SERIES + 2 == PLACES && UNKNOWN as usize + 1 == PLACES);

/// Where a lock's name comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    /// Given by the user.
    Named(&'static str, &'static Location<'static>),
    /// Derived from the construction site and the protected type.
    Site(&'static Location<'static>, fn() -> &'static str),
}

impl Origin {
    /// Derived from the place that uses it first, for what cannot know where it was made. Told by its
    /// name: a variant of its own would make every lock larger.
    pub(crate) const fn by_use(at: &'static Location<'static>) -> Self {
        Self::Named(BY_USE, at)
    }

    pub(crate) fn is_by_use(&self) -> bool {
        matches!(self, Self::Named(BY_USE, _))
    }
}

const BY_USE: &str = "(first use)";

/// What is counted under a name: a kind of lock, or the scopes of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    Lock(Kind),
    Scope,
}

/// What one series counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Holds of a lock in one mode.
    Hold(Kind, Mode),
    /// Polls of a scope, and its counters.
    Poll,
    /// Scheduling delays of a scope.
    Delay,
    /// Acquisitions from a pool, from asking to having.
    Acquire,
}

/// What a snapshot needs to know of one series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) figure: Figure,
    pub(crate) declared: &'static Location<'static>,
}

impl Series {
    /// Kind and mode, if this is a lock's series.
    pub(crate) const fn lock(&self) -> Option<(Kind, Mode)> {
        match self.figure {
            Figure::Hold(kind, mode) => Some((kind, mode)),
            Figure::Poll | Figure::Delay | Figure::Acquire => None,
        }
    }

    pub(crate) fn declared(&self) -> String {
        site_text(self.declared)
    }
}

#[derive(Default)]
struct Registry {
    /// Index is the series number; number 0 is never handed out.
    series: Vec<Series>,
    by_name: HashMap<(&'static str, Family), u32>,
    /// Unnamed locks: one look-up by construction site, without building the name again.
    by_site: HashMap<(usize, Kind), u32>,
}

static REGISTRY: RwLock<Option<Registry>> = RwLock::new(None);

/// The figures of a family, in the order of their series numbers.
const fn figures(family: Family) -> &'static [Figure] {
    match family {
        Family::Lock(Kind::Mutex) => &[Figure::Hold(Kind::Mutex, Mode::Exclusive)],
        Family::Lock(Kind::Rwlock) => {
            &[Figure::Hold(Kind::Rwlock, Mode::Exclusive), Figure::Hold(Kind::Rwlock, Mode::Shared)]
        }
        Family::Lock(Kind::OnceCell) => &[Figure::Hold(Kind::OnceCell, Mode::Exclusive)],
        Family::Lock(Kind::Pool) => &[Figure::Hold(Kind::Pool, Mode::Permit), Figure::Acquire],
        Family::Lock(Kind::Channel) => &[Figure::Hold(Kind::Channel, Mode::Permit)],
        Family::Lock(Kind::Reentrant) => &[Figure::Hold(Kind::Reentrant, Mode::Exclusive)],
        Family::Lock(Kind::Semaphore) => &[Figure::Hold(Kind::Semaphore, Mode::Permit)],
        Family::Scope => &[Figure::Poll, Figure::Delay],
    }
}

/// The series of a class for one mode, from the class's first series.
pub(crate) const fn series_of(base: u32, mode: Mode) -> u32 {
    base + matches!(mode, Mode::Shared) as u32
}

/// First series of the class of a lock, registering it on first sight. Never 0.
#[cold]
pub(crate) fn resolve(kind: Kind, origin: Origin) -> u32 {
    match origin {
        Origin::Named("", at) => {
            loss::count(Dropped::NameEmpty, 1);
            by_name(bounded(&module_of(at.file())), Family::Lock(kind), at)
        }
        Origin::Named(BY_USE, at) => by_name(kind.as_str(), Family::Lock(kind), at),
        Origin::Named(name, at) => by_name(bounded(name), Family::Lock(kind), at),
        Origin::Site(at, type_name) => by_site(kind, at, type_name),
    }
}

/// The same for a lock that is used for the first time, here.
#[cold]
pub(crate) fn resolve_used(kind: Kind, at: &'static Location<'static>) -> u32 {
    by_site(
        kind,
        at,
        match kind {
            Kind::Rwlock => || "RwLock",
            Kind::Reentrant => || "ReentrantMutex",
            _ => || "Mutex",
        },
    )
}

/// Series of the polls of a scope by its bounded name; the delays are next to it. Never 0.
pub(crate) fn resolve_scope(name: &str) -> u32 {
    by_name(name, Family::Scope, Location::caller())
}

fn by_site(kind: Kind, at: &'static Location<'static>, type_name: fn() -> &'static str) -> u32 {
    let key = (std::ptr::from_ref(at).addr(), kind);
    if let Some(base) = read(|r| r.by_site.get(&key).copied()) {
        return base;
    }
    let mut name = format!("{}::{}", module_of(at.file()), short_type(type_name()));
    while name.len() > MAX_NAME {
        // Leading modules say least.
        let Some(rest) = name.split_once("::") else { break };
        name = rest.1.to_owned();
    }
    let base = by_name(bounded(&name), Family::Lock(kind), at);
    write(|r| r.by_site.insert(key, base));
    base
}

fn by_name(name: &str, family: Family, at: &'static Location<'static>) -> u32 {
    if let Some(base) = read(|r| by_text(r, name, family)) {
        return base;
    }
    write(|r| r.register(name, family, at))
}

fn by_text(registry: &Registry, name: &str, family: Family) -> Option<u32> {
    registry.by_name.get(&(name, family)).copied()
}

impl Registry {
    /// With the overflow classes in place, so that they can always be had.
    fn new() -> Self {
        let mut this = Self::default();
        let declared = Location::caller();
        this.series.push(Series { name: OVERFLOW, figure: Figure::Delay, declared });
        for kind in Kind::ALL {
            this.insert(OVERFLOW, Family::Lock(*kind), declared);
        }
        this.insert(OVERFLOW, Family::Scope, declared);
        this
    }

    fn register(&mut self, name: &str, family: Family, at: &'static Location<'static>) -> u32 {
        if let Some(base) = by_text(self, name, family) {
            return base; // another thread was first
        }
        if self.series.len() + figures(family).len() > MAX_SERIES + 1 {
            loss::count(Dropped::Classes, 1);
            return by_text(self, OVERFLOW, family).unwrap_or(1);
        }
        let taken = |kind: &Kind| by_text(self, name, Family::Lock(*kind)).is_some();
        if family != Family::Scope && Kind::ALL.iter().any(taken) {
            loss::count(Dropped::NameConflict, 1);
        }
        self.insert(Box::leak(name.to_owned().into_boxed_str()), family, at)
    }

    fn insert(
        &mut self,
        name: &'static str,
        family: Family,
        declared: &'static Location<'static>,
    ) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "at most PLACES")]
        let base = self.series.len() as u32;
        for figure in figures(family) {
            self.series.push(Series { name, figure: *figure, declared });
        }
        self.by_name.insert((name, family), base);
        base
    }
}

/// Series `number`, as registered.
pub(crate) fn series(number: u32) -> Option<Series> {
    read(|r| r.series.get(number as usize).copied())
}

/// Every series with its number, the overflow series first.
pub(crate) fn all() -> Vec<(u32, Series)> {
    let listed = |r: &Registry| Some((1..).zip(r.series.iter().skip(1).copied()).collect());
    read(listed).unwrap_or_default()
}

fn read<T>(f: impl FnOnce(&Registry) -> Option<T>) -> Option<T> {
    REGISTRY.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(f)
}

fn write<T>(f: impl FnOnce(&mut Registry) -> T) -> T {
    let mut registry = REGISTRY.write().unwrap_or_else(PoisonError::into_inner);
    f(registry.get_or_insert_with(Registry::new))
}

/// The last segment of a type's path, without generic arguments: a stable, bounded word.
fn short_type(full: &str) -> String {
    let head =
        full.trim_start_matches("dyn ").split(['<', '[', '(', ' ']).next().unwrap_or_default();
    let last = head.trim_start_matches('&').rsplit("::").next().unwrap_or_default();
    if last.is_empty() { "value".to_owned() } else { last.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::short_type;

    #[test]
    fn a_type_is_named_by_its_last_segment() {
        assert_eq!(short_type("alloc::vec::Vec<app::Order>"), "Vec");
        assert_eq!(short_type("u64"), "u64");
        assert_eq!(short_type("()"), "value");
        assert_eq!(short_type("dyn app::Store"), "Store");
        assert_eq!(short_type("&str"), "str");
    }
}
