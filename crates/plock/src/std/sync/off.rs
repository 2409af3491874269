//! The build without recording: the standard library's own types under the same paths, nothing of
//! plock in them.
//!
//! What plock's types have beyond these comes from a trait here. A source that builds with and
//! without recording imports the types together with it:
//! ```
//! use plock::std::sync::*;
//!
//! let stock = Mutex::named("stock", 3);
//! assert_eq!(*stock.lock().unwrap(), 3);
//! ```

pub use ::std::sync::*;

/// Construction with a name, which is not used, of what is empty at first.
pub trait NamedEmpty {
    /// Makes it; the name is not used.
    fn named(name: &'static str) -> Self;
}

impl NamedEmpty for Once {
    fn named(_: &'static str) -> Self {
        Self::new()
    }
}

impl<T> NamedEmpty for OnceLock<T> {
    fn named(_: &'static str) -> Self {
        Self::new()
    }
}

/// Construction with a name, which is not used.
pub trait Named {
    /// What it is made of: the protected value, or the function that makes it.
    type Value;

    /// Makes it; the name is not used.
    fn named(name: &'static str, value: Self::Value) -> Self;
}

impl<T> Named for Mutex<T> {
    type Value = T;

    fn named(_: &'static str, value: T) -> Self {
        Self::new(value)
    }
}

impl<T> Named for RwLock<T> {
    type Value = T;

    fn named(_: &'static str, value: T) -> Self {
        Self::new(value)
    }
}

impl<T, F: FnOnce() -> T> Named for LazyLock<T, F> {
    type Value = F;

    fn named(_: &'static str, f: F) -> Self {
        Self::new(f)
    }
}
