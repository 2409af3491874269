//! Named statics that also build with the feature `off`. A trait can lend the wrapped types a function,
//! but not one that constants may call; a macro can choose between two.

/// Makes a named lock in a constant or a static, in builds with and without recording: one of tokio's, or
/// with `std::` or `parking_lot::` in front one of those.
///
/// # Examples
/// ```
/// use plock::tokio::sync::{Mutex, OnceCell, Semaphore};
///
/// static NEXT: Mutex<u64> = plock::const_named!(Mutex, "doc_next_order", 41);
/// static SLOTS: Semaphore = plock::const_named!(Semaphore, "doc_order_slots", 3);
/// static RATES: OnceCell<u32> = plock::const_named!(OnceCell, "doc_order_rates");
///
/// static TERMS: plock::std::sync::RwLock<u32> =
///     plock::const_named!(std::RwLock, "doc_order_terms", 30);
///
/// assert_eq!(*NEXT.blocking_lock() + 1, 42);
/// assert_eq!(RATES.set(119), Ok(()));
/// assert_eq!(SLOTS.available_permits(), 3);
/// assert_eq!(*TERMS.read().unwrap(), 30);
/// ```
#[cfg(not(feature = "off"))]
#[macro_export]
macro_rules! const_named {
    (std::$lock:ident, $name:expr $(, $value:expr)? $(,)?) => {
        $crate::std::sync::$lock::const_named($name $(, $value)?)
    };
    (parking_lot::Mutex, $name:expr, $value:expr $(,)?) => {
        $crate::parking_lot::Mutex::from_raw($crate::parking_lot::RawMutex::named($name), $value)
    };
    (parking_lot::FairMutex, $name:expr, $value:expr $(,)?) => {
        $crate::parking_lot::FairMutex::from_raw(
            $crate::parking_lot::RawFairMutex::named($name),
            $value,
        )
    };
    (parking_lot::ReentrantMutex, $name:expr, $value:expr $(,)?) => {
        $crate::parking_lot::ReentrantMutex::from_raw(
            $crate::parking_lot::RawReentrantMutex::named($name),
            $crate::parking_lot::RawThreadId,
            $value,
        )
    };
    (parking_lot::RwLock, $name:expr, $value:expr $(,)?) => {
        $crate::parking_lot::RwLock::from_raw($crate::parking_lot::RawRwLock::named($name), $value)
    };
    (parking_lot::RecursiveRwLock, $name:expr, $value:expr $(,)?) => {
        $crate::parking_lot::RecursiveRwLock::from_raw(
            $crate::parking_lot::RawRwLockRecursive::named($name),
            $value,
        )
    };
    ($lock:ident, $name:expr $(, $value:expr)? $(,)?) => {
        $crate::tokio::sync::$lock::const_named($name $(, $value)?)
    };
}

/// Makes a lock in a constant or a static; without recording its name is not used.
#[cfg(feature = "off")]
#[macro_export]
macro_rules! const_named {
    (std::$lock:ident, $name:expr $(, $value:expr)? $(,)?) => {{
        const _: &str = $name;
        $crate::std::sync::$lock::new($($value)?)
    }};
    (parking_lot::$lock:ident, $name:expr, $value:expr $(,)?) => {{
        const _: &str = $name;
        $crate::parking_lot::$lock::new($value)
    }};
    ($lock:ident, $name:expr $(, $value:expr)? $(,)?) => {{
        const _: &str = $name;
        $crate::tokio::sync::$lock::const_new($($value)?)
    }};
}
