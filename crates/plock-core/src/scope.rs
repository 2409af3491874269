//! A scope: a named stretch of one task (a request, a job, a branch) that owns what it acquires and
//! whose time is told apart.
//!
//! | period | ends with | counted as |
//! |---|---|---|
//! | created to first polled | first poll | spawn delay |
//! | polled | pending, ready, panic | busy |
//! | pending | the first wake | idle, under the kind of what woke it |
//! | woken | the next poll | runnable (scheduling delay) |
//!
//! The four sum to the lifetime as integers. A wake that comes while the scope is being polled
//! starts the runnable period at the end of that poll: running is not waiting for the scheduler.
//!
//! The first wake since a poll began leaves its moment and its kind in the [`Signal`] that all
//! [wakers](crate::wakers) of the scope share. A poll takes the moment *before* it registers the
//! outer waker and polls; a wake in between belongs to the next period.

use crate::current::Runtime;
use crate::owner::OwnerCell;
use crate::report::{self, ScopeEnd, ScopeReport};
use crate::scope_name::ScopeName;
use crate::signal::Signal;
use crate::thread;
use crate::{Dropped, Idle, SpanRef, clock, loss, shard, slab, spun, stranded, wakers};
use std::any::Any;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// The state of one scope; a wrapper future keeps it beside the future it wraps.
pub struct Scope {
    name: ScopeName,
    root: bool,
    created: u64,
    running: Option<Running>,
    ended: bool,
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("name", &self.name.as_str())
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// What exists from the first poll to the end.
struct Running {
    cell: &'static OwnerCell,
    handle: Option<Box<dyn Any + Send + Sync>>,
    panicked: bool,
}

impl Scope {
    /// A scope that is part of whatever scope first polls it: a branch of a `join!`, a step.
    #[must_use]
    pub fn branch(name: ScopeName) -> Self {
        Self { name, root: false, created: clock::now(), running: None, ended: false }
    }

    /// A scope with nothing around it: a spawned task, a request.
    #[must_use]
    pub fn root(name: ScopeName) -> Self {
        Self { root: true, ..Self::branch(name) }
    }

    /// Polls `future` inside the scope.
    #[inline]
    pub fn poll<R: Runtime, F: Future>(
        &mut self,
        future: Pin<&mut F>,
        cx: &Context<'_>,
    ) -> Poll<F::Output> {
        let now = match &self.running {
            Some(_) => clock::now(), // first: the rest goes on while the counter is being read
            None if clock::is_on() => self.start::<R>(cx.waker()),
            None => 0,
        };
        let Some(running) = &mut self.running else {
            return future.poll(&mut Context::from_waker(cx.waker()));
        };
        let polling = running.enter::<R>(now, self.name.series(), self.root, Some(cx.waker()));
        let mut mark = MarkPanic { panicked: &mut running.panicked, armed: true };
        let poll = future.poll(&mut Context::from_waker(&wakers::own(running.cell)));
        mark.armed = false;
        polling.finish();
        spun::file_kept();
        if stranded::is_asked() && poll.is_pending() {
            running.cell.look_for_stranded();
        }
        poll
    }

    /// Ends the scope: `drop_inner` drops the wrapped future inside it, then totals are told and
    /// guards that are still alive go to the enclosing scope. Does nothing the second time.
    #[inline]
    pub fn end<R: Runtime>(&mut self, completed: bool, drop_inner: impl FnOnce()) {
        if std::mem::replace(&mut self.ended, true) {
            return drop_inner();
        }
        self.end_now::<R>(completed, drop_inner);
    }

    #[inline(never)]
    fn end_now<R: Runtime>(&mut self, completed: bool, drop_inner: impl FnOnce()) {
        let Some(running) = self.running.take() else { return drop_inner() };
        // Told when it goes out of scope, even if a drop in there panics.
        let mut ending = Ending { running, name: self.name, completed };
        let running = &mut ending.running;
        let _polling = if completed {
            (None, Some(Entered::push::<R>(running.cell))) // still at the moment the poll ended
        } else {
            running.cell.set_cancelled(true);
            (Some(running.enter::<R>(clock::now(), self.name.series(), self.root, None)), None)
        };
        let mut mark = MarkPanic { panicked: &mut running.panicked, armed: true };
        drop_inner();
        mark.armed = false;
    }

    /// First poll; returns when it begins. Nothing is running after it when recording is off.
    #[cold]
    fn start<R: Runtime>(&mut self, outer: &Waker) -> u64 {
        self.begin::<R>(outer, |name| {
            report::observer().and_then(|observer| observer.started(name))
        })
    }

