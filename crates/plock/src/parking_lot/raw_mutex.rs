//! The raw mutexes. The argument for all unsafe code: a state is made here only, around one that the
//! mutex inside has just handed out, and given back here only, to the same mutex.

#![expect(unsafe_code, reason = "`lock_api`'s traits are unsafe to implement and to call")]

use super::state::State;
use lock_api::{RawMutexFair, RawMutexTimed};
use plock_core::{Kind, Lock, Mode};
use std::panic::Location;

/// A mutex of parking_lot's with its records.
#[expect(missing_debug_implementations, reason = "as of what is inside")]
pub struct Recorded<M, const REENTRANT: bool = false> {
    lock: Lock,
    inner: M,
}

/// parking_lot's raw mutex with its records.
pub type RawMutex = Recorded<parking_lot::RawMutex>;

/// parking_lot's raw fair mutex with its records.
pub type RawFairMutex = Recorded<parking_lot::RawFairMutex>;

/// The raw mutex inside a reentrant mutex, whose figures say so.
pub type RawReentrantMutex = Recorded<parking_lot::RawMutex, true>;

type Inner<M> = <M as lock_api::RawMutex>::Guard;

impl<M: lock_api::RawMutex, const REENTRANT: bool> Recorded<M, REENTRANT> {
    const KIND: Kind = if REENTRANT { Kind::Reentrant } else { Kind::Mutex };

    /// Makes an unlocked one with a name for its figures, also in a constant or a static. They appear
    /// with the first acquisition; locks with the same name share them.
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self { lock: Lock::named(Self::KIND, name), inner: M::INIT }
    }

    /// The same; the figures are there from now on.
    #[track_caller]
    pub(super) fn registered(name: &'static str) -> Self {
        Self { lock: Lock::named(Self::KIND, name).registered(), inner: M::INIT }
    }
}

// SAFETY: exclusion and ordering are those of the mutex inside. A state stands for one acquisition of
// it, and is given back with it.
unsafe impl<M: lock_api::RawMutex, const REENTRANT: bool> lock_api::RawMutex
    for Recorded<M, REENTRANT>
{
    const INIT: Self = Self { lock: Lock::named_by_use(Self::KIND), inner: M::INIT };

    type Guard = State<M::Guard>;

    #[inline]
    #[track_caller]
    fn lock(&self) -> Self::Guard {
        let (attempt, block) = (|| self.inner.try_lock(), || self.inner.lock());
        State::lock(&self.lock, Mode::Exclusive, Location::caller(), attempt, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<Self::Guard> {
        let attempt = || self.inner.try_lock();
        State::try_lock(&self.lock, Mode::Exclusive, Location::caller(), attempt)
    }

    #[inline]
    unsafe fn unlock(&self, guard: Self::Guard) {
        // SAFETY: the caller has the state of an acquisition, and with it that of the mutex inside.
        let unlock = |inner: Inner<M>| unsafe { self.inner.unlock(inner) };
        guard.unlock(&self.lock, Mode::Exclusive, unlock);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        self.inner.is_locked()
    }
}

// SAFETY: as above.
unsafe impl<M: RawMutexFair, const REENTRANT: bool> RawMutexFair for Recorded<M, REENTRANT> {
    #[inline]
    unsafe fn unlock_fair(&self, guard: Self::Guard) {
        // SAFETY: as in `unlock`.
        let unlock = |inner: Inner<M>| unsafe { self.inner.unlock_fair(inner) };
        guard.unlock(&self.lock, Mode::Exclusive, unlock);
    }

    #[inline]
    #[track_caller]
    unsafe fn bump(&self, guard: &mut Self::Guard) {
        // SAFETY: as in `unlock`; the state stays with the guard, which has it again afterwards.
        let bump = |inner: &mut Inner<M>| unsafe { self.inner.bump(inner) };
        guard.bump(&self.lock, Mode::Exclusive, Location::caller(), bump);
    }
}

// SAFETY: as above.
unsafe impl<M: RawMutexTimed<Duration: Clone, Instant: Clone>, const REENTRANT: bool> RawMutexTimed
    for Recorded<M, REENTRANT>
{
    type Duration = M::Duration;
    type Instant = M::Instant;

    #[inline]
    #[track_caller]
    fn try_lock_for(&self, timeout: Self::Duration) -> Option<Self::Guard> {
        let (attempt, block) = (|| self.inner.try_lock(), || self.inner.try_lock_for(timeout));
        State::lock_in_time(&self.lock, Mode::Exclusive, Location::caller(), attempt, block)
    }

    #[inline]
    #[track_caller]
    fn try_lock_until(&self, timeout: Self::Instant) -> Option<Self::Guard> {
        let (attempt, block) = (|| self.inner.try_lock(), || self.inner.try_lock_until(timeout));
        State::lock_in_time(&self.lock, Mode::Exclusive, Location::caller(), attempt, block)
    }
}

impl RawMutex {
    /// For the condition variable: waits by `wait`, which gives the mutex inside back meanwhile.
    pub(super) fn pause<T>(
        &self,
        guard: &mut <Self as lock_api::RawMutex>::Guard,
        site: &'static Location<'static>,
        wait: impl FnOnce(&parking_lot::RawMutex, &mut Inner<parking_lot::RawMutex>) -> T,
    ) -> T {
        guard.pause(&self.lock, site, |inner| wait(&self.inner, inner))
    }
}
