//! A thread that finds a lock taken looks again for a few microseconds before it queues. Most sections are
//! over by then, and the lock inside would look again itself. Whoever holds the lock need not know: it
//! finds nobody that waits, so it takes no mutex and charges nobody inside of its section.
//!
//! | state | event | next | accounted |
//! |---|---|---|---|
//! | begun | the lock is free | acquired | as uncontended: freed between the try and the look |
//! | begun | others queue, or the holder cannot let go | queues | - |
//! | begun | it is taken, and by whom cannot be seen | looks again, a few times | - |
//! | begun | the same, but now it is free | acquired | wait, charged to the hand-over: [later](crate::spun) |
//! | spins | another hold is seen | spins | the one before is charged up to here |
//! | spins | the lock is free | acquired | wait, blame: [later](crate::spun) |
//! | spins | it has looked often enough | queues | what was charged so far is part of the wait |
//!
//! # How exact
//! The length of the wait is. Whom it is charged to is what the looks saw, some tens of nanoseconds apart:
//! the charges sum to the wait, and what is shorter than the time between two looks may be charged to its
//! neighbour. Of sections shorter than the way of a cache line from one processor to the other, 0.1 us,
//! hardly any is seen: waits for these are charged to the hand-over. Nobody is named as the releaser: of such a wait it is
//! [`EndCause::Raced`](crate::EndCause::Raced). The scope that kept
//! it waiting is told by the waiter, who comes too late if that scope has ended in the meantime.

use crate::blame::{self, Few};
use crate::cause::Blocked;
use crate::current::Runtime;
use crate::hold::Hold;
use crate::lock::{Lock, Start};
use crate::name::Label;
use crate::over::{KeepsTask, waiter};
use crate::owner::OwnerCell;
use crate::queue::{Charge, Queue};
use crate::record::{Holder, look_up};
use crate::share::Share;
use crate::spun::{By, Spun};
use crate::thread_wait::{ThreadWait, thread_number};
use crate::wait::Wait;
use crate::{BlockCause, Mode, cause, clock, over, thread};
use std::panic::Location;

/// How often: as often as the standard library's mutex does.
const LOOKS: u32 = 100;
/// How often at a lock whose holder is not to be seen. One that has just come or is about to go is seen
/// soon; readers, and who is not recorded, never are.
const BLIND: u32 = 16;

/// A thread's attempt at a lock that it found taken. Ends in [`claimed`](Self::claimed), or goes on as a
/// [`ThreadWait`](crate::ThreadWait).
#[derive(Debug)]
pub struct Spin<'a> {
    lock: &'a Lock,
    share: Share,
    wait: Wait,
    /// Whom it sees, and what those before are charged with.
    sight: Option<Sight>,
    /// Whether it was taken although nobody was seen.
    missed: bool,
    charged: Few,
    task: KeepsTask,
}

/// A hold as it is seen.
#[derive(Clone, Copy, Debug)]
struct Sight {
    key: u64,
    owner: &'static OwnerCell,
    generation: u32,
    label: Label,
    site: &'static Location<'static>,
    /// From when on it is charged.
    from: u64,
}

impl Sight {
    /// It has ended.
    fn ended(self, until: u64) -> (Charge, By) {
        let Self { owner, generation, label, site, from, .. } = self;
        let ns = until.saturating_sub(from);
        (Charge { label, ns, site }, By { owner, generation })
    }
}

impl<'a> Spin<'a> {
    /// An attempt at `lock`, which was found taken at `start`. `None` if recording was off then.
    #[must_use]
    #[cold]
    pub fn begin<R: Runtime>(
        lock: &'a Lock,
        start: Start,
        mode: Mode,
        site: &'static Location<'static>,
    ) -> Option<Self> {
        let waiter = waiter::<R>(start, site)?;
        let task = KeepsTask::of(Some(&waiter));
        lock.used_at(site);
        let share = Share::of_thread(mode, thread::state());
        let wait = Wait::new(share, 1, Some(waiter));
        Some(Self { lock, share, wait, sight: None, missed: false, charged: Few::new(), task })
    }

