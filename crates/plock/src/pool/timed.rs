//! Asking, in either of the two states a pool can be in.

use super::Status;
use crate::tokio::TokioTasks;
use crate::tokio::sync::waited::{Asked, Line, Refused, Then};
use plock_core::{Hold, Idle, Lock, Mode, Outcome, Pool, Share, Start};
use std::future::Future;
use std::panic::Location;

type Site = &'static Location<'static>;

pub(super) async fn acquire<C, E>(
    pool: &Pool,
    status: &impl Fn() -> Status,
    refused: impl Fn(&E) -> Outcome,
    acquire: impl Future<Output = Result<C, E>>,
    site: Site,
) -> Result<(C, Hold), E> {
    let start = Start::now();
    let lock = pool.lock();
    let acquired = if status().free == 0 {
        let asked = Asked { lock, share: Share::permits(1), site };
        let acquired = asked.wait(Then::Hold, Exhausted { refused, acquire }).await?;
        pool.note_acquired(start);
        acquired
    } else {
        let mut asking = Asking { lock, start, outcome: Some(Outcome::Abandoned) };
        let acquired = crate::waiting_on(Idle::Pool, acquire).await;
        asking.outcome = acquired.as_ref().err().map(refused);
        (acquired?, pool.acquired::<TokioTasks>(start, site))
    };
    pool.set_size(status().size);
    Ok(acquired)
}

pub(super) fn take<C>(
    pool: &Pool,
    status: impl Fn() -> Status,
    take: impl FnOnce() -> Option<C>,
    site: Site,
) -> Option<(C, Hold)> {
    let start = Start::now();
    let Some(connection) = take() else {
        pool.lock().would_block(start, Mode::Permit);
        return None;
    };
    pool.set_size(status().size);
    Some((connection, pool.acquired::<TokioTasks>(start, site)))
}

/// A pool without a free connection. Its own future is the first to try.
struct Exhausted<R, F> {
    refused: R,
    acquire: F,
}

impl<C, E, R, F> Line for Exhausted<R, F>
where
    R: Fn(&E) -> Outcome,
    F: Future<Output = Result<C, E>>,
{
    type Place = C;
    type Error = E;

    fn take(&mut self) -> Option<C> {
        None
    }

    fn free(&self) -> usize {
        0
    }

    async fn join(self) -> Result<C, Refused<E>> {
        self.acquire.await.map_err(|error| ((self.refused)(&error), error))
    }
}

/// An acquisition that nobody is in the way of. Dropped, it is counted as whatever it came to.
struct Asking<'a> {
    lock: &'a Lock,
    start: Start,
    /// `None` once it has its connection.
    outcome: Option<Outcome>,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome {
            self.lock.failed(self.start, Mode::Permit, outcome);
        }
    }
}
