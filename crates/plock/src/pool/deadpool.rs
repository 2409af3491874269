//! Managed pools of `deadpool`.

use super::{Meter, Status, Used};
use ::deadpool::managed::{Manager, Object, Pool as Bare, PoolError, Timeouts};
use plock_core::Outcome;
use std::future::Future;
use std::ops::Deref;

/// A managed pool of `deadpool` whose objects are timed. What it does not have itself is the pool's own.
pub struct Pool<M: Manager, W: From<Object<M>> = Object<M>> {
    inner: Bare<M, W>,
    meter: Meter,
}

impl<M: Manager, W: From<Object<M>>> Pool<M, W> {
    /// Gives the pool a name for its figures.
    #[must_use]
    #[track_caller]
    pub fn named(name: &'static str, inner: Bare<M, W>) -> Self {
        Self { inner, meter: Meter::named(name) }
    }

    /// Waits for an object.
    ///
    /// # Cancel safety
    /// Nothing but the place in the queue is lost if the future is dropped.
    ///
    /// # Errors
    /// Those of `deadpool`. Its time-outs count as `timeout`, everything else as `closed`.
    #[track_caller]
    pub fn get(&self) -> impl Future<Output = Result<Used<W>, PoolError<M::Error>>> {
        self.meter.acquire(|| status(&self.inner), refused, self.inner.get())
    }

    /// As [`get`](Self::get), within other times than the pool's.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    #[track_caller]
    pub fn timeout_get(
        &self,
        timeouts: &Timeouts,
    ) -> impl Future<Output = Result<Used<W>, PoolError<M::Error>>> {
        self.meter.acquire(|| status(&self.inner), refused, self.inner.timeout_get(timeouts))
    }
}

fn status<M: Manager, W: From<Object<M>>>(pool: &Bare<M, W>) -> Status {
    let status = pool.status();
    let in_use = status.size.saturating_sub(status.available);
    Status::new(status.size, status.max_size.saturating_sub(in_use))
}

const fn refused<E>(error: &PoolError<E>) -> Outcome {
    match error {
        PoolError::Timeout(_) => Outcome::Timeout,
        _ => Outcome::Closed,
    }
}

impl<M: Manager, W: From<Object<M>>> Clone for Pool<M, W> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), meter: self.meter.clone() }
    }
}

impl<M: Manager, W: From<Object<M>>> Deref for Pool<M, W> {
    type Target = Bare<M, W>;

    fn deref(&self) -> &Bare<M, W> {
        &self.inner
    }
}

impl<M: Manager, W: From<Object<M>>> std::fmt::Debug for Pool<M, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("status", &self.inner.status()).finish_non_exhaustive()
    }
}
