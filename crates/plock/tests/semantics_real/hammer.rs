//! Many tasks, one mutex: no wake is lost, and every hand-over names the one who let go.

use super::figures::exclusive;
use super::observer::{self, Told};
use super::{real, workers};
use plock::tokio::sync::Mutex;
use plock::{BlockCause, EndCause, Outcome, SpanRef};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::yield_now;

const TASKS: u64 = 16;
const LOCKS: u64 = 40_000;
const NAME: &str = "lost_wake";

thread_local! {
    /// Who had the lock before the scope that ends here now.
    static PREVIOUS: Cell<SpanRef> = Cell::default();
}
static GRANTS: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);
static RACED: AtomicU64 = AtomicU64::new(0);

/// One acquisition in a scope, hence a span, of its own. What the mutex protects is the span of the
/// last holder: the truth the records are held against.
async fn once(last_holder: &Mutex<SpanRef>) {
    let me = observer::last_started();
    let mut guard = last_holder.lock().await;
    let previous = std::mem::replace(&mut *guard, me);
    if fastrand::u8(..) < 64 {
        yield_now().await;
    }
    drop(guard);
    if fastrand::u8(..) < 32 {
        yield_now().await;
    }
    PREVIOUS.set(previous);
}

/// Runs where `once` has just returned.
fn judge(told: &Told) {
    for (_, wait) in told.waits() {
        match (wait.block, wait.end) {
            (BlockCause::Coop, _) => {}
            (_, EndCause::Release) => {
                GRANTS.fetch_add(1, Relaxed);
                WRONG.fetch_add(u64::from(wait.holder_span != Some(PREVIOUS.get())), Relaxed);
            }
            _ => _ = RACED.fetch_add(1, Relaxed),
        }
    }
}

#[test]
fn lost_wake() {
    let _alone = real();
    observer::judge(NAME, judge);
    let last_holder = Arc::new(Mutex::named(NAME, SpanRef::default()));
    let all = async {
        let tasks = (0..TASKS).map(|_| {
            let last_holder = last_holder.clone();
            tokio::spawn(async move {
                for _ in 0..LOCKS {
                    plock::scope(NAME, once(&last_holder)).await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    };
    let in_time = async { tokio::time::timeout(Duration::from_secs(240), all).await };
    workers(4).block_on(in_time).expect("no wake is lost");

    let seen = exclusive(NAME);
    assert_eq!(seen.outcome(Outcome::Acquired), TASKS * LOCKS);
    let (grants, raced) = (GRANTS.load(Relaxed), RACED.load(Relaxed));
    assert_eq!(WRONG.load(Relaxed), 0, "of {grants} contended hand-overs");
    assert_eq!(grants + raced, seen.contentions());
    assert!(grants > TASKS * LOCKS / 10, "{grants} contended hand-overs");
    assert!(raced < grants / 1_000, "{raced} without a hand-over, {grants} with");
    assert_eq!((seen.holders, seen.waiters), (0, 0));
}
