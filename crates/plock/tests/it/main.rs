//! plock's locks beside tokio's: what must be the same is compared with the bare type in the same run.
#![cfg(not(feature = "off"))]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod adoption;
mod allocations;
mod auto_traits;
mod blocking;
mod names;
mod panics;
mod release;
mod sides;
mod sizes;
mod thread_sides;
mod threads;
