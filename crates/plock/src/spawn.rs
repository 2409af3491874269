//! Spawning tasks as root scopes.

use crate::scope::Scoped;
use ::tokio::task::JoinHandle;
use plock_core::{Scope, ScopeName};

/// Spawns a task as a root scope: everything it acquires is owned by the scope of that name, and
/// nothing of whoever spawns it counts for its nesting depth. Otherwise the same as
/// [`tokio::spawn`](::tokio::spawn), whose handle it returns.
///
/// # Telemetry
/// As for [`scope`](crate::scope()).
///
/// # Panics
/// Outside a tokio runtime, at the caller's location.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let stock = std::sync::Arc::new(plock::tokio::sync::Mutex::named("stock", 3));
/// let job = plock::spawn("count", { let stock = stock.clone(); async move { *stock.lock().await } });
/// assert_eq!(job.await.unwrap(), 3);
/// assert_eq!(plock::snapshot().scope("count").unwrap().finished, 1);
/// # }
/// ```
#[track_caller]
pub fn spawn<F>(name: impl AsRef<str>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    ::tokio::spawn(root(name, future))
}

/// A root scope as a future, for executors and `JoinSet`s of your own.
pub fn root<F: Future>(name: impl AsRef<str>, future: F) -> Scoped<F> {
    Scoped::new(Scope::root(ScopeName::new(name.as_ref())), future)
}
