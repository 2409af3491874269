//! A pool of connections, or of anything else. What is in use are holds of a lock with so many permits;
//! on top of that every acquisition is timed from asking to having, whether others were in the way or a
//! connection had to be made or checked, and the size of the pool is remembered.
//!
//! The pool itself is not ours. One that wakes the next in line while a connection is given back hands it
//! over like a lock; of one that leaves this to a task of its own only the end of the wait is seen. The
//! wait is charged to those who use connections meanwhile, either way.

use crate::current::Runtime;
use crate::hold::Hold;
use crate::lock::{Lock, Start};
use crate::share::Share;
use crate::{Kind, Mode, PoolSeries, class, clock, shard, thread};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The part of plock beside a pool.
#[derive(Debug)]
pub struct Pool {
    lock: Lock,
    size: Arc<AtomicU64>,
}

/// The sizes of all pools that are alive, by the number of their series.
static SIZES: Mutex<Vec<(u32, Weak<AtomicU64>)>> = Mutex::new(Vec::new());

/// Whether there has ever been a pool. Says nothing about anything else.
static EXIST: AtomicBool = AtomicBool::new(false);

/// Whether there may be a connection in use anywhere.
#[inline]
pub(crate) fn exist() -> bool {
    EXIST.load(Relaxed)
}

impl Pool {
    /// A pool with a name of the user's choice.
    #[must_use]
    #[track_caller]
    pub fn named(name: &'static str) -> Self {
        let lock = Lock::named(Kind::Pool, name).registered();
        let size = Arc::new(AtomicU64::new(0));
        let mut sizes = SIZES.lock().unwrap_or_else(PoisonError::into_inner);
        sizes.retain(|(_, size)| size.strong_count() > 0);
        sizes.push((lock.series(Mode::Permit), Arc::downgrade(&size)));
        EXIST.store(true, Relaxed);
        Self { lock, size }
    }

    /// Its connections as permits.
    #[must_use]
    pub const fn lock(&self) -> &Lock {
        &self.lock
    }

    /// So many connections exist now.
    pub fn set_size(&self, size: usize) {
        self.size.store(size as u64, Relaxed); // says nothing about anything else
    }

    /// Somebody who asked at `asked` and did not have to wait has a connection.
    pub fn acquired<R: Runtime>(&self, asked: Start, site: &'static Location<'static>) -> Hold {
        self.note_acquired(asked);
        self.lock.acquired::<R>(asked.again(), Share::permits(1), site)
    }

    /// Somebody who asked at `asked` has a connection.
    pub fn note_acquired(&self, asked: Start) {
        let Some(asked) = asked.instant() else { return };
        let took = clock::now().saturating_sub(asked);
        let took = if clock::has_jumped(asked, clock::now()) { 0 } else { took };
        let series = self.lock.series(Mode::Permit) + 1;
        shard::with(thread::state(), series, |shard| shard.held(took));
    }
}

/// Adds up the sizes of all pools of a name.
pub(crate) fn add_sizes(pools: &mut [PoolSeries]) {
    for (series, size) in SIZES.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let named = |pool: &&mut PoolSeries| {
            class::series(*series).is_some_and(|class| class.name == pool.name)
        };
        if let Some((pool, size)) = pools.iter_mut().find(named).zip(size.upgrade()) {
            pool.size += size.load(Relaxed);
        }
    }
}
