//! The measured operations, once for tokio's types and once for plock's: the same source under
//! another import, which is all that a migration changes.

macro_rules! operations {
    ($(#[$doc:meta])* $module:ident, $($import:ident)::+) => {
        $(#[$doc])*
        pub(crate) mod $module {
            use $($import)::+::sync::{Mutex, RwLock, Semaphore};
            use crate::threads::Acquired;
            use std::sync::atomic::{AtomicBool, Ordering};
            use std::time::{Duration, Instant};

            pub(crate) type Shared = &'static Mutex<u64>;

            /// Locks of one class, each on cache lines of its own.
            pub(crate) fn mutexes<const N: usize>() -> [Shared; N] {
                [(); N].map(|()| crate::threads::apart(Mutex::new(0)))
            }

            /// Locks of one class beside each other, as in a service's table.
            pub(crate) fn table(count: usize) -> &'static [Mutex<u64>] {
                (0..count).map(|_| Mutex::new(0)).collect::<Vec<_>>().leak()
            }

            pub(crate) fn read_write_lock() -> &'static RwLock<u64> {
                Box::leak(Box::new(RwLock::new(0)))
            }

            pub(crate) fn semaphore() -> &'static Semaphore {
                Box::leak(Box::new(Semaphore::new(4)))
            }

            pub(crate) async fn lock(mutex: Shared, operations: u64) {
                for _ in 0..operations {
                    *mutex.lock().await += 1;
                }
            }

            /// Locks one after the other, beginning with number `from`.
            pub(crate) async fn lock_in_turn(
                table: &'static [Mutex<u64>],
                from: usize,
                operations: u64,
            ) {
                let mut at = from % table.len();
                for _ in 0..operations {
                    *table[at].lock().await += 1;
                    at += 1;
                    if at == table.len() {
                        at = 0;
                    }
                }
            }

            pub(crate) async fn read(lock: &'static RwLock<u64>, operations: u64) {
                for _ in 0..operations {
                    std::hint::black_box(*lock.read().await);
                }
            }

            pub(crate) async fn write(lock: &'static RwLock<u64>, operations: u64) {
                for _ in 0..operations {
                    *lock.write().await += 1;
                }
            }

            pub(crate) async fn acquire(semaphore: &'static Semaphore, operations: u64) {
                for _ in 0..operations {
                    drop(semaphore.acquire().await.unwrap());
                }
            }

            /// Locks until `stop`, a few times at least; returns how often.
            pub(crate) async fn lock_until(mutex: Shared, stop: &AtomicBool) -> u64 {
                let mut operations = 0;
                loop {
                    lock(mutex, 64).await;
                    operations += 64;
                    if stop.load(Ordering::Relaxed) {
                        return operations;
                    }
                }
            }

            /// Locks for so often, one of several whose turns follow each other.
            pub(crate) async fn take_turns(mutex: Shared, operations: u64) {
                let first = mutex.lock().await;
                tokio::task::yield_now().await; // the others queue up: from now on it is handed over
                drop(first);
                lock(mutex, operations).await;
            }

            /// Locks for a section until `stop`, once at least, with work of its own in between;
            /// returns how often.
            pub(crate) async fn hammer(mutex: Shared, work: super::Work, stop: &AtomicBool) -> u64 {
                let first = mutex.lock().await;
                tokio::task::yield_now().await; // the others queue up: from now on it is handed over
                drop(first);
                let mut operations = 0;
                loop {
                    let mut guard = mutex.lock().await;
                    work.section.run();
                    *guard += 1;
                    drop(guard);
                    work.between.run();
                    operations += 1;
                    if stop.load(Ordering::Relaxed) {
                        return operations;
                    }
                }
            }

            /// Locks for a section until `stop`, twice at least. The first is long enough for the
            /// other thread to queue up: from then on the lock is handed over.
            pub(crate) async fn sections(
                mutex: Shared,
                section: super::Spin,
                stop: &AtomicBool,
            ) -> Vec<Acquired> {
                let mut all = Vec::new();
                loop {
                    let asked = Instant::now();
                    let mut guard = mutex.lock().await;
                    all.push(Acquired { asked, got: Instant::now() });
                    section.run();
                    *guard += 1;
                    if all.len() == 1 {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    drop(guard);
                    if all.len() > 1 && stop.load(Ordering::Relaxed) {
                        return all;
                    }
                }
            }
        }
    };
}

operations!(
    /// tokio's own types.
    bare, tokio
);
operations!(
    /// The wrapped types.
    wrapped, plock::tokio
);

/// What a task does with a lock, and without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) section: Spin,
    pub(crate) between: Spin,
}

/// A fixed amount of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spin(u64);

impl Spin {
    /// No work.
    pub(crate) const NONE: Self = Self(0);

    /// Work that takes so long where nothing disturbs it.
    pub(crate) fn nanoseconds(wanted: u128) -> Self {
        let trial = Self(100_000);
        let took = (0..20).map(|_| {
            let start = std::time::Instant::now();
            trial.run();
            start.elapsed()
        });
        let nanoseconds = took.min().map_or(1, |took| took.as_nanos()).max(1);
        #[expect(clippy::cast_possible_truncation, reason = "less than 100,000,000")]
        Self((u128::from(trial.0) * wanted / nanoseconds) as u64)
    }

    #[inline(never)]
    pub(crate) fn run(self) {
        for step in 0..self.0 {
            std::hint::black_box(step);
        }
    }
}
