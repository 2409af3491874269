//! Mirrors of `tokio::sync`.
mod raw;
mod semaphore_slice;
pub use semaphore_slice::Slice;
