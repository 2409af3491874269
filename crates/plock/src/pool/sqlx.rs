//! Pools of `sqlx`.

use super::{Meter, Status, Used};
use plock_core::Outcome;
use sqlx_core::database::Database;
use sqlx_core::error::Error;
use sqlx_core::pool::{Pool as Bare, PoolConnection};
use sqlx_core::transaction::Transaction;
use std::future::Future;
use std::ops::Deref;

/// A pool of `sqlx` whose connections are timed. What it does not have itself is the pool's own; a query
/// that is given the pool instead of a connection goes by the pool's own and is not seen.
pub struct Pool<DB: Database> {
    inner: Bare<DB>,
    meter: Meter,
}

/// A connection in use.
pub type Connection<DB> = Used<PoolConnection<DB>>;

impl<DB: Database> Pool<DB> {
    /// Gives the pool a name for its figures.
    #[must_use]
    #[track_caller]
    pub fn named(name: &'static str, inner: Bare<DB>) -> Self {
        Self { inner, meter: Meter::named(name) }
    }

    /// Waits for a connection.
    ///
    /// # Cancel safety
    /// Nothing but the place in the queue is lost if the future is dropped.
    ///
    /// # Errors
    /// Those of `sqlx`. Its time-out counts as `timeout`, everything else as `closed`.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<Connection<DB>, Error>> {
        self.meter.acquire(|| status(&self.inner), refused, self.inner.acquire())
    }

    /// A connection, if one is idle now.
    #[track_caller]
    pub fn try_acquire(&self) -> Option<Connection<DB>> {
        self.meter.try_acquire(|| status(&self.inner), || self.inner.try_acquire())
    }

    /// Waits for a connection and begins a transaction on it; [`commit`](Used::commit) ends it.
    ///
    /// # Errors
    /// As for [`acquire`](Self::acquire).
    #[track_caller]
    pub fn begin(&self) -> impl Future<Output = Result<Used<Transaction<'static, DB>>, Error>> {
        self.meter.acquire(|| status(&self.inner), refused, self.inner.begin())
    }
}

impl<DB: Database> Used<Transaction<'static, DB>> {
    /// Commits the transaction and gives its connection back.
    ///
    /// # Errors
    /// Those of `sqlx`.
    pub async fn commit(self) -> Result<(), Error> {
        self.finish(Transaction::commit).await
    }

    /// Takes back what the transaction did and gives its connection back.
    ///
    /// # Errors
    /// Those of `sqlx`.
    pub async fn rollback(self) -> Result<(), Error> {
        self.finish(Transaction::rollback).await
    }
}

fn status<DB: Database>(pool: &Bare<DB>) -> Status {
    let (size, idle) = (pool.size() as usize, pool.num_idle());
    let most = pool.options().get_max_connections() as usize;
    Status::new(size, most.saturating_sub(size.saturating_sub(idle)))
}

fn refused(error: &Error) -> Outcome {
    match error {
        Error::PoolTimedOut => Outcome::Timeout,
        _ => Outcome::Closed,
    }
}

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), meter: self.meter.clone() }
    }
}

impl<DB: Database> Deref for Pool<DB> {
    type Target = Bare<DB>;

    fn deref(&self) -> &Bare<DB> {
        &self.inner
    }
}

impl<DB: Database> std::fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}
