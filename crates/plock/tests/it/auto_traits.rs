//! Which thread may have what, and what a panic may leave behind: the same verdicts as for tokio's
//! types, decided by the compiler. (The futures are in tokio's own table, which the conformance
//! step compiles against plock.)

use std::cell::Cell;
use std::marker::PhantomPinned;
use std::rc::Rc;

/// A module for a trait, whose `Probe<T>::HAS` says whether `T` has it: the inherent constant, which
/// exists only then, goes before that of the trait.
macro_rules! probe {
    ($module:ident: $trait:path) => {
        mod $module {
            pub(super) struct Probe<T: ?Sized>(std::marker::PhantomData<T>);

            pub(super) trait Otherwise {
                const HAS: bool = false;
            }

            impl<T: ?Sized> Otherwise for Probe<T> {}

            impl<T: ?Sized + $trait> Probe<T> {
                pub(super) const HAS: bool = true;
            }
        }
    };
}

probe!(send: Send);
probe!(sync: Sync);
probe!(unpin: Unpin);
probe!(unwind_safe: std::panic::UnwindSafe);
probe!(ref_unwind_safe: std::panic::RefUnwindSafe);

macro_rules! verdict {
    ($module:ident, $type:ty) => {{
        use $module::*;
        <Probe<$type>>::HAS
    }};
}

macro_rules! same {
    (@$module:ident $($name:ident)::+ ($($arg:tt),*)) => {
        const _: () = assert!(
            verdict!($module, $($name)::+<$($arg),*>)
                == verdict!($module, plock::$($name)::+<$($arg),*>),
            stringify!($($name)::+ of $($arg)* differs: $module)
        );
    };
    ($($name:ident)::+ ($($args:tt),*)) => {
        same!(@send $($name)::+ ($($args),*));
        same!(@sync $($name)::+ ($($args),*));
        same!(@unpin $($name)::+ ($($args),*));
        same!(@unwind_safe $($name)::+ ($($args),*));
        same!(@ref_unwind_safe $($name)::+ ($($args),*));
    };
}

type All = u8;
type NotSync = Cell<u8>;
type NotSend = std::sync::MutexGuard<'static, u8>;
type Neither = Rc<u8>;
type NotUnpin = PhantomPinned;
type NotUnwindSafe = &'static mut u8;

