//! The raw read-write locks. The argument for all unsafe code is that of the raw mutexes: a state is
//! made here only, around one that the lock inside has just handed out, and given back here only, to the
//! same lock.

#![expect(unsafe_code, reason = "`lock_api`'s traits are unsafe to implement and to call")]

use super::state::State;
use lock_api::{
    RawRwLock as _, RawRwLockDowngrade, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade,
    RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};
use parking_lot::RawRwLock as Inner;
use plock_core::{Kind, Lock, Mode};
use std::panic::Location;

/// parking_lot's raw read-write lock with its records.
#[expect(missing_debug_implementations, reason = "as of what is inside")]
pub struct RawRwLock<const RECURSIVE: bool = false> {
    lock: Lock,
    inner: Inner<RECURSIVE>,
}

/// The same whose readers go before writers that wait.
pub type RawRwLockRecursive = RawRwLock<true>;

impl<const RECURSIVE: bool> RawRwLock<RECURSIVE> {
    /// Makes an unlocked one with a name for its figures, also in a constant or a static. They appear
    /// with the first acquisition; locks with the same name share them.
    #[must_use]
    #[track_caller]
    pub const fn named(name: &'static str) -> Self {
        Self { lock: Lock::named(Kind::Rwlock, name), inner: Inner::INIT }
    }

    /// The same; the figures are there from now on.
    #[track_caller]
    pub(super) fn registered(name: &'static str) -> Self {
        Self { lock: Lock::named(Kind::Rwlock, name).registered(), inner: Inner::INIT }
    }
}

/// What the lock inside hands out.
type Read<const R: bool> = <Inner<R> as lock_api::RawRwLock>::SharedGuard;
type Write<const R: bool> = <Inner<R> as lock_api::RawRwLock>::ExclusiveGuard;
type Upgradable<const R: bool> = <Inner<R> as RawRwLockUpgrade>::UpgradableGuard;

/// A way to lock: it waits.
macro_rules! lock {
    ($lock:ident, $try_lock:ident, $mode:ident, $guard:ty) => {
        #[inline]
        #[track_caller]
        fn $lock(&self) -> $guard {
            let (attempt, block) = (|| self.inner.$try_lock(), || self.inner.$lock());
            State::lock(&self.lock, Mode::$mode, Location::caller(), attempt, block)
        }

        #[inline]
        #[track_caller]
        fn $try_lock(&self) -> Option<$guard> {
            let attempt = || self.inner.$try_lock();
            State::try_lock(&self.lock, Mode::$mode, Location::caller(), attempt)
        }
    };
}

/// A way to lock in time.
macro_rules! lock_in_time {
    ($($lock:ident by $try_lock:ident, $mode:ident, $timeout:ident -> $guard:ident;)*) => {
        $(#[inline]
        #[track_caller]
        fn $lock(&self, timeout: Self::$timeout) -> Option<Self::$guard> {
            let (attempt, block) = (|| self.inner.$try_lock(), || self.inner.$lock(timeout));
            State::lock_in_time(&self.lock, Mode::$mode, Location::caller(), attempt, block)
        })*
    };
}

/// A way to unlock.
macro_rules! unlock {
    ($unlock:ident, $mode:ident, $guard:ident of $inner:ty) => {
        #[inline]
        unsafe fn $unlock(&self, guard: Self::$guard) {
            // SAFETY: the caller has the state of an acquisition, and with it that of the lock inside.
            let unlock = |inner: $inner| unsafe { self.inner.$unlock(inner) };
            guard.unlock(&self.lock, Mode::$mode, unlock);
        }
    };
}

/// A way to let others go first.
macro_rules! bump {
    ($bump:ident, $mode:ident, $guard:ident of $inner:ty) => {
        #[inline]
        #[track_caller]
        unsafe fn $bump(&self, guard: &mut Self::$guard) {
            // SAFETY: as in `unlock!`; the state stays with the guard, which has it again afterwards.
            let bump = |inner: &mut $inner| unsafe { self.inner.$bump(inner) };
            guard.bump(&self.lock, Mode::$mode, Location::caller(), bump);
        }
    };
}

// SAFETY: exclusion and ordering are those of the lock inside. A state stands for one acquisition of it,
// and is given back with it.
unsafe impl<const RECURSIVE: bool> lock_api::RawRwLock for RawRwLock<RECURSIVE> {
    const INIT: Self = Self { lock: Lock::named_by_use(Kind::Rwlock), inner: Inner::INIT };

    type SharedGuard = State<Read<RECURSIVE>>;
    type ExclusiveGuard = State<Write<RECURSIVE>>;

    lock!(lock_shared, try_lock_shared, Shared, Self::SharedGuard);
    lock!(lock_exclusive, try_lock_exclusive, Exclusive, Self::ExclusiveGuard);
    unlock!(unlock_shared, Shared, SharedGuard of Read<RECURSIVE>);
    unlock!(unlock_exclusive, Exclusive, ExclusiveGuard of Write<RECURSIVE>);

