//! What plock says about locks on real runtimes, by the real clock: scheduling, cooperation,
//! identity. Bounds are generous; nothing is synchronised by sleeping.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[path = "../semantics/figures.rs"]
mod figures;
#[path = "../semantics/observer.rs"]
#[expect(dead_code, reason = "shared with the tests by hand")]
mod observer;

mod coarse;
mod coop;
mod hammer;
mod identity;
mod scheduling;
mod spinning;
mod std_once;
mod threads;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Starts a test; they run one after the other, so that none disturbs another one's times.
fn real() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    observer::install();
    plock::calibrate();
    alone
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

fn workers(n: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(n).enable_time().build().unwrap()
}

/// Keeps the worker busy.
fn spin(duration: Duration) {
    let began = Instant::now();
    while began.elapsed() < duration {
        std::hint::spin_loop();
    }
}

/// Lets others run until so many attempts are queued for the mutex.
async fn queued(lock: &str, waiters: u64) {
    let began = Instant::now();
    while figures::exclusive(lock).waiters < waiters {
        assert!(began.elapsed() < Duration::from_secs(20), "{waiters} waiters of {lock} in time");
        tokio::task::yield_now().await;
    }
}

fn ms(ns: u64) -> u64 {
    ns / 1_000_000
}
