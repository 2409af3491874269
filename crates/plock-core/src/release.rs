//! Who is releasing on this thread right now. A release wakes waiters synchronously, so a waiter's
//! waker that runs inside reads here who handed the lock to it: the critical releaser, exactly.
//!
//! Two words per thread, set around every release: which lock and how, and the word of the hold that
//! ends. They are plain cells, because only wakers on this very thread look at them.

use crate::EndCause;
use crate::owner::OwnerCell;
use crate::record;
use crate::slots::HoldInfo;
use crate::thread;

/// One release in progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Releasing {
    /// Address of the lock, only compared, with the way it ends in the low bits; 0 = none.
    lock: usize,
    /// Word of the hold that ends, readable until the release is over; 0 = none.
    hold: u64,
}

/// Locks are aligned to eight bytes, and there are fewer than eight ways to end a release.
const END_BITS: usize = 7;

impl Releasing {
    pub(crate) const NONE: Self = Self { lock: 0, hold: 0 };

    #[inline]
    pub(crate) fn new(lock: usize, end: EndCause, hold: u64) -> Self {
        debug_assert!(lock & END_BITS == 0 && (end as usize) <= END_BITS, "does not fit the word");
        Self { lock: lock | end as usize, hold }
    }

    pub(crate) fn end(&self) -> EndCause {
        EndCause::from_index(self.lock & END_BITS)
    }

    /// The holder that lets go.
    pub(crate) fn holder(&self) -> Option<(&'static OwnerCell, HoldInfo)> {
        (self.hold != 0).then(|| record::look_up(self.hold)).flatten()
    }
}

/// Runs `release` with `releasing` visible to the wakers it calls; nests, and survives a panic.
#[inline]
pub(crate) fn during<T>(releasing: Releasing, release: impl FnOnce() -> T) -> T {
    struct Restore(Releasing);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            thread::state().releasing.set(self.0);
        }
    }
    let _restore = Restore(thread::state().releasing.replace(releasing));
    release()
}

/// What this thread is releasing, if that is `lock`.
pub(crate) fn current(lock: usize) -> Option<Releasing> {
    let releasing = thread::state().releasing.get();
    (releasing.lock & !END_BITS == lock).then_some(releasing)
}
