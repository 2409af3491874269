//! What locks that block a thread take: nothing from the allocator, and so many bytes.

#[cfg(feature = "parking_lot")]
use super::auto_traits::of_parking_lot;
use super::auto_traits::of_std;
use allocation_counter::measure;
use plock::PlockExt;
use plock::std::sync::{LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard};
use tokio::runtime::Builder;

struct Locks {
    mutex: Mutex<u8>,
    rwlock: RwLock<u8>,
    #[cfg(feature = "parking_lot")]
    parked: (plock::parking_lot::Mutex<u8>, plock::parking_lot::RwLock<u8>),
}

impl Locks {
    fn new() -> Self {
        Self {
            mutex: Mutex::new(1),
            rwlock: RwLock::new(1),
            #[cfg(feature = "parking_lot")]
            parked: (plock::parking_lot::Mutex::new(1), plock::parking_lot::RwLock::new(1)),
        }
    }

    /// Every way to a guard that does not wait, and what can be done with one.
    fn use_all(&self) {
        drop(self.mutex.lock().unwrap());
        drop(self.mutex.try_lock().unwrap());
        drop(self.rwlock.read().unwrap());
        drop(RwLockWriteGuard::downgrade(self.rwlock.write().unwrap()));
        let (once, cell, lazy) = (Once::new(), OnceLock::new(), LazyLock::new(|| 1));
        once.call_once(|| assert_eq!(cell.get_or_init(|| 0), &(*lazy - 1)));
        once.wait();
        // Nested, and taken: neither is a wait.
        let _mutex = self.mutex.lock().unwrap();
        let _reader = self.rwlock.read().unwrap();
        assert!(self.mutex.try_lock().is_err() && self.rwlock.try_write().is_err());
        #[cfg(feature = "parking_lot")]
        {
            use plock::parking_lot::RwLockUpgradableReadGuard as Upgradable;
            let (mutex, rwlock) = &self.parked;
            let _guard = mutex.lock();
            drop(rwlock.read());
            drop(Upgradable::upgrade(rwlock.upgradable_read()));
            assert!(mutex.try_lock().is_none());
        }
    }

    /// Counts the allocations of the second use; the first one warms up.
    fn allocations(&self) -> u64 {
        self.use_all();
        measure(|| self.use_all()).count_total
    }
}

#[test]
fn an_uncontended_guard_allocates_nothing_whoever_has_it() {
    assert_eq!(Locks::new().allocations(), 0, "a thread");
    let runtime = Builder::new_current_thread().build().unwrap();
    let task = runtime.spawn(async { Locks::new().allocations() });
    assert_eq!(runtime.block_on(task).unwrap(), 0, "a task");
    let scope = async { Locks::new().allocations() }.plock_scope("thread_allocations");
    assert_eq!(runtime.block_on(scope), 0, "a scope");
}

/// Bytes on top of the bare type: more of it is a decision.
#[test]
#[cfg(target_pointer_width = "64")]
fn types_are_as_large_as_decided() {
    macro_rules! added {
        ($side:ident: $($name:ident <$($argument:tt),*>)*) => {
            [$((
                stringify!($name),
                size_of::<$side::wrapped::$name<$($argument),*>>()
                    - size_of::<$side::bare::$name<$($argument),*>>(),
            )),*]
        };
    }
    let sizes = added!(
        of_std:
        Mutex<u64> MutexGuard<'static, u64> RwLock<u64>
        RwLockReadGuard<'static, u64> RwLockWriteGuard<'static, u64>
        OnceLock<u64> LazyLock<u64>
    );
    let expected = [
        ("Mutex", 48),
        ("MutexGuard", 32),
        ("RwLock", 48),
        ("RwLockReadGuard", 32),
        ("RwLockWriteGuard", 32),
        ("OnceLock", 64),
        ("LazyLock", 64),
    ];
    assert_eq!(sizes, expected);
    assert_eq!(size_of::<plock::std::sync::Condvar>(), size_of::<std::sync::Condvar>());
    #[cfg(feature = "parking_lot")]
    {
        let sizes = added!(
            of_parking_lot:
            Mutex<u64> MutexGuard<'static, u64> RwLock<u64>
            RwLockReadGuard<'static, u64> RwLockUpgradableReadGuard<'static, u64>
        );
        let expected = [
            ("Mutex", 48),
            ("MutexGuard", 16),
            ("RwLock", 48),
            ("RwLockReadGuard", 16),
            ("RwLockUpgradableReadGuard", 16),
        ];
        assert_eq!(sizes, expected);
    }
}
