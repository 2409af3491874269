//! The same source with either side's types in scope, and the comparisons of what comes out of it.

use std::future::poll_fn;
use std::task::Poll;
use tokio::runtime::Builder;
use tokio::task::coop::poll_proceed;
use tokio_test::assert_ready;

/// With tokio's types.
mod bare {
    use tokio::sync::*;
    include!("side.rs");
    include!("program.rs");
    include!("channels.rs");
}

/// With plock's types.
mod wrapped {
    use plock::tokio::sync::*;
    include!("side.rs");
    include!("program.rs");
    include!("channels.rs");
}

/// How a program is run: it hands over one stretch of steps after the other.
type Stretch<'a> = &'a mut dyn FnMut(&mut dyn FnMut());

const PROGRAMS: u64 = 80;

/// Outside a runtime nothing limits how much a task may do in one go.
fn without_budget(steps: &mut dyn FnMut()) {
    steps();
}

/// Inside one, every stretch has a cooperative budget, most of which is spent already: it runs out on
/// the way, and both sides must run out at the same step.
fn with_budget() -> impl FnMut(&mut dyn FnMut()) {
    let runtime = Builder::new_current_thread().build().unwrap();
    move |steps| {
        runtime.block_on(poll_fn(|cx| {
            for _ in 0..110 {
                assert_ready!(poll_proceed(cx)).made_progress();
            }
            steps();
            Poll::Ready(())
        }));
    }
}

#[track_caller]
fn compare(
    bare: fn(u64, Stretch<'_>) -> Vec<String>,
    wrapped: fn(u64, Stretch<'_>) -> Vec<String>,
) {
    let mut with_budget = with_budget();
    let mut lines = 0;
    for seed in 0..PROGRAMS {
        for stretch in [&mut without_budget as Stretch<'_>, &mut with_budget] {
            let (bare, wrapped) = (bare(seed, stretch), wrapped(seed, stretch));
            let differ = bare.iter().zip(&wrapped).position(|(bare, wrapped)| bare != wrapped);
            if let Some(line) = differ {
                let before = bare[line.saturating_sub(30)..line].join("\n");
                assert_eq!(
                    bare[line], wrapped[line],
                    "program {seed}, step {line}, after\n{before}"
                );
            }
            assert_eq!(bare.len(), wrapped.len());
            lines += bare.len();
        }
    }
    assert!(lines > 100_000, "the programs did little: {lines} lines");
}

#[test]
fn mutex_programs_go_the_same_way() {
    compare(bare::mutex_program, wrapped::mutex_program);
}

#[test]
fn rwlock_programs_go_the_same_way() {
    compare(bare::rwlock_program, wrapped::rwlock_program);
}

#[test]
fn semaphore_programs_go_the_same_way() {
    compare(bare::semaphore_program, wrapped::semaphore_program);
}

#[test]
fn channel_programs_go_the_same_way() {
    compare(bare::channel_program, wrapped::channel_program);
}

#[test]
fn once_cell_programs_go_the_same_way() {
    compare(bare::once_cell_program, wrapped::once_cell_program);
}

#[test]
fn formatted_alike() {
    let bare = bare::formatted();
    assert_eq!(bare, wrapped::formatted());
    assert!(bare.iter().any(|text| text.contains("<locked>")));
}

#[test]
fn values_are_reached_alike() {
    assert_eq!(bare::values(), wrapped::values());
}

#[test]
fn waiters_are_served_in_order() {
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let expected: Vec<_> = (0..40).collect();
    assert_eq!(runtime.block_on(bare::served()), expected);
    assert_eq!(runtime.block_on(wrapped::served()), expected);
}
