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

/// So many waits are waited for.
const WAITS: u64 = 2_000;

/// Acquires `lock` again and again until there have been enough waits of both.
fn hammer(name: &str, lock: &Mutex<u64>, all: &AtomicU64) {
    let began = Instant::now();
    while exclusive(name).contentions() < WAITS {
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

/// A holder that lets go in the very moment in which somebody queues does not see him, and one whose
/// waiter is not given a processor then has it on its account all that time. Others run on this machine as
/// well: of a few rounds one has to be undisturbed.
#[test]
fn every_wait_of_microseconds_is_charged_in_full_to_the_other() {
    let _alone = real();
    let mut seen = Vec::new();
    for nth in 0..8 {
        let (inflicted, charged) = round(nth);
        seen.push((inflicted, charged));
        if inflicted.abs_diff(charged) < charged / 20 {
            return;
        }
    }
    panic!("nanoseconds that they inflicted, and were charged with: {seen:?}");
}

/// What two threads inflict on each other, and what they are charged with.
fn round(nth: u32) -> (u64, u64) {
    let leaked = |name: &str| &*format!("std spinning {nth}{name}").leak();
    let (name, scopes) = (leaked(""), [" one", " other"].map(leaked));
    let (lock, all, both) = (Mutex::named(name, 0), AtomicU64::new(0), Barrier::new(2));
    thread::scope(|threads| {
        for scope in scopes {
            let (lock, all, both) = (&lock, &all, &both);
            threads.spawn(move || {
                one_thread().block_on(plock::root(scope, async {
                    both.wait();
                    hammer(name, lock, all);
                    both.wait(); // its scope is there as long as somebody waits for it
                }));
            });
        }
    });
    let (seen, edges) = (exclusive(name), edges(name));
    assert_eq!(seen.outcome(Outcome::Acquired), all.load(Relaxed));
    assert_eq!(*lock.lock().unwrap(), all.load(Relaxed));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    let waits = seen.wait_total();
    let charged: u64 = edges.iter().map(|(_, _, ns)| ns).sum();
    assert_eq!(waits.sum_ns() - seen.claim_delay_ns, charged, "blame is queue time");
    assert!(edges.iter().all(|(waiter, holder, _)| waiter != holder), "{edges:?}");
    let reports = scopes.map(|name| told(name).report);
    let sum = |of: fn(&plock::ScopeReport) -> u64| reports.iter().map(of).sum::<u64>();
    assert_eq!(sum(|report| report.contentions), waits.count());
    assert_eq!(sum(|report| report.wait_ns), waits.sum_ns());
    let holders = edges.iter().filter(|(_, holder, _)| scopes.contains(&holder.as_str()));
    (sum(|report| report.blocked_others_ns), holders.map(|(_, _, ns)| ns).sum())
}
