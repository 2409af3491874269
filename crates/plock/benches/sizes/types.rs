//! The public types that are many in a service, each beside tokio's own: the list of the benchmark
//! and of the test that pins them.

use std::future::{Ready, ready};

/// A size, and that of what would be there without plock.
#[derive(serde::Serialize)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) bytes: usize,
    pub(crate) bare_bytes: usize,
}

macro_rules! types {
    ($($name:ident $(<$($argument:tt),*>)?)*) => {
        [$(Size {
            name: concat!("size/tokio::", stringify!($name)),
            bytes: size_of::<plock::tokio::sync::$name $(<$($argument),*>)?>(),
            bare_bytes: size_of::<tokio::sync::$name $(<$($argument),*>)?>(),
        }),*]
    };
}

macro_rules! futures {
    ($($name:ident::$method:ident = $new:expr;)*) => {
        [$(Size {
            name: concat!("size/tokio::", stringify!($name), "::", stringify!($method)),
            bytes: { use plock::tokio::sync::$name; size_of_val(&$new.$method()) },
            bare_bytes: { use tokio::sync::$name; size_of_val(&$new.$method()) },
        }),*]
    };
}

pub(crate) fn all() -> Vec<Size> {
    let types = types! {
        Mutex<u64>
        MutexGuard<'static, u64>
        OwnedMutexGuard<u64>
        MappedMutexGuard<'static, u64>
        OwnedMappedMutexGuard<u64, u64>
        RwLock<u64>
        RwLockReadGuard<'static, u64>
        OwnedRwLockReadGuard<u64, u64>
        RwLockWriteGuard<'static, u64>
        OwnedRwLockWriteGuard<u64>
        RwLockMappedWriteGuard<'static, u64>
        OwnedRwLockMappedWriteGuard<u64, u64>
        Semaphore
        SemaphorePermit<'static>
        OwnedSemaphorePermit
    };
    let futures = futures! {
        Mutex::lock = Mutex::new(0_u64);
        RwLock::read = RwLock::new(0_u64);
        RwLock::write = RwLock::new(0_u64);
        Semaphore::acquire = Semaphore::new(1);
    };
    let scope = Size {
        name: "size/scope",
        bytes: size_of_val(&plock::scope("size", ready(0_u64))),
        bare_bytes: size_of::<Ready<u64>>(),
    };
    types.into_iter().chain(futures).chain([scope]).collect()
}
