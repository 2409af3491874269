//! An attempt in a queue that is not ours: a pool of connections, a channel. It polls the future of that
//! queue with a waker of its own, which learns the moment of the hand-over and the releaser while the task
//! has not even been polled yet; see [`crate::release`].
//!
//! | state | event | next | accounted |
//! |---|---|---|---|
//! | begun | inner future ready at once | acquired | as uncontended |
//! | begun | inner future pending | blocked | cause at block |
//! | blocked | inner future ready | acquired | wait, phases, blame |
//! | blocked | inner future failed | failed | wait, nobody blamed |
//! | blocked | dropped | abandoned (before or after the grant) | wait, wasted hand-over |
//!
//! It has a place in the queue of the lock's record as well, so that others see it wait, with nobody to
//! serve it from there.

use crate::cause::Blocked;
use crate::current::Runtime;
use crate::grant::{Granted, Releaser};
use crate::hold::Hold;
use crate::lock::{Lock, Start};
use crate::over::{KeepsTask, Over, waiter};
use crate::owner::idle_of;
use crate::share::Share;
use crate::sync::Mutex;
use crate::wait::Wait;
use crate::wake::{News, Woken};
use crate::{Kind, Outcome, clock, loss, release};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// An attempt to get something that is handed out elsewhere. Made after a failed try; ends in
/// [`claimed`](Self::claimed), [`failed`](Self::failed) or [`abandon`](Self::abandon).
#[derive(Debug)]
pub struct Foreign {
    tag: Arc<Tag>,
    waker: Waker,
    pub(crate) share: Share,
    ticket: u64,
    /// Whether it has been pending.
    pub(crate) is_blocked: bool,
    polls: u32,
    /// When a poll first found the cooperative budget spent after the hand-over, 0 = never.
    deferred_at: u64,
    _task: KeepsTask,
}

/// What the waker knows. It can outlive the future, hence an `Arc`.
#[derive(Debug)]
struct Tag {
    wait: Arc<Wait>,
    /// Identity of the lock (its address; only compared).
    lock: usize,
    kind: Kind,
    series: u32,
    /// The waker of whoever polls the attempt. A wake uses it up, as it does that of the bare queue:
    /// what hangs on it may have to be dropped then. Its mutex orders the wakes.
    outer: Mutex<Option<Waker>>,
}

impl Foreign {
    /// An attempt on `lock`. `free` is how much is free now. `in_queue` is false if only the cooperative
    /// budget stands between the attempt and what is free. `outer` is the waker of whoever polls it
    /// first. `None` if recording was off at the start.
    #[must_use]
    pub fn begin<R: Runtime>(
        lock: &Lock,
        start: Start,
        share: Share,
        free: usize,
        in_queue: bool,
        site: &'static Location<'static>,
        outer: &Waker,
    ) -> Option<Self> {
        let began = loss::overhead_began();
        let waiter = waiter::<R>(start, site)?;
        let task = KeepsTask::of(Some(&waiter));
        let mut wait = Wait::new(share, u64::from(share.weight()), Some(waiter));
        let (mut ticket, outer) = (0, outer.clone());
        let wait = if in_queue {
            let record = lock.record_or_new();
            let mut queue = record.queue();
            if lock.kind() == Kind::Pool {
                queue.free = free as u64; // it says so itself; what is given back is on its way
            }
            let _holders = wait.look(lock, record, &queue, free as u64);
            let wait = Arc::new(wait);
            ticket = queue.enter(Arc::clone(&wait), None, free as u64);
            record.note_waiting(&queue);
            wait
        } else {
            wait.seen = Some(Blocked::by_budget(free as u64));
            Arc::new(wait)
        };
        let (kind, series) = (lock.kind(), lock.series(share.mode()));
        let tag = Tag { wait, lock: lock.id(), kind, series, outer: Mutex::new(Some(outer)) };
        let tag = Arc::new(tag);
        let waker = Waker::from(Arc::clone(&tag));
        loss::overhead_ended(began);
        let (is_blocked, polls, deferred_at) = (false, 0, 0);
        Some(Self { tag, waker, share, ticket, is_blocked, polls, deferred_at, _task: task })
    }

