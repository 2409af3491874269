//! Tasks without a runtime: a test says which task is being polled on its thread.

use plock_core::{
    Hold, Kind, Lock, LockSeries, Mode, Runtime, Scope, ScopeName, Share, Snapshot, Start, manual,
};
use std::cell::Cell;
use std::panic::{Location, resume_unwind};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

/// The figures and cells are one per process: one test at a time, on the manual clock, and on a
/// thread that is gone with its owner cell before the next one starts.
pub(crate) fn alone(test: impl FnOnce() + Send) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    manual::install();
    if let Err(panic) = thread::scope(|threads| threads.spawn(test).join()) {
        resume_unwind(panic);
    }
}

/// The series of a lock.
pub(crate) fn of<'a>(snapshot: &'a Snapshot, name: &str, mode: Mode) -> &'a LockSeries {
    snapshot.lock(name, mode).expect("registered")
}

thread_local!(static TASK: Cell<u64> = const { Cell::new(0) });

#[derive(Debug)]
pub(crate) struct Tasks;

impl Runtime for Tasks {
    fn task_id() -> u64 {
        TASK.get()
    }
}

/// Runs `f` as the poll of a task.
pub(crate) fn in_task<T>(task: u64, f: impl FnOnce() -> T) -> T {
    let outer = TASK.replace(task);
    let out = f();
    TASK.set(outer);
    out
}

/// A lock that lets everybody in: what plock notes of it is all there is.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) lock: Lock,
    pub(crate) share: Share,
}

impl Probe {
    pub(crate) fn mutex(name: &'static str) -> Self {
        Self { lock: Lock::named(Kind::Mutex, name).registered(), share: Share::EXCLUSIVE }
    }

    pub(crate) fn reader(name: &'static str) -> Self {
        Self { lock: Lock::named(Kind::Rwlock, name).registered(), share: Share::SHARED }
    }

    #[track_caller]
    pub(crate) fn acquire(&self) -> Hold {
        self.lock.acquired::<Tasks>(Start::now(), self.share, Location::caller())
    }

    pub(crate) fn release(&self, mut hold: Hold) {
        hold.release::<Tasks>(&self.lock, self.share, |_| {});
    }
}

/// A scope that is polled as often as the test likes.
#[derive(Debug)]
pub(crate) struct Run(Option<Scope>);

impl Run {
    pub(crate) fn root(name: &str) -> Self {
        Self(Some(Scope::root(ScopeName::new(name))))
    }

    pub(crate) fn branch(name: &str) -> Self {
        Self(Some(Scope::branch(ScopeName::new(name))))
    }

    /// One poll, in which `f` runs.
    pub(crate) fn poll<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.poll_with(Waker::noop(), |_| f())
    }

    /// One poll, in which `f` runs and sees the waker it is polled with.
    pub(crate) fn poll_with<T>(&mut self, waker: &Waker, f: impl FnOnce(&Waker) -> T) -> T {
        let (mut f, mut out) = (Some(f), None);
        let future = pin!(std::future::poll_fn(|cx| {
            if let Some(f) = f.take() {
                out = Some(f(cx.waker()));
            }
            Poll::<()>::Pending
        }));
        let scope = self.0.as_mut().expect("not ended");
        assert!(scope.poll::<Tasks, _>(future, &Context::from_waker(waker)).is_pending());
        out.expect("polled")
    }

    /// The end of a scope whose future returned.
    pub(crate) fn complete(self) {
        self.end(true, || {});
    }

    /// The end of a scope whose future is dropped; `f` runs in its drop.
    pub(crate) fn cancel(self, f: impl FnOnce()) {
        self.end(false, f);
    }

    pub(crate) fn end(mut self, completed: bool, drop_inner: impl FnOnce()) {
        self.0.take().expect("not ended").end::<Tasks>(completed, drop_inner);
    }
}
