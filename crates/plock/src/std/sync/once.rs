//! What is done once.

use super::making::{Ask, Made, Timed};
use plock_core::{Kind, Lock};
use std::fmt;
use std::panic::Location;
use std::sync::{self, OnceState};

/// A call that is made once, whoever asks for it first, and which records who made it, for how long,
/// and whom that kept waiting.
///
/// It has the complete interface of [`std::sync::Once`] and its behaviour, poisoning included: it is
/// that type inside.
///
/// # Telemetry
/// The call is a hold. Whoever asks meanwhile waits, and the wait is charged to the one that calls: it
/// is queue time until the call is over, and claim delay from then on. It counts as acquired and
/// holds nothing. One that finds a call that has panicked counts as `poisoned`; whose panic that was,
/// and a call that waits for itself, are told in [`Snapshot::findings`](crate::Snapshot::findings).
/// Asking for what has been done is not recorded.
///
/// # Overhead
/// None once it is done. Before: as of a [`Mutex`](super::Mutex), and one more lock for a moment.
///
/// # Examples
/// ```
/// use plock::std::sync::Once;
///
/// static SETUP: Once = Once::const_named("doc_std_setup");
/// let mut calls = 0;
/// SETUP.call_once(|| calls += 1);
/// SETUP.call_once(|| calls += 1);
/// assert_eq!((calls, SETUP.is_completed()), (1, true));
///
/// let snapshot = plock::snapshot();
/// let setup = snapshot.lock("doc_std_setup", plock::Mode::Exclusive).unwrap();
/// assert_eq!((setup.hold.count(), setup.outcome(plock::Outcome::Acquired)), (1, 1));
/// ```
pub struct Once(Timed<sync::Once>);

/// A call that has not been made.
#[deprecated(note = "use `Once::new()`")]
#[expect(clippy::declare_interior_mutable_const, reason = "the standard library has it")]
pub const ONCE_INIT: Once = Once::with(Lock::named_by_use(Kind::OnceCell));

impl Made for sync::Once {
    const POISONS: bool = true;

    fn is_made(&self) -> bool {
        self.is_completed()
    }
}

impl Once {
    /// Makes one whose call has not been made. Its figures are named by the module of the caller, and
    /// appear with the first call.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "the standard library has none")]
    pub const fn new() -> Self {
        Self::with(Lock::new(Kind::OnceCell, || "Once"))
    }

    /// As [`new`](Self::new), with a name for its figures; they are there from now on. Names behave
    /// as for [`Mutex::named`](super::Mutex::named).
    #[track_caller]
    pub fn named(name: &'static str) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name).registered())
    }

    /// As [`named`](Self::named), in a constant or a static; the figures appear with the first call.
    #[track_caller]
    pub const fn const_named(name: &'static str) -> Self {
        Self::with(Lock::named(Kind::OnceCell, name))
    }

    const fn with(lock: Lock) -> Self {
        Self(Timed::new(lock, sync::Once::new()))
    }

    /// Whether the call has been made and has returned.
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.0.inner.is_completed()
    }

    /// Calls `f`, unless a call has been made; blocks the thread while another one makes it.
    ///
    /// # Panics
    /// If `f` does, or an earlier one did. May panic, or never return, if `f` asks for the call itself, as
    /// the standard library's does.
    #[track_caller]
    #[inline]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        if self.is_completed() {
            return;
        }
        let making = self.0.ask(Ask { makes: true, forces: false }, Location::caller());
        self.0.inner.call_once(f);
        drop(making);
    }

    /// As [`call_once`](Self::call_once), also if an earlier call has panicked.
    ///
    /// # Panics
    /// If `f` does.
    ///
    /// # Examples
    /// ```
    /// # use plock::std::sync::Once;
    /// let once = Once::new();
    /// let panics = || once.call_once(|| panic!("no luck"));
    /// assert!(std::panic::catch_unwind(panics).is_err());
    /// once.call_once_force(|state| assert!(state.is_poisoned()));
    /// assert!(once.is_completed());
    /// ```
    #[track_caller]
    #[inline]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        if self.is_completed() {
            return;
        }
        let making = self.0.ask(Ask { makes: true, forces: true }, Location::caller());
        self.0.inner.call_once_force(|state| {
            if state.is_poisoned() {
                making.found_poisoned();
            }
            f(state);
        });
        drop(making);
    }

    /// Blocks the thread until the call has been made, whoever makes it.
    ///
    /// # Panics
    /// If a call has panicked.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_for(false, Location::caller());
        self.0.inner.wait();
    }

    /// As [`wait`](Self::wait), and if a call has panicked, until one does not.
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_for(true, Location::caller());
        self.0.inner.wait_force();
    }

    fn wait_for(&self, forces: bool, site: &'static Location<'static>) {
        if !self.is_completed() {
            drop(self.0.ask(Ask { makes: false, forces }, site));
        }
    }
}

impl fmt::Debug for Once {
    /// As the standard library's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.fmt(f)
    }
}
