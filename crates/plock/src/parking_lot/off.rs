//! The build without recording: parking_lot's own types under the same paths, nothing of plock in them.
//! [`Named`] is here as well, so that one source builds with and without recording.

pub use ::parking_lot::*;

/// Construction with a name, which is not used.
pub trait Named {
    /// The protected value.
    type Value;

    /// Makes it; the name is not used.
    fn named(name: &'static str, value: Self::Value) -> Self;
}

macro_rules! named {
    ($($lock:ident)*) => {
        $(impl<T> Named for $lock<T> {
            type Value = T;

            fn named(_: &'static str, value: T) -> Self {
                Self::new(value)
            }
        })*
    };
}

named!(Mutex FairMutex RwLock RecursiveRwLock ReentrantMutex);
