//! The front of a fair queue of permits: one word that is the whole truth while nobody queues.
//!
//! A queue that is fair has to look at its waiters at every release, which costs it a mutex. While
//! nobody waits that is for nothing: taking permits and giving them back is then one atomic step
//! each, on this word. The first attempt that has to wait moves what is free behind, into the queue,
//! and from there on the queue alone decides who is next.
//!
//! # Protocol
//! The word says whether the lock is *open* (free permits are in front, nobody queues) or *behind*,
//! and how many have joined: attempts from before they queue until after they have left the queue,
//! and whoever adds permits to it meanwhile.
//!
//! | event | open, `free` in front | behind, `joined` |
//! |---|---|---|
//! | take `n` | `free - n`, or too few | ask the queue |
//! | give `n` | `free + n` | join, add `n` to the queue, leave |
//! | give the whole lock | `free + n` | nobody has joined: open with `n`; else add it to the queue |
//! | join, to queue | behind, 1 has joined, and adds `free` to the queue | `joined + 1` |
//! | leave with permits | - | the last, and the queue is drained: open with none; else `joined - 1` |
//! | leave without | - | `joined - 1` |
//! | close | behind for good, `free` goes to the queue | behind for good |
//!
//! - (F1) While it is open nobody is in the queue, because one joins before one queues and leaves
//!   after. So nobody is overtaken: whoever takes in front does so while nobody waits.
//! - (F2) While it is open the queue has no permits. It opens when the last one leaves with permits
//!   and has found the queue drained: nobody then holds the whole lock, so whoever adds permits
//!   joins, and joining to add changes the word for good (`ROUND`). Or whoever has the whole lock
//!   opens it, and then there are no other permits.
//! - (F3) A try that asks the queue because it saw *behind* may find it opened by then: the queue
//!   has nothing and says so. At the opening there was nothing to be had.
//!
//! # Ordering
//! A take that succeeds is `Acquire` and pairs with the `Release` of a give: the section before is
//! seen by the one after. Permits that move behind were taken with `Acquire` and are given to the
//! queue by the same thread, which carries the chain on. Everything else is decided by the order of
//! changes to the one word. Models: `front_hands_over`, `front_opens_drained`.

use crate::sync::{AtomicU64, Ordering};

/// Permits are behind, in the queue.
const BEHIND: u64 = 1;
/// They stay there.
const CLOSED: u64 = 1 << 1;
/// One free permit in front.
const FREE: u64 = 1 << 2;
/// Behind, where none are in front, the same bits count (around) how often permits were added.
const ROUND: u64 = FREE;
/// One that has joined.
const JOINED: u64 = 1 << 32;

/// More free permits than this do not fit in front.
const MAX_FREE: usize = (1 << 30) - 1;
const _: () = assert!(MAX_FREE as u64 == JOINED / FREE - 1, "all bits between flags and count");

/// The front of one queue.
#[derive(Debug)]
pub struct Front(AtomicU64);

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The permits are taken.
    Taken,
    /// There are too few.
    Short,
    /// The queue has to be asked.
    Behind,
}

/// A value of the word.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Word(u64);

impl Word {
    const fn is_open(self) -> bool {
        self.0 & BEHIND == 0
    }

    const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    const fn joined(self) -> u64 {
        self.0 / JOINED
    }

    /// Free permits in front.
    const fn free(self) -> usize {
        if self.is_open() { (self.0 / FREE) as usize } else { 0 }
    }

    /// One more has joined.
    const fn join(self) -> Self {
        Self(if self.is_open() { BEHIND | JOINED } else { self.0 + JOINED })
    }

    /// Behind, permits are about to be added: not the word that anybody has seen before.
    const fn turn(self) -> Self {
        let rounds = JOINED - ROUND;
        Self(self.0 & !rounds | (self.0 + ROUND) & rounds)
    }

    const fn close(self) -> Self {
        let behind = if self.is_open() { BEHIND } else { self.0 };
        Self(behind | CLOSED)
    }
}

impl Front {
    /// A front with so many free permits, or `None` if they have to be in the queue.
    #[must_use]
    #[cfg(not(loom))]
    pub const fn open(permits: usize) -> Option<Self> {
        if permits > MAX_FREE {
            return None;
        }
        Some(Self(AtomicU64::new(permits as u64 * FREE)))
    }

    /// As the constant one; a modelled word is no constant.
    #[cfg(loom)]
    pub fn open(permits: usize) -> Option<Self> {
        (permits <= MAX_FREE).then(|| Self(AtomicU64::new(permits as u64 * FREE)))
    }

