//! Random programs of acquisitions, drops, moves, adoptions, scopes, cancellations and forgotten
//! guards, run on plock and on a plain model side by side: tokio's locks, semaphores and channels, locks of
//! std and parking_lot that threads wait for, and a pool, all in one program. `p1` to `p9` are the
//! invariants of the nesting depth and the counts; the rest are the laws of waits, blame and time.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod faults;
mod model;
mod paths;
mod program;
mod world;

use plock::manual;
use program::program;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;
use world::World;

/// Runs a case on a thread of its own, which is gone with its owner cell before the next one starts;
/// the cells and the figures are one per process.
fn alone(case: impl FnOnce() + Send) -> TestCaseResult {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    manual::install();
    let outcome = thread::scope(|threads| threads.spawn(case).join());
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
    Ok(())
}

fn order() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..64usize, 8)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// P1, P2, P3, P5, P7, P8, P9, exact holds, waits, claim delays and blame, after every step.
    #[test]
    fn p1_p2_p3_p5_p7_p8_p9_any_program_agrees_with_the_model(program in program(false), order in order()) {
        alone(|| {
            let world = World::new();
            program.iter().for_each(|step| world.step(step));
            world.quiesce(&order);
        })?;
    }

    /// The order in which guards are dropped, and under whom, shows in no figure but `migrated`.
    #[test]
    fn p4_any_order_of_drops_ends_the_same(
        program in program(false), one in order(), other in order(),
    ) {
        alone(|| {
            let ends = [one, other].map(|order| {
                let world = World::new();
                program.iter().filter(|step| !step.op.is_drop()).for_each(|step| world.step(step));
                world.quiesce(&order);
                world.grown()
            });
            assert_eq!(ends[0], ends[1], "P4");
        })?;
    }

    /// The same with guards that are never dropped: they count for ever, and for nobody else.
    #[test]
    fn p2_forgotten_guards_count_for_ever(program in program(true), order in order()) {
        alone(|| {
            let world = World::new();
            program.iter().for_each(|step| world.step(step));
            world.quiesce(&order);
        })?;
    }
}
