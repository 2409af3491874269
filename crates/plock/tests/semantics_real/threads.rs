//! Locks that block a thread, on real threads and runtimes.

use super::figures::{exclusive, figures};
use super::observer::{all_told, told};
use super::{one_thread, real, workers};
use plock::std::sync::{Condvar, Mutex, OnceLock, RwLock};
use plock::{BlockCause, FindingKind, Mode, Outcome, Precision, inspect};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, thread};
use tokio::runtime::Handle;
use tokio::task::{LocalSet, block_in_place, id, spawn_local, yield_now};

/// Until so many threads wait for the lock.
pub(crate) fn blocked(lock: &str, mode: Mode, waiters: u64) {
    let began = Instant::now();
    while figures(lock, mode).waiters < waiters {
        assert!(began.elapsed() < Duration::from_secs(20), "{waiters} waiters of {lock} in time");
        thread::yield_now();
    }
}

pub(crate) fn found(lock: &str) -> Vec<(FindingKind, u64)> {
    let findings = plock::snapshot().findings;
    findings.iter().filter(|it| it.lock == lock).map(|it| (it.kind, it.count)).collect()
}

/// Kind and task of whoever has the mutex.
fn owner_of(lock: &'static Mutex<()>) -> (Precision, String) {
    let _guard = lock.lock().unwrap();
    let held = inspect::holds("std identity");
    assert_eq!(held.len(), 1, "one guard at a time: {held:?}");
    (held[0].owner.precision, held[0].owner.task.to_string())
}

#[test]
fn identity_matrix_of_std_locks() {
    static LOCK: Mutex<()> = Mutex::const_named("std identity", ());
    let _alone = real();
    let thread_itself = (Precision::Thread, "0".to_owned());
    let task = |id: tokio::task::Id| (Precision::Task, id.to_string());
    let own = async { (owner_of(&LOCK), id()) };
    for runtime in [one_thread(), workers(2)] {
        assert_eq!(runtime.block_on(async { owner_of(&LOCK) }), thread_itself, "block_on");
        let (owner, id) =
            runtime.block_on(runtime.spawn(async { (owner_of(&LOCK), id()) })).unwrap();
        assert_eq!(owner, task(id), "spawn");
        let blocking = runtime.spawn_blocking(|| owner_of(&LOCK));
        let id = blocking.id();
        assert_eq!(runtime.block_on(blocking).unwrap(), task(id), "spawn_blocking");
    }
    let (runtime, local) = (one_thread(), LocalSet::new());
    assert_eq!(
        runtime.block_on(local.run_until(async { owner_of(&LOCK) })),
        thread_itself,
        "run_until"
    );
    let job = local.spawn_local(own);
    let (owner, id_of_job) = runtime.block_on(local.run_until(job)).unwrap();
    assert_eq!(owner, task(id_of_job), "spawn_local");
    let runtime = workers(2);
    let nested = runtime.spawn(async {
        (block_in_place(|| Handle::current().block_on(async { owner_of(&LOCK) })), id())
    });
    let (owner, outer) = runtime.block_on(nested).unwrap();
    assert_eq!(owner, task(outer), "block_on inside block_in_place");
    assert_eq!(thread::spawn(|| owner_of(&LOCK)).join().unwrap(), thread_itself, "thread");
    assert_eq!(figures("std identity", Mode::Exclusive).holders, 0);
}

#[test]
fn a_thread_that_blocks_is_seen_waiting_and_its_wait_is_split() {
    static LOCK: Mutex<u32> = Mutex::const_named("std blocked", 0);
    let _alone = real();
    let runtime = workers(2);
    let release = std::sync::Barrier::new(2);
    thread::scope(|threads| {
        threads.spawn(|| {
            runtime.block_on(plock::scope("std blocked holder", async {
                let mut guard = LOCK.lock().unwrap();
                release.wait();
                blocked("std blocked", Mode::Exclusive, 1);
                super::spin(Duration::from_millis(20));
                *guard += 1;
            }));
        });
        release.wait();
        runtime.block_on(plock::scope("std blocked waiter", async {
            assert_eq!(*LOCK.lock().unwrap(), 1);
        }));
    });
    let (holder, waiter) = (told("std blocked holder"), told("std blocked waiter"));
    let (detail, wait) = waiter.wait();
    assert!(wait.queue_ns >= 20_000_000, "{wait:?}");
    assert_eq!(wait.queue_ns + wait.claim_ns, detail.ns);
    assert_eq!(wait.claim_parts_ns.iter().sum::<u64>(), wait.claim_ns);
    assert_eq!((wait.block, wait.holder), (BlockCause::HeldExclusive, Some("std blocked holder")));
    assert_eq!(wait.holder_span, Some(holder.span));
    assert_eq!(holder.report.blocked_others, 1);
    assert!(holder.report.blocked_others_ns >= 20_000_000);
}

