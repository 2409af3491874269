//! Locks of std and parking_lot in a world of one thread: had at once or not at all. Their guards borrow
//! from a lock, so each lock lives for ever.

use super::Access;
use plock::parking_lot::{self, Named};
use plock::std::sync;

#[derive(Clone, Copy)]
pub(super) enum ThreadLock {
    Std(&'static sync::Mutex<()>),
    StdRw(&'static sync::RwLock<()>),
    Parking(&'static parking_lot::Mutex<()>),
    ParkingRw(&'static parking_lot::RwLock<()>),
}

#[derive(Debug)]
pub(super) enum ThreadGuard {
    Std { _guard: sync::MutexGuard<'static, ()> },
    StdWrite(sync::RwLockWriteGuard<'static, ()>),
    StdRead { _guard: sync::RwLockReadGuard<'static, ()> },
    Parking { _guard: parking_lot::MutexGuard<'static, ()> },
    ParkingWrite(parking_lot::RwLockWriteGuard<'static, ()>),
    ParkingRead { _guard: parking_lot::RwLockReadGuard<'static, ()> },
}

impl ThreadLock {
    /// `None` if locks with this name are tokio's.
    pub(super) fn named(name: &'static str) -> Option<Self> {
        Some(match name {
            "props_std_mutex" => Self::Std(leaked(sync::Mutex::named(name, ()))),
            "props_std_rwlock" => Self::StdRw(leaked(sync::RwLock::named(name, ()))),
            "props_parking_mutex" => {
                Self::Parking(leaked(<parking_lot::Mutex<_> as Named>::named(name, ())))
            }
            "props_parking_rwlock" => {
                Self::ParkingRw(leaked(<parking_lot::RwLock<_> as Named>::named(name, ())))
            }
            _ => return None,
        })
    }

    /// The guard, if it can be had now.
    pub(super) fn try_acquire(self, access: Access) -> Option<ThreadGuard> {
        let reads = access == Access::Read;
        Some(match self {
            Self::Std(lock) => ThreadGuard::Std { _guard: lock.try_lock().ok()? },
            Self::StdRw(lock) if reads => ThreadGuard::StdRead { _guard: lock.try_read().ok()? },
            Self::StdRw(lock) => ThreadGuard::StdWrite(lock.try_write().ok()?),
            Self::Parking(lock) => ThreadGuard::Parking { _guard: lock.try_lock()? },
            Self::ParkingRw(lock) if reads => ThreadGuard::ParkingRead { _guard: lock.try_read()? },
            Self::ParkingRw(lock) => ThreadGuard::ParkingWrite(lock.try_write()?),
        })
    }

    /// The guard of a lock that is free: by the call that would wait.
    pub(super) fn acquire(self, access: Access) -> ThreadGuard {
        let reads = access == Access::Read;
        match self {
            Self::Std(lock) => ThreadGuard::Std { _guard: lock.lock().unwrap() },
            Self::StdRw(lock) if reads => ThreadGuard::StdRead { _guard: lock.read().unwrap() },
            Self::StdRw(lock) => ThreadGuard::StdWrite(lock.write().unwrap()),
            Self::Parking(lock) => ThreadGuard::Parking { _guard: lock.lock() },
            Self::ParkingRw(lock) if reads => ThreadGuard::ParkingRead { _guard: lock.read() },
            Self::ParkingRw(lock) => ThreadGuard::ParkingWrite(lock.write()),
        }
    }
}

impl ThreadGuard {
    pub(super) const fn is_write(&self) -> bool {
        matches!(self, Self::StdWrite(_) | Self::ParkingWrite(_))
    }

    pub(super) fn downgrade(self) -> Self {
        match self {
            Self::StdWrite(guard) => {
                Self::StdRead { _guard: sync::RwLockWriteGuard::downgrade(guard) }
            }
            Self::ParkingWrite(guard) => {
                Self::ParkingRead { _guard: parking_lot::RwLockWriteGuard::downgrade(guard) }
            }
            other => other,
        }
    }
}

fn leaked<T>(lock: T) -> &'static T {
    Box::leak(Box::new(lock))
}
