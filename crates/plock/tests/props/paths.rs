//! Depth along paths of scopes and across tasks, where the program itself says what it must be.

use super::alone;
use super::world::pool;
use futures_util::future::join;
use plock::parking_lot::{self, Named};
use plock::std::sync;
use plock::tokio::sync::{Mutex, OwnedMutexGuard, RwLock, Semaphore};
use plock::{Mode, inspect, snapshot};
use proptest::prelude::*;
use std::any::Any;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::thread;
use tokio::sync::{mpsc, oneshot};

/// How often each depth from 1 on was recorded for the locks with this name, and deeper ones last.
fn depths(name: &str) -> Vec<u64> {
    snapshot().lock(name, Mode::Exclusive).map_or(vec![0; 9], |lock| lock.depth.to_vec())
}

fn since(name: &str, before: &[u64]) -> Vec<u64> {
    depths(name).iter().zip(before).map(|(now, before)| now - before).collect()
}

fn histogram(depths: &[usize]) -> Vec<u64> {
    let mut out = vec![0; 9];
    depths.iter().for_each(|depth| out[depth.saturating_sub(1).min(8)] += 1);
    out
}

async fn lock(name: &'static str) -> OwnedMutexGuard<()> {
    Arc::new(Mutex::named(name, ())).lock_owned().await
}

/// A block of a nested program: locks that it takes, and blocks inside.
#[derive(Clone, Debug)]
struct Block {
    locks: usize,
    in_scope: bool,
    inner: Vec<Self>,
}

fn block() -> impl Strategy<Value = Block> {
    let leaf = (0..3usize, any::<bool>());
    let leaf = leaf.prop_map(|(locks, in_scope)| Block { locks, in_scope, inner: Vec::new() });
    leaf.prop_recursive(4, 24, 3, |inner| {
        (0..3usize, any::<bool>(), prop::collection::vec(inner, 0..3))
            .prop_map(|(locks, in_scope, inner)| Block { locks, in_scope, inner })
    })
}

/// What the text of the program says: as many locks as are open around, and one.
fn syntactic(block: &Block, around: usize, out: &mut Vec<usize>) {
    out.extend((1..=block.locks).map(|own| around + own));
    block.inner.iter().for_each(|inner| syntactic(inner, around + block.locks, out));
}

fn run(block: Block) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        let body = async {
            let mut held = Vec::new();
            for _ in 0..block.locks {
                held.push(lock("p3").await);
            }
            for inner in block.inner {
                run(inner).await;
            }
            while held.pop().is_some() {}
        };
        if block.in_scope { plock::scope("p3_block", body).await } else { body.await }
    })
}

/// One branch of a task: takes or drops a lock each time its gate opens further.
async fn branch(name: &'static str, ops: Vec<bool>, gate: Arc<AtomicUsize>) {
    let mut held = Vec::new();
    for (i, takes) in ops.into_iter().enumerate() {
        poll_fn(|_| if gate.load(SeqCst) > i { Poll::Ready(()) } else { Poll::Pending }).await;
        if takes {
            held.push(lock(name).await);
        } else {
            held.pop();
        }
    }
}

/// What can be held: what is tokio's, then what stays on its thread.
const KINDS: usize = 8;

/// Names of the locks of two branches, by kind.
const BRANCHES: [[&str; KINDS]; 2] = [
    ["p6_a0", "p6_a1", "p6_a2", "p6_a3", "p6_a4", "p6_a5", "p6_a6", "p6_a7"],
    ["p6_b0", "p6_b1", "p6_b2", "p6_b3", "p6_b4", "p6_b5", "p6_b6", "p6_b7"],
];

/// As [`depths`], of several locks together.
fn all_depths(names: [&str; KINDS]) -> [u64; 9] {
    let mut sum = [0; 9];
    for lock in snapshot().locks.iter().filter(|lock| names.contains(&&*lock.name)) {
        sum.iter_mut().zip(lock.depth).for_each(|(sum, depth)| *sum += depth);
    }
    sum
}

