//! Owners, threads and their figures through the interface that the wrappers use, with exact numbers.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod owners;
mod support;
mod threads;
