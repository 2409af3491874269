//! Owners, threads and their figures through the interface that the wrappers use, with exact numbers.
#![expect(clippy::expect_used, reason = "helpers of tests")]

mod owners;
mod spun;
mod support;
mod threads;
mod wakers;
