//! The cell that is set once: tokio's cell for the value, and a queue with one permit for the right to
//! make it.
//!
//! # Protocol
//! | who | does |
//! |---|---|
//! | anybody | looks whether the value is there; then nothing is waited for or recorded |
//! | one who asks | takes the permit: now it is the holder and makes the value |
//! | the holder, with a value | puts it into the cell, then closes the queue: everybody in it has what it waited for |
//! | the holder, without | gives the permit back: the next in the queue is the holder |
//!
//! tokio's cell has the same queue inside, which cannot be reached. Everybody passes ours first, so
//! tokio's is always free, and closing ours wakes in tokio's order.

use super::waited::{Asked, Line, Refused, Then};
use crate::tokio::TokioTasks;
use ::tokio::sync::TryAcquireError;
use ::tokio::sync::{AcquireError, OnceCell as Cell, Semaphore, SemaphorePermit, SetError};
use plock_core::{Hold, Kind, Lock, Outcome, Share};
use std::any::type_name;
use std::fmt;
use std::panic::Location;

/// A cell whose value is made once, by an asynchronous function, and which records who made it, for how
/// long, and whom that kept waiting.
///
/// It has the complete interface of [`tokio::sync::OnceCell`] and its behaviour.
///
/// # Telemetry
/// Making the value is a hold, from the moment the function is called until its value is there, it
/// fails or is dropped. Whoever asks meanwhile waits, and the wait is charged to the one that makes it.
/// Asking for a value that is there is not recorded.
///
/// # Overhead
/// None once the value is there. Before: as for [`Mutex`](super::Mutex).
///
/// # Examples
/// ```
/// use plock::tokio::sync::OnceCell;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let rates = OnceCell::<u32>::named("doc_rates");
/// assert_eq!(*rates.get_or_init(|| async { 119 }).await, 119);
/// assert_eq!(rates.get(), Some(&119));
///
/// let snapshot = plock::snapshot();
/// let rates = snapshot.lock("doc_rates", plock::Mode::Exclusive).unwrap();
/// assert_eq!(rates.hold.count(), 1);
/// # }
/// ```
pub struct OnceCell<T> {
    lock: Lock,
    queue: Semaphore,
    cell: Cell<T>,
}

/// The right to make the value. Dropped, it goes to the next in the queue.
struct Making<'a, T> {
    cell: &'a OnceCell<T>,
    hold: Hold,
}

/// Whoever asks for the right to make the value. The queue is closed once it is there.
struct Right<'a>(&'a Semaphore);

impl Line for Right<'_> {
    type Place = ();
    type Error = AcquireError;

    fn take(&mut self) -> Option<()> {
        self.0.try_acquire().map(SemaphorePermit::forget).ok()
    }

    fn free(&self) -> usize {
        self.0.available_permits()
    }

    async fn join(self) -> Result<(), Refused<AcquireError>> {
        let acquired = self.0.acquire().await.map(SemaphorePermit::forget);
        acquired.map_err(|closed| (Outcome::Acquired, closed)) // the value is there
    }
}

impl<T> OnceCell<T> {
    /// Makes an empty cell. Its figures are named by the module of the caller and the type of the value,
    /// and appear with its first use.
    #[track_caller]
    pub fn new() -> Self {
        Self::const_new()
    }

    /// As [`new`](Self::new), in a constant or a static.
    #[track_caller]
    pub const fn const_new() -> Self {
        Self::with(Lock::new(Kind::OnceCell, type_name::<T>), Cell::const_new())
    }

