//! The real thing beside the model: plock's locks and scopes, polled by hand on one thread, with the
//! manual clock. Every operation is done on both, and compared.

use crate::model::{Access, Id, Model, Owner};
use plock::tokio::sync::{
    Mutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit,
    RwLock, Semaphore,
};
use plock::{
    Histogram, Mode, Outcome, ScopeObserver, ScopeReport, Snapshot, SpanRef, inspect, manual,
    snapshot,
};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// One step of a program. Numbers choose among what there is at that point.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Root,
    Branch { of: usize },
    End { scope: usize, completed: bool },
    Acquire { lock: usize, access: usize, at: usize },
    Poll { attempt: usize, at: usize },
    Cancel { attempt: usize, at: usize },
    Drop { guard: usize, at: usize },
    Adopt { guard: usize, at: usize },
    Forget { guard: usize },
    Downgrade { guard: usize, at: usize },
    Split { guard: usize, at: usize },
    Merge { guard: usize, other: usize, at: usize },
    ForgetPermits { guard: usize, at: usize },
    AddPermits { n: u32 },
}

impl Op {
    /// Whether it ends a hold.
    pub(crate) const fn is_drop(&self) -> bool {
        matches!(self, Self::Drop { .. } | Self::Merge { .. } | Self::ForgetPermits { .. })
    }
}

/// A step and how much time passes before it and inside it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) before: u64,
    pub(crate) inside: u64,
}

enum Lock {
    Mutex(Arc<Mutex<()>>),
    Rw(Arc<RwLock<()>>),
    Semaphore(Arc<Semaphore>),
}

#[derive(Debug)]
enum Guard {
    Mutex { _guard: OwnedMutexGuard<()> },
    Write(OwnedRwLockWriteGuard<()>),
    Read { guard: OwnedRwLockReadGuard<()> },
    Permit(OwnedSemaphorePermit),
}

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
pub(crate) const LOCKS: [(&str, Access); 5] = [
    ("props_mutex", Access::Lock),
    ("props_mutex", Access::Lock),
    ("props_rwlock", Access::Write),
    ("props_rwlock", Access::Write),
    ("props_semaphore", Access::Permits(3)),
];
/// Names of scopes; a program has at most so many.
pub(crate) const SCOPES: [&str; 8] =
    ["props_0", "props_1", "props_2", "props_3", "props_4", "props_5", "props_6", "props_7"];

