//! Where owner cells live: chunks that are added and never returned, and lists of free cells. A
//! thread keeps a few free cells of its own, so starting a scope usually touches nothing shared.

use crate::owner::{OwnerCell, Role};
use crate::{Dropped, loss, thread};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32};
use std::sync::{Mutex, PoisonError};

const CHUNK: usize = 256;
/// 16,777,216 cells, as many as a key can name; scopes beyond run unscoped.
const CHUNKS: usize = 65_536;

static CHUNK_TABLE: [AtomicPtr<OwnerCell>; CHUNKS] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS];
/// Chunks made so far.
static MADE: AtomicU32 = AtomicU32::new(0);
static FREE: Mutex<Vec<&'static OwnerCell>> = Mutex::new(Vec::new());

/// Cells moved at once between a thread and the shared list.
const BATCH: usize = 32;

/// A cell nobody owns; `None` at the cap.
pub(crate) fn allocate() -> Option<&'static OwnerCell> {
    if let Some(cell) = thread::state().take_spare() {
        return Some(cell);
    }
    refill()
}

#[cold]
fn refill() -> Option<&'static OwnerCell> {
    let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    if free.is_empty() {
        grow(&mut free);
    }
    let cell = free.pop();
    if cell.is_none() {
        loss::count(Dropped::Scopes, 1);
    }
    for _ in 1..BATCH / 2 {
        let Some(spare) = free.pop() else { break };
        if !thread::state().put_spare(spare) {
            free.push(spare);
            break;
        }
    }
    cell
}

fn grow(free: &mut Vec<&'static OwnerCell>) {
    let made = MADE.load(Relaxed);
    let Some(entry) = CHUNK_TABLE.get(made as usize) else { return };
    #[expect(clippy::cast_possible_truncation, reason = "a chunk is small")]
    let first = made * CHUNK as u32;
    let chunk: Vec<OwnerCell> = (first..).take(CHUNK).map(OwnerCell::new).collect();
    let chunk: &'static [OwnerCell] = Box::leak(chunk.into_boxed_slice());
    // ORDERING: pairs with Acquire in `get`; publishes the cells.
    entry.store(std::ptr::from_ref(&chunk[0]).cast_mut(), Release);
    // ORDERING: pairs with Acquire in `each_live`; publishes the table entry.
    MADE.store(made + 1, Release);
    // The first of all stays out: a key is never 0.
    free.extend(chunk.iter().filter(|cell| cell.index() != 0).rev());
}

/// Offers a cleared cell for reuse.
pub(crate) fn free(cell: &'static OwnerCell) {
    if !thread::state().put_spare(cell) {
        share(cell);
    }
}

/// Puts a free cell on the shared list.
pub(crate) fn share(cell: &'static OwnerCell) {
    FREE.lock().unwrap_or_else(PoisonError::into_inner).push(cell);
}

/// The cell with this index, if it exists.
pub(crate) fn get(index: u32) -> Option<&'static OwnerCell> {
    let chunk = CHUNK_TABLE.get(index as usize / CHUNK)?.load(Acquire);
    if chunk.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "cells are reached through an atomic pointer to their chunk")]
    // SAFETY: a chunk has CHUNK cells, and the offset is below CHUNK.
    let cell = unsafe { chunk.add(index as usize % CHUNK) };
    #[expect(unsafe_code, reason = "as above")]
    // SAFETY: chunks live for ever and hand out shared references only.
    unsafe {
        cell.as_ref()
    }
}

/// Calls `f` for every cell that has an owner.
pub(crate) fn each_live(f: impl FnMut(&'static OwnerCell)) {
    each_live_of(u32::MAX, f);
}

/// As [`each_live`], among the first `limit` cells only.
pub(crate) fn each_live_of(limit: u32, mut f: impl FnMut(&'static OwnerCell)) {
    #[expect(clippy::cast_possible_truncation, reason = "a chunk is small")]
    let end = MADE.load(Acquire) * CHUNK as u32;
    for index in 0..end.min(limit) {
        if let Some(cell) = get(index).filter(|cell| cell.role() != Role::Free) {
            f(cell);
        }
    }
}
