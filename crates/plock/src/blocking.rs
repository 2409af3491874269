//! What all locks that block a thread have in common. The first try is in line where the lock is; if
//! that fails: say who waits, try once more, block, account.
//!
//! The second try is for a lock that came free while the queue was joined: then nobody waited. It takes
//! no lock from anybody who could not lose it to the first step of the blocking call itself.

use crate::runtime::Tasks;
use plock_core::{Hold, Lock, Mode, Outcome, Start, ThreadWait};
use std::panic::Location;

/// Waits for `lock`, which was found taken: by `attempt` once more, then by `block`, which may give up
/// with an error.
pub(crate) fn wait<G, E>(
    lock: &Lock,
    mode: Mode,
    site: &'static Location<'static>,
    start: Start,
    mut attempt: impl FnMut() -> Option<G>,
    block: impl FnOnce() -> Result<G, E>,
) -> Result<(G, Hold), E> {
    let Some(wait) = ThreadWait::begin::<Tasks>(lock, start, mode, site) else {
        return Ok((block()?, Hold::default()));
    };
    if let Some(guard) = attempt() {
        return Ok((guard, wait.raced::<Tasks>(site)));
    }
    wait.blocks();
    match block() {
        Ok(guard) => Ok((guard, wait.claimed::<Tasks>(site))),
        Err(error) => {
            wait.failed(Outcome::Timeout);
            Err(error)
        }
    }
}
