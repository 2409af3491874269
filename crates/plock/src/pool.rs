//! Pools of connections, or of anything else: who uses how many, for how long, how long it takes to get
//! one, and whom that kept waiting.
//!
//! | module | pool | feature |
//! |---|---|---|
//! | `sqlx` | `sqlx::Pool` | `sqlx` |
//! | `deadpool` | `deadpool::managed::Pool` | `deadpool` |
//! | `bb8` | `bb8::Pool` | `bb8` |
//! | here: [`Meter`] | any other | always |
//!
//! # What is measured
//! | figure | from | to |
//! |---|---|---|
//! | acquisition | asking | having, failing or giving up; connecting and checking included |
//! | wait | asking while no connection is free | the same |
//! | use, a hold | having | giving back |
//!
//! A pool says how many connections are free, not what it does for whoever asks. So a wait that begins
//! while none is free is a wait for permits, charged to those who use connections meanwhile, connecting
//! and checking included; one that begins while some are free is no wait for anybody. A connection in use
//! is a hold like a guard: a lock that is waited for meanwhile shows it in its nesting depth, and the
//! pool's own depth shows what is held while a connection is asked for. If either is a wait it is told in
//! [`Snapshot::findings`](crate::Snapshot::findings), with both places and the time lost; so is the wait for
//! a second connection of the same pool. While its scope is idle for
//! either reason, that is idle time of a `pool`.

#[cfg(feature = "bb8")]
pub mod bb8;
#[cfg(feature = "deadpool")]
pub mod deadpool;
#[cfg(feature = "sqlx")]
pub mod sqlx;
#[cfg(all(feature = "tokio", not(feature = "off")))]
mod timed;
#[cfg(not(all(feature = "tokio", not(feature = "off"))))]
#[path = "pool/untimed.rs"]
mod timed;
mod used;

pub use used::Used;

use plock_core::{Outcome, Pool};
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

/// The part of plock beside a pool.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use plock::pool::{Meter, Status};
///
/// let meter = Meter::named("doc_printers");
/// let printer = async { Ok::<_, ()>("laser") };
/// let status = || Status::new(2, 1);
/// let printer = meter.acquire(status, |()| plock::Outcome::Closed, printer).await.unwrap();
/// assert_eq!(*printer, "laser");
///
/// let snapshot = plock::snapshot();
/// let printers = snapshot.pool("doc_printers").unwrap();
/// assert_eq!((printers.acquire.count(), printers.size), (1, 2));
/// assert_eq!(snapshot.lock("doc_printers", plock::Mode::Permit).unwrap().holders, 1);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Meter {
    pool: Arc<Pool>,
}

/// What a pool says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many connections there are.
    pub size: usize,
    /// How many more could be in use at this moment, those included that have still to be made.
    pub free: usize,
}

impl Status {
    /// So many connections, so many of which, or more, could be had now.
    #[must_use]
    pub const fn new(size: usize, free: usize) -> Self {
        Self { size, free }
    }
}

impl Meter {
    /// For a pool with this name; its figures are there from now on. Pools with the same name share
    /// theirs. Names behave as those of locks.
    #[must_use]
    #[track_caller]
    pub fn named(name: &'static str) -> Self {
        Self { pool: Arc::new(Pool::named(name)) }
    }

    /// Times `acquire`, which gets a connection out of the pool. `status` asks the pool, `refused` says
    /// what an error means.
    ///
    /// # Cancel safety
    /// That of `acquire`; counted as abandoned.
    ///
    /// # Errors
    /// That of `acquire`.
    #[track_caller]
    pub fn acquire<C, E>(
        &self,
        status: impl Fn() -> Status,
        refused: impl Fn(&E) -> Outcome,
        acquire: impl Future<Output = Result<C, E>>,
    ) -> impl Future<Output = Result<Used<C>, E>> {
        let site = Location::caller();
        async move {
            let acquired = timed::acquire(&self.pool, &status, refused, acquire, site);
            let (connection, hold) = acquired.await?;
            Ok(Used::new(connection, hold, Arc::clone(&self.pool)))
        }
    }

    /// A connection that was got without waiting, by `take`; `None` counts as `would_block`.
    #[track_caller]
    pub fn try_acquire<C>(
        &self,
        status: impl Fn() -> Status,
        take: impl FnOnce() -> Option<C>,
    ) -> Option<Used<C>> {
        let (connection, hold) = timed::take(&self.pool, status, take, Location::caller())?;
        Some(Used::new(connection, hold, Arc::clone(&self.pool)))
    }
}
