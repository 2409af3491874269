//! The switch between real and model-checked atomics for the protocols that have a model.

#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence,
};
#[cfg(not(loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence,
};
#[cfg(loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};

/// Atomics in constants. Loom's cannot be made there: under loom they are made when they are first
/// used, which a model does before it starts its threads.
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicPtr as ConstPtr, AtomicU64 as ConstU64};

#[cfg(loom)]
pub(crate) use late::{ConstPtr, ConstU64};

#[cfg(loom)]
mod late {
    use super::{AtomicPtr, AtomicU64};
    use std::ops::Deref;
    use std::sync::OnceLock;

    #[derive(Debug)]
    pub(crate) struct ConstU64(u64, OnceLock<AtomicU64>);

    impl ConstU64 {
        pub(crate) const fn new(value: u64) -> Self {
            Self(value, OnceLock::new())
        }
    }

    impl Deref for ConstU64 {
        type Target = AtomicU64;

        fn deref(&self) -> &AtomicU64 {
            self.1.get_or_init(|| AtomicU64::new(self.0))
        }
    }

    /// Null at first.
    #[derive(Debug)]
    pub(crate) struct ConstPtr<T>(OnceLock<AtomicPtr<T>>);

    impl<T> ConstPtr<T> {
        pub(crate) const fn new(_null: *mut T) -> Self {
            Self(OnceLock::new())
        }
    }

    impl<T> Deref for ConstPtr<T> {
        type Target = AtomicPtr<T>;

        fn deref(&self) -> &AtomicPtr<T> {
            self.0.get_or_init(|| AtomicPtr::new(std::ptr::null_mut()))
        }
    }
}

#[cfg(loom)]
pub(crate) use loom::cell::UnsafeCell;

/// With the interface of loom's, which sees who looks at it when.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