    /// Polls the future of the queue. `budget_spent` says whether the task's cooperative budget is used
    /// up at this moment.
    pub fn poll<F: Future>(
        &mut self,
        future: Pin<&mut F>,
        budget_spent: bool,
        cx: &Context<'_>,
    ) -> Poll<F::Output> {
        self.polls += 1;
        if self.polls > 1 {
            self.tag.register(cx.waker());
        }
        let poll = future.poll(&mut Context::from_waker(&self.waker));
        if poll.is_ready() {
            return poll;
        }
        if !self.is_blocked {
            self.is_blocked = true;
            if let Some(waiter) = &self.tag.wait.waiter {
                if self.ticket == 0 {
                    waiter.owner.expect_slow();
                } else {
                    waiter.blocks_owner(self.tag.kind, self.tag.series);
                }
            }
        } else if budget_spent && self.deferred_at == 0 && self.tag.wait.is_granted() {
            self.deferred_at = clock::now();
        }
        poll
    }

    /// It is ours: a guard is about to be returned. This ends the attempt.
    pub fn claimed<R: Runtime>(&self, lock: &Lock, site: &'static Location<'static>) -> Hold {
        match self.over(lock) {
            Some(over) if self.is_blocked => over.claimed::<R>(self.share, site),
            Some(over) => {
                // Free between the try and the queue: as good as uncontended.
                self.leave(lock);
                lock.acquired::<R>(Start::at(over.waiter.since), self.share, site)
            }
            None => Hold::default(),
        }
    }

    /// The queue returned an error. This ends the attempt.
    pub fn failed(&self, lock: &Lock, outcome: Outcome) {
        self.leave(lock);
        if let Some(over) = self.over(lock) {
            if self.is_blocked { over.failed(outcome) } else { over.never_waited(outcome) }
        }
    }

    /// The future is being dropped; `drop_inner` drops that of the queue, which may hand on what it has
    /// got to the next in line. This ends the attempt.
    pub fn abandon(&self, lock: &Lock, drop_inner: impl FnOnce()) {
        self.leave(lock);
        let by = self.tag.wait.waiter.as_ref().and_then(Releaser::of_waiter);
        release::give_up(lock.id(), by, drop_inner);
        // From here on nobody can hand it over any more.
        if let Some(over) = self.over(lock) {
            if self.is_blocked {
                over.abandoned(clock::now());
            } else {
                over.never_waited(Outcome::Abandoned);
            }
        }
    }

    pub(crate) fn leave(&self, lock: &Lock) {
        let Some(record) = lock.record().filter(|_| self.ticket != 0) else { return };
        let mut queue = record.queue();
        let _unserved = queue.leave(self.ticket);
        record.note_waiting(&queue);
    }

    pub(crate) fn over<'a>(&'a self, lock: &'a Lock) -> Option<Over<'a>> {
        let Self { ticket, polls, deferred_at, .. } = *self;
        let wait = &*self.tag.wait;
        let waiter = wait.waiter.as_ref()?;
        Some(Over { lock, wait, waiter, ticket, polls, deferred_at })
    }
}

impl Tag {
    /// From here on `outer` is woken. Before an inner poll that may find nothing: a wake in between
    /// must find the present waker.
    fn register(&self, outer: &Waker) {
        let fresh = outer.clone(); // foreign code, like the drop of the old one: outside the mutex
        let old = self.outer.lock().unwrap_or_else(PoisonError::into_inner).replace(fresh);
        drop(old);
    }

    /// Notes the hand-over, if the release around this wake is one. Says when it was, 0 = it is none.
    fn note(&self) -> u64 {
        let Some(releasing) = release::current(self.lock) else { return 0 };
        let at = releasing.moment();
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wait.grant.end().is_none() {
            let own_poll = self.wait.waiter.as_ref().map_or(0, |waiter| waiter.own_poll());
            let granted = Granted::here(at, releasing.end(), releasing.releaser());
            self.wait.grant.set(&Granted { own_poll, ..granted });
        }
        drop(outer);
        at
    }
}

impl Wake for Tag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let at = self.note();
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut woken = Woken::nobody();
        outer.into_iter().for_each(|outer| woken.push(outer));
        woken.wake(News { kind: idle_of(self.kind), at });
    }
}
