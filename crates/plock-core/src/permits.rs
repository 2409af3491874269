//! A fair queue of permits, which is what every lock here is made of: a mutex is one permit, a write
//! lock is all of them. First come, first served; nobody is overtaken.
//!
//! While nobody queues, the permits are one word, and taking and giving them is one atomic step each.
//! Who finds too few of them takes what is there, and a place in the [`Queue`](crate::queue) of the
//! lock's record. From then on whoever gives permits gives them to those who queue, under the mutex of
//! that queue, and writes down there what the figures need: when and by whom the lock was handed over,
//! and whom it had kept waiting. So a wait that is recorded takes no mutex more than one that is not.
//!
//! # Protocol
//! The word has the free permits and two flags: somebody is *queued* that has not been served, and the
//! lock is *closed*.
//!
//! | event | nobody queued, `free` | queued | closed |
//! |---|---|---|---|
//! | take `n` | `free - n`, or too few | too few | fails |
//! | give `n` | `free + n` | serves whom it is enough for, in order; what is left when the queue is empty becomes `free`, nobody queued | as before, `free + n` |
//! | join, to wait for `n` | `n` are free by now: takes them; else keeps `free`, queued, 0 free | queued | fails |
//! | the last unserved one leaves | - | nobody queued, `free` is what it had kept | |
//! | close | closed | closed, all that queue are woken and fail | closed |
//!
//! - (P1) While somebody is queued no permit is free: what there was has been kept for the first, and
//!   what comes goes to it. So a take cannot overtake anybody.
//! - (P2) Only who has the queue's mutex changes a word that says queued, but for the flag closed.
//! - (P3) Who is served never touches the queue's word again: the permits are its own from then on.
//!
//! # Ordering
//! A take that succeeds is `Acquire` and pairs with the `Release` of a give: the section before is seen
//! by the one after. Permits that go through the queue are ordered by its mutex, and to the one that is
//! served by its [`Grant`](crate::grant). A give that sees queued takes the mutex under which that was
//! set, and so finds who queues. Models: `loom_permits`.
//!
//! # Why not a queue that exists
//! A wrapper around another queue has to keep a second one in step with it, with mutexes, counts and a
//! waker of its own per attempt: a wait took half as long again, and two allocations instead of one.

mod word;

use crate::current::Runtime;
use crate::grant::Granted;
use crate::hold::Hold;
use crate::lock::Lock;
use crate::owner::idle_of;
use crate::queue::Queue;
use crate::record::Record;
use crate::share::Share;
use crate::sync::MutexGuard;
use crate::wake::{News, Woken};
use crate::{EndCause, clock};
pub(crate) use word::Join;
use word::Word;

/// The greatest number of permits.
pub const MAX_PERMITS: u64 = usize::MAX as u64 >> 3;

/// A lock, as a number of permits that are handed out first come, first served.
#[derive(Debug)]
#[repr(C)] // the word beside that of the holder: both are written at each acquisition and release
pub struct Permits {
    lock: Lock,
    word: Word,
}

/// There would have been more than [`MAX_PERMITS`]; nothing was added.
#[derive(Clone, Copy, Debug)]
pub struct TooMany;

impl Permits {
    /// So many free permits of `lock`, at most [`MAX_PERMITS`].
    #[must_use]
    pub const fn new(lock: Lock, permits: u64) -> Self {
        Self { lock, word: Word::new(permits) }
    }

    /// The lock they are the permits of.
    #[inline]
    #[must_use]
    pub const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Takes `n` permits if so many are free, nobody is first, and the lock is open.
    #[inline(always)]
    pub fn take(&self, n: u32) -> bool {
        self.word.take(n)
    }

    /// Takes the whole of a lock that is made of `n` permits, if it is free.
    #[inline(always)]
    pub fn take_whole(&self, n: u32) -> bool {
        self.word.take_whole(n)
    }

    /// Gives `n` permits back and ends their hold: first they are free, then the accounts are made.
    #[inline(always)] // the guard's two words stay in registers
    pub fn release<R: Runtime>(&self, hold: &mut Hold, share: Share, n: u64) {
        match hold.at.take() {
            Some(at) => at.give_back::<R>(self, share, n),
            None if self.give(n) => {}
            None => self.give_unheld(n),
        }
    }

    /// A writer becomes a reader: `n` permits go back, its hold goes on.
    pub fn downgrade<R: Runtime>(&self, hold: &mut Hold, n: u64) {
        hold.downgrade::<R, _>(&self.lock, |releasing| {
            if !self.give(n) {
                let (at, end) = (releasing.moment(), releasing.end());
                self.give_to(n, Granted::here(at, end, releasing.releaser()));
            }
        });
    }

