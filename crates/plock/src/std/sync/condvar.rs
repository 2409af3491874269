//! The condition variable: waiting for it ends the hold of the mutex, waking begins another.

use super::MutexGuard;
use super::guard::{Held, map};
use std::fmt;
use std::panic::Location;
use std::sync::{self, LazyLock, LockResult, PoisonError, WaitTimeoutResult};
use std::time::{Duration, Instant};

/// A condition variable for a [`Mutex`](super::Mutex) of this module.
///
/// It has the complete interface of [`std::sync::Condvar`] and its behaviour: it is that inside.
///
/// # Telemetry
/// Waiting ends the hold of the mutex: the time until the mutex is had again is neither hold nor wait
/// of it. Then a hold begins, which counts as an acquisition at the place that waited. The hold that
/// ends is accounted before the mutex is free, since both happen in one step.
///
/// # Examples
/// ```
/// use plock::std::sync::{Condvar, Mutex};
///
/// let (ready, changed) = (Mutex::named("doc_std_ready", false), Condvar::new());
/// std::thread::scope(|threads| {
///     threads.spawn(|| {
///         *ready.lock().unwrap() = true;
///         changed.notify_one();
///     });
///     let guard = changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap();
///     assert!(*guard);
/// });
/// let snapshot = plock::snapshot();
/// assert!(snapshot.lock("doc_std_ready", plock::Mode::Exclusive).unwrap().hold.count() >= 2);
/// ```
#[derive(Default)]
pub struct Condvar(sync::Condvar);

impl Condvar {
    /// Makes one.
    #[must_use]
    pub const fn new() -> Self {
        Self(sync::Condvar::new())
    }

    /// Blocks the thread until it is notified, or woken for no reason.
    ///
    /// # Errors
    /// If the mutex is poisoned by then; the guard is in the error.
    ///
    /// # Panics
    /// May panic if it is used with more than one mutex, as the standard library's does.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let site = Location::caller();
        let (lock, bare) = guard.0.pause();
        map(Held::resume(lock, site, self.0.wait(bare)), MutexGuard)
    }

    /// As [`wait`](Self::wait), while `condition` holds.
    ///
    /// # Errors
    /// If the mutex is poisoned by then; the guard is in the error.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// As [`wait_timeout`](Self::wait_timeout) in milliseconds; whether it was notified.
    ///
    /// # Errors
    /// If the mutex is poisoned by then; the guard is in the error.
    #[deprecated(since = "0.1.0", note = "replaced by `Condvar::wait_timeout`, as in `std`")]
    #[track_caller]
    pub fn wait_timeout_ms<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let notified = |(guard, result): (_, WaitTimeoutResult)| (guard, !result.timed_out());
        let waited = self.wait_timeout(guard, Duration::from_millis(u64::from(ms)));
        map(waited, notified)
    }

    /// As [`wait`](Self::wait), no longer than `dur`.
    ///
    /// # Errors
    /// If the mutex is poisoned by then; guard and result are in the error.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let site = Location::caller();
        let (lock, bare) = guard.0.pause();
        let (bare, result) = match self.0.wait_timeout(bare, dur) {
            Ok((bare, result)) => (Ok(bare), result),
            Err(poisoned) => {
                let (bare, result) = poisoned.into_inner();
                (Err(PoisonError::new(bare)), result)
            }
        };
        map(Held::resume(lock, site, bare), |held| (MutexGuard(held), result))
    }

    /// As [`wait_while`](Self::wait_while), no longer than `dur`. The result says that the time is over
    /// only if `condition` still held then.
    ///
    /// # Errors
    /// If the mutex is poisoned by then; guard and result are in the error.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let start = Instant::now();
        loop {
            if !condition(&mut guard) {
                return Ok((guard, result(false)));
            }
            let Some(left) = dur.checked_sub(start.elapsed()) else {
                return Ok((guard, result(true)));
            };
            guard = self.wait_timeout(guard, left)?.0;
        }
    }

    /// Wakes one thread that waits, if there is one.
    #[inline]
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes all threads that wait.
    #[inline]
    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What only the standard library can make: a result that says so.
fn result(timed_out: bool) -> WaitTimeoutResult {
    static RESULTS: LazyLock<[WaitTimeoutResult; 2]> = LazyLock::new(|| {
        let (mutex, condvar) = (sync::Mutex::new(()), sync::Condvar::new());
        [false, true].map(|wait| {
            let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = condvar.wait_timeout_while(guard, Duration::ZERO, |()| wait);
            waited.unwrap_or_else(PoisonError::into_inner).1
        })
    });
    RESULTS[usize::from(timed_out)]
}
