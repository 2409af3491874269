//! What plock says about locks, with exact numbers: futures are polled by hand, time is moved by
//! hand. Each test is one case of the semantics and carries its name.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod figures;
mod hand;
mod idle;
mod mpsc;
mod nesting;
#[expect(dead_code, reason = "shared with the tests on real runtimes")]
mod observer;
mod once_cell;
mod owners;
#[cfg(feature = "parking_lot")]
mod parking_lots;
mod phases;
mod rwlock;
mod semaphore;
mod spins;
mod std_locks;
mod std_once;
mod switch;
mod threads;
