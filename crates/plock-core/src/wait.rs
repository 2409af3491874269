//! One blocked attempt as others see it: shared by its future, the lock's queue and the waker it
//! gives to the wrapped lock. The waker can outlive the future, hence an `Arc`.

use crate::grant::{Grant, Granted};
use crate::name::Label;
use crate::owner::OwnerCell;
use crate::sync::Mutex;
use crate::{EndCause, Idle, Mode, Share, release, thread};
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};

#[derive(Debug)]
pub(crate) struct Wait {
    /// Identity of the lock (its address; only compared).
    pub(crate) lock: usize,
    /// When it blocked.
    pub(crate) since: u64,
    pub(crate) mode: Mode,
    pub(crate) need: u64,
    pub(crate) idle: Idle,
    pub(crate) owner: &'static OwnerCell,
    pub(crate) owner_generation: u32,
    pub(crate) label: Label,
    pub(crate) site: &'static Location<'static>,
    pub(crate) grant: Grant,
    /// Wakes that were no hand-over.
    untagged: AtomicU64,
    /// The waker of whoever polls the attempt. A wake uses it up, as it does that of the bare lock:
    /// what hangs on it may have to be dropped then.
    outer: Mutex<Option<Waker>>,
}

impl Wait {
    pub(crate) fn new(
        lock: usize,
        since: u64,
        share: Share,
        idle: Idle,
        owner: &'static OwnerCell,
        site: &'static Location<'static>,
        outer: &Waker,
    ) -> Arc<Self> {
        Arc::new(Self {
            lock,
            since,
            mode: share.mode(),
            need: u64::from(share.weight()),
            idle,
            owner,
            owner_generation: owner.generation(),
            label: owner.label_at(site),
            site,
            grant: Grant::new(),
            untagged: AtomicU64::new(0),
            outer: Mutex::new(Some(outer.clone())),
        })
    }

    /// From here on `outer` is woken. Before an inner poll that may find nothing: a wake in between
    /// must find the present waker.
    pub(crate) fn register(&self, outer: &Waker) {
        let fresh = outer.clone(); // foreign code, like the drop of the old one: outside the mutex
        let old = self.outer.lock().unwrap_or_else(PoisonError::into_inner).replace(fresh);
        drop(old);
    }

    /// Runs inside the release of whoever wakes us: atomics and one clock read, no lock of ours,
    /// no allocation, no panic.
    fn note(&self) {
        let Some(releasing) = release::current(self.lock) else {
            self.untagged.fetch_add(1, Relaxed);
            return;
        };
        let releaser = releasing.releaser();
        let ts = thread::state();
        let own_seq = if self.owner_is_alive() { self.owner.times.poll_seq.get() } else { 0 };
        self.grant.set(&Granted {
            at: releasing.moment(),
            end: releasing.end(),
            releaser,
            thread: ts.id(),
            thread_poll: ts.poll_seq.get(),
            own_poll: if own_seq % 2 == 1 { own_seq } else { 0 },
        });
    }

    /// Whether the owner is still the one that blocked, not another one in the same cell. Decides
    /// only while the owner's slow mutex is held; a hint otherwise.
    pub(crate) fn owner_is_alive(&self) -> bool {
        self.owner.generation() == self.owner_generation
    }

    /// From here on its owner is blocked, if it is still there.
    pub(crate) fn blocks_owner(&self) {
        self.owner.blocked(self.owner_generation, self.since);
    }

    /// Whether anything has woken it at all.
    pub(crate) fn woken(&self) -> bool {
        self.untagged.load(Relaxed) > 0
    }

    /// As [`granted`](Self::granted), for those who need not know by whom.
    pub(crate) fn is_granted(&self) -> bool {
        self.grant.end().is_some_and(|end| end != EndCause::Closed)
    }

    /// Whether this was a hand-over of the lock, not the news that it was closed.
    pub(crate) fn granted(&self) -> Option<Granted> {
        self.grant.get().filter(|granted| granted.end != EndCause::Closed)
    }
}

impl Wake for Wait {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.note();
        let _waking = Waking(thread::state().waking.replace(Some(self.idle)));
        // The inner waker is the application's; if it panics, so does the bare lock's release.
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}

/// What the wake around this one was for, put back on every way out.
struct Waking(Option<Idle>);

impl Drop for Waking {
    fn drop(&mut self) {
        thread::state().waking.set(self.0);
    }
}
