//! Threads that wait for microseconds: who spins queues nowhere, and is accounted all the same.

use super::figures::{edges, exclusive};
use super::observer::told;
use super::{one_thread, real};
use plock::Outcome;
use plock::std::sync::Mutex;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

const LOCK: &str = "std spinning";
const SCOPES: [&str; 2] = ["std spinning one", "std spinning other"];
/// So many waits are waited for.
const WAITS: u64 = 2_000;

/// Acquires `lock` again and again until there have been enough waits of both.
fn hammer(lock: &Mutex<u64>, all: &AtomicU64) {
    let began = Instant::now();
    while exclusive(LOCK).contentions() < WAITS {
        assert!(began.elapsed() < Duration::from_secs(60), "{WAITS} waits in time");
        for _ in 0..1_000 {
            let mut guard = lock.lock().unwrap();
            super::spin(Duration::from_micros(1));
            *guard += 1;
            drop(guard);
            super::spin(Duration::from_micros(1));
        }
        all.fetch_add(1_000, Relaxed);
    }
}

#[test]
fn every_wait_of_microseconds_is_charged_in_full_to_the_other() {
    let _alone = real();
    let (lock, all, both) = (Mutex::named(LOCK, 0), AtomicU64::new(0), Barrier::new(2));
    thread::scope(|threads| {
        for name in SCOPES {
            let (lock, all, both) = (&lock, &all, &both);
            threads.spawn(move || {
                one_thread().block_on(plock::root(name, async {
                    both.wait();
                    hammer(lock, all);
                    both.wait(); // its scope is there as long as somebody waits for it
                }));
            });
        }
    });
    let (seen, edges) = (exclusive(LOCK), edges(LOCK));
    assert_eq!(seen.outcome(Outcome::Acquired), all.load(Relaxed));
    assert_eq!(*lock.lock().unwrap(), all.load(Relaxed));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    let waits = seen.wait_total();
    let charged: u64 = edges.iter().map(|(_, _, ns)| ns).sum();
    assert_eq!(waits.sum_ns() - seen.claim_delay_ns, charged, "blame is queue time");
    assert!(edges.iter().all(|(waiter, holder, _)| waiter != holder), "{edges:?}");
    let reports = SCOPES.map(|name| told(name).report);
    let sum = |of: fn(&plock::ScopeReport) -> u64| reports.iter().map(of).sum::<u64>();
    assert_eq!(sum(|report| report.contentions), waits.count());
    assert_eq!(sum(|report| report.wait_ns), waits.sum_ns());
    let holders = edges.iter().filter(|(_, holder, _)| SCOPES.contains(&holder.as_str()));
    let charged_to_scopes: u64 = holders.map(|(_, _, ns)| ns).sum();
    let inflicted = sum(|report| report.blocked_others_ns);
    // A holder that lets go in the very moment in which somebody queues does not see him.
    assert!(
        inflicted.abs_diff(charged_to_scopes) < charged_to_scopes / 20,
        "{inflicted} {edges:?}"
    );
}
