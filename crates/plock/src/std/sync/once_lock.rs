//! The cell that is set once.

use super::making::{Ask, Made, Timed};
use plock_core::{Kind, Lock};
use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::sync;

/// A cell whose value is made once, and which records who made it, for how long, and whom that kept
/// waiting.
///
/// It has the complete interface of [`std::sync::OnceLock`] and its behaviour: it is that cell inside.
///
/// # Telemetry
/// Making the value is a hold. Whoever asks meanwhile waits, and the wait is charged to the one that
/// makes it: it is queue time until the value is there, and claim delay from then on. It counts as
/// acquired and holds nothing. A function that asks for the value it makes is told in
/// [`Snapshot::findings`](crate::Snapshot::findings). Asking for a value that is there is not recorded.
///
/// # Overhead
/// None once the value is there. Before: as of a [`Mutex`](super::Mutex), and one more lock for a moment.
///
/// # Examples
/// ```
/// use plock::std::sync::OnceLock;
///
/// static RATES: OnceLock<u32> = OnceLock::const_named("doc_std_rates");
/// assert_eq!(RATES.get_or_init(|| 119), &119);
/// assert_eq!((RATES.get(), RATES.set(7)), (Some(&119), Err(7)));
///
/// let snapshot = plock::snapshot();
/// let rates = snapshot.lock("doc_std_rates", plock::Mode::Exclusive).unwrap();
/// assert_eq!((rates.hold.count(), rates.outcome(plock::Outcome::Acquired)), (1, 1));
/// ```
pub struct OnceLock<T>(Timed<sync::OnceLock<T>>);

impl<T> Made for sync::OnceLock<T> {
    const POISONS: bool = false;

    fn is_made(&self) -> bool {
        self.get().is_some()
    }
}

impl<T> OnceLock<T> {
    /// Makes an empty cell. Its figures are named by the module of the caller and the type of the value,
    /// and appear with its first use.
    #[track_caller]
    pub const fn new() -> Self {
        Self::with(Lock::new(Kind::OnceCell, type_name::<T>), sync::OnceLock::new())
    }

    /// Makes an empty cell with a name for its figures; they are there from now on. Names behave as
    /// for [`Mutex::named`](super::Mutex::named).
    #[track_caller]
    pub fn named(name: &'static str) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name).registered(), sync::OnceLock::new())
    }

    /// As [`named`](Self::named), in a constant or a static; the figures appear with the first use.
    #[track_caller]
    pub const fn const_named(name: &'static str) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name), sync::OnceLock::new())
    }

    const fn with(lock: Lock, inner: sync::OnceLock<T>) -> Self {
        Self(Timed::new(lock, inner))
    }

    /// The value, if it is there.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.0.inner.get()
    }

    /// The value, if it is there.
    #[inline]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.inner.get_mut()
    }

    /// The value; blocks the thread until somebody has made it.
    #[track_caller]
    pub fn wait(&self) -> &T {
        if self.get().is_none() {
            drop(self.0.ask(Ask { makes: false, forces: true }, Location::caller()));
        }
        self.0.inner.wait()
    }

    /// Puts a value into an empty cell; blocks the thread while another one makes it.
    ///
    /// # Errors
    /// The value, if there is one already.
    #[track_caller]
    #[inline]
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.get().is_some() {
            return Err(value);
        }
        let making = self.making(Location::caller());
        let set = self.0.inner.set(value);
        drop(making);
        set
    }

    /// The value; if there is none, `f` makes it, unless another thread is doing that already: then it
    /// blocks until that is over.
    ///
    /// # Panics
    /// If `f` does; the cell is empty then, and the next one that waits makes the value. May panic, or
    /// never return, if `f` asks for the value, as the standard library's does.
    ///
    /// # Examples
    /// ```
    /// # use plock::std::sync::OnceLock;
    /// let cell = OnceLock::new();
    /// assert_eq!(*cell.get_or_init(|| 1), 1);
    /// assert_eq!(*cell.get_or_init(|| 2), 1);
    /// ```
    #[track_caller]
    #[inline]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let making = self.making(Location::caller());
        let value = self.0.inner.get_or_init(f);
        drop(making);
        value
    }

    /// The value, if it was there.
    pub fn into_inner(self) -> Option<T> {
        self.0.inner.into_inner()
    }

    /// Takes the value out; the cell is empty then.
    pub fn take(&mut self) -> Option<T> {
        self.0.inner.take()
    }

    fn making(&self, site: &'static Location<'static>) -> impl Sized {
        self.0.ask(Ask { makes: true, forces: true }, site)
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    /// As the standard library's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    /// A cell of the same name, with a clone of the value if it is there.
    fn clone(&self) -> Self {
        Self::with(self.0.lock.another(), self.0.inner.clone())
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::with(Lock::new(Kind::OnceCell, type_name::<T>), sync::OnceLock::from(value))
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.inner == other.0.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}