pub(crate) struct World {
    pub(crate) model: RefCell<Model>,
    locks: Vec<Lock>,
    scopes: RefCell<Vec<Option<Body>>>,
    attempts: RefCell<BTreeMap<Id, Attempt>>,
    guards: RefCell<BTreeMap<Id, Guard>>,
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
        let _installed_before = plock::set_observer(Box::new(Collector));
        let mut model = Model::default();
        let locks = LOCKS.map(|(name, whole)| {
            model.add_lock(whole);
            match whole {
                Access::Lock => Lock::Mutex(Arc::new(Mutex::named(name, ()))),
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

    #[expect(clippy::too_many_lines, reason = "one arm per operation")]
    fn act(self: &Rc<Self>, op: &Op, inside: u64) {
        let pick = |ids: Vec<Id>, number: usize| (!ids.is_empty()).then(|| ids[number % ids.len()]);
        let guard = |number: usize, fits: fn(&Guard) -> bool| {
            let fitting =
                self.guards.borrow().iter().filter(|(_, g)| fits(g)).map(|(id, _)| *id).collect();
            pick(fitting, number)
        };
        let attempt =
            |number: usize| pick(self.attempts.borrow().keys().copied().collect(), number);
        let permit: fn(&Guard) -> bool = |guard| matches!(guard, Guard::Permit(_));
        match *op {
            Op::Root => {
                if self.scopes.borrow().len() < SCOPES.len() {
                    self.open(None);
                }
            }
            Op::Branch { of } => {
                if self.scopes.borrow().len() < SCOPES.len() {
                    let parent = match self.owner(of) {
                        Owner::Thread => None,
                        Owner::Scope(id) => Some(id),
                    };
                    self.open(parent);
                }
            }
            Op::End { scope, completed } => {
                if let Owner::Scope(id) = self.owner(scope) {
                    self.end(id, completed);
                }
            }
            Op::Acquire { lock, access, at } => {
                let (lock, at) = (lock % LOCKS.len(), self.owner(at));
                let access = match (LOCKS[lock].1, access) {
                    (Access::Write, n) if n % 3 > 0 => Access::Read,
                    (Access::Permits(_), n) => Access::Permits([1, 2, 3][n % 3]),
                    (whole, _) => whole,
                };
                self.under(at, move |world| {
                    manual::advance(inside);
                    let (id, gets) = world.model.borrow_mut().acquire(lock, access, at, now());
                    assert_eq!(world.poll(id, world.attempt(lock, access)), gets, "{access:?}");
                });
            }
            Op::Poll { attempt: number, at } => {
                let Some(id) = attempt(number) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    manual::advance(inside);
                    let gets = world.model.borrow_mut().poll(id, at, now());
                    let attempt = world.attempts.borrow_mut().remove(&id).expect("waits");
                    assert_eq!(world.poll(id, attempt), gets, "as the fair queue says");
                });
            }
            Op::Cancel { attempt: number, at } => {
                let Some(id) = attempt(number) else { return };
                let cells = inspect::cells().1;
                self.under(self.owner(at), move |world| {
                    world.model.borrow_mut().cancel(id, now());
                    let attempt = world.attempts.borrow_mut().remove(&id);
                    drop(attempt);
                });
                assert_eq!(inspect::cells().1, cells, "P7: cancelling changes no cell");
            }
            Op::Drop { guard: number, at } => {
                let Some(id) = guard(number, |_| true) else { return };
                self.release(id, self.owner(at));
            }
            Op::Adopt { guard: number, at } => {
                let Some(id) = guard(number, |_| true) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    world.model.borrow_mut().adopt(id, at);
                    match world.guards.borrow_mut().get_mut(&id).expect("held") {
                        Guard::Mutex { _guard } => OwnedMutexGuard::adopt(_guard),
                        Guard::Write(guard) => OwnedRwLockWriteGuard::adopt(guard),
                        Guard::Read { guard } => OwnedRwLockReadGuard::adopt(guard),
                        Guard::Permit(permit) => OwnedSemaphorePermit::adopt(permit),
                    }
                });
            }
            Op::Forget { guard: number } => {
                let Some(id) = guard(number, |_| true) else { return };
                self.model.borrow_mut().forget_guard(id);
                #[expect(clippy::mem_forget, reason = "the case under test")]
                std::mem::forget(self.guards.borrow_mut().remove(&id));
            }
            Op::Downgrade { guard: number, at } => {
                let Some(id) = guard(number, |guard| matches!(guard, Guard::Write(_))) else {
                    return;
                };
                self.under(self.owner(at), move |world| {
                    world.model.borrow_mut().downgrade(id, now());
                    let guard = world.guards.borrow_mut().remove(&id);
                    let Some(Guard::Write(guard)) = guard else { panic!("a write guard") };
                    let guard = guard.downgrade();
                    world.guards.borrow_mut().insert(id, Guard::Read { guard });
                });
            }
            Op::Split { guard: number, at } => {
                let Some(id) = guard(number, permit) else { return };
                let at = self.owner(at);
                if self.model.borrow().held[&id].access.need() < 2 {
                    return;
                }
                self.under(at, move |world| {
                    let split = world.model.borrow_mut().split(id, at);
                    let mut guards = world.guards.borrow_mut();
                    let Some(Guard::Permit(permit)) = guards.get_mut(&id) else {
                        panic!("a permit")
                    };
                    let permit = permit.split(1).expect("two or more");
                    guards.insert(split, Guard::Permit(permit));
                });
            }
            Op::Merge { guard: number, other, at } => {
                let (Some(into), Some(other)) = (guard(number, permit), guard(other, permit))
                else {
                    return;
                };
                if into == other {
                    return;
                }
                let at = self.owner(at);
                self.under(at, move |world| {
                    world.model.borrow_mut().merge(into, other, at, now());
                    let mut guards = world.guards.borrow_mut();
                    let Some(Guard::Permit(other)) = guards.remove(&other) else {
                        panic!("a permit")
                    };
                    let Some(Guard::Permit(into)) = guards.get_mut(&into) else {
                        panic!("a permit")
                    };
                    into.merge(other);
                });
            }
            Op::ForgetPermits { guard: number, at } => {
                let Some(id) = guard(number, permit) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    let lost = world.model.borrow().held[&id].access.need();
                    world.added.set(world.added.get().wrapping_sub(lost));
                    world.model.borrow_mut().forget_permits(id, at, now());
                    let guard = world.guards.borrow_mut().remove(&id);
                    let Some(Guard::Permit(permit)) = guard else { panic!("a permit") };
                    permit.forget();
                });
            }
            Op::AddPermits { n } => {
                let lock = LOCKS.len() - 1;
                self.added.set(self.added.get().wrapping_add(n));
                self.model.borrow_mut().give_back(lock, n, now());
                self.semaphore().add_permits(n as usize);
            }
        }
    }

    fn semaphore(&self) -> &Semaphore {
        match self.locks.last() {
            Some(Lock::Semaphore(semaphore)) => semaphore,
            _ => panic!("the last one"),
        }
    }

    fn release(self: &Rc<Self>, id: Id, at: Owner) {
        self.under(at, move |world| {
            world.model.borrow_mut().release(id, at, now());
            let guard = world.guards.borrow_mut().remove(&id);
            drop(guard);
        });
    }

    /// P1, P2, P3, P5 and P9 at this point.
    fn compare(&self) {
        let model = self.model.borrow();
        for (id, name) in SCOPES.iter().enumerate().take(self.scopes.borrow().len()) {
            let counted: u64 = inspect::scopes(name).iter().sum();
            let expected = model.guards(Owner::Scope(id));
            assert_eq!(counted - self.before.scopes[id], expected, "P1: {name}");
        }
        let alive = (model.held.len() + model.forgotten.len()) as u64;
        assert_eq!(inspect::cells().1 - self.before.cells.1, alive, "P2: one owner per guard");
        for (name, before) in &self.before.holds {
            let expected = model
                .held
                .values()
                .chain(&model.forgotten)
                .filter(|held| LOCKS[held.lock].0 == *name);
            assert_eq!(inspect::holds(name).len() - before, expected.count(), "P2: {name}");
        }
        let lock = LOCKS.len() - 1;
        let weights = weights() - self.before.weights;
        let free = u32::try_from(self.semaphore().available_permits()).unwrap();
        let capacity = LOCKS[lock].1.need().wrapping_add(self.added.get());
        assert!(weights + free <= capacity, "P9");
        if !model.is_queued_for(lock) {
            assert_eq!(weights + free, capacity, "P9: nobody queues");
            assert_eq!(free, model.free(lock));
        }
    }

    /// Ends everything, in this order of guards, and compares all figures with the model's.
    pub(crate) fn quiesce(self: &Rc<Self>, order: &[usize]) {
        manual::advance(1);
        let attempts: Vec<Id> = self.attempts.borrow().keys().copied().collect();
        for _ in attempts {
            self.act(&Op::Cancel { attempt: 0, at: 0 }, 0);
        }
        let mut order = order.iter().cycle();
        while !self.guards.borrow().is_empty() {
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

    fn compare_figures(&self) {
        let after = snapshot();
        let model = self.model.borrow();
        let series = [
            ("props_mutex", Mode::Exclusive, Access::Lock),
            ("props_rwlock", Mode::Exclusive, Access::Write),
            ("props_rwlock", Mode::Shared, Access::Read),
            ("props_semaphore", Mode::Permit, Access::Permits(0)),
        ];
        for (name, mode, access) in series {
            let (old, new) =
                (self.before.snapshot.lock(name, mode), after.lock(name, mode).expect("used"));
            let old = old.cloned().unwrap_or_default();
            let of_series = |((lock, a), expected): (&(Id, Access), _)| {
                (LOCKS[*lock].0 == name && *a == access).then_some(expected)
            };
            let all: Vec<_> = model.expected.iter().filter_map(of_series).collect();
            let holds: Vec<u64> = all.iter().flat_map(|e| e.holds.iter().copied()).collect();
            let mut rebuilt = old.hold.clone();
            rebuilt.merge(&Histogram::of(&holds));
            assert_eq!(
                rebuilt, new.hold,
                "{name} {mode}: previous and delta are the cumulative holds"
            );
            let waits: Vec<u64> = all.iter().flat_map(|e| e.waits.iter().copied()).collect();
            let mut rebuilt = old.wait_total();
            rebuilt.merge(&Histogram::of(&waits));
            assert_eq!(rebuilt, new.wait_total(), "{name} {mode}: waits");
            let claim: u64 = all.iter().map(|e| e.claim_delay_ns).sum();
            assert_eq!(
                new.claim_delay_ns - old.claim_delay_ns,
                claim,
                "{name} {mode}: claim delay"
            );
            let abandoned: u64 = all.iter().map(|e| e.abandoned).sum();
            let of = |outcome| new.outcome(outcome) - old.outcome(outcome);
            assert_eq!(of(Outcome::Abandoned), abandoned, "{name} {mode}");
            let depths: Vec<u64> = all.iter().flat_map(|e| e.depths.iter().copied()).collect();
            assert_eq!(of(Outcome::Acquired), depths.len() as u64, "{name} {mode}");
            assert_eq!(
                new.depth_sum - old.depth_sum,
                depths.iter().sum::<u64>(),
                "P3: {name} {mode}"
            );
            for (i, (new, old)) in new.depth.iter().zip(old.depth).enumerate().take(8) {
                let expected = depths.iter().filter(|depth| **depth == i as u64 + 1).count();
                assert_eq!(new - old, expected as u64, "P3: depth {} of {name} {mode}", i + 1);
            }
            let migrated: u64 = all.iter().map(|e| e.migrated).sum();
            assert_eq!(new.migrated - old.migrated, migrated, "{name} {mode}: migrated");
        }
        // Blame: what was waited is charged to somebody, to the nanosecond.
        for name in ["props_mutex", "props_rwlock", "props_semaphore"] {
            let blamed = |s: &Snapshot| -> u64 {
                s.edges.iter().filter(|edge| edge.lock == name).map(|edge| edge.wait_ns).sum()
            };
            let queued = |s: &Snapshot| -> u64 {
                let of_name = s.locks.iter().filter(|lock| lock.name == name);
                of_name.map(|lock| lock.wait_total().sum_ns() - lock.claim_delay_ns).sum()
            };
            let (blamed, queued) = (
                blamed(&after) - blamed(&self.before.snapshot),
                queued(&after) - queued(&self.before.snapshot),
            );
            assert_eq!(blamed, queued, "{name}: blame sums to the queue time");
        }
    }
}

impl World {
    /// What this world has added to the figures so far: counts, sums and buckets per series.
    pub(crate) fn grown(&self) -> Vec<(String, Histogram, Histogram, u64, u64)> {
        let after = snapshot();
        let ours =
            after.locks.iter().filter(|lock| LOCKS.iter().any(|(name, _)| lock.name == *name));
        ours.map(|lock| {
            let old = self.before.snapshot.lock(&lock.name, lock.mode).cloned().unwrap_or_default();
            let (hold, wait) =
                (lock.hold.since(&old.hold), lock.wait_total().since(&old.wait_total()));
            let acquired = lock.outcome(Outcome::Acquired) - old.outcome(Outcome::Acquired);
            let depth_sum = lock.depth_sum - old.depth_sum;
            // Of the cumulative maxima only the sums and counts are this world's own.
            let plain = |h: &Histogram| Histogram::of(&[h.count(), h.sum_ns()]);
            (
                format!("{} {}", lock.name, lock.mode),
                plain(&hold),
                plain(&wait),
                acquired,
                depth_sum,
            )
        })
        .collect()
    }

    /// Every scope's time is told apart without a gap, and so is every wait.
    fn compare_reports(&self) {
        let told = TOLD.take();
        assert_eq!(told.len(), self.scopes.borrow().len(), "each scope once");
        for report in told {
            let id = SCOPES.iter().position(|name| *name == report.name).expect("ours");
            let (first, end) = self.lives.borrow()[id];
            assert_eq!(
                report.busy_ns + report.runnable_ns + report.idle_ns,
                end - first,
                "{report:?}"
            );
            assert!(report.blocked_ns <= report.wait_ns && report.wait_max_ns <= report.wait_ns);
            assert_eq!(
                report.acquisitions,
                self.model.borrow().claims(Owner::Scope(id)),
                "{report:?}"
            );
            for detail in &report.details {
                let Some(wait) = &detail.wait else { continue };
                assert_eq!(wait.queue_ns + wait.claim_ns, detail.ns, "{detail:?}");
                assert_eq!(wait.claim_parts_ns.iter().sum::<u64>(), wait.claim_ns, "{detail:?}");
            }
        }
        let after = snapshot();
        for (id, name) in SCOPES.iter().enumerate().take(self.scopes.borrow().len()) {
            let total = |snapshot: &Snapshot| {
                snapshot.scope(name).map_or(0, |scope| {
                    let idle: u64 = scope.idle_ns.iter().sum();
                    scope.spawn_delay_ns
                        + scope.poll.sum_ns()
                        + scope.schedule_delay.sum_ns()
                        + idle
                })
            };
            let (first, end) = self.lives.borrow()[id];
            assert_eq!(
                total(&after) - total(&self.before.snapshot),
                end - first,
                "{name}: its lifetime"
            );
        }
    }
}

/// Permits of all live holds of semaphores.
fn weights() -> u32 {
    inspect::holds(LOCKS[LOCKS.len() - 1].0).iter().map(|hold| hold.weight).sum()
}

fn now() -> u64 {
    manual::now()
}