    /// A front that leaves everything to the queue.
    #[must_use]
    #[cfg(not(loom))]
    pub const fn closed() -> Self {
        Self(AtomicU64::new(BEHIND | CLOSED))
    }

    /// Takes `n` permits if so many are free in front.
    #[inline(always)]
    pub fn take(&self, n: u32) -> Take {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if !Word(word).is_open() {
                return Take::Behind;
            }
            let Some(left) = word.checked_sub(u64::from(n) * FREE) else { return Take::Short };
            // ORDERING: Acquire pairs with Release in `give`.
            match self.0.compare_exchange_weak(word, left, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Take::Taken,
                Err(now) => word = now,
            }
        }
    }

    /// Gives `n` permits back: in front, or by `add`, which adds permits to the queue and so may wake
    /// waiters. `whole` says that they are all that this lock has.
    #[inline(always)]
    pub fn give(&self, n: usize, whole: impl Fn() -> bool, add: impl Fn(usize)) {
        if !self.give_in_front(n) {
            self.give_behind(n, whole(), add);
        }
    }

    #[inline(always)]
    fn give_in_front(&self, n: usize) -> bool {
        let mut word = self.0.load(Ordering::Relaxed);
        while Word(word).is_open() && n <= MAX_FREE && word + n as u64 * FREE < JOINED {
            let more = word + n as u64 * FREE;
            // ORDERING: Release pairs with Acquire in `take` and `change`.
            match self.0.compare_exchange_weak(word, more, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    #[cold]
    #[inline(never)]
    fn give_behind(&self, n: usize, whole: bool, add: impl Fn(usize)) {
        if whole {
            if !self.reopen_with(n) {
                add(n);
            }
            return;
        }
        let moved = self.change(|word| word.join().turn());
        if moved > 0 {
            add(moved);
        }
        add(n);
        self.leave();
    }

    /// The whole lock is given back, and nobody has joined.
    fn reopen_with(&self, n: usize) -> bool {
        let mut word = self.0.load(Ordering::Relaxed);
        while Word(word).joined() == 0 && !Word(word).is_closed() {
            let open = n as u64 * FREE;
            // ORDERING: Release pairs with Acquire in `take` and `change`.
            match self.0.compare_exchange_weak(word, open, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// An attempt is about to queue. What is free goes to the queue, by `add`.
    pub fn join(&self, add: impl Fn(usize)) {
        let moved = self.change(Word::join);
        if moved > 0 {
            add(moved);
        }
    }

    /// The queue is about to be closed; from here on it decides everything.
    pub fn close(&self, add: impl Fn(usize)) {
        let moved = self.change(Word::close);
        if moved > 0 {
            add(moved);
        }
    }

    /// Changes to a word that is behind; returns the permits that were in front.
    fn change(&self, next: impl Fn(Word) -> Word) -> usize {
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let next = next(Word(word)).0;
            // ORDERING: Acquire pairs with Release in `give`, for the permits that move.
            match self.0.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Word(word).free(),
                Err(now) => word = now,
            }
        }
    }

    /// An attempt has left the queue without permits.
    pub fn leave(&self) {
        // ORDERING: Release pairs with Acquire in `leave_with_permits`: what was added is seen.
        self.0.fetch_sub(JOINED, Ordering::Release);
    }

    /// An attempt has left the queue with permits; `drained` says whether the queue has none.
    pub fn leave_with_permits(&self, drained: impl Fn() -> bool) {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let last = Word(word).joined() == 1 && !Word(word).is_closed();
            let next = if last && drained() { 0 } else { word - JOINED };
            // ORDERING: Acquire pairs with Release in `leave`: what `drained` reads is no older than
            // the word. Release carries on what others left in it.
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// How many permits are free, or `None` if the queue has to be asked.
    pub fn free(&self) -> Option<usize> {
        let word = Word(self.0.load(Ordering::Acquire));
        word.is_open().then(|| word.free())
    }

    /// Takes up to `n` free permits away for good and says how many, or `None` if the queue has to.
    pub fn forget(&self, n: usize) -> Option<usize> {
        let mut word = self.0.load(Ordering::Relaxed);
        while Word(word).is_open() {
            let gone = n.min(Word(word).free());
            let left = word - gone as u64 * FREE;
            match self.0.compare_exchange_weak(word, left, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(gone),
                Err(now) => word = now,
            }
        }
        None
    }
}