#[test]
fn barging_on_threads() {
    let _alone = real();
    let (lock, stop) = (Mutex::named("std barged", 0_u64), AtomicBool::new(false));
    thread::scope(|threads| {
        threads.spawn(|| {
            while !stop.load(Relaxed) {
                *lock.lock().unwrap() += 1; // it relocks before a waiter has woken up
            }
        });
        let began = Instant::now();
        let runtime = one_thread();
        loop {
            runtime.block_on(plock::root("std barged waiter", async {
                drop(lock.lock().unwrap());
            }));
            let told = all_told("std barged waiter");
            if told.iter().flat_map(|told| told.waits()).any(|(_, wait)| wait.barged_past > 0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "nobody has barged in time");
        }
        stop.store(true, Relaxed);
    });
}

#[test]
fn std_guard_across_await_on_a_local_set() {
    let _alone = real();
    let (runtime, local) = (one_thread(), LocalSet::new());
    let careless = plock::root("std across careless", async {
        static LOCK: Mutex<()> = Mutex::const_named("std across", ());
        let guard = LOCK.lock().unwrap();
        for _ in 0..5 {
            yield_now().await;
        }
        drop(guard);
    });
    let careful = plock::root("std across careful", async {
        static LOCK: Mutex<()> = Mutex::const_named("std not across", ());
        for _ in 0..5 {
            drop(LOCK.lock().unwrap());
            yield_now().await;
        }
    });
    let unscoped = async {
        static LOCK: Mutex<()> = Mutex::const_named("std across unscoped", ());
        let guard = LOCK.lock().unwrap();
        yield_now().await;
        drop(guard);
    };
    runtime.block_on(local.run_until(async {
        let jobs = (spawn_local(careless), spawn_local(careful), spawn_local(unscoped));
        jobs.0.await.unwrap();
        jobs.1.await.unwrap();
        jobs.2.await.unwrap();
    }));
    assert_eq!(found("std across"), [(FindingKind::AcrossAwait, 1)]);
    assert_eq!(found("std across unscoped"), [], "until somebody asks for it: see `relock`");
    assert_eq!(found("std not across"), []);

    let around = Mutex::named("std around", ());
    let guard = around.lock().unwrap();
    runtime.block_on(plock::root("std around inner", yield_now()));
    drop(guard);
    assert_eq!(found("std around"), []);
}

/// In a process of its own, which ends with a thread that waits for ever.
#[test]
fn same_thread_sync_relock() {
    const HERE: &str = "PLOCK_TEST_RELOCKS";
    if env::var_os(HERE).is_some() {
        return relock();
    }
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "threads::same_thread_sync_relock", "--nocapture"])
        .env(HERE, "yes")
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let told: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("found: ")).collect();
    assert_eq!(told.len(), 3, "{said}");
    assert!(told.iter().all(|told| told.starts_with("self_deadlock")), "{said}");
    assert!(
        said.contains("relocked by itself") && said.contains("relocked by a neighbour"),
        "{said}"
    );
    assert!(said.contains("made of itself"), "{said}");
}

