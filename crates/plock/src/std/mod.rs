//! Mirrors of the standard library's primitives.

#[cfg(not(feature = "off"))]
pub mod sync;
#[cfg(feature = "off")]
#[path = "sync/off.rs"]
pub mod sync;
