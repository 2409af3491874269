//! A connection in use.

use crate::runtime::Tasks;
use plock_core::{Hold, Pool, Share};
use std::fmt;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A connection that is in use until this is dropped: first it is given back, then its use is accounted.
pub struct Used<C> {
    /// `None` once it has gone.
    connection: Option<C>,
    hold: Hold,
    pool: Arc<Pool>,
}

impl<C> Used<C> {
    pub(super) const fn new(connection: C, hold: Hold, pool: Arc<Pool>) -> Self {
        Self { connection: Some(connection), hold, pool }
    }

    /// The connection by itself; for the figures its use ends here.
    #[must_use]
    pub fn into_inner(mut self) -> C {
        let connection = self.taken();
        self.end(|| {});
        connection
    }

    /// Gives it to `last`, which ends with it: a transaction is committed, a connection is closed. Its use
    /// ends after that.
    ///
    /// # Cancel safety
    /// That of `last`; the use ends with it.
    pub async fn finish<T, F: Future<Output = T>>(mut self, last: impl FnOnce(C) -> F) -> T {
        last(self.taken()).await
    }

    fn taken(&mut self) -> C {
        match self.connection.take() {
            Some(connection) => connection,
            None => unreachable!("it is taken once, by what consumes this"),
        }
    }

    fn end(&mut self, give_back: impl FnOnce()) {
        self.hold.release::<Tasks>(self.pool.lock(), Share::permits(1), |releasing| {
            releasing.during(give_back);
        });
    }
}

impl<C> Drop for Used<C> {
    fn drop(&mut self) {
        let connection = self.connection.take();
        self.end(|| drop(connection));
    }
}

impl<C> Deref for Used<C> {
    type Target = C;

    fn deref(&self) -> &C {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("only what consumes this takes it"),
        }
    }
}

impl<C> DerefMut for Used<C> {
    fn deref_mut(&mut self) -> &mut C {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("only what consumes this takes it"),
        }
    }
}

impl<C: fmt::Debug> fmt::Debug for Used<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Used").field(&self.connection).finish()
    }
}
