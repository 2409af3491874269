//! Pools of `bb8`.

use super::{Meter, Status, Used};
use ::bb8::{ManageConnection, Pool as Bare, PooledConnection, RunError};
use plock_core::Outcome;
use std::future::Future;
use std::ops::Deref;

/// A pool of `bb8` whose connections are timed. What it does not have itself is the pool's own.
pub struct Pool<M: ManageConnection> {
    inner: Bare<M>,
    meter: Meter,
}

impl<M: ManageConnection> Pool<M> {
    /// Gives the pool a name for its figures.
    #[must_use]
    #[track_caller]
    pub fn named(name: &'static str, inner: Bare<M>) -> Self {
        Self { inner, meter: Meter::named(name) }
    }

    /// Waits for a connection.
    ///
    /// # Cancel safety
    /// Nothing but the place in the queue is lost if the future is dropped.
    ///
    /// # Errors
    /// Those of `bb8`. Its time-out counts as `timeout`, everything else as `closed`.
    #[track_caller]
    pub fn get(
        &self,
    ) -> impl Future<Output = Result<Used<PooledConnection<'_, M>>, RunError<M::Error>>> {
        self.meter.acquire(|| status(&self.inner), refused, self.inner.get())
    }

    /// As [`get`](Self::get), with a connection that keeps the pool alive.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    #[track_caller]
    pub fn get_owned(
        &self,
    ) -> impl Future<Output = Result<Used<PooledConnection<'static, M>>, RunError<M::Error>>> {
        self.meter.acquire(|| status(&self.inner), refused, self.inner.get_owned())
    }
}

fn status<M: ManageConnection>(pool: &Bare<M>) -> Status {
    let (state, most) = (pool.state(), pool.config().max_size);
    let in_use = state.connections.saturating_sub(state.idle_connections);
    Status::new(state.connections as usize, most.saturating_sub(in_use) as usize)
}

const fn refused<E>(error: &RunError<E>) -> Outcome {
    match error {
        RunError::TimedOut => Outcome::Timeout,
        RunError::User(_) => Outcome::Closed,
    }
}

impl<M: ManageConnection> Clone for Pool<M> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), meter: self.meter.clone() }
    }
}

impl<M: ManageConnection> Deref for Pool<M> {
    type Target = Bare<M>;

    fn deref(&self) -> &Bare<M> {
        &self.inner
    }
}

impl<M: ManageConnection> std::fmt::Debug for Pool<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("state", &self.inner.state()).finish_non_exhaustive()
    }
}
