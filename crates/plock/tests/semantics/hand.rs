//! Futures polled by hand at moments of the manual clock.

use super::observer;
use plock::manual;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::{Context, Poll, Wake, Waker};

/// Tests run side by side; the one that switches recording off runs alone.
static WORLD: RwLock<()> = RwLock::new(());

fn install() {
    manual::install();
    observer::install();
    manual::set(0);
}

/// Starts a test at 0 on the manual clock.
pub(crate) fn manual() -> RwLockReadGuard<'static, ()> {
    let world = WORLD.read().unwrap_or_else(PoisonError::into_inner);
    install();
    world
}

/// The same, while no other test runs.
pub(crate) fn manual_alone() -> RwLockWriteGuard<'static, ()> {
    let world = WORLD.write().unwrap_or_else(PoisonError::into_inner);
    install();
    world
}

/// Returns from one poll of whoever calls this; goes on at the next. Nobody is woken.
pub(crate) async fn step() {
    let mut stepped = false;
    poll_fn(
        |_| if std::mem::replace(&mut stepped, true) { Poll::Ready(()) } else { Poll::Pending },
    )
    .await;
}

#[derive(Default)]
struct Wakes(AtomicU64);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// A future that the test polls.
pub(crate) struct Actor<'a> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    wakes: Arc<Wakes>,
}

impl<'a> Actor<'a> {
    /// A future of the thread, in no scope.
    pub(crate) fn unscoped(future: impl Future<Output = ()> + 'a) -> Self {
        Self { future: Some(Box::pin(future)), wakes: Arc::default() }
    }

    /// A root scope.
    pub(crate) fn new(name: &'static str, future: impl Future<Output = ()> + 'a) -> Self {
        Self::unscoped(plock::root(name, future))
    }

    /// Polls it at this moment; whether it is finished, and gone with it.
    pub(crate) fn at(&mut self, ns: u64) -> bool {
        manual::set(ns);
        self.poll()
    }

    /// Polls it now.
    pub(crate) fn poll(&mut self) -> bool {
        let future = self.future.as_mut().expect("not finished before");
        let waker = Waker::from(Arc::clone(&self.wakes));
        let finished = future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        if finished {
            self.future = None;
        }
        finished
    }

    /// Drops it at this moment.
    pub(crate) fn drop_at(self, ns: u64) {
        manual::set(ns);
        drop(self);
    }

    /// How often it was woken.
    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.0.load(Relaxed)
    }
}

/// A place where one actor leaves something for another.
pub(crate) struct Desk<T>(Cell<Option<T>>);

impl<T> Desk<T> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new(None))
    }

    pub(crate) fn put(&self, thing: T) {
        self.0.set(Some(thing));
    }

    pub(crate) fn take(&self) -> T {
        self.0.take().expect("something was put here")
    }
}
