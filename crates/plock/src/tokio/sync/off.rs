//! The build without recording: tokio's own types under the same paths, nothing of plock in them.
//!
//! What plock's types have beyond tokio's comes from traits here. A source that builds with and
//! without recording imports the types together with them:
//! ```
//! use plock::tokio::sync::*;
//!
//! let stock = Mutex::named("stock", 3);
//! let mut guard = stock.try_lock().unwrap();
//! MutexGuard::adopt(&mut guard);
//! assert_eq!(*guard, 3);
//! ```
//! Named statics are made by [`const_named!`](crate::const_named).

pub use ::tokio::sync::*;

/// tokio's channels.
pub mod mpsc {
    pub use ::tokio::sync::mpsc::*;

    /// As [`channel`]; the name is not used.
    #[track_caller]
    pub fn named_channel<T>(_: &'static str, buffer: usize) -> (Sender<T>, Receiver<T>) {
        channel(buffer)
    }
}

/// Construction with a name, which is not used, of what is empty at first.
pub trait NamedEmpty {
    /// Makes it; the name is not used.
    fn named(name: &'static str) -> Self;
}

impl<T> NamedEmpty for OnceCell<T> {
    fn named(_: &'static str) -> Self {
        Self::new()
    }
}

/// Construction with a name, which is not used.
pub trait Named {
    /// What it is made of: the protected value, or the number of permits.
    type Value;

    /// Makes it; the name is not used.
    fn named(name: &'static str, value: Self::Value) -> Self;
}

/// Adoption of a guard, which changes nothing.
pub trait Adopt {
    /// Does nothing.
    fn adopt(this: &mut Self) {
        let _ = this;
    }
}

impl<T> Named for Mutex<T> {
    type Value = T;

    #[track_caller]
    fn named(_: &'static str, value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Named for RwLock<T> {
    type Value = T;

    #[track_caller]
    fn named(_: &'static str, value: T) -> Self {
        Self::new(value)
    }
}

impl Named for Semaphore {
    type Value = usize;

    #[track_caller]
    fn named(_: &'static str, permits: usize) -> Self {
        Self::new(permits)
    }
}

impl<T: ?Sized> Adopt for MutexGuard<'_, T> {}
impl<T: ?Sized> Adopt for OwnedMutexGuard<T> {}
impl<T: ?Sized> Adopt for MappedMutexGuard<'_, T> {}
impl<T: ?Sized, U: ?Sized> Adopt for OwnedMappedMutexGuard<T, U> {}
impl<T: ?Sized> Adopt for RwLockReadGuard<'_, T> {}
impl<T: ?Sized, U: ?Sized> Adopt for OwnedRwLockReadGuard<T, U> {}
impl<T: ?Sized> Adopt for RwLockWriteGuard<'_, T> {}
impl<T: ?Sized> Adopt for OwnedRwLockWriteGuard<T> {}
impl<T: ?Sized> Adopt for RwLockMappedWriteGuard<'_, T> {}
impl<T: ?Sized, U: ?Sized> Adopt for OwnedRwLockMappedWriteGuard<T, U> {}
impl Adopt for SemaphorePermit<'_> {}
impl Adopt for OwnedSemaphorePermit {}