    /// Takes a cell and looks at the span, if it is observed.
    pub(crate) fn begin<R: Runtime>(
        &mut self,
        outer: &Waker,
        observe: impl FnOnce(&'static str) -> Option<(SpanRef, Box<dyn Any + Send + Sync>)>,
    ) -> u64 {
        if !clock::is_on() || self.ended {
            return 0;
        }
        let Some(cell) = slab::allocate() else { return 0 };
        let now = clock::now();
        let ts = thread::state();
        let around = ts.scope.get().filter(|_| !self.root && R::task_id() == ts.scope_task.get());
        cell.become_scope(self.name.label(), around, now);
        cell.set_task(R::task_id());
        let observed = observe(self.name.as_str());
        let (span, handle) =
            observed.map_or((None, None), |(span, handle)| (Some(span), Some(handle)));
        // A branch without a span of its own leads to the span around it.
        cell.set_span(span.or_else(|| around.and_then(OwnerCell::span)));
        cell.set_wants_details(handle.is_some());
        #[expect(unsafe_code, reason = "writes what wakers share")]
        // SAFETY: the cell has just been allocated.
        unsafe {
            cell.wakers.begin(outer);
        }
        shard::with(ts, self.name.series(), |shard| {
            shard.scope.started.add(1);
            shard.scope.spawn_delay.add(now.saturating_sub(self.created));
        });
        // The time of the observer is none of the scope's.
        let polled = if handle.is_some() { clock::now() } else { now };
        self.running = Some(Running { cell, handle, panicked: false });
        polled
    }
}

/// A scope whose future is gone or being dropped.
struct Ending {
    running: Running,
    name: ScopeName,
    completed: bool,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Self { running, name, completed } = self;
        let end = match (running.panicked, *completed) {
            (true, _) => ScopeEnd::Panicked,
            (false, true) => ScopeEnd::Completed,
            (false, false) => ScopeEnd::Cancelled,
        };
        let ts = thread::state();
        shard::with(ts, name.series(), |shard| {
            shard.scope.finished.add(1);
            shard.scope.cancelled.add(u64::from(end == ScopeEnd::Cancelled));
            shard.scope.panicked.add(u64::from(end == ScopeEnd::Panicked));
        });
        if let Some((handle, observer)) = running.handle.take().zip(report::observer()) {
            let mut report = ScopeReport { name: name.as_str(), end, ..ScopeReport::default() };
            running.cell.fill(&mut report);
            observer.ended(handle, &report);
        }
        running.cell.end_scope();
    }
}

struct MarkPanic<'a> {
    panicked: &'a mut bool,
    armed: bool,
}

impl Drop for MarkPanic<'_> {
    fn drop(&mut self) {
        *self.panicked |= self.armed;
    }
}

impl Running {
    /// Accounts the pause until `now`, makes the scope current. `outer` is who is to be woken.
    #[inline(always)] // what it returns would else go through memory
    fn enter<R: Runtime>(
        &self,
        now: u64,
        series: u32,
        root: bool,
        outer: Option<&Waker>,
    ) -> Polling {
        let take = |signal: &Signal| {
            let woken = signal.take();
            outer.into_iter().for_each(|outer| signal.register(outer));
            woken
        };
        #[expect(unsafe_code, reason = "reads what wakers share")]
        // SAFETY: the scope is running, and so has not ended.
        let woken = unsafe { self.cell.wakers.with(take) }.flatten();
        let times = &self.cell.times;
        let paused_at = times.poll_end.get();
        let pause = now.saturating_sub(paused_at);
        let woken = woken.map(|woken| {
            if clock::has_jumped(woken.at, now) {
                loss::count(Dropped::Clock, 1);
                return (woken.kind, 0);
            }
            (woken.kind, now.saturating_sub(woken.at).min(pause))
        });
        let (kind, runnable) = woken.unwrap_or((Idle::Other, 0));
        let idle = pause - runnable;
        times.suspended.add(pause);
        let seq = times.poll_seq.get() + 1;
        times.poll_seq.set(seq);
        let ts = thread::state();
        if woken.is_some() {
            times.runnable.add(runnable);
        }
        if seq > 1 && pause > 0 {
            shard::with(ts, series, |shard| shard.scope.idle[kind as usize].add(idle));
            if woken.is_some() {
                shard::with(ts, series + 1, |shard| shard.held(runnable));
            }
        }
        let (outer_seq, nested) = (ts.begin_poll(), ts.nested.get());
        let entered = Entered::push::<R>(self.cell);
        Polling { entered, cell: self.cell, series, root, start: now, outer_seq, nested }
    }
}

/// The scope is current on this thread while this lives; a stack.
struct Entered {
    scope: Option<&'static OwnerCell>,
    task: u64,
}

impl Entered {
    #[inline]
    fn push<R: Runtime>(cell: &'static OwnerCell) -> Self {
        let ts = thread::state();
        let task = R::task_id();
        cell.set_task(task);
        Self { scope: ts.scope.replace(Some(cell)), task: ts.scope_task.replace(task) }
    }
}

impl Entered {
    #[inline(always)]
    fn leave(&self) {
        let ts = thread::state();
        ts.scope.set(self.scope);
        ts.scope_task.set(self.task);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A poll in progress; its end is accounted on every way out, unwinding included.
struct Polling {
    entered: Entered,
    cell: &'static OwnerCell,
    series: u32,
    root: bool,
    start: u64,
    /// What this thread was polling before, and how much nested time it had by then.
    outer_seq: u64,
    nested: u64,
}

impl Polling {
    /// As dropping it, in line: what it remembers then stays in registers.
    #[inline(always)]
    fn finish(self) {
        let this = ManuallyDrop::new(self);
        this.account();
        this.entered.leave();
    }

    #[inline(always)]
    fn account(&self) {
        let ts = thread::state();
        let now = clock::now();
        let mut took = now.saturating_sub(self.start);
        let times = &self.cell.times;
        if took > times.poll_max.get() {
            if clock::has_jumped(self.start, now) {
                loss::count(Dropped::Clock, 1);
                took = 0;
            } else {
                times.poll_max.set(took);
            }
        }
        times.busy.add(took);
        let nested = ts.nested.get().wrapping_sub(self.nested).min(took);
        if nested > 0 {
            times.nested.add(nested);
        }
        times.poll_end.set(now);
        times.poll_seq.add(1);
        ts.end_poll(self.outer_seq, self.start, now);
        if self.root && self.outer_seq != 0 {
            ts.nested.set(self.nested.wrapping_add(took));
        }
        shard::with(ts, self.series, |shard| shard.held(took));
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        self.account(); // and `entered` leaves
    }
}