/// Three threads that never go on: two wait for themselves, one for a task that it polls itself.
#[expect(clippy::print_stdout, reason = "for the process that started this one")]
fn relock() {
    static ITSELF: Mutex<()> = Mutex::const_named("relocked by itself", ());
    static NEIGHBOUR: RwLock<()> = RwLock::const_named("relocked by a neighbour", ());
    static MADE: OnceLock<u32> = OnceLock::const_named("made of itself");
    thread::spawn(|| {
        let _guard = ITSELF.lock().unwrap();
        let _never = ITSELF.lock();
    });
    thread::spawn(|| {
        let _never = MADE.get_or_init(|| *MADE.wait());
    });
    thread::spawn(|| {
        let (runtime, local) = (one_thread(), LocalSet::new());
        runtime.block_on(local.run_until(async {
            // A task without a scope, left waiting with a guard.
            spawn_local(async {
                let _guard = NEIGHBOUR.read().unwrap();
                std::future::pending::<()>().await;
            });
            yield_now().await;
            let _never = NEIGHBOUR.write();
        }));
    });
    let began = Instant::now();
    loop {
        let findings = plock::snapshot().findings;
        let relocks = findings.iter().filter(|it| it.kind == FindingKind::SelfDeadlock);
        let told: Vec<_> = relocks.collect();
        if told.len() == 3 {
            // What is seen of them while they wait: each is told, and stays in the queue.
            blocked("relocked by itself", Mode::Exclusive, 1);
            for it in told {
                println!("found: {} {} {} {}", it.kind, it.lock, it.site, it.holder_site);
            }
            std::process::exit(0);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "all are told in time");
        thread::yield_now();
    }
}

#[test]
fn time_in_a_condition_is_neither_hold_nor_wait() {
    const PAUSE: Duration = Duration::from_millis(30);
    let _alone = real();
    let (lock, condvar) = (Mutex::named("std condition", ()), Condvar::new());
    let began = Instant::now();
    while began.elapsed() < PAUSE {
        let guard = lock.lock().unwrap();
        drop(condvar.wait_timeout(guard, PAUSE).unwrap());
    }
    let seen = exclusive("std condition");
    assert!(seen.hold.count() >= 2 && seen.hold.sum_ns() < 10_000_000, "{:?}", seen.hold);
    assert_eq!((seen.contentions(), seen.holders), (0, 0));
}

/// Whatever threads do to each other, the figures balance.
#[test]
fn many_threads_leave_balanced_figures() {
    const THREADS: usize = 6;
    const EACH: u64 = 3_000;
    let _alone = real();
    let (lock, mutex) =
        (RwLock::named("std hammer", 0_u64), Mutex::named("std hammer inner", 0_u64));
    thread::scope(|threads| {
        for number in 0..THREADS {
            let (lock, mutex) = (&lock, &mutex);
            threads.spawn(move || {
                for round in 0..EACH {
                    match (round + number as u64) % 3 {
                        0 => *lock.write().unwrap() += 1,
                        1 => drop((lock.read().unwrap(), mutex.lock().unwrap())),
                        _ => *mutex.lock().unwrap() += 1,
                    }
                }
            });
        }
    });
    let (written, counted) = (*lock.read().unwrap(), *mutex.lock().unwrap());
    assert_eq!((written, counted), (THREADS as u64 * EACH / 3, THREADS as u64 * EACH / 3));
    let [write, read] = [Mode::Exclusive, Mode::Shared].map(|mode| figures("std hammer", mode));
    let inner = exclusive("std hammer inner");
    let third = THREADS as u64 * EACH / 3;
    let acquired = [&write, &read, &inner].map(|seen| seen.outcome(Outcome::Acquired));
    assert_eq!(acquired, [third, third + 1, 2 * third + 1]);
    for seen in [&write, &read, &inner] {
        assert_eq!((seen.waiters, seen.holders, seen.migrated), (0, 0, 0), "{}", seen.name);
        assert_eq!(seen.hold.count(), seen.outcome(Outcome::Acquired));
        let (claim, waited) =
            (seen.claim_delay_ns, seen.wait.iter().map(|it| it.sum_ns()).sum::<u64>());
        assert!(claim <= waited);
        let charged: u64 = plock::snapshot()
            .edges
            .iter()
            .filter(|it| it.lock == seen.name)
            .map(|it| it.wait_ns)
            .sum();
        if seen.name == "std hammer inner" {
            assert_eq!(charged, waited - claim, "blame is the queue time to the nanosecond");
        }
    }
    assert_eq!(found("std hammer"), []);
}
