//! Which task tokio is polling.

use plock_core::Runtime;
use std::hash::{Hash, Hasher};

/// What plock asks tokio: which task is being polled here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokioTasks;

impl Runtime for TokioTasks {
    #[inline]
    fn task_id() -> u64 {
        ::tokio::task::try_id().map_or(0, number)
    }
}

/// A task id's number. `Hash` is the one stable way to it that neither allocates nor formats.
#[inline]
fn number(id: ::tokio::task::Id) -> u64 {
    struct Capture(u64);
    impl Hasher for Capture {
        #[inline]
        fn write_u64(&mut self, number: u64) {
            self.0 = number;
        }
        fn write(&mut self, bytes: &[u8]) {
            // Not used by tokio 1.54; any injective fold keeps ids apart if it changes.
            for byte in bytes {
                self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
            }
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut capture = Capture(0);
    id.hash(&mut capture);
    capture.0
}
