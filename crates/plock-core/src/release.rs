//! Who is releasing on this thread right now. A release wakes waiters synchronously, so a waiter's
//! waker that runs inside reads here who handed the lock to it: the critical releaser, exactly.

use crate::EndCause;
use crate::owner::HoldRef;
use crate::thread;

/// One release in progress, in a frame of the releasing thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Releasing {
    /// Identity of the lock (its address; only compared).
    pub(crate) lock: usize,
    pub(crate) end: EndCause,
    /// The hold that ends; its record stays readable until the release is over.
    pub(crate) hold: Option<HoldRef>,
}

/// Runs `release` with `releasing` visible to the wakers it calls; nests, and survives a panic.
#[inline]
pub(crate) fn during<T>(releasing: &Releasing, release: impl FnOnce() -> T) -> T {
    struct Restore(*const Releasing);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            thread::state().releasing.set(self.0);
        }
    }
    let _restore = Restore(thread::state().releasing.replace(releasing));
    release()
}

/// What this thread is releasing, if that is `lock`.
pub(crate) fn current(lock: usize) -> Option<Releasing> {
    let pointer = thread::state().releasing.get();
    #[expect(unsafe_code, reason = "a frame of this thread is reached through its thread-local")]
    // SAFETY: null, or set by `during` further down this thread's stack, whose frame is alive and
    // whose `Restore` takes the pointer away before the frame ends, also on unwinding.
    let releasing = unsafe { pointer.as_ref() }?;
    (releasing.lock == lock).then_some(*releasing)
}
