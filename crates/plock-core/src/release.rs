//! Who is releasing on this thread right now, for queues that are not ours: a pool, a channel. Their
//! releases wake waiters synchronously, so a waiter's waker that runs inside reads here who handed over
//! to it: the critical releaser, exactly.
//!
//! It is noted around every such release that may wake anybody: which lock and how, the hold that ends,
//! and when. Plain cells, because only wakers on this very thread look at them.

use crate::grant::Releaser;
use crate::owner::HoldRef;
use crate::{EndCause, clock, thread};

/// One release in progress.
#[derive(Clone, Copy, Debug)]
pub struct Releasing {
    /// Address of the lock, only compared, with the way it ends in the low bits; 0 = none.
    lock: usize,
    /// The hold that ends, readable until the release is over.
    hold: Option<HoldRef>,
    /// When the holder was charged for the last time, just before it unlocks; 0 = it was not.
    at: u64,
}

/// Locks are aligned to eight bytes, and there are fewer than eight ways to end a release.
const END_BITS: usize = 7;

impl Releasing {
    pub(crate) const NONE: Self = Self { lock: 0, hold: None, at: 0 };

    #[inline]
    pub(crate) fn new(lock: usize, end: EndCause) -> Self {
        debug_assert!(lock & END_BITS == 0 && (end as usize) <= END_BITS, "does not fit the word");
        Self { lock: lock | end as usize, hold: None, at: 0 }
    }

    /// The same by this holder, charged for the last time `at`; 0 = not charged.
    #[inline]
    pub(crate) fn by(self, hold: HoldRef, at: u64) -> Self {
        Self { hold: Some(hold), at, ..self }
    }

    /// Runs `release` visibly to the wakers it calls; nests, and survives a panic.
    #[inline]
    pub fn during<T>(&self, release: impl FnOnce() -> T) -> T {
        /// Of a release that is inside no other: what it restores is known, and nothing is saved.
        struct Clear;
        impl Drop for Clear {
            fn drop(&mut self) {
                thread::state().releasing.set(Releasing::NONE);
            }
        }
        let ts = thread::state();
        if ts.releasing.get().lock != 0 {
            return nested(*self, release);
        }
        ts.releasing.set(*self);
        let _clear = Clear;
        release()
    }

    /// As [`during`](Self::during), by somebody who does not hold anything.
    pub(crate) fn on_behalf_of<T>(&self, by: Option<Releaser>, release: impl FnOnce() -> T) -> T {
        struct Restore(Option<Releaser>);
        impl Drop for Restore {
            fn drop(&mut self) {
                thread::state().giving_up.set(self.0);
            }
        }
        let _restore = Restore(thread::state().giving_up.replace(by));
        self.during(release)
    }

    pub(crate) fn end(&self) -> EndCause {
        EndCause::from_index(self.lock & END_BITS)
    }

    /// Who lets go: the holder, the attempt that is given up, the receiver that makes room.
    pub(crate) fn releaser(&self) -> Option<Releaser> {
        if matches!(self.end(), EndCause::Cancel | EndCause::External) {
            return thread::state().giving_up.get();
        }
        let hold = self.hold?;
        Some(Releaser::of(hold.now_in(), &hold.info()?))
    }

    /// The moment of the hand-over: the last charge of the holder, so that its charges and the wait
    /// meet without a gap.
    pub(crate) fn moment(&self) -> u64 {
        if self.at == 0 { clock::now() } else { self.at }
    }
}

#[cold]
#[inline(never)]
fn nested<T>(releasing: Releasing, release: impl FnOnce() -> T) -> T {
    struct Restore(Releasing);
    impl Drop for Restore {
        fn drop(&mut self) {
            thread::state().releasing.set(self.0);
        }
    }
    let _restore = Restore(thread::state().releasing.replace(releasing));
    release()
}

/// Runs `drop_inner`, which gives up a queued attempt on `lock`, with whoever gives up visible to the
/// wakers it calls: the next in line got the lock from there.
pub(crate) fn give_up(lock: usize, by: Option<Releaser>, drop_inner: impl FnOnce()) {
    Releasing::new(lock, EndCause::Cancel).on_behalf_of(by, drop_inner);
}

/// What this thread is releasing, if that is `lock`.
pub(crate) fn current(lock: usize) -> Option<Releasing> {
    let releasing = thread::state().releasing.get();
    (releasing.lock & !END_BITS == lock).then_some(releasing)
}
