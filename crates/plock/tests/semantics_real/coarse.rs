//! By the coarse clock: what is counted stays exact, what is measured comes right in the sum.

use super::figures::{edges, exclusive};
use super::threads::blocked;
use super::{one_thread, real, spin};
use plock::tokio::sync::Mutex;
use plock::{Clock, Mode, Outcome};
use std::thread;
use std::time::{Duration, Instant};

/// The coarse clock until this is dropped.
struct Coarse;

impl Coarse {
    fn begin() -> Self {
        plock::set_clock(Clock::Coarse).unwrap();
        Self
    }
}

impl Drop for Coarse {
    fn drop(&mut self) {
        plock::set_clock(Clock::Exact).unwrap();
    }
}

#[test]
fn the_coarse_clock_counts_each_hold_and_sums_them_up_right() {
    const HOLDS: u64 = 1_000;
    const ZERO_NS: u64 = 8; // the first bucket
    let _alone = real();
    let _coarse = Coarse::begin();
    assert_eq!(plock::snapshot().clock, "coarse");
    let lock = Mutex::named("coarse_sum", ());
    let began = Instant::now();
    for _ in 0..HOLDS {
        let _guard = lock.try_lock().unwrap();
        spin(Duration::from_micros(200)); // a fifth of what the clock can tell
    }
    let truth = u64::try_from(began.elapsed().as_nanos()).unwrap();
    let seen = exclusive("coarse_sum");
    assert_eq!((seen.outcome(Outcome::Acquired), seen.hold.count()), (HOLDS, HOLDS));
    let (zero, whole) = (seen.hold.count_at_most(ZERO_NS), seen.hold.sum_ns());
    assert!(zero > HOLDS / 4, "only {zero} were shorter than a tick");
    assert!(whole.abs_diff(truth) < truth / 4, "{whole} of {truth}");
}

#[test]
fn by_the_coarse_clock_a_wait_is_blamed_on_whoever_held() {
    let _alone = real();
    let _coarse = Coarse::begin();
    let lock = Mutex::named("coarse_blame", ());
    thread::scope(|threads| {
        one_thread().block_on(plock::root("coarse_holder", async {
            let guard = lock.lock().await;
            threads.spawn(|| {
                let ask = async { drop(lock.lock().await) };
                one_thread().block_on(plock::root("coarse_waiter", ask));
            });
            blocked("coarse_blame", Mode::Exclusive, 1);
            spin(Duration::from_millis(20));
            drop(guard);
        }));
    });
    let seen = exclusive("coarse_blame");
    assert_eq!((seen.outcome(Outcome::Acquired), seen.contentions()), (2, 1));
    let charged = edges("coarse_blame");
    let [(waiter, holder, ns)] = &charged[..] else { panic!("{charged:?}") };
    assert_eq!((&**waiter, &**holder), ("coarse_waiter", "coarse_holder"));
    assert!(*ns >= 10_000_000, "{ns}");
}
