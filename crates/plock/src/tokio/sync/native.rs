//! What only tokio itself can say: its error without a public constructor, its limits, and its panics
//! when a blocking call is made where blocking is forbidden or a limit is passed. Asking tokio gives
//! the same value and the same words, whatever its version.

use ::tokio::sync::{AcquireError, Mutex, RwLock, Semaphore, TryLockError};
use ::tokio::task::unconstrained;
use std::mem::ManuallyDrop;
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

/// tokio's error of an acquisition from a closed semaphore.
#[cold]
pub(crate) fn closed() -> AcquireError {
    static CLOSED: Semaphore = Semaphore::const_new(0);
    CLOSED.close();
    let mut acquire = pin!(CLOSED.acquire());
    loop {
        // At once, unless the budget of the task is spent.
        let mut polled = pin!(unconstrained(acquire.as_mut()));
        if let Poll::Ready(Err(error)) =
            polled.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            return error;
        }
    }
}

/// tokio's check of permits that were added.
///
/// # Panics
/// Always, with tokio's message and at the caller's location.
#[track_caller]
pub(crate) fn too_many_permits(n: usize) {
    Semaphore::const_new(Semaphore::MAX_PERMITS).add_permits(n);
}

/// The queue of a mutex or read-write lock is never closed.
#[inline]
pub(crate) fn open<T>(held: Result<T, AcquireError>) -> T {
    match held {
        Ok(held) => held,
        Err(_) => unreachable!("only semaphores can be closed"),
    }
}

/// tokio's check of a number of permits.
///
/// # Panics
/// If there are too many, with tokio's message and at the caller's location.
#[track_caller]
pub(crate) fn check_permits(permits: usize) -> usize {
    let _semaphore = Semaphore::new(permits);
    permits
}

/// As [`check_permits`], in a constant.
#[track_caller]
pub(crate) const fn const_check_permits(permits: usize) -> usize {
    // A constant cannot drop; there is nothing in it.
    let _semaphore = ManuallyDrop::new(Semaphore::const_new(permits));
    permits
}

/// How many readers a lock may be made for, and by default is; tokio's own limit.
pub(crate) const MAX_READERS: u32 = u32::MAX >> 3;

/// tokio's check of a number of readers.
///
/// # Panics
/// If it is 0 or above [`MAX_READERS`], with tokio's message and at the caller's location.
#[track_caller]
pub(crate) fn check_readers(max_reads: u32) -> u32 {
    let _lock = RwLock::with_max_readers((), max_reads);
    max_reads
}

/// As [`check_readers`], in a constant.
#[track_caller]
pub(crate) const fn const_check_readers(max_reads: u32) -> u32 {
    // A constant cannot drop; there is nothing in it.
    let _lock = ManuallyDrop::new(RwLock::const_with_max_readers((), max_reads));
    max_reads
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
