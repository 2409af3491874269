//! Which runtime says what task is running.

#[cfg(all(feature = "tokio", not(feature = "off")))]
pub(crate) use crate::tokio::TokioTasks as Tasks;

#[cfg(not(all(feature = "tokio", not(feature = "off"))))]
pub(crate) use plock_core::NoTasks as Tasks;
