//! A look at what is alive, for tests: holds with their owners. Nothing here is part of the API.

use crate::name::Label;
use crate::owner::{OwnerCell, Role};
use crate::{Mode, Precision, class, slab};

/// A guard that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveHold {
    /// Owner cell and key: the identity of the hold.
    pub id: (u32, u64),
    /// How it is held.
    pub mode: Mode,
    /// Permits, or 1.
    pub weight: u32,
    /// When the present segment began.
    pub since_ns: u64,
    /// Who it counts for.
    pub owner: LiveOwner,
}

/// The owner of a live hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveOwner {
    /// The scope's name.
    pub scope: Option<&'static str>,
    /// Scope, task or thread.
    pub precision: Precision,
    /// The task's number; 0 = outside any task.
    pub task: u64,
    /// Guards alive that count for it.
    pub live: u64,
    /// It has ended: the guard escaped.
    pub gone: bool,
}

/// Every guard alive of the locks with this name, oldest first.
#[must_use]
pub fn holds(lock: &str) -> Vec<LiveHold> {
    let mut out = Vec::new();
    slab::each_live(|cell| {
        for (key, hold) in cell.all_holds() {
            if class::series(hold.series).is_some_and(|series| series.name == lock) {
                let (id, since_ns) = ((cell.index(), key), hold.since);
                out.push(LiveHold {
                    id,
                    mode: hold.share.mode(),
                    weight: hold.share.weight(),
                    since_ns,
                    owner: owner(cell),
                });
            }
        }
    });
    out.sort_by_key(|hold| (hold.since_ns, hold.id));
    out
}

/// Guards alive that count for the live scopes with this name, by scope.
#[must_use]
pub fn scopes(name: &str) -> Vec<u64> {
    by_scope(name, OwnerCell::live)
}

/// Attempts that block the live scopes with this name, by scope.
#[must_use]
pub fn blocked(name: &str) -> Vec<u64> {
    by_scope(name, OwnerCell::attempts_pending)
}

fn by_scope(name: &str, figure: impl Fn(&OwnerCell) -> u64) -> Vec<u64> {
    let mut out = Vec::new();
    slab::each_live(|cell| {
        if cell.label().map(Label::text) == Some(name) {
            out.push(figure(cell));
        }
    });
    out
}

fn owner(cell: &OwnerCell) -> LiveOwner {
    LiveOwner {
        scope: cell.label().map(Label::text),
        precision: cell.precision(),
        task: cell.task(),
        live: cell.live(),
        gone: cell.role() == Role::Gone,
    }
}

/// Owner cells in use and guards alive that count for them, over all threads.
#[must_use]
pub fn cells() -> (u64, u64) {
    let (mut owners, mut guards) = (0, 0);
    slab::each_live(|cell| {
        owners += 1;
        guards += cell.live();
    });
    (owners, guards)
}
