//! plock
mod runtime;
mod scope;
pub mod tokio;
pub use plock_core::*;
pub use scope::*;
/// Snapshot.
#[must_use]
pub fn snapshot() -> Snapshot { plock_core::snapshot(false) }
