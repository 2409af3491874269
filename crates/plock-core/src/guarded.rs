//! A guard of a lock that is not ours and blocks threads, with its hold: dropping it ends the
//! publication, drops the guard, and then makes the accounts.
//!
//! The guard inside is taken out of a `ManuallyDrop`. An `Option` would do without unsafe code, but its
//! tag has to be kept, looked at again after the drop, and is reason enough for the compiler to make the
//! drop a function of its own that reads everything back from memory: 80 instructions more.

use crate::lock::Lock;
use crate::owner::HoldRef;
use crate::share::Share;
use crate::{Hold, Mode, Runtime};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::thread;

/// How a kind of guard holds its lock.
pub trait Guarding {
    /// Who runs tasks here.
    type Runtime: Runtime;
    /// How much of the lock it is.
    const SHARE: Share;
}

/// The guard `G` with its hold of the lock beside it.
#[derive(Debug)]
pub struct Guarded<'a, G, W: Guarding> {
    guard: ManuallyDrop<G>,
    hold: Hold,
    lock: &'a Lock,
    /// Whether the thread was panicking already: then the end of this guard poisons nothing.
    panicking: bool,
    how: PhantomData<fn() -> W>,
}

impl<'a, G, W: Guarding> Guarded<'a, G, W> {
    /// `guard` was got from the lock beside `lock`, and `hold` is what that recorded.
    #[inline(always)]
    pub fn new(lock: &'a Lock, guard: G, hold: Hold) -> Self {
        let guard = ManuallyDrop::new(guard);
        let panicking = hold.is_recorded() && thread::panicking(); // of no use else
        Self { guard, hold, lock, panicking, how: PhantomData }
    }

    /// Ends the hold and gives the guard away, for a call that lets others have the lock meanwhile.
    pub fn pause(self) -> (&'a Lock, G) {
        let (lock, guard, mut hold, _) = self.into_parts();
        hold.release_blocking::<W::Runtime>(lock, W::SHARE, || ());
        (lock, guard)
    }

    /// Makes it a guard of another kind without a release in between.
    pub fn downgrade<H, V: Guarding>(self, downgrade: impl FnOnce(G) -> H) -> Guarded<'a, H, V> {
        let (lock, guard, mut hold, panicking) = self.into_parts();
        let guard = hold.downgrade::<W::Runtime, _>(lock, |releasing| {
            releasing.mark(lock);
            downgrade(guard)
        });
        Guarded { guard: ManuallyDrop::new(guard), hold, lock, panicking, how: PhantomData }
    }

    fn into_parts(self) -> (&'a Lock, G, Hold, bool) {
        let mut this = ManuallyDrop::new(self);
        #[expect(unsafe_code, reason = "a type with a destructor is taken apart")]
        // SAFETY: `this` is never dropped nor used again, so the guard is taken once.
        let guard = unsafe { ManuallyDrop::take(&mut this.guard) };
        (this.lock, guard, this.hold.take(), this.panicking)
    }

    /// The guard inside.
    #[inline(always)]
    pub fn guard(&self) -> &G {
        &self.guard
    }

    /// The guard inside.
    #[inline(always)]
    pub fn guard_mut(&mut self) -> &mut G {
        &mut self.guard
    }
}

impl<G, W: Guarding> Drop for Guarded<'_, G, W> {
    /// All by value: a guard that nobody has borrowed never is in memory.
    #[inline(always)]
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "the guard is dropped between two parts of this")]
        // SAFETY: this is the destructor: it runs once, and nothing looks at the guard afterwards.
        let guard = unsafe { ManuallyDrop::take(&mut self.guard) };
        match self.hold.at {
            Some(at) => end::<G, W>(at, self.lock, guard, self.panicking),
            None => end_unrecorded(self.lock, guard),
        }
    }
}

/// Out of line as [`end`] is: with both in line the drop is so large that it becomes a function of its own,
/// which reads the guard from memory.
#[inline(never)]
fn end_unrecorded<G>(lock: &Lock, guard: G) {
    lock.let_go_unrecorded();
    drop(guard);
}

#[inline(never)]
fn end<G, W: Guarding>(at: HoldRef, lock: &Lock, guard: G, panicking: bool) {
    if thread::panicking() {
        return end_in_panic::<G, W>(at, lock, guard, panicking);
    }
    at.end_blocking::<W::Runtime>(lock, W::SHARE, move || drop(guard));
}

#[cold]
#[inline(never)]
fn end_in_panic<G, W: Guarding>(at: HoldRef, lock: &Lock, guard: G, panicking: bool) {
    let mode = W::SHARE.mode();
    at.end::<W::Runtime>(lock, W::SHARE, |releasing| {
        releasing.mark(lock);
        drop(guard);
        if mode == Mode::Exclusive && !panicking {
            releasing.poisoned(lock, mode);
        }
    });
}