macro_rules! one_value {
    ($($value:ident),*) => {
        $(
            same!(tokio::sync::Mutex ($value));
            same!(tokio::sync::MutexGuard ('static, $value));
            same!(tokio::sync::OwnedMutexGuard ($value));
            same!(tokio::sync::MappedMutexGuard ('static, $value));
            same!(tokio::sync::RwLock ($value));
            same!(tokio::sync::RwLockReadGuard ('static, $value));
            same!(tokio::sync::RwLockWriteGuard ('static, $value));
            same!(tokio::sync::RwLockMappedWriteGuard ('static, $value));
            same!(tokio::sync::OwnedRwLockWriteGuard ($value));
            same!(tokio::sync::OnceCell ($value));
            same!(tokio::sync::SetOnce ($value));
            same!(tokio::sync::mpsc::Sender ($value));
            same!(tokio::sync::mpsc::WeakSender ($value));
            same!(tokio::sync::mpsc::Receiver ($value));
            same!(tokio::sync::mpsc::Permit ('static, $value));
            same!(tokio::sync::mpsc::PermitIterator ('static, $value));
            same!(tokio::sync::mpsc::OwnedPermit ($value));
            same!(tokio::sync::mpsc::UnboundedReceiver ($value));
            same!(tokio::sync::oneshot::Sender ($value));
            same!(tokio::sync::oneshot::Receiver ($value));
            same!(tokio::sync::watch::Sender ($value));
            same!(tokio::sync::watch::Receiver ($value));
            same!(tokio::sync::broadcast::Sender ($value));
            same!(tokio::sync::broadcast::WeakSender ($value));
            same!(tokio::sync::broadcast::Receiver ($value));
            same!(tokio::task::JoinHandle($value));
            same!(tokio::task::JoinSet($value));
            #[cfg(feature = "parking_lot")]
            parking_lots!($value);
            two_values!($value All);
            two_values!($value NotSync);
            two_values!($value NotSend);
            two_values!($value Neither);
            two_values!($value NotUnpin);
            two_values!($value NotUnwindSafe);
        )*
    };
}

macro_rules! two_values {
    ($whole:ident $part:ident) => {
        same!(tokio::sync::OwnedMappedMutexGuard($whole, $part));
        same!(tokio::sync::OwnedRwLockReadGuard($whole, $part));
        same!(tokio::sync::OwnedRwLockMappedWriteGuard($whole, $part));
    };
}

/// Aliases, whose auto traits are up to the raw lock.
#[cfg(feature = "parking_lot")]
macro_rules! parking_lots {
    ($value:ident) => {
        same!(parking_lot::Mutex($value));
        same!(parking_lot::MutexGuard('static, $value));
        same!(parking_lot::MappedMutexGuard('static, $value));
        same!(parking_lot::FairMutex($value));
        same!(parking_lot::FairMutexGuard('static, $value));
        same!(parking_lot::MappedFairMutexGuard('static, $value));
        same!(parking_lot::ReentrantMutex($value));
        same!(parking_lot::ReentrantMutexGuard('static, $value));
        same!(parking_lot::MappedReentrantMutexGuard('static, $value));
        same!(parking_lot::RwLock($value));
        same!(parking_lot::RwLockReadGuard('static, $value));
        same!(parking_lot::RwLockWriteGuard('static, $value));
        same!(parking_lot::RwLockUpgradableReadGuard('static, $value));
        same!(parking_lot::MappedRwLockReadGuard('static, $value));
        same!(parking_lot::MappedRwLockWriteGuard('static, $value));
    };
}

one_value!(All, NotSync, NotSend, Neither, NotUnpin, NotUnwindSafe);
same!(tokio::sync::Barrier());
same!(tokio::sync::Notify());
same!(tokio::sync::futures::Notified ('static));
same!(tokio::sync::futures::OwnedNotified());
same!(tokio::sync::Semaphore());
same!(tokio::sync::SemaphorePermit ('static));
same!(tokio::sync::OwnedSemaphorePermit());

#[cfg(feature = "parking_lot")]
same!(parking_lot::RawMutex());
#[cfg(feature = "parking_lot")]
same!(parking_lot::RawFairMutex());

#[cfg(feature = "parking_lot")]
const _: () = {
    use plock::parking_lot::lock_api::{RawMutexFair, RawMutexTimed};
    use std::time::{Duration, Instant};

    const fn can_all<M: RawMutexFair + RawMutexTimed<Duration = Duration, Instant = Instant>>() {}

    can_all::<plock::parking_lot::RawMutex>();
    can_all::<plock::parking_lot::RawFairMutex>();
};

// The probes tell these apart. (Whether a lock is unwind safe is up to the mutex inside tokio's, which
// is a matter of tokio's features.)
const _: () = assert!(verdict!(unwind_safe, Vec<u8>) && verdict!(ref_unwind_safe, Vec<u8>));
const _: () = assert!(!verdict!(unwind_safe, NotUnwindSafe));
const _: () = assert!(verdict!(send, plock::tokio::sync::MutexGuard<'static, All>));
const _: () = assert!(!verdict!(send, plock::tokio::sync::MutexGuard<'static, NotSend>));
const _: () = assert!(!verdict!(sync, plock::tokio::sync::RwLock<NotSync>));
const _: () = assert!(!verdict!(unpin, plock::tokio::sync::RwLock<NotUnpin>));

/// Guards change with their lifetime and type as references do; compiles or does not.
#[test]
fn variance_is_that_of_references() {
    use plock::tokio::sync::{MappedMutexGuard, OwnedRwLockReadGuard, RwLockReadGuard};
    fn read<'a>(guard: RwLockReadGuard<'a, &'static str>) -> RwLockReadGuard<'a, &'a str> {
        guard
    }
    fn owned<'a>(
        guard: OwnedRwLockReadGuard<u8, &'static str>,
    ) -> OwnedRwLockReadGuard<u8, &'a str> {
        guard
    }
    fn mapped<'a: 'b, 'b>(guard: MappedMutexGuard<'a, u8>) -> MappedMutexGuard<'b, u8> {
        guard
    }
    let lock = plock::tokio::sync::RwLock::new("text");
    assert_eq!(*read(lock.try_read().unwrap()), "text");
    let _ = (owned, mapped);
}

/// The two sides of locks that block a thread.
pub(crate) mod of_std {
    pub(crate) use plock::std::sync as wrapped;
    pub(crate) use std::sync as bare;
}

#[cfg(feature = "parking_lot")]
pub(crate) mod of_parking_lot {
    pub(crate) use parking_lot as bare;
    pub(crate) use plock::parking_lot as wrapped;
}

macro_rules! same_sides {
    ($side:ident: $($name:ident $args:tt)*) => {
        $(same_sides!(@each $side $name $args);)*
    };
    (@each $side:ident $name:ident $args:tt) => {
        same_sides!(@one send $side $name $args);
        same_sides!(@one sync $side $name $args);
        same_sides!(@one unpin $side $name $args);
        same_sides!(@one unwind_safe $side $name $args);
        same_sides!(@one ref_unwind_safe $side $name $args);
    };
    (@one $module:ident $side:ident $name:ident ($($arg:tt),*)) => {
        const _: () = assert!(
            verdict!($module, $side::bare::$name<$($arg),*>)
                == verdict!($module, $side::wrapped::$name<$($arg),*>),
            stringify!($side $name of $($arg)* differs: $module)
        );
    };
}

macro_rules! threads {
    ($($value:ident),*) => {
        $(
            same_sides!(of_std:
                Mutex ($value) MutexGuard ('static, $value) RwLock ($value)
                RwLockReadGuard ('static, $value) RwLockWriteGuard ('static, $value)
                OnceLock ($value) LazyLock ($value)
                LazyLock ($value, All) LazyLock ($value, NotSync) LazyLock ($value, NotSend)
                LazyLock ($value, NotUnpin) LazyLock ($value, NotUnwindSafe)
            );
            #[cfg(feature = "parking_lot")]
            const _: () = {
                same_sides!(of_parking_lot:
                    Mutex ($value) MutexGuard ('static, $value) MappedMutexGuard ('static, $value)
                    FairMutex ($value) ReentrantMutex ($value)
                    ReentrantMutexGuard ('static, $value) RwLock ($value)
                    RwLockReadGuard ('static, $value) RwLockWriteGuard ('static, $value)
                    RwLockUpgradableReadGuard ('static, $value)
                    MappedRwLockWriteGuard ('static, $value) RecursiveRwLock ($value)
                );
            };
        )*
    };
}

threads!(All, NotSync, NotSend, Neither, NotUnpin, NotUnwindSafe);
same_sides!(of_std: Condvar () Once ());
