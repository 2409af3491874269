//! What is made once, by one of the threads that ask for it: a type of the standard library's for the
//! value, behind the right to make it.
//!
//! # Protocol
//! | who | finds | does |
//! |---|---|---|
//! | anybody | it is made | nothing is waited for or recorded |
//! | one who makes | the right is free | takes it: from now on it is the holder, and goes to the inner type |
//! | one who makes | it is poisoned | takes the right without a hold, and the inner type panics |
//! | the holder | | gives the right back, poisoned if there is no value; all that wait look again |
//! | anybody | the right is taken, or it only waits | waits until it is made, the right is free or poisoned |
//!
//! The inner type waits in a queue of its own, which tells nobody when it begins to run and cannot be
//! tried. Everybody passes the right first, so the inner one never makes anybody wait, and who is
//! first here is who makes it. Value and poison are the inner type's; it publishes them. The right is
//! under a mutex, held for a look only, and needs no ordering of its own.

use crate::runtime::Tasks;
use plock_core::{Hold, Lock, Mode, Outcome, Share, Start, ThreadWait};
use std::panic::Location;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A type of the standard library's that is made once.
pub(super) trait Made {
    /// Whether a panic while it is made is remembered.
    const POISONS: bool;

    fn is_made(&self) -> bool;
}

/// Such a type behind the right to make it.
pub(super) struct Timed<M> {
    pub(super) lock: Lock,
    pub(super) inner: M,
    right: Mutex<Right>,
    /// It is made, or the right has come back.
    changed: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Right {
    Free,
    Taken,
    Poisoned,
}

/// What somebody asks for.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    /// To make it, or only that it is made.
    pub(super) makes: bool,
    /// Poisoned or not.
    pub(super) forces: bool,
}

/// How an attempt ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Made,
    /// It is to make it.
    Ours,
    /// It is poisoned.
    Refused,
}

/// The right to make it, which is given back when this is dropped; or nothing, if it is made.
#[must_use]
pub(super) struct Making<'a, M: Made> {
    timed: &'a Timed<M>,
    has_right: bool,
    hold: Hold,
}

impl<M> Timed<M> {
    pub(super) const fn new(lock: Lock, inner: M) -> Self {
        Self { lock, inner, right: Mutex::new(Right::Free), changed: Condvar::new() }
    }

    pub(super) fn is_poisoned(&self) -> bool {
        *self.right() == Right::Poisoned
    }

    /// Nothing under this mutex panics.
    fn right(&self) -> MutexGuard<'_, Right> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Made> Timed<M> {
    /// Waits until it is made, or until it is up to this thread to go to the inner type.
    #[cold]
    pub(super) fn ask(&self, ask: Ask, site: &'static Location<'static>) -> Making<'_, M> {
        let start = Start::now();
        let tried = self.look(&mut self.right(), ask);
        let (turn, hold) = match tried {
            Some(turn) => (turn, self.at_once(turn, start, site)),
            None => self.wait(ask, start, site),
        };
        Making { timed: self, has_right: ask.makes && turn != Turn::Made, hold }
    }

    /// Takes the right, if that is asked for and can be had.
    fn look(&self, right: &mut Right, ask: Ask) -> Option<Turn> {
        if self.inner.is_made() {
            return Some(Turn::Made);
        }
        let turn = match *right {
            Right::Poisoned if !ask.forces => Turn::Refused,
            Right::Free | Right::Poisoned if ask.makes => Turn::Ours,
            _ => return None,
        };
        if ask.makes {
            *right = Right::Taken;
        }
        Some(turn)
    }

    fn at_once(&self, turn: Turn, start: Start, site: &'static Location<'static>) -> Hold {
        match turn {
            Turn::Made => return Hold::default(),
            Turn::Ours => {}
            Turn::Refused => {
                self.lock.failed(start, Mode::Exclusive, Outcome::Poisoned);
                return Hold::default();
            }
        }
        self.lock.acquired_by_thread::<Tasks>(start, Mode::Exclusive, site)
    }

    fn wait(&self, ask: Ask, start: Start, site: &'static Location<'static>) -> (Turn, Hold) {
        let wait = ThreadWait::begin::<Tasks>(&self.lock, start, Mode::Exclusive, site);
        let Some(wait) = wait else { return (self.block(ask), Hold::default()) };
        let tried = self.look(&mut self.right(), ask);
        if let Some(turn) = tried {
            wait.withdrawn();
            return (turn, self.at_once(turn, start, site));
        }
        wait.blocks();
        let turn = self.block(ask);
        match turn {
            Turn::Made => wait.served::<Tasks>(),
            Turn::Ours => return (turn, wait.claimed::<Tasks>(site)),
            Turn::Refused => wait.failed(Outcome::Poisoned),
        }
        (turn, Hold::default())
    }

    fn block(&self, ask: Ask) -> Turn {
        let mut right = self.right();
        loop {
            if let Some(turn) = self.look(&mut right, ask) {
                return turn;
            }
            right = self.changed.wait(right).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<M: Made> Making<'_, M> {
    /// The inner type says that it is poisoned, and is made nevertheless.
    pub(super) fn found_poisoned(&self) {
        if self.hold.is_recorded() {
            self.timed.lock.poisoned(Mode::Exclusive);
        }
    }
}

impl<M: Made> Drop for Making<'_, M> {
    fn drop(&mut self) {
        if !self.has_right {
            return;
        }
        let Timed { lock, inner, changed, .. } = self.timed;
        let poisons = M::POISONS && !inner.is_made();
        self.hold.release::<Tasks>(lock, Share::EXCLUSIVE, |releasing| {
            releasing.mark(lock);
            *self.timed.right() = if poisons { Right::Poisoned } else { Right::Free };
            changed.notify_all();
            if poisons {
                releasing.poisoned(lock, Mode::Exclusive);
            }
        });
    }
}
