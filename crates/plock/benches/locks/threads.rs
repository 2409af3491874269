//! Operations on two threads, for a given time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;

const THREADS: usize = 2;
/// More than there are workers, so that the lock is never without a queue.
const TASKS: usize = 8;

/// Two lines of 64 bytes are fetched together.
#[repr(align(128))]
struct Apart<T>(T);

/// On cache lines of its own, for ever.
pub(crate) fn apart<T>(value: T) -> &'static T {
    &Box::leak(Box::new(Apart(value))).0
}

/// Runs `body`, which returns how many operations it did, as a task of a runtime on this thread.
pub(crate) fn block_on(body: impl Future<Output = u64>) -> u64 {
    let runtime = Builder::new_current_thread().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, unconstrained(body))
}

/// Runs `body` on two threads, each on a processor of its own, until the time is up. Returns the
/// nanoseconds that one operation took on its thread, while that was running.
pub(crate) fn two(time: Duration, body: &(impl Fn(usize, &AtomicBool) -> u64 + Sync)) -> f64 {
    let stop = AtomicBool::new(false);
    let ready = AtomicU64::new(0);
    let on_thread = |thread: usize| {
        pin_to(thread);
        body(thread, &AtomicBool::new(true)); // cold lines, a table of its own
        ready.fetch_add(1, Ordering::AcqRel);
        while ready.load(Ordering::Acquire) < THREADS as u64 {
            std::hint::spin_loop();
        }
        let start = busy();
        (body(thread, &stop), busy() - start)
    };
    std::thread::scope(|threads| {
        let running =
            std::array::from_fn::<_, THREADS, _>(|thread| threads.spawn(move || on_thread(thread)));
        while ready.load(Ordering::Acquire) < THREADS as u64 {
            std::thread::yield_now();
        }
        std::thread::sleep(time);
        stop.store(true, Ordering::Release);
        let done = running.map(|thread| thread.join().unwrap());
        let operations: u64 = done.iter().map(|(operations, _)| operations).sum();
        let spent: Duration = done.iter().map(|(_, spent)| *spent).sum();
        spent.as_secs_f64() * 1e9 / operations as f64
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

/// One processor per thread where the system lets us choose.
fn pin_to(processor: usize) {
    #[cfg(target_os = "linux")]
    {
        let mut set = rustix::thread::CpuSet::new();
        set.set(processor);
        let _ = rustix::thread::sched_setaffinity(None, &set); // a busier machine, a noisier figure
    }
    #[cfg(not(target_os = "linux"))]
    let _ = processor;
}

type Task = Pin<Box<dyn Future<Output = u64> + Send>>;

/// Tasks that fight for one lock on a runtime of two workers.
#[derive(Clone)]
pub(crate) struct Contention {
    runtime: Arc<Runtime>,
    task: Arc<dyn Fn(Arc<AtomicBool>) -> Task>,
}

impl Contention {
    pub(crate) fn new<F>(task: impl Fn(Arc<AtomicBool>) -> F + 'static) -> Self
    where
        F: Future<Output = u64> + Send + 'static,
    {
        let mut builder = Builder::new_multi_thread();
        let runtime = Arc::new(builder.worker_threads(THREADS).enable_time().build().unwrap());
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
