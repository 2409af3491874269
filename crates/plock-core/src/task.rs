//! Unscoped tasks: from a task id to its owner cell, without a lock. A task is in the table exactly
//! while it holds something, so the table is bounded by the locks held now.
//!
//! A bucket is one cache line of eight pointers. Entries are claimed by compare-and-swap and cleared
//! by whoever ended the task's last hold; a look-up scans the whole line, so no tombstones are
//! needed. Only the task itself, one poll at a time, looks up or inserts its own id. A cell whose
//! `live` reached zero is about to be cleared and counts as absent.

use crate::owner::OwnerCell;
use crate::{Dropped, loss, slab};
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

const WAYS: usize = 8;
const BUCKETS: usize = 8192;

#[repr(align(64))]
struct Bucket([AtomicPtr<OwnerCell>; WAYS]);

static TABLE: [Bucket; BUCKETS] =
    [const { Bucket([const { AtomicPtr::new(std::ptr::null_mut()) }; WAYS]) }; BUCKETS];

fn bucket(task: u64) -> &'static Bucket {
    // Ids are consecutive: multiply to spread, take the high bits.
    let hash = task.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BUCKETS.trailing_zeros());
    #[expect(clippy::cast_possible_truncation, reason = "below BUCKETS")]
    &TABLE[hash as usize]
}

fn entry(pointer: *mut OwnerCell) -> Option<&'static OwnerCell> {
    #[expect(unsafe_code, reason = "cells are reached through atomic pointers")]
    // SAFETY: null or a cell of the slab, and these are never freed.
    unsafe {
        pointer.as_ref()
    }
}

/// The task's cell if it holds something now, kept alive for one more hold.
pub(crate) fn find(task: u64) -> Option<&'static OwnerCell> {
    let known =
        |slot: &AtomicPtr<OwnerCell>| entry(slot.load(Acquire)).filter(|cell| cell.task() == task);
    bucket(task).0.iter().filter_map(known).find(|cell| cell.raise(task))
}

/// A cell for a task that holds nothing yet, alive for one hold. `None` at a cap.
pub(crate) fn insert(task: u64) -> Option<&'static OwnerCell> {
    let cell = slab::allocate()?;
    cell.become_task(task);
    let pointer = std::ptr::from_ref(cell).cast_mut();
    let null = std::ptr::null_mut();
    // ORDERING: pairs with Acquire in `find`; publishes the task id and the life of the cell.
    let claimed =
        |slot: &AtomicPtr<OwnerCell>| slot.compare_exchange(null, pointer, AcqRel, Relaxed).is_ok();
    if bucket(task).0.iter().any(claimed) {
        return Some(cell);
    }
    loss::count(Dropped::Tasks, 1);
    cell.let_go();
    cell.recycle();
    None
}

/// Ends one hold of a task's cell, and the cell with the last one.
pub(crate) fn let_go(cell: &'static OwnerCell) {
    let task = cell.task();
    if !cell.let_go() {
        return;
    }
    let pointer = std::ptr::from_ref(cell).cast_mut();
    for slot in &bucket(task).0 {
        // ORDERING: Release orders this task's stores before the entry is offered again.
        if slot.load(Relaxed) == pointer {
            slot.store(std::ptr::null_mut(), Release);
        }
    }
    cell.recycle();
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
