//! Operations on several threads, for a given time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;

/// As many as the smallest machine has processors.
const TWO: usize = 2;
/// More than two workers need, so that the lock is never without a queue.
const TASKS: usize = 8;

/// Two lines of 64 bytes are fetched together.
#[repr(align(128))]
struct Apart<T>(T);

/// On cache lines of its own, for ever.
pub(crate) fn apart<T>(value: T) -> &'static T {
    &Box::leak(Box::new(Apart(value))).0
}

/// Runs `body` as a task of a runtime on this thread.
pub(crate) fn block_on<T>(body: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, unconstrained(body))
}

/// Runs `body` on two threads, as [`on_each`].
pub(crate) fn two(time: Duration, body: &(impl Fn(usize, &AtomicBool) -> u64 + Sync)) -> f64 {
    on_each(TWO, time, body)
}

/// Runs `body` on so many threads, spread over the processors, until the time is up. Returns the
/// nanoseconds that one operation took on its thread, while that was running; a thread that counts
/// none does not matter.
pub(crate) fn on_each(
    count: usize,
    time: Duration,
    body: &(impl Fn(usize, &AtomicBool) -> u64 + Sync),
) -> f64 {
    let stop = AtomicBool::new(false);
    let ready = AtomicUsize::new(0);
    let all_ready = || {
        while ready.load(Ordering::Acquire) < count {
            std::thread::yield_now();
        }
    };
    let on_thread = |thread: usize| {
        pin_to(thread);
        body(thread, &AtomicBool::new(true)); // cold lines, a table of its own
        ready.fetch_add(1, Ordering::AcqRel);
        all_ready();
        let start = busy();
        (body(thread, &stop), busy() - start)
    };
    std::thread::scope(|threads| {
        let on_thread = &on_thread;
        let running: Vec<_> =
            (0..count).map(|thread| threads.spawn(move || on_thread(thread))).collect();
        all_ready();
        std::thread::sleep(time);
        stop.store(true, Ordering::Release);
        let done = running.into_iter().map(|thread| thread.join().unwrap());
        let done = done.filter(|(operations, _)| *operations > 0);
        let (operations, spent) =
            done.fold((0, Duration::ZERO), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        spent.as_secs_f64() * 1e9 / operations as f64
    })
}

/// As [`two`], with one snapshot after the other on the second thread.
pub(crate) fn while_read(
    time: Duration,
    body: &(impl Fn(usize, &AtomicBool) -> u64 + Sync),
) -> f64 {
    two(time, &|thread, stop| {
        if thread == 0 {
            return body(thread, stop);
        }
        while !stop.load(Ordering::Relaxed) {
            std::hint::black_box(plock::snapshot());
        }
        0
    })
}

/// How long this thread has been running: what other programs take from it is not the lock's.
#[cfg(target_os = "linux")]
fn busy() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// The time; the thread is taken to be running all along.
#[cfg(not(target_os = "linux"))]
fn busy() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    START.elapsed()
}

/// The processors in turn, where the system lets us choose.
fn pin_to(thread: usize) {
    #[cfg(target_os = "linux")]
    {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut set = rustix::thread::CpuSet::new();
        set.set(thread % processors);
        let _ = rustix::thread::sched_setaffinity(None, &set); // a busier machine, a noisier figure
    }
    #[cfg(not(target_os = "linux"))]
    let _ = thread;
}

/// When a thread asked for the lock, and when it had it.
pub(crate) struct Acquired {
    pub(crate) asked: Instant,
    pub(crate) got: Instant,
}

/// What two threads saw that took turns with one lock.
pub(crate) struct Turns {
    /// From one section to the next.
    pub(crate) nanoseconds: f64,
    /// Of a hundred waits one was longer.
    pub(crate) wait_p99: f64,
}

/// Runs `body` on two threads until the time is up; it returns what it acquired. What came before both
/// had the lock for the second time is not looked at: a thread that starts late leaves the other alone
/// for sections of which thirty take no longer than one hand-over. Unlike in [`two`] the time in which a
/// thread sleeps counts: that is what a wait mostly is. `None` if they never met.
pub(crate) fn in_turn(
    time: Duration,
    body: &(impl Fn(&AtomicBool) -> Vec<Acquired> + Sync),
) -> Option<Turns> {
    let stop = AtomicBool::new(false);
    let on_thread = |thread: usize| {
        pin_to(thread);
        body(&stop)
    };
    let acquired: Vec<_> = std::thread::scope(|threads| {
        let on_thread = &on_thread;
        let running: Vec<_> =
            (0..TWO).map(|thread| threads.spawn(move || on_thread(thread))).collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Release);
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let since = acquired.iter().map(|own| own[1].got).max().unwrap();
    let until = acquired.iter().map(|own| own[own.len() - 1].got).min().unwrap();
    let within = |one: &&Acquired| since < one.got && one.got <= until;
    let turns: Vec<_> = acquired.iter().flatten().filter(within).collect();
    let mut waits: Vec<_> = turns.iter().map(|one| one.got - one.asked).collect();
    waits.sort_unstable();
    let wait_p99 = waits.get(waits.len() * 99 / 100)?.as_secs_f64() * 1e9;
    let nanoseconds = (until - since).as_secs_f64() * 1e9 / turns.len() as f64;
    Some(Turns { nanoseconds, wait_p99 })
}

type Task = Pin<Box<dyn Future<Output = u64> + Send>>;

/// Tasks that fight for one lock.
#[derive(Clone)]
pub(crate) struct Contention {
    runtime: Arc<Runtime>,
    task: Arc<dyn Fn(Arc<AtomicBool>) -> Task>,
}

impl Contention {
    /// On a runtime of two workers.
    pub(crate) fn new<F>(task: impl Fn(Arc<AtomicBool>) -> F + 'static) -> Self
    where
        F: Future<Output = u64> + Send + 'static,
    {
        Self::on(TWO, task)
    }

    /// On a runtime of so many workers.
    pub(crate) fn on<F>(workers: usize, task: impl Fn(Arc<AtomicBool>) -> F + 'static) -> Self
    where
        F: Future<Output = u64> + Send + 'static,
    {
        let mut builder = Builder::new_multi_thread();
        let runtime = Arc::new(builder.worker_threads(workers).enable_time().build().unwrap());
        Self { runtime, task: Arc::new(move |stop| Box::pin(task(stop))) }
    }

    /// Runs until the time is up. Returns the nanoseconds from one section to the next.
    pub(crate) fn run(&self, time: Duration) -> f64 {
        let stop = Arc::new(AtomicBool::new(false));
        let start = Instant::now();
        let tasks: Vec<_> =
            (0..TASKS).map(|_| self.runtime.spawn((self.task)(Arc::clone(&stop)))).collect();
        std::thread::sleep(time);
        stop.store(true, Ordering::Release);
        let operations: u64 =
            tasks.into_iter().map(|task| self.runtime.block_on(task).unwrap()).sum();
        start.elapsed().as_secs_f64() * 1e9 / operations as f64
    }
}