/// The guard of a new lock of this kind.
async fn guard(name: &'static str, kind: usize) -> Box<dyn Any> {
    fn leak<T>(lock: T) -> &'static T {
        Box::leak(Box::new(lock))
    }
    match kind {
        0 => Box::new(lock(name).await),
        1 => Box::new(Arc::new(RwLock::named(name, ())).write_owned().await),
        2 => Box::new(Arc::new(Semaphore::named(name, 1)).acquire_owned().await.unwrap()),
        3 => Box::new(pool(name, 1).get().await.unwrap()),
        4 => Box::new(leak(sync::Mutex::named(name, ())).lock().unwrap()),
        5 => Box::new(leak(sync::RwLock::named(name, ())).write().unwrap()),
        6 => Box::new(leak(<parking_lot::Mutex<_> as Named>::named(name, ())).lock()),
        _ => Box::new(leak(<parking_lot::RwLock<_> as Named>::named(name, ())).write()),
    }
}

/// As [`branch`], of locks of any kind.
async fn kinds(
    names: &'static [&'static str; KINDS],
    ops: Vec<Option<usize>>,
    gate: Arc<AtomicUsize>,
) {
    let mut held = Vec::new();
    for (i, takes) in ops.into_iter().enumerate() {
        poll_fn(|_| if gate.load(SeqCst) > i { Poll::Ready(()) } else { Poll::Pending }).await;
        match takes {
            Some(kind) => held.push(guard(names[kind], kind).await),
            None => drop(held.pop()),
        }
    }
}

/// Depths of a branch under one lock of the scope around it.
fn of_branch(ops: &[bool]) -> Vec<usize> {
    let mut held: usize = 0;
    let mut out = Vec::new();
    for takes in ops {
        if *takes {
            held += 1;
            out.push(1 + held);
        } else {
            held = held.saturating_sub(1);
        }
    }
    out
}

/// What a task is told to do.
#[derive(Clone, Debug)]
enum Told {
    Take,
    /// Drops or adopts a guard of the common pool, whoever took it.
    Drop(usize),
    Adopt(usize),
}

fn told() -> impl Strategy<Value = (usize, Told)> {
    let n = || 0..64usize;
    let told = prop_oneof![
        4 => Just(Told::Take),
        2 => n().prop_map(Told::Drop),
        2 => n().prop_map(Told::Adopt),
    ];
    (0..4usize, told)
}

type Pool = Arc<std::sync::Mutex<Vec<OwnedMutexGuard<()>>>>;

/// An unscoped task: does as it is told, says its number first.
async fn task(mut orders: mpsc::UnboundedReceiver<(Told, oneshot::Sender<u64>)>, pool: Pool) {
    let id: u64 = tokio::task::id().to_string().parse().unwrap();
    while let Some((told, done)) = orders.recv().await {
        match told {
            Told::Take => {
                let guard = lock("p5").await;
                pool.lock().unwrap().push(guard);
            }
            Told::Drop(i) => {
                let guard = pool.lock().unwrap().swap_remove(i);
                drop(guard);
            }
            Told::Adopt(i) => OwnedMutexGuard::adopt(&mut pool.lock().unwrap()[i]),
        }
        done.send(id).unwrap();
    }
}

