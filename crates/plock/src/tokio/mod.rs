//! Mirrors of tokio's primitives.

#[cfg(not(feature = "off"))]
pub mod sync;
#[cfg(feature = "off")]
#[path = "sync/off.rs"]
pub mod sync;
#[cfg(not(feature = "off"))]
pub mod task;
#[cfg(not(feature = "off"))]
mod tasks;
#[cfg(not(feature = "off"))]
pub mod time;

#[cfg(feature = "off")]
pub use ::tokio::{task, time};

#[cfg(not(feature = "off"))]
pub(crate) use tasks::TokioTasks;
