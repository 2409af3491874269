//! Named statics that also build with the feature `off`. A trait can lend tokio's types a function,
//! but not one that constants may call; a macro can choose between two.

/// Makes a named lock in a constant or a static, in builds with and without recording.
///
/// # Examples
/// ```
/// use plock::tokio::sync::{Mutex, OnceCell, Semaphore};
///
/// static NEXT: Mutex<u64> = plock::const_named!(Mutex, "doc_next_order", 41);
/// static SLOTS: Semaphore = plock::const_named!(Semaphore, "doc_order_slots", 3);
///
/// static RATES: OnceCell<u32> = plock::const_named!(OnceCell, "doc_order_rates");
///
/// assert_eq!(*NEXT.blocking_lock() + 1, 42);
/// assert_eq!(RATES.set(119), Ok(()));
/// assert_eq!(SLOTS.available_permits(), 3);
/// ```
#[cfg(not(feature = "off"))]
#[macro_export]
macro_rules! const_named {
    ($lock:ident, $name:expr $(,)?) => {
        $crate::tokio::sync::$lock::const_named($name)
    };
    ($lock:ident, $name:expr, $value:expr $(,)?) => {
        $crate::tokio::sync::$lock::const_named($name, $value)
    };
}

/// Makes a lock in a constant or a static; without recording its name is not used.
#[cfg(feature = "off")]
#[macro_export]
macro_rules! const_named {
    ($lock:ident, $name:expr $(,)?) => {{
        const _: &str = $name;
        $crate::tokio::sync::$lock::const_new()
    }};
    ($lock:ident, $name:expr, $value:expr $(,)?) => {{
        const _: &str = $name;
        $crate::tokio::sync::$lock::const_new($value)
    }};
}
