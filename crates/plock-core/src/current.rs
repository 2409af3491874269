//! Whose code runs here: the innermost scope, else the task, else the thread.

use crate::owner::{OwnerCell, Role};
use crate::thread::{self, ThreadState};
use crate::{slab, task};

/// What the wrapped runtime knows of the task that is being polled on this thread.
pub trait Runtime {
    /// A number that no other live task has, or 0 outside any task.
    fn task_id() -> u64;
}

/// A runtime without tasks: owners are scopes and threads.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NoTasks;

impl Runtime for NoTasks {
    fn task_id() -> u64 {
        0
    }
}

/// The scope that acquires now on this thread.
#[inline(always)]
pub(crate) fn scope_for_claim<R: Runtime>(ts: &ThreadState) -> Option<&'static OwnerCell> {
    // A task polled inside a scope's poll (LocalSet, nested runtime) is not that scope.
    ts.scope.get().filter(|_| R::task_id() == ts.scope_task.get())
}

/// The owner of an acquisition that happens now on this thread. A task's cell comes back alive for
/// one more hold.
#[inline]
pub(crate) fn owner_for_claim<R: Runtime>(ts: &ThreadState) -> Option<&'static OwnerCell> {
    scope_for_claim::<R>(ts).or_else(|| unscoped_owner(ts, R::task_id()))
}

#[inline(never)]
fn unscoped_owner(ts: &ThreadState, task_id: u64) -> Option<&'static OwnerCell> {
    let cell = || task::find(task_id).or_else(|| task::insert(task_id));
    if let Some(cell) = (task_id != 0).then(cell).flatten() {
        return Some(cell);
    }
    thread_owner(ts)
}

pub(crate) fn thread_owner(ts: &ThreadState) -> Option<&'static OwnerCell> {
    if ts.own.get().is_none() {
        let cell = slab::allocate()?;
        cell.become_thread();
        if !thread::will_give_back() {
            // Nobody comes back for it: it ends with its first hold.
            cell.end_before_claim();
            return Some(cell);
        }
        ts.own.set(Some(cell));
    }
    ts.own.get()
}

/// Whether the code that runs here now is the owner itself.
#[inline]
pub(crate) fn is_own<R: Runtime>(ts: &ThreadState, cell: &'static OwnerCell) -> bool {
    if ts.scope.get().is_some_and(|scope| std::ptr::eq(scope, cell)) {
        return true;
    }
    match cell.role() {
        Role::Thread => ts.own.get().is_some_and(|own| std::ptr::eq(own, cell)),
        Role::Task => R::task_id() == cell.task(),
        _ => false,
    }
}

/// Whether a guard of `cell` that is dropped here and now has changed hands. A scope on the path is
/// still its owner, and so are the task and the thread a scope runs in. A guard whose scope ended
/// for good has escaped, which is counted as such.
#[cold]
pub(crate) fn has_migrated<R: Runtime>(ts: &ThreadState, cell: &'static OwnerCell) -> bool {
    let on_path = ts.scope.get().is_some_and(|scope| scope.path_contains(cell));
    !on_path && !is_own::<R>(ts, cell) && cell.role() != Role::Gone
}
