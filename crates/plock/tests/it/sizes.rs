//! What plock adds to the size of each public type, exactly: more of it is a decision.

#[path = "../../benches/sizes/types.rs"]
mod types;

/// Bytes on top of tokio's type, or of the future that is scoped.
const ADDED: &[(&str, isize)] = &[
    ("size/tokio::Mutex", 24),
    ("size/tokio::MutexGuard", 24),
    ("size/tokio::OwnedMutexGuard", 24),
    ("size/tokio::MappedMutexGuard", 16),
    ("size/tokio::OwnedMappedMutexGuard", 16),
    ("size/tokio::RwLock", 16),
    ("size/tokio::RwLockReadGuard", 16),
    ("size/tokio::OwnedRwLockReadGuard", 16),
    ("size/tokio::RwLockWriteGuard", 8),
    ("size/tokio::OwnedRwLockWriteGuard", 8),
    ("size/tokio::RwLockMappedWriteGuard", 8),
    ("size/tokio::OwnedRwLockMappedWriteGuard", 8),
    ("size/tokio::Semaphore", 24),
    ("size/tokio::SemaphorePermit", 16),
    ("size/tokio::OwnedSemaphorePermit", 16),
    ("size/tokio::Mutex::lock", -56),
    ("size/tokio::RwLock::read", -32),
    ("size/tokio::RwLock::write", -32),
    ("size/tokio::Semaphore::acquire", -8),
    ("size/scope", 64),
];

#[test]
#[cfg(target_pointer_width = "64")]
fn types_are_as_large_as_decided() {
    let added = |size: &types::Size| size.bytes.checked_signed_diff(size.bare_bytes).unwrap();
    let sizes: Vec<_> = types::all().iter().map(|size| (size.name, added(size))).collect();
    assert_eq!(sizes, ADDED);
}
