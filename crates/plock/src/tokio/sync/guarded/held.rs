//! Permits in use: what all guards and permits end with.

#![expect(unsafe_code, reason = "a type that releases on drop is taken apart without a release")]

use super::super::access::{Access, Count, Part, Whole};
use super::super::raw::Raw;
use crate::tokio::TokioTasks;
use ::tokio::sync::{AcquireError, TryAcquireError};
use plock_core::{Hold, Mode};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

/// Anything that is a queue of permits.
pub(crate) trait Queue {
    fn raw(&self) -> &Raw;
}

/// How a guard refers to its lock: by reference or by `Arc`, which always lead to the same lock.
pub(crate) trait Handle: Deref<Target: Queue> {}

impl<Q: Queue + ?Sized> Handle for &Q {}
impl<Q: Queue + ?Sized> Handle for Arc<Q> {}

/// Permits that are in use until this is dropped: first they are given back, then the hold is
/// accounted, then the lock is let go of.
pub(crate) struct Held<L: Handle, A: Access> {
    hold: Hold,
    access: A,
    lock: L,
}

impl Queue for Raw {
    #[inline]
    fn raw(&self) -> &Raw {
        self
    }
}

impl<'a, Q: Queue + ?Sized, A: Access> Held<&'a Q, A> {
    /// Waits for `access` to `lock`; `finish` makes the guard.
    #[inline]
    pub(crate) fn acquire<T>(
        lock: &'a Q,
        access: A,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Self, AcquireError>) -> T,
    ) -> impl Future<Output = T> {
        let raw = lock.raw();
        raw.acquire(access, site, move |hold| finish(hold.map(|hold| Self { hold, access, lock })))
    }
}

impl<Q: Queue + ?Sized, A: Access> Held<Arc<Q>, A> {
    /// As [`acquire`](Held::acquire), keeping the lock alive meanwhile and afterwards.
    #[inline]
    pub(crate) async fn acquire_owned<T>(
        lock: Arc<Q>,
        access: A,
        site: &'static Location<'static>,
        finish: impl FnOnce(Result<Self, AcquireError>) -> T,
    ) -> T {
        let raw = lock.raw();
        let hold = raw.acquire(access, site, |hold| hold).await;
        finish(hold.map(|hold| Self { hold, access, lock }))
    }
}

impl<L: Handle, A: Access> Held<L, A> {
    #[inline]
    pub(crate) fn try_acquire(
        lock: L,
        access: A,
        site: &'static Location<'static>,
    ) -> Result<Self, TryAcquireError> {
        let raw = lock.raw();
        let hold = raw.try_acquire(access, site)?;
        Ok(Self { hold, access, lock })
    }

    /// As [`try_acquire`](Self::try_acquire), without a trace in the figures.
    pub(crate) fn peek(lock: L, access: A) -> Option<Self> {
        let raw = lock.raw();
        let hold = raw.peek(access)?;
        Some(Self { hold, access, lock })
    }

    pub(crate) fn lock(&self) -> &L {
        &self.lock
    }

    pub(crate) fn adopt(&mut self) {
        let raw = self.lock.raw();
        self.hold.adopt::<TokioTasks>(raw.lock(), self.access.share());
    }

    /// Takes it apart without giving anything back.
    #[inline]
    fn into_parts(self) -> (L, A, Hold) {
        let mut this = ManuallyDrop::new(self);
        let hold = this.hold.take();
        // SAFETY: `this` is neither dropped nor used again, so its fields are moved out exactly once.
        let access = unsafe { std::ptr::read(&raw const this.access) };
        // SAFETY: as above.
        let lock = unsafe { std::ptr::read(&raw const this.lock) };
        (lock, access, hold)
    }
}

impl<L: Handle, A: Access> Drop for Held<L, A> {
    #[inline]
    fn drop(&mut self) {
        let raw = self.lock.raw();
        raw.release(&mut self.hold, self.access);
    }
}

impl<L: Handle> Held<L, Whole> {
    pub(super) fn downgrade(self) -> Held<L, Part> {
        let (lock, Whole, mut hold) = self.into_parts();
        lock.raw().downgrade(&mut hold);
        Held { hold, access: Part, lock }
    }
}

impl<'a, Q: Queue + ?Sized, A: Access> Held<&'a Q, A> {
    /// Forgets what stands behind the queue.
    #[inline]
    pub(super) fn without_value(self) -> Held<&'a Raw, A> {
        let (lock, access, hold) = self.into_parts();
        Held { hold, access, lock: lock.raw() }
    }
}

impl<L: Handle> Held<L, Count> {
    pub(crate) fn count(&self) -> usize {
        self.access.0
    }

    /// Ends the hold and gives nothing back.
    pub(crate) fn forget(self) {
        let (lock, Count(_), mut hold) = self.into_parts();
        hold.forget::<TokioTasks>(lock.raw().lock(), Mode::Permit);
    }

    /// Takes the permits of `other` along.
    ///
    /// # Panics
    /// If they are permits of another semaphore, or too many; then `other` is released.
    #[track_caller]
    #[expect(clippy::expect_used, reason = "the same panic as tokio's")]
    pub(crate) fn merge(&mut self, other: Self) {
        assert!(
            std::ptr::eq(self.lock.raw(), other.lock.raw()),
            "merging permits from different semaphore instances"
        );
        self.access.0 =
            self.count().checked_add(other.count()).expect("number of permits overflowed");
        let (_, _, mut hold) = other.into_parts();
        self.hold.merge::<TokioTasks>(&mut hold, self.lock.raw().lock(), self.access.weight());
    }

    /// Leaves `n` permits to a hold of their own, which began when this one did; `None` if there are
    /// fewer.
    pub(crate) fn split(&mut self, n: usize, site: &'static Location<'static>) -> Option<Self>
    where
        L: Clone,
    {
        self.access.0 = self.count().checked_sub(n)?;
        let (access, lock) = (Count(n), self.lock.clone());
        let (rest, split) = (self.access.weight(), access.weight());
        let hold = self.hold.split::<TokioTasks>(lock.raw().lock(), rest, split, site);
        Some(Self { hold, access, lock })
    }
}