async fn tasks(program: Vec<(usize, Told)>) {
    let pool = Pool::default();
    let (mut senders, mut joins, mut held): (Vec<_>, Vec<_>, Vec<u64>) = Default::default();
    for _ in 0..4 {
        let (sender, orders) = mpsc::unbounded_channel();
        joins.push(tokio::spawn(task(orders, Arc::clone(&pool))));
        senders.push(sender);
    }
    for (who, told) in program {
        let told = match told {
            Told::Drop(_) | Told::Adopt(_) if held.is_empty() => continue,
            Told::Drop(i) => Told::Drop(i % held.len()),
            Told::Adopt(i) => Told::Adopt(i % held.len()),
            Told::Take => Told::Take,
        };
        let (done, is_done) = oneshot::channel();
        senders[who].send((told.clone(), done)).unwrap();
        let id = is_done.await.unwrap();
        match told {
            Told::Take => held.push(id),
            Told::Drop(i) => drop(held.swap_remove(i)),
            Told::Adopt(i) => held[i] = id,
        }
        let mut expected: BTreeMap<u64, u64> = BTreeMap::new();
        held.iter().for_each(|id| *expected.entry(*id).or_default() += 1);
        let mut found: BTreeMap<u64, u64> = BTreeMap::new();
        for hold in inspect::holds("p5") {
            found.insert(hold.owner.task, hold.owner.live);
        }
        assert_eq!(found, expected, "P5: whoever has taken or adopted it, wherever the guard lies");
    }
    drop(senders);
    for join in joins {
        join.await.unwrap();
    }
    let left: Vec<_> = pool.lock().unwrap().drain(..).collect();
    drop(left);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p3_with_lifo_drops_the_depth_is_the_syntactic_one(block in block()) {
        alone(|| {
            let before = depths("p3");
            let mut future = run(Block { in_scope: true, ..block.clone() });
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_ready());
            let mut expected = Vec::new();
            syntactic(&block, 0, &mut expected);
            assert_eq!(since("p3", &before), histogram(&expected));
        })?;
    }

    #[test]
    fn p5_p8_guards_that_wander_between_tasks_count_where_they_were_taken(
        program in prop::collection::vec(told(), 0..40),
    ) {
        alone(|| {
            let before = inspect::cells();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(tasks(program));
            drop(runtime);
            assert_eq!(inspect::cells(), before, "P8: no task is left in the table");
        })?;
    }

    /// With guards that stay on their thread, connections and permits among them.
    #[test]
    fn p6_depth_of_every_kind_knows_neither_polls_nor_siblings(
        a in prop::collection::vec(prop::option::of(0..KINDS), 0..12),
        b in prop::collection::vec(prop::option::of(0..KINDS), 0..12),
        schedule in prop::collection::vec(0..3u8, 0..60),
    ) {
        alone(|| {
            let before = BRANCHES.map(all_depths);
            let gates = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
            let [ga, gb] = gates.clone();
            let (ops_a, ops_b) = (a.clone(), b.clone());
            let mut future = Box::pin(plock::root("p6_root", async move {
                let _around = lock("p6_around").await;
                let a = plock::scope("p6_a", kinds(&BRANCHES[0], ops_a, ga));
                let b = plock::scope("p6_b", kinds(&BRANCHES[1], ops_b, gb));
                join(a, b).await;
            }));
            let mut poll = || future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            let last = [0, 1].into_iter().cycle().take(2 * (a.len() + b.len()) + 2);
            let is_over = schedule.into_iter().chain(last).any(|gate| {
                if let Some(gate) = gates.get(usize::from(gate)) {
                    gate.fetch_add(1, SeqCst); // else a poll for nothing
                }
                poll()
            });
            assert!(is_over, "ran to its end");
            for ((names, ops), before) in BRANCHES.into_iter().zip([a, b]).zip(before) {
                let takes: Vec<_> = ops.iter().map(Option::is_some).collect();
                let grown = all_depths(names).iter().zip(before).map(|(now, then)| now - then).collect::<Vec<_>>();
                assert_eq!(grown, histogram(&of_branch(&takes)));
            }
        })?;
    }

    #[test]
    fn p6_depth_knows_neither_polls_nor_threads_nor_siblings(
        a in prop::collection::vec(any::<bool>(), 0..12),
        b in prop::collection::vec(any::<bool>(), 0..12),
        schedule in prop::collection::vec((0..3u8, any::<bool>()), 0..60),
    ) {
        alone(|| {
            let before = [depths("p6_a"), depths("p6_b")];
            let gates = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
            let (ga, gb) = (Arc::clone(&gates[0]), Arc::clone(&gates[1]));
            let (ops_a, ops_b) = (a.clone(), b.clone());
            let mut future = Some(Box::pin(plock::root("p6_root", async move {
                let _around = lock("p6_around").await;
                let a = plock::scope("p6_a", branch("p6_a", ops_a, ga));
                let b = plock::scope("p6_b", branch("p6_b", ops_b, gb));
                join(a, b).await;
            })));
            let last = [(0, false), (1, true)].into_iter().cycle().take(2 * (a.len() + b.len()) + 2);
            for (gate, elsewhere) in schedule.into_iter().chain(last) {
                if let Some(gate) = gates.get(usize::from(gate)) {
                    gate.fetch_add(1, SeqCst); // else a poll for nothing
                }
                let Some(mut polled) = future.take() else { break };
                let poll = move || {
                    let ready = pin!(&mut polled).poll(&mut Context::from_waker(Waker::noop())).is_ready();
                    (!ready).then_some(polled)
                };
                future = if elsewhere {
                    thread::scope(|threads| threads.spawn(poll).join().unwrap())
                } else {
                    poll()
                };
            }
            assert!(future.is_none(), "ran to its end");
            assert_eq!(since("p6_a", &before[0]), histogram(&of_branch(&a)));
            assert_eq!(since("p6_b", &before[1]), histogram(&of_branch(&b)));
        })?;
    }
}
