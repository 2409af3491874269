//! The real thing beside the model: plock's locks and scopes, polled by hand on one thread, with the
//! manual clock. Every operation is done on both, and compared.

mod acts;
mod threads;
mod verdict;
mod workers;

use threads::{ThreadGuard, ThreadLock};
use verdict::weights;
use workers::{Worker, Workers};

use crate::model::{Access, Id, Model, Owner};
use crate::program::{Op, Step};
use deadpool::managed::{self, Manager, Metrics, Object, RecycleResult};
use plock::pool::{Used, deadpool::Pool};
use plock::tokio::sync::{
    Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit,
    RwLock, Semaphore,
    mpsc::{self, OwnedPermit, Receiver, Sender},
};
use plock::{
    Histogram, Mode, Outcome, ScopeObserver, ScopeReport, Snapshot, SpanRef, inspect, manual,
    snapshot,
};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

enum Lock {
    Mutex(Arc<Mutex<()>>),
    Rw(Arc<RwLock<()>>),
    Semaphore(Arc<Semaphore>),
    Channel(Sender<()>, RefCell<Receiver<()>>),
    Thread(ThreadLock),
    Pool(Pool<Numbers>),
}

#[derive(Debug)]
enum Guard {
    Mutex { _guard: OwnedMutexGuard<()> },
    Write(OwnedRwLockWriteGuard<()>),
    Read { guard: OwnedRwLockReadGuard<()> },
    Permit(OwnedSemaphorePermit),
    Place(OwnedPermit<()>),
    Thread(ThreadGuard),
    Worker(Worker),
    Connection { _used: Used<Object<Numbers>> },
}

/// Makes numbers, at once.
#[derive(Debug)]
pub(crate) struct Numbers;

impl Manager for Numbers {
    type Type = u8;
    type Error = Infallible;

    async fn create(&self) -> Result<u8, Infallible> {
        Ok(7)
    }