    /// Makes a cell with this value, or an empty one.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> Self {
        Self::with(Lock::new(Kind::OnceCell, type_name::<T>), Cell::new_with(value))
    }

    /// Makes a cell with this value in a constant or a static.
    #[track_caller]
    pub const fn const_new_with(value: T) -> Self {
        Self::with(Lock::new(Kind::OnceCell, type_name::<T>), Cell::const_new_with(value))
    }

    /// Makes an empty cell with a name for its figures; they are there from now on. Names behave as for
    /// [`Mutex::named`](super::Mutex::named).
    #[track_caller]
    pub fn named(name: &'static str) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name).registered(), Cell::new())
    }

    /// As [`named`](Self::named), in a constant or a static; the figures appear with the first use.
    #[track_caller]
    pub const fn const_named(name: &'static str) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name), Cell::const_new())
    }

    const fn with(lock: Lock, cell: Cell<T>) -> Self {
        Self { lock, queue: Semaphore::const_new(1), cell }
    }

    /// Whether the value is there.
    pub fn initialized(&self) -> bool {
        self.cell.initialized()
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        self.cell.get()
    }

    /// The value, if it is there.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.cell.get_mut()
    }

    /// Puts a value into an empty cell.
    ///
    /// # Errors
    /// [`SetError`], which gives the value back and tells whether there is one already or somebody is
    /// making one.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        if self.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        let take = || self.queue.try_acquire().map(SemaphorePermit::forget);
        let outcome = |error: &TryAcquireError| match error {
            TryAcquireError::NoPermits => Outcome::WouldBlock,
            TryAcquireError::Closed => Outcome::Closed,
        };
        match self.asked(Location::caller()).try_now(Then::Hold, take, outcome) {
            Ok(((), hold)) => {
                Making { cell: self, hold }.finish(value);
                Ok(())
            }
            Err(TryAcquireError::NoPermits) => Err(SetError::InitializingError(value)),
            Err(TryAcquireError::Closed) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    /// The value; if there is none, `f` makes it, unless somebody else is doing that already.
    ///
    /// # Cancel safety
    /// If the future is dropped while it makes the value, the next one that waits makes it instead.
    ///
    /// # Examples
    /// ```
    /// # use plock::tokio::sync::OnceCell;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let cell = OnceCell::new();
    /// assert_eq!(*cell.get_or_init(|| async { 1 }).await, 1);
    /// assert_eq!(*cell.get_or_init(|| async { 2 }).await, 1);
    /// # }
    /// ```
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let site = Location::caller();
        async move {
            if let Some(value) = self.get() {
                return value;
            }
            match self.value_or_right(site).await {
                Ok(value) => value,
                Err(making) => making.finish(f().await),
            }
        }
    }

    /// As [`get_or_init`](Self::get_or_init) with a function that can fail.
    ///
    /// # Cancel safety
    /// As for [`get_or_init`](Self::get_or_init).
    ///
    /// # Errors
    /// That of `f`; the next one that waits then tries with its own.
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let site = Location::caller();
        async move {
            if let Some(value) = self.get() {
                return Ok(value);
            }
            match self.value_or_right(site).await {
                Ok(value) => Ok(value),
                Err(making) => Ok(making.finish(f().await?)),
            }
        }
    }

    /// The value, if it was there.
    pub fn into_inner(self) -> Option<T> {
        self.cell.into_inner()
    }

    /// Takes the value out; the cell is empty then.
    pub fn take(&mut self) -> Option<T> {
        self.queue = Semaphore::const_new(1);
        self.cell.take()
    }

    const fn asked(&self, site: &'static Location<'static>) -> Asked<'_> {
        Asked { lock: &self.lock, share: Share::EXCLUSIVE, site }
    }

    /// Waits for the value; `Err` is the right to make it.
    async fn value_or_right(&self, site: &'static Location<'static>) -> Result<&T, Making<'_, T>> {
        match self.asked(site).wait(Then::Hold, Right(&self.queue)).await {
            Ok(((), hold)) => Err(Making { cell: self, hold }),
            Err(_) => Ok(self.made()),
        }
    }

    /// The value, once the queue is closed.
    fn made(&self) -> &T {
        match self.get() {
            Some(value) => value,
            None => unreachable!("the queue is closed after the value was put in"),
        }
    }
}

impl<'a, T> Making<'a, T> {
    fn finish(mut self, value: T) -> &'a T {
        let cell = self.cell;
        let set = cell.cell.set(value);
        debug_assert!(set.is_ok(), "whoever sets it has the right to");
        self.end(Semaphore::close);
        cell.made()
    }

    /// Ends the hold around `unlock`.
    fn end(&mut self, unlock: impl FnOnce(&Semaphore)) {
        let cell = self.cell;
        self.hold.release::<TokioTasks>(&cell.lock, Share::EXCLUSIVE, |releasing| {
            releasing.during(|| unlock(&cell.queue));
        });
    }
}

impl<T> Drop for Making<'_, T> {
    fn drop(&mut self) {
        if !self.cell.initialized() {
            self.end(|queue| queue.add_permits(1));
        }
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    /// As tokio's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cell.fmt(f)
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    /// A cell of the same name, with a clone of the value if it is there.
    fn clone(&self) -> Self {
        Self::with(self.lock.another(), self.cell.clone())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cell == other.cell
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}
