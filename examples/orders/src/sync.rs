//! The one import that decides whether the locks are measured.
pub(crate) use tokio::sync::{Mutex, RwLock, Semaphore, SemaphorePermit};
