//! The switch between real and model-checked atomics for the protocols that have a model.

#[cfg(not(loom))]
pub(crate) use atomic_waker::AtomicWaker;
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence};

/// A model of the slot: what is registered is woken once, and a wake synchronises with the
/// registration it finds, and the other way round.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct AtomicWaker(loom::sync::Mutex<Option<std::task::Waker>>);

#[cfg(loom)]
impl AtomicWaker {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Mutex::new(None))
    }

    pub(crate) fn register(&self, waker: &std::task::Waker) {
        *self.slot() = Some(waker.clone());
    }

    pub(crate) fn wake(&self) {
        let waker = self.slot().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn slot(&self) -> loom::sync::MutexGuard<'_, Option<std::task::Waker>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
