//! The raw condition variable, for the raw mutex of this module.

#![expect(unsafe_code, reason = "`lock_api`'s traits are unsafe to implement and to call")]

use super::RawMutex;
use lock_api::{RawCondvarTimed, RawMutexTimed};
use std::panic::Location;

/// parking_lot's raw condition variable: waiting ends the hold of the mutex, waking begins another.
#[expect(missing_debug_implementations, reason = "as of what is inside")]
pub struct RawCondvar(parking_lot::RawCondvar);

type Guard = <RawMutex as lock_api::RawMutex>::Guard;
type Duration = <RawMutex as RawMutexTimed>::Duration;
type Instant = <RawMutex as RawMutexTimed>::Instant;

// SAFETY: waiting and waking are those of the condition variable inside, on the mutex inside. Its state
// stays in the guard, which it is valid in when the wait is over, by a panic as well.
unsafe impl lock_api::RawCondvar for RawCondvar {
    const INIT: Self = Self(parking_lot::RawCondvar::INIT);

    type RawMutex = RawMutex;

    #[track_caller]
    unsafe fn wait(&self, mutex: &RawMutex, guard: &mut Guard) {
        // SAFETY: the caller has the mutex, and with it the one inside; the state is that of this
        // acquisition.
        mutex.pause(guard, Location::caller(), |mutex, inner| unsafe { self.0.wait(mutex, inner) });
    }

    #[inline]
    fn notify_one(&self) -> bool {
        self.0.notify_one()
    }

    #[inline]
    fn notify_all(&self) -> usize {
        self.0.notify_all()
    }
}

// SAFETY: as above.
unsafe impl RawCondvarTimed for RawCondvar {
    fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
        parking_lot::RawCondvar::checked_duration_to_instant(timeout)
    }

    #[track_caller]
    unsafe fn wait_until(&self, mutex: &RawMutex, guard: &mut Guard, timeout: &Instant) -> bool {
        mutex.pause(guard, Location::caller(), |mutex, inner| {
            // SAFETY: as in `wait`.
            unsafe { self.0.wait_until(mutex, inner, timeout) }
        })
    }

    #[track_caller]
    unsafe fn wait_for(&self, mutex: &RawMutex, guard: &mut Guard, timeout: &Duration) -> bool {
        mutex.pause(guard, Location::caller(), |mutex, inner| {
            // SAFETY: as in `wait`.
            unsafe { self.0.wait_for(mutex, inner, timeout) }
        })
    }
}