    async fn recycle(&self, _: &mut u8, _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

/// A pool of so many of them.
pub(crate) fn pool(name: &'static str, size: usize) -> Pool<Numbers> {
    let pool = managed::Pool::builder(Numbers).max_size(size).build();
    Pool::named(name, pool.expect("no timeouts"))
}

/// The clock of all threads of a world. It goes on with the next world.
static CLOCK: AtomicU64 = AtomicU64::new(0);

type Attempt = Pin<Box<dyn Future<Output = Guard>>>;
type Body = Pin<Box<dyn Future<Output = ()>>>;
type Job = Box<dyn FnOnce()>;

thread_local! {
    /// What the scope that is polled next is to do, and whether it returns after that.
    static JOB: RefCell<Option<Job>> = const { RefCell::new(None) };
    static RETURNS: Cell<bool> = const { Cell::new(false) };
    /// The waker of the innermost scope being polled.
    static WAKER: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// Names of the locks of all worlds; series are never given back.
pub(crate) const LOCKS: [(&str, Access); 11] = [
    ("props_mutex", Access::Lock),
    ("props_mutex", Access::Lock),
    ("props_rwlock", Access::Write),
    ("props_rwlock", Access::Write),
    ("props_std_mutex", Access::Lock),
    ("props_std_rwlock", Access::Write),
    ("props_parking_mutex", Access::Lock),
    ("props_parking_rwlock", Access::Write),
    (CHANNEL, Access::Permits(2)),
    (POOL, Access::Permits(2)),
    ("props_semaphore", Access::Permits(3)),
];
/// The one whose permits are places for messages.
pub(crate) const CHANNEL: &str = "props_channel";
/// The one whose permits are connections.
pub(crate) const POOL: &str = "props_pool";
/// Names of scopes; a program has at most so many.
pub(crate) const SCOPES: [&str; 8] =
    ["props_0", "props_1", "props_2", "props_3", "props_4", "props_5", "props_6", "props_7"];

pub(crate) struct World {
    pub(crate) model: RefCell<Model>,
    locks: Vec<Lock>,
    scopes: RefCell<Vec<Option<Body>>>,
    attempts: RefCell<BTreeMap<Id, Attempt>>,
    guards: RefCell<BTreeMap<Id, Guard>>,
    workers: Workers,
    added: Cell<u32>,
    /// First poll and end of each scope.
    lives: RefCell<Vec<(u64, u64)>>,
    before: Before,
}

thread_local! {
    /// What the scopes of this thread's world have told at their end.
    static TOLD: RefCell<Vec<ScopeReport>> = const { RefCell::new(Vec::new()) };
}

/// Has every scope tell everything.
struct Collector;

impl ScopeObserver for Collector {
    fn started(&self, _: &'static str) -> Option<(SpanRef, Box<dyn Any + Send + Sync>)> {
        Some((SpanRef::new(1, 1, true), Box::new(())))
    }

    fn ended(&self, _: Box<dyn Any + Send + Sync>, report: &ScopeReport) {
        TOLD.with_borrow_mut(|told| told.push(report.clone()));
    }

    fn current(&self) -> Option<SpanRef> {
        None
    }
}

/// What there was before this world: forgotten guards of earlier ones, and all figures.
struct Before {
    snapshot: Snapshot,
    cells: (u64, u64),
    scopes: [u64; SCOPES.len()],
    holds: BTreeMap<&'static str, usize>,
    weights: u32,
}

impl World {
    pub(crate) fn new() -> Rc<Self> {
        plock::set_slow_threshold(Duration::ZERO);
        manual::share(&CLOCK);
        let _installed_before = plock::set_observer(Box::new(Collector));
        let mut model = Model::default();
        let locks = LOCKS.map(|(name, whole)| {
            let thread_lock = ThreadLock::named(name);
            model.add_lock(whole, thread_lock.is_some());
            if let Some(lock) = thread_lock {
                return Lock::Thread(lock);
            }
            match whole {
                Access::Lock => Lock::Mutex(Arc::new(Mutex::named(name, ()))),
                Access::Permits(n) if name == CHANNEL => {
                    let (sender, receiver) = mpsc::named_channel(name, n as usize);
                    Lock::Channel(sender, RefCell::new(receiver))
                }
                Access::Permits(n) if name == POOL => Lock::Pool(pool(name, n as usize)),
                Access::Permits(n) => Lock::Semaphore(Arc::new(Semaphore::named(name, n as usize))),
                Access::Write | Access::Read => Lock::Rw(Arc::new(RwLock::named(name, ()))),
            }
        });
        // From here on the thread has its owner cell.
        drop(Mutex::named("props_warm_up", ()).try_lock());
        let before = Before {
            snapshot: snapshot(),
            cells: inspect::cells(),
            scopes: SCOPES.map(|name| inspect::scopes(name).iter().sum()),
            holds: LOCKS.iter().map(|(name, _)| (*name, inspect::holds(name).len())).collect(),
            weights: weights(),
        };
        Rc::new(Self {
            model: RefCell::new(model),
            locks: locks.into(),
            scopes: RefCell::default(),
            attempts: RefCell::default(),
            guards: RefCell::default(),
            workers: Workers::new(),
            added: Cell::new(0),
            lives: RefCell::default(),
            before,
        })
    }

    /// Runs a job inside a scope: polls its root, which polls the next one, and so on.
    fn inside(self: &Rc<Self>, path: &[Id], job: Job) {
        let Some((first, rest)) = path.split_first() else { return job() };
        let (world, rest) = (Rc::clone(self), rest.to_vec());
        let returns = RETURNS.take() && rest.is_empty();
        let nested: Job = Box::new(move || world.inside(&rest, job));
        JOB.set(Some(nested));
        RETURNS.set(returns);
        let mut scope = self.scopes.borrow_mut()[*first].take().expect("alive");
        let outer = WAKER.take().unwrap_or_else(|| Waker::noop().clone());
        let polled = scope.as_mut().poll(&mut Context::from_waker(&outer));
        assert_eq!(polled.is_ready(), returns);
        WAKER.set(Some(outer));
        if returns {
            drop(scope);
        } else {
            self.scopes.borrow_mut()[*first] = Some(scope);
        }
    }

    /// Does a job under an owner.
    fn under(self: &Rc<Self>, owner: Owner, job: impl FnOnce(&Rc<Self>) + 'static) {
        let world = Rc::clone(self);
        let job: Job = Box::new(move || job(&world));
        WAKER.set(None);
        match owner {
            Owner::Thread => job(),
            Owner::Worker(_) => panic!("it does its own"),
            Owner::Scope(id) => {
                let path = self.model.borrow().path(id);
                self.inside(&path, job);
            }
        }
    }

    fn open(self: &Rc<Self>, parent: Option<Id>) {
        let id = self.scopes.borrow().len();
        let body = poll_fn(|cx| {
            let outer = WAKER.replace(Some(cx.waker().clone()));
            let returns = RETURNS.take();
            if let Some(job) = JOB.take() {
                job();
            }
            WAKER.set(outer);
            if returns { Poll::Ready(()) } else { Poll::Pending }
        });
        let scope: Body = match parent {
            None => Box::pin(plock::root(SCOPES[id], body)),
            Some(_) => Box::pin(plock::scope(SCOPES[id], body)),
        };
        self.scopes.borrow_mut().push(Some(scope));
        self.model.borrow_mut().add_scope(parent);
        self.lives.borrow_mut().push((now(), 0));
        self.under(Owner::Scope(id), |_| {}); // its first poll makes it part of its parent
    }

    fn end(self: &Rc<Self>, scope: Id, completed: bool) {
        let (children, parent) = {
            let model = self.model.borrow();
            (model.children(scope), model.parent(scope))
        };
        for child in children {
            self.end(child, completed);
        }
        let around = parent.map_or(Owner::Thread, Owner::Scope);
        if completed {
            let world = Rc::clone(self);
            self.under(around, move |_| {
                RETURNS.set(true);
                world.inside(&[scope], Box::new(|| {}));
            });
        } else {
            self.under(around, move |world| {
                let scope = world.scopes.borrow_mut()[scope].take();
                drop(scope);
            });
        }
        self.model.borrow_mut().end(scope);
        self.lives.borrow_mut()[scope].1 = now();
    }

    fn attempt(&self, lock: Id, access: Access) -> Attempt {
        match (&self.locks[lock], access) {
            (Lock::Mutex(lock), _) => {
                let lock = Arc::clone(lock).lock_owned();
                Box::pin(async { Guard::Mutex { _guard: lock.await } })
            }
            (Lock::Rw(lock), Access::Write) => {
                let lock = Arc::clone(lock).write_owned();
                Box::pin(async { Guard::Write(lock.await) })
            }
            (Lock::Rw(lock), _) => {
                let lock = Arc::clone(lock).read_owned();
                Box::pin(async { Guard::Read { guard: lock.await } })
            }
            (Lock::Channel(sender, _), _) => {
                let place = sender.clone().reserve_owned();
                Box::pin(async { Guard::Place(place.await.expect("open")) })
            }
            (Lock::Thread(_), _) => panic!("nobody waits for it here"),
            (Lock::Pool(pool), _) => {
                let pool = pool.clone();
                Box::pin(
                    async move { Guard::Connection { _used: pool.get().await.expect("open") } },
                )
            }
            (Lock::Semaphore(lock), access) => {
                let lock = Arc::clone(lock).acquire_many_owned(access.need());
                Box::pin(async { Guard::Permit(lock.await.expect("open")) })
            }
        }
    }

    /// Polls an attempt; whether it became a guard.
    fn poll(&self, id: Id, mut attempt: Attempt) -> bool {
        let waker =
            WAKER.with_borrow(|waker| waker.clone().unwrap_or_else(|| Waker::noop().clone()));
        match attempt.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(guard) => {
                self.guards.borrow_mut().insert(id, guard);
                true
            }
            Poll::Pending => {
                self.attempts.borrow_mut().insert(id, attempt);
                false
            }
        }
    }

    fn owner(&self, number: usize) -> Owner {
        let model = self.model.borrow();
        let alive: Vec<Id> =
            (0..self.scopes.borrow().len()).filter(|id| model.is_alive(*id)).collect();
        match number % (alive.len() + 1) {
            0 => Owner::Thread,
            i => Owner::Scope(alive[i - 1]),
        }
    }

    /// Does a step, if there is something to do it with, and compares.
    pub(crate) fn step(self: &Rc<Self>, step: &Step) {
        manual::advance(step.before);
        self.act(&step.op, step.inside);
        self.compare();
    }

    /// Ends everything, in this order of guards, and compares all figures with the model's.
    pub(crate) fn quiesce(self: &Rc<Self>, order: &[usize]) {
        manual::advance(1);
        let attempts: Vec<Id> = self.attempts.borrow().keys().copied().collect();
        for _ in attempts {
            self.act(&Op::Cancel { attempt: 0, at: 0 }, 0);
        }
        let mut order = order.iter().cycle();
        while !self.guards.borrow().is_empty() || self.workers.count() > 0 {
            let (guard, at) = (*order.next().expect("cycles"), *order.next().expect("cycles"));
            self.act(&Op::Drop { guard, at }, 0);
            self.compare();
        }
        let scopes = self.scopes.borrow().len();
        for id in 0..scopes {
            if self.model.borrow().is_alive(id) {
                self.end(id, id % 2 == 0);
            }
        }
        self.compare();
        self.compare_figures();
        self.compare_reports();
        let model = self.model.borrow();
        let mut owners: Vec<Owner> = model.forgotten.iter().map(|held| held.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        let leaked = owners.iter().filter(|owner| **owner != Owner::Thread).count() as u64;
        let (cells, guards) = inspect::cells();
        let left = cells - self.before.cells.0;
        assert!(
            left >= leaked && left <= leaked + self.passed_on(&model),
            "P8: {left} cells left, {leaked} of forgotten guards"
        );
        assert_eq!(guards, self.before.cells.1 + model.forgotten.len() as u64, "P8");
    }

    /// Cells of ended branches that passed a forgotten guard on: at most one per scope and guard.
    fn passed_on(&self, model: &Model) -> u64 {
        (model.forgotten.len() * self.scopes.borrow().len()) as u64
    }
}

fn now() -> u64 {
    manual::now()
}
