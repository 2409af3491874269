//! Operations on the measuring thread.

use crate::harness::Row;
use plock_core::Start;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;

/// Runs operations on the measuring thread.
pub(crate) struct Here(Rc<Runtime>);

impl Here {
    pub(crate) fn new() -> Self {
        Self(Rc::new(Builder::new_current_thread().build().unwrap()))
    }

    /// A row whose batch is a task of its own.
    pub(crate) fn task<F>(&self, name: &str, body: impl Fn(u64) -> F + 'static) -> Row
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawned(name, move |operations| timed(body(operations)))
    }

    /// A row whose batch is a task and a scope of its own.
    pub(crate) fn scoped<F>(&self, name: &str, body: impl Fn(u64) -> F + 'static) -> Row
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawned(name, move |operations| plock::scope("bench", timed(body(operations))))
    }

    fn spawned<F>(&self, name: &str, body: impl Fn(u64) -> F + 'static) -> Row
    where
        F: Future<Output = Duration> + Send + 'static,
    {
        let runtime = Rc::clone(&self.0);
        Row::counted(name, move |operations| {
            let task = runtime.spawn(body(operations));
            runtime.block_on(task).unwrap()
        })
    }

    /// A row whose batch is shared by several tasks.
    pub(crate) fn tasks<F>(&self, name: &str, body: impl Fn(u64) -> F + 'static) -> Row
    where
        F: Future<Output = ()> + Send + 'static,
    {
        const TASKS: u64 = 8;
        let runtime = Rc::clone(&self.0);
        Row::counted(name, move |operations| {
            let start = Instant::now();
            let each = operations.div_ceil(TASKS);
            let tasks: Vec<_> = (0..TASKS).map(|_| runtime.spawn(body(each))).collect();
            for task in tasks {
                runtime.block_on(task).unwrap();
            }
            start.elapsed()
        })
    }

    /// A row whose batch runs outside any task.
    pub(crate) fn taskless<F>(&self, name: &str, body: impl Fn(u64) -> F + 'static) -> Row
    where
        F: Future<Output = ()> + 'static,
    {
        let runtime = Rc::clone(&self.0);
        Row::counted(name, move |operations| runtime.block_on(timed(body(operations))))
    }
}

/// How long `body` takes, without the pauses that the cooperative budget makes.
async fn timed(body: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    unconstrained(body).await;
    start.elapsed()
}

/// With the clock read before and after, and nothing kept: the least that any exact measurement takes.
#[inline(always)]
pub(crate) fn clocked<T>(operation: impl FnOnce() -> T) -> T {
    let start = black_box(Start::now());
    let out = operation();
    black_box((start, Start::now()));
    out
}

/// Polls a future that is never ready.
pub(crate) async fn polls(future: impl Future<Output = ()>, operations: u64) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        for _ in 0..operations {
            black_box(future.as_mut().poll(cx).is_ready());
        }
        Poll::Ready(())
    })
    .await;
}
