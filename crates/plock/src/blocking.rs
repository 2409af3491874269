//! What all locks that block a thread have in common. The first try is in line where the lock is; if
//! that fails: look again for a while, say who waits, try once more, block, account.
//!
//! The last try is for a lock that came free while the queue was joined: then nobody waited. Like the looks
//! it takes no lock from anybody who could not lose it to the first step of the blocking call itself.

use crate::runtime::Tasks;
use plock_core::{Hold, Lock, Mode, Spin, Start};
use std::panic::Location;

/// Waits for `lock`, which was found taken: by `attempt` again, then by `block`.
pub(crate) fn wait<G>(
    lock: &Lock,
    mode: Mode,
    site: &'static Location<'static>,
    start: Start,
    mut attempt: impl FnMut() -> Option<G>,
    block: impl FnOnce() -> G,
) -> (G, Hold) {
    let Some(mut spin) = Spin::begin::<Tasks>(lock, start, mode, site) else {
        return (block(), Hold::default());
    };
    if let Some(guard) = spin.look(&mut attempt) {
        return (guard, spin.claimed::<Tasks>(site));
    }
    let wait = spin.queue();
    if let Some(guard) = attempt() {
        return (guard, wait.raced::<Tasks>(site));
    }
    wait.blocks();
    (block(), wait.claimed::<Tasks>(site))
}
