//! The wakers of a scope. They refer to the cell of the scope, so that making one allocates nothing; the
//! cell is used again only when none is left.
//!
//! # Protocol
//! `count` is the number of wakers alive that were cloned from the scope's own, and 1 for the owner of the
//! cell. Of a free cell it is 1, and there is no signal.
//!
//! | who | does | ordering |
//! |---|---|---|
//! | a scope, before its first poll | puts the signal in | the cell is new to everybody |
//! | whoever has a waker | clones it: `count` + 1 | `Relaxed`: it has one already |
//! | the same | drops it: `count` - 1, and if that was the last, clears and frees the cell | `Release`, then a fence `Acquire` |
//! | a scope that ends | takes the signal out if there are no other wakers, so that what it wakes is not kept | `Acquire` |
//! | whoever clears the cell | frees it as well if there are no wakers, else `count` - 1 | `Acquire`, `AcqRel` |
//!
//! Of the owner and the wakers one is the last, and only that one frees the cell. Model:
//! `the_last_waker_vs_the_end_of_the_owner`.

use crate::owner::OwnerCell;
use crate::signal::Signal;
use crate::sync::{AtomicU64, Ordering, UnsafeCell, fence};
use crate::{slab, wake};
use std::mem::ManuallyDrop;
use std::panic::RefUnwindSafe;
use std::task::{RawWaker, RawWakerVTable, Waker};

#[derive(Debug)]
pub(crate) struct Wakers {
    count: AtomicU64,
    signal: UnsafeCell<Option<Signal>>,
}

#[expect(unsafe_code, reason = "the signal is shared under the protocol above")]
// SAFETY: it is written only before the first waker is there and after the last one has gone; in between it
// is only shared, and may be.
unsafe impl Sync for Wakers {}
/// The signal is put in and taken out in one step: a panic leaves nothing half done.
impl RefUnwindSafe for Wakers {}

impl Wakers {
    pub(crate) fn new() -> Self {
        Self { count: AtomicU64::new(1), signal: UnsafeCell::new(None) }
    }

    /// A scope begins, which `outer` polls.
    ///
    /// # Safety
    /// The cell is new to its owner, who has made no waker yet.
    #[expect(unsafe_code, reason = "writes what wakers share")]
    pub(crate) unsafe fn begin(&self, outer: &Waker) {
        let signal = Signal::new(outer);
        // SAFETY: nobody has a waker, as the caller promises.
        self.signal.with_mut(|place| unsafe { *place = Some(signal) });
    }

    /// Looks at the signal; `None` if no scope has begun.
    ///
    /// # Safety
    /// The caller is the scope and has not ended, or has a waker of it.
    #[inline(always)]
    #[expect(unsafe_code, reason = "reads what wakers share")]
    pub(crate) unsafe fn with<T>(&self, f: impl FnOnce(&Signal) -> T) -> Option<T> {
        // SAFETY: nobody writes it while there is a scope or a waker, and the caller is one.
        self.signal.with(|signal| unsafe { (*signal).as_ref() }.map(f))
    }

    /// One more waker.
    pub(crate) fn add(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// One waker less; true if the caller has to free the cell.
    pub(crate) fn remove(&self) -> bool {
        // ORDERING: pairs with the fence of whoever is the last: all that was done with the signal was
        // done before it is taken out.
        let was_last = self.count.fetch_sub(1, Ordering::Release) == 1;
        if was_last {
            fence(Ordering::Acquire);
            self.clear();
        }
        was_last
    }

    /// The scope has ended: it makes no waker any more.
    pub(crate) fn end(&self) {
        // ORDERING: pairs with Release in `remove`.
        if self.count.load(Ordering::Acquire) == 1 {
            self.take();
        }
    }

    /// The owner of the cell is over; true if the caller has to free it, else the last waker does.
    pub(crate) fn let_go(&self) -> bool {
        // ORDERING: both pair with Release in `remove`, the second with its fence as well.
        if self.count.load(Ordering::Acquire) == 1 {
            self.take();
            return true;
        }
        let is_last = self.count.fetch_sub(1, Ordering::AcqRel) == 1;
        if is_last {
            self.clear();
        }
        is_last
    }

    fn clear(&self) {
        self.take();
        self.count.store(1, Ordering::Relaxed); // published with the free cell
    }

    /// Takes the signal out. Only while nobody has a waker or can make one.
    #[inline]
    fn take(&self) {
        #[expect(unsafe_code, reason = "reads what wakers share")]
        // SAFETY: the callers have seen that no waker is left, and the scope has ended.
        if self.signal.with(|signal| unsafe { (*signal).is_some() }) {
            self.take_signal();
        }
    }

    fn take_signal(&self) {
        #[expect(unsafe_code, reason = "writes what wakers share")]
        // SAFETY: as above.
        let signal = self.signal.with_mut(|signal| unsafe { (*signal).take() });
        drop(signal); // it drops what is foreign to us: nothing of ours is borrowed
    }
}

/// The own waker of a scope, which lives as long as the scope and so needs no count.
#[inline(always)]
pub(crate) fn own(cell: &'static OwnerCell) -> ManuallyDrop<Waker> {
    #[expect(unsafe_code, reason = "a waker without an allocation")]
    // SAFETY: the functions of the table keep to the contract of a waker: the count keeps the cell's signal
    // as long as a clone lives, the cell itself is never freed, and all of them may run on any thread. It is
    // not dropped, so it gives up no count that it does not have.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw(cell)) })
}

fn raw(cell: &'static OwnerCell) -> RawWaker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_one);
    RawWaker::new(std::ptr::from_ref(cell).cast(), &TABLE)
}

fn clone(cell: *const ()) -> RawWaker {
    let cell = of(cell);
    cell.wakers.add();
    raw(cell)
}

fn wake(cell: *const ()) {
    wake_by_ref(cell);
    drop_one(cell);
}

fn wake_by_ref(cell: *const ()) {
    #[expect(unsafe_code, reason = "reads what wakers share")]
    // SAFETY: called by way of a waker.
    unsafe {
        of(cell).wakers.with(|signal| signal.raise(wake::news));
    }
}

fn drop_one(cell: *const ()) {
    let cell = of(cell);
    if cell.wakers.remove() {
        slab::free(cell);
    }
}

fn of(cell: *const ()) -> &'static OwnerCell {
    #[expect(unsafe_code, reason = "a waker carries a pointer")]
    // SAFETY: only `raw` makes such wakers, from a cell of the slab, and these are never freed.
    unsafe {
        &*cell.cast::<OwnerCell>()
    }
}
