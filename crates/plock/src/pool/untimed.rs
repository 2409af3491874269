//! The build without recording.

use super::Status;
use plock_core::{Hold, Outcome, Pool};
use std::future::Future;
use std::panic::Location;

pub(super) async fn acquire<C, E>(
    _: &Pool,
    _: &impl Fn() -> Status,
    _: impl Fn(&E) -> Outcome,
    acquire: impl Future<Output = Result<C, E>>,
    _: &'static Location<'static>,
) -> Result<(C, Hold), E> {
    Ok((acquire.await?, Hold::default()))
}

pub(super) fn take<C>(
    _: &Pool,
    _: impl Fn() -> Status,
    take: impl FnOnce() -> Option<C>,
    _: &'static Location<'static>,
) -> Option<(C, Hold)> {
    Some((take()?, Hold::default()))
}
