//! How the rows of one way to lock are made: every way does the same in the same situations.

use crate::harness::Row;
use crate::here::{Here, polls};
use crate::threads::{self, apart};
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Instant;

/// Many operations, which return how many they were.
pub(crate) type Operations<'a> = Pin<Box<dyn Future<Output = u64> + Send + 'a>>;

/// Operations between two looks at the stop sign.
const PART: u64 = 64;

/// Makes the rows of one way to lock.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    here: &'a Here,
    /// First part of their names.
    who: &'a str,
    /// Last part.
    mode: &'a str,
    /// What goes around all operations of a batch.
    within: fn(Operations<'_>) -> Operations<'_>,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(here: &'a Here, who: &'a str) -> Self {
        Self { here, who, mode: "", within: |operations| operations }
    }

    /// With a last part of their names.
    pub(crate) fn mode(self, mode: &'a str) -> Self {
        Self { mode, ..self }
    }

    /// With something around all operations of a batch, such as a request's span.
    pub(crate) fn within(self, within: fn(Operations<'_>) -> Operations<'_>) -> Self {
        Self { within, ..self }
    }

    /// A lock that is awaited: alone, and on two threads with one lock each.
    pub(crate) fn awaited<L, F>(
        &self,
        kind: &str,
        new: impl Fn() -> L,
        lock: impl Fn(&'static L, u64) -> F + Copy + Send + Sync + 'static,
    ) -> Vec<Row>
    where
        L: Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let within = self.within;
        let (free, own) = (apart(new()), [apart(new()), apart(new())]);
        let alone = move |operations| discard(within(count(lock(free, operations), operations)));
        let on_thread = move |thread: usize, stop: &AtomicBool| {
            let operations = async {
                let mut done = 0;
                while !stop.load(Ordering::Relaxed) {
                    lock(own[thread], PART).await;
                    done += PART;
                }
                done
            };
            threads::block_on(within(Box::pin(operations)))
        };
        vec![self.one(kind, |name| self.here.task(name, alone)), self.two(kind, on_thread)]
    }

    /// The same for a lock that blocks its thread.
    pub(crate) fn blocking<L: Send + Sync + 'static>(
        &self,
        kind: &str,
        new: impl Fn() -> L,
        lock: impl Fn(&L, u64) + Copy + Send + Sync + 'static,
    ) -> Vec<Row> {
        let (free, own) = (apart(new()), [apart(new()), apart(new())]);
        let alone = move |operations| {
            let start = Instant::now();
            lock(free, operations);
            start.elapsed()
        };
        let on_thread = move |thread: usize, stop: &AtomicBool| {
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                lock(own[thread], PART);
                done += PART;
            }
            done
        };
        vec![self.one(kind, |name| Row::counted(name, alone)), self.two(kind, on_thread)]
    }

    /// Polls of an instrumented future that is never ready.
    pub(crate) fn polled<F>(&self, future: impl Fn() -> F + Copy + 'static) -> Row
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let within = self.within;
        self.named("future/poll", |name| {
            self.here.task(name, move |operations| {
                discard(within(count(polls(future(), operations), operations)))
            })
        })
    }

    /// The same on two threads.
    pub(crate) fn polled_twice<F>(&self, future: impl Fn() -> F + Sync + 'static) -> Row
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let on_thread = move |_, stop: &AtomicBool| threads::block_on(until(future(), stop));
        self.named("future/two-threads", |name| {
            Row::timed(name, move |time| threads::two(time, &on_thread))
                .beside(&self.name("future/poll"))
        })
    }

    /// Polls of a task, by way of the scheduler.
    pub(crate) fn scheduled(&self) -> Row {
        let within = self.within;
        self.named("task/yield", |name| {
            self.here.task(name, move |operations| {
                let yields = async move {
                    for _ in 0..operations {
                        tokio::task::yield_now().await;
                    }
                };
                discard(within(count(yields, operations)))
            })
        })
    }

    fn one(&self, kind: &str, row: impl FnOnce(&str) -> Row) -> Row {
        self.named(&format!("{kind}/uncontended"), row)
    }

    fn two(
        &self,
        kind: &str,
        on_thread: impl Fn(usize, &AtomicBool) -> u64 + Sync + 'static,
    ) -> Row {
        self.named(&format!("{kind}/two-threads-own-locks"), |name| {
            Row::timed(name, move |time| threads::two(time, &on_thread))
                .beside(&self.name(&format!("{kind}/uncontended")))
        })
    }

    fn name(&self, situation: &str) -> String {
        format!("{}/{situation}{}", self.who, self.mode)
    }

    fn named(&self, situation: &str, row: impl FnOnce(&str) -> Row) -> Row {
        row(&self.name(situation)).against(&format!("bare/{situation}"))
    }
}

fn count<'a>(operations: impl Future<Output = ()> + Send + 'a, count: u64) -> Operations<'a> {
    Box::pin(async move {
        operations.await;
        count
    })
}

async fn discard(operations: Operations<'_>) {
    operations.await;
}

/// Polls a future that is never ready until `stop`; returns how often.
async fn until(future: impl Future<Output = ()>, stop: &AtomicBool) -> u64 {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let mut done = 0;
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..PART {
                black_box(future.as_mut().poll(cx).is_ready());
            }
            done += PART;
        }
        Poll::Ready(done)
    })
    .await
}

/// A future that is never ready.
pub(crate) fn never() -> impl Future<Output = ()> + Send + 'static {
    poll_fn(|_| black_box(Poll::Pending))
}
