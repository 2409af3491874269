//! A million live locks of one class, and tasks on every processor that lock at full speed, scope after
//! scope, while snapshots are taken. Started by `cargo xtask soak`, which judges what this prints: one
//! JSON object per sample, the last one after all tasks have ended.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program of its own, which reports on its output and ends when it cannot measure"
)]

use clap::Parser;
use plock::tokio::sync::Mutex;
use plock::{Mode, Outcome};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

const LOCKS: usize = 1_000_000;
const CLASS: &str = "soak";
/// The lock that all tasks share: every so often an acquisition has to wait.
const SHARED: &str = "soak_shared";
const SHARED_EVERY: usize = 64;
/// Of one scope; then the next one begins.
const OPERATIONS: usize = 4096;
/// More than one per worker, so that holders and waiters change places.
const TASKS_PER_WORKER: usize = 4;

#[derive(Debug, Parser)]
struct Arguments {
    /// How long.
    #[arg(long)]
    seconds: f64,
    /// How many samples in that time.
    #[arg(long)]
    samples: u32,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is known at one moment.
#[derive(Serialize)]
struct Sample {
    seconds: f64,
    /// Acquisitions that the tasks have counted.
    operations: u64,
    /// Acquisitions that plock has recorded.
    recorded: u64,
    /// Waits among them.
    contentions: u64,
    resident_bytes: u64,
    /// Everything that plock left out, by reason.
    dropped: BTreeMap<&'static str, u64>,
    /// The tasks have ended: the counts are final.
    done: bool,
}

/// What the tasks work on.
struct World {
    locks: Vec<Mutex<u64>>,
    shared: Mutex<u64>,
    operations: AtomicU64,
    stop: AtomicBool,
}

impl World {
    fn new() -> Self {
        let locks = (0..LOCKS).map(|_| Mutex::named(CLASS, 0)).collect();
        let shared = Mutex::named(SHARED, 0);
        let (operations, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { locks, shared, operations, stop }
    }

    async fn work(self: Arc<Self>) {
        while !self.stop.load(Ordering::Relaxed) {
            plock::scope(CLASS, self.one_scope()).await;
            self.operations.fetch_add(OPERATIONS as u64, Ordering::Relaxed);
        }
    }

    async fn one_scope(&self) {
        for operation in 0..OPERATIONS {
            let lock = match operation % SHARED_EVERY {
                0 => &self.shared,
                _ => &self.locks[fastrand::usize(..LOCKS)],
            };
            *lock.lock().await += 1;
        }
    }

    fn sample(&self, start: Instant, done: bool) -> Sample {
        let operations = self.operations.load(Ordering::Relaxed);
        let snapshot = plock::snapshot();
        let series =
            || [CLASS, SHARED].into_iter().filter_map(|it| snapshot.lock(it, Mode::Exclusive));
        Sample {
            seconds: start.elapsed().as_secs_f64(),
            operations,
            recorded: series().map(|lock| lock.outcome(Outcome::Acquired)).sum(),
            contentions: series().map(|lock| lock.contentions()).sum(),
            resident_bytes: resident_bytes(),
            dropped: snapshot.dropped.iter().map(|(reason, n)| (reason.as_str(), *n)).collect(),
            done,
        }
    }
}

fn main() {
    let arguments = Arguments::parse();
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = Builder::new_multi_thread().worker_threads(workers).build().unwrap();
    let world = Arc::new(World::new());
    let tasks: Vec<_> =
        (0..workers * TASKS_PER_WORKER).map(|_| runtime.spawn(Arc::clone(&world).work())).collect();
    let start = Instant::now();
    let interval = Duration::from_secs_f64(arguments.seconds) / arguments.samples;
    for _ in 0..arguments.samples {
        std::thread::sleep(interval);
        print(&world.sample(start, false));
    }
    world.stop.store(true, Ordering::Relaxed);
    tasks.into_iter().for_each(|task| runtime.block_on(task).unwrap());
    print(&world.sample(start, true));
}

fn print(sample: &Sample) {
    println!("{}", serde_json::to_string(sample).unwrap());
}

/// Memory of this process that is in use.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says what is resident");
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = kilobytes.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
    kilobytes.map(|kilobytes: u64| kilobytes * 1024).expect("a number of kilobytes")
}