    /// Adds `n` permits from outside.
    ///
    /// # Errors
    /// If there are too many then.
    pub fn add(&self, n: u64) -> Result<(), TooMany> {
        if self.word.give(n) { Ok(()) } else { self.hand_over_unheld(n) }
    }

    /// Gives `n` permits back, unless somebody queues for them.
    #[inline(always)]
    pub(crate) fn give(&self, n: u64) -> bool {
        self.word.give(n)
    }

    /// Gives back all `n` permits that the lock is made of, unless somebody queues or it is closed.
    #[inline(always)]
    pub(crate) fn give_whole(&self, n: u64) -> bool {
        self.word.give_whole(n)
    }

    /// Gives `n` permits back, to whoever queues for them if anybody does.
    pub(crate) fn give_on(&self, n: u64, granted: Granted) {
        if !self.give(n) {
            self.give_to(n, granted);
        }
    }

    /// Gives `n` permits back to whoever queues for them.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_to(&self, n: u64, granted: Granted) {
        let record = self.lock.record_or_new();
        self.hand_back(record, record.queue(), n, granted);
    }

    /// Takes up to `n` free permits away for good, and says how many.
    pub fn forget(&self, n: u64) -> u64 {
        self.word.forget(n)
    }

    /// How many are free now.
    #[must_use]
    pub fn available(&self) -> u64 {
        self.word.free()
    }

    /// Whether [`close`](Self::close) was called.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.word.is_closed()
    }

    /// Hands out nothing any more; everybody who queues is told.
    pub fn close(&self) {
        if !self.word.close() {
            return;
        }
        let Some(record) = self.lock.record() else { return }; // nobody is queued without
        let closed = Granted::here(clock::now(), EndCause::Closed, None);
        loop {
            let mut queue = record.queue();
            let mut woken = Woken::nobody();
            let all = queue.serve_all(&closed, &mut woken);
            if all {
                let _fits = self.word.put(0, false);
            }
            drop(queue);
            woken.wake(self.news(&closed));
            if all {
                return;
            }
        }
    }

    /// Joins the queue for `n` permits, unless so many are free by now. The caller has the queue's
    /// mutex and enters it then.
    pub(crate) fn join(&self, n: u64, _queue: &Queue) -> Join {
        self.word.take_or_queue(n)
    }

    /// Gives `n` permits to those who queue, what is left to whoever comes, and wakes whom it has
    /// served. Consumes the guard of the queue: nobody is woken under its mutex.
    fn hand_over<'a>(
        &self,
        record: &'a Record,
        mut queue: MutexGuard<'a, Queue>,
        mut n: u64,
        granted: Granted,
    ) -> Result<(), TooMany> {
        loop {
            let mut woken = Woken::nobody();
            let all = queue.serve(&mut n, &granted, &mut woken);
            // Somebody is queued and nothing is left: the word says so already.
            let is_settled = !all || n == 0 && queue.is_anybody_unserved();
            let fits =
                if is_settled { Ok(()) } else { self.word.put(n, queue.is_anybody_unserved()) };
            drop(queue);
            woken.wake(self.news(&granted));
            if all {
                return fits;
            }
            queue = record.queue();
        }
    }

    /// What those that it wakes are told.
    fn news(&self, granted: &Granted) -> News {
        News { kind: idle_of(self.lock.kind()), at: granted.at }
    }

    /// Gives `n` permits back that were taken while recording was off, to those that queue for them.
    #[cold]
    #[inline(never)]
    fn give_unheld(&self, n: u64) {
        let record = self.lock.record_or_new();
        let queue = record.queue();
        let at = if queue.len() > 0 { clock::now() } else { 0 }; // nobody is told
        self.hand_back(record, queue, n, Granted::here(at, EndCause::Release, None));
    }

    /// As [`hand_over`](Self::hand_over), of permits that were taken before: they fit.
    pub(crate) fn hand_back<'a>(
        &self,
        record: &'a Record,
        queue: MutexGuard<'a, Queue>,
        n: u64,
        granted: Granted,
    ) {
        let _fits = self.hand_over(record, queue, n, granted);
    }

    #[cold]
    fn hand_over_unheld(&self, n: u64) -> Result<(), TooMany> {
        let record = self.lock.record_or_new();
        let mut queue = record.queue();
        queue.free += n;
        self.hand_over(record, queue, n, Granted::here(clock::now(), EndCause::External, None))
    }
}
