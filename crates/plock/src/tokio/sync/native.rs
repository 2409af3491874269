//! What only tokio itself can say: its error without a public constructor, and its panic when a
//! blocking call is made where blocking is forbidden. Asking tokio gives the same value and the
//! same words, whatever its version.

use ::tokio::sync::{Mutex, Semaphore, TryLockError};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// tokio's error of a `try_` call on a taken lock.
///
/// The first call takes a mutex of tokio's for good, by a guard that is never dropped; every call
/// then reads that it is taken, and reading alone does not move the cache line between cores.
#[cold]
#[expect(clippy::mem_forget, reason = "the mutex must stay taken")]
pub(crate) fn would_block() -> TryLockError {
    static TAKEN: Mutex<()> = Mutex::const_new(());
    loop {
        match TAKEN.try_lock() {
            Ok(guard) => std::mem::forget(guard),
            Err(error) => return error,
        }
    }
}

/// Waits for `future` on this thread.
///
/// # Panics
/// If this thread drives asynchronous tasks, with tokio's message and at the caller's location.
#[track_caller]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    // A semaphore of our own on the stack: tokio's check without a cache line that threads share.
    drop(Semaphore::const_new(1).blocking_acquire());
    let mut future = pin!(future);
    // An uncontended lock is had at once, without the signal that the driver allocates.
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => pollster::block_on(future),
    }
}