    /// Looks again, and tries the lock by `attempt` whenever it is free. `None`: it is time to queue.
    pub fn look<T>(&mut self, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        for look in 0..LOOKS {
            match self.lock.who() {
                0 => {
                    let got = attempt();
                    if got.is_some() {
                        return got;
                    }
                    self.missed |= self.sight.is_none();
                }
                key => self.see(key)?,
            }
            if self.sight.is_none() && look == BLIND {
                break;
            }
            std::hint::spin_loop();
        }
        None
    }

    /// Sees who has the lock by now; `None` if it is better to queue.
    fn see(&mut self, key: u64) -> Option<()> {
        let Some(known) = &self.sight else { return self.see_first(key) };
        if known.key == key {
            return Some(());
        }
        let now = clock::now().max(known.from);
        if let Some((next, _)) = self.sight_of(key, now) {
            self.charge(now);
            self.sight = Some(next);
        }
        Some(())
    }

    /// The first that is seen: if nobody queues, and it can be expected to let go soon.
    fn see_first(&mut self, key: u64) -> Option<()> {
        if self.lock.has_waiters() {
            return None;
        }
        let waiter = self.wait.waiter.as_ref()?;
        let Some((sight, holder)) = self.sight_of(key, waiter.since) else { return Some(()) };
        if holder.1.share.thread() == Some(thread_number()) {
            return None; // it is this thread
        }
        let nobody = Queue::default();
        let seen = cause::at_block(&self.wait, waiter.owner, &nobody, &[holder], 0);
        if seen.cause != BlockCause::HeldExclusive {
            return None;
        }
        self.wait.seen = Some(seen);
        self.sight = Some(sight);
        Some(())
    }

    /// The hold behind `key` if it goes on; charged from `from` on.
    fn sight_of(&self, key: u64, from: u64) -> Option<(Sight, Holder)> {
        let (cell, hold) = look_up(key)?;
        let (generation, site) = (cell.generation(), hold.site);
        let label = cell.label_at(site);
        let sight = Sight { key, owner: cell, generation, label, site, from };
        // If it goes on so does its owner, and all that was read is of that owner.
        (self.lock.who() == key).then_some((sight, (cell, hold)))
    }

    /// What is seen has ended: it is charged up to `until`.
    fn charge(&mut self, until: u64) {
        if let Some((charge, by)) = self.sight.take().map(|sight| sight.ended(until)) {
            blame::add(&mut self.charged, charge);
            by.tell(charge.ns);
        }
    }

    /// The lock is ours.
    pub fn claimed<R: Runtime>(mut self, site: &'static Location<'static>) -> Hold {
        let (lock, mode) = (self.lock, self.wait.mode);
        let Some(waiter) = self.wait.waiter else { return Hold::default() };
        let Some(seen) = self.wait.seen.or_else(|| self.missed.then_some(Blocked::BY_NOBODY))
        else {
            return lock.acquired_by_thread::<R>(Start::at(waiter.since), mode, site);
        };
        let now = clock::now();
        let hold = lock.acquired_by_thread::<R>(Start::at(now), mode, site);
        let until = over::until(waiter.since, now);
        let (charge, by) = match self.sight.take().map(|sight| sight.ended(until)) {
            Some((charge, by)) => (charge, Some(by)),
            None => {
                let ns = until - waiter.since;
                (Charge { label: Label::HAND_OVER, ns, site: waiter.site }, None)
            }
        };
        let (kind, series, share) = (lock.kind(), lock.series(mode), self.share);
        let spun = Spun { kind, series, share, waiter, seen, until, charge, by };
        if self.charged.is_empty() && spun.can_be_kept() {
            spun.keep();
            return hold;
        }
        if until == waiter.since {
            self.charged.clear(); // the clock jumped
        }
        blame::add(&mut self.charged, charge);
        spun.file(&self.charged);
        hold
    }

    /// It was not had by looking: takes a place in the queue.
    ///
    /// If a guard of this very thread is in the way, nobody can end the wait but a deadline: that is
    /// told here, before the thread blocks.
    #[must_use]
    pub fn queue(mut self) -> ThreadWait<'a> {
        if self.sight.as_ref().is_some_and(|seen| seen.key != self.lock.who()) {
            self.charge(clock::now());
        }
        let has_waited = self.wait.seen.is_some();
        self.wait.before = self.charged;
        ThreadWait::join(self.lock, self.wait, has_waited, self.task)
    }
}