    #[inline]
    fn is_locked(&self) -> bool {
        self.inner.is_locked()
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        self.inner.is_locked_exclusive()
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockFair for RawRwLock<RECURSIVE> {
    unlock!(unlock_shared_fair, Shared, SharedGuard of Read<RECURSIVE>);
    unlock!(unlock_exclusive_fair, Exclusive, ExclusiveGuard of Write<RECURSIVE>);
    bump!(bump_shared, Shared, SharedGuard of Read<RECURSIVE>);
    bump!(bump_exclusive, Exclusive, ExclusiveGuard of Write<RECURSIVE>);
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockDowngrade for RawRwLock<RECURSIVE> {
    unsafe fn downgrade(&self, guard: Self::ExclusiveGuard) -> Self::SharedGuard {
        // SAFETY: as in `unlock!`.
        guard.downgrade(&self.lock, |inner| unsafe { self.inner.downgrade(inner) })
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockTimed for RawRwLock<RECURSIVE> {
    type Duration = <Inner<RECURSIVE> as RawRwLockTimed>::Duration;
    type Instant = <Inner<RECURSIVE> as RawRwLockTimed>::Instant;

    lock_in_time! {
        try_lock_shared_for by try_lock_shared, Shared, Duration -> SharedGuard;
        try_lock_shared_until by try_lock_shared, Shared, Instant -> SharedGuard;
        try_lock_exclusive_for by try_lock_exclusive, Exclusive, Duration -> ExclusiveGuard;
        try_lock_exclusive_until by try_lock_exclusive, Exclusive, Instant -> ExclusiveGuard;
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgrade for RawRwLock<RECURSIVE> {
    type UpgradableGuard = State<Upgradable<RECURSIVE>>;

    lock!(lock_upgradable, try_lock_upgradable, Shared, Self::UpgradableGuard);
    unlock!(unlock_upgradable, Shared, UpgradableGuard of Upgradable<RECURSIVE>);

    #[track_caller]
    unsafe fn upgrade(&self, guard: Self::UpgradableGuard) -> Self::ExclusiveGuard {
        // SAFETY: as in `unlock!`.
        let attempt = |inner| unsafe { self.inner.try_upgrade(inner) };
        // SAFETY: as in `unlock!`.
        let block = |inner| Ok(unsafe { self.inner.upgrade(inner) });
        match guard.upgrade(&self.lock, Location::caller(), attempt, block) {
            Ok(state) => state,
            Err(_) => unreachable!("it waits until it is the writer"),
        }
    }

    #[track_caller]
    unsafe fn try_upgrade(
        &self,
        guard: Self::UpgradableGuard,
    ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
        // SAFETY: as in `unlock!`.
        let attempt = |inner| unsafe { self.inner.try_upgrade(inner) };
        guard.try_upgrade(&self.lock, Location::caller(), attempt)
    }
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgradeFair for RawRwLock<RECURSIVE> {
    unlock!(unlock_upgradable_fair, Shared, UpgradableGuard of Upgradable<RECURSIVE>);
    bump!(bump_upgradable, Shared, UpgradableGuard of Upgradable<RECURSIVE>);
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgradeDowngrade for RawRwLock<RECURSIVE> {
    unsafe fn downgrade_upgradable(&self, guard: Self::UpgradableGuard) -> Self::SharedGuard {
        // SAFETY: as in `unlock!`.
        guard.map(|inner| unsafe { self.inner.downgrade_upgradable(inner) })
    }

    unsafe fn downgrade_to_upgradable(&self, guard: Self::ExclusiveGuard) -> Self::UpgradableGuard {
        // SAFETY: as in `unlock!`.
        guard.downgrade(&self.lock, |inner| unsafe { self.inner.downgrade_to_upgradable(inner) })
    }
}

/// A way to become the writer in time.
macro_rules! upgrade_in_time {
    ($($upgrade:ident, $timeout:ident;)*) => {
        $(#[track_caller]
        unsafe fn $upgrade(
            &self,
            guard: Self::UpgradableGuard,
            timeout: Self::$timeout,
        ) -> Result<Self::ExclusiveGuard, Self::UpgradableGuard> {
            // SAFETY: as in `unlock!`.
            let attempt = |inner| unsafe { self.inner.try_upgrade(inner) };
            // SAFETY: as in `unlock!`.
            let block = |inner| unsafe { self.inner.$upgrade(inner, timeout) };
            guard.upgrade(&self.lock, Location::caller(), attempt, block)
        })*
    };
}

// SAFETY: as above.
unsafe impl<const RECURSIVE: bool> RawRwLockUpgradeTimed for RawRwLock<RECURSIVE> {
    lock_in_time! {
        try_lock_upgradable_for by try_lock_upgradable, Shared, Duration -> UpgradableGuard;
        try_lock_upgradable_until by try_lock_upgradable, Shared, Instant -> UpgradableGuard;
    }

    upgrade_in_time! {
        try_upgrade_for, Duration;
        try_upgrade_until, Instant;
    }
}
