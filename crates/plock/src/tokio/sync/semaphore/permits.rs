//! The permits of a semaphore: borrowed or owned, any number of them.

use super::super::access::Count;
use super::super::guarded::Held;
use super::Semaphore;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// Permits of a [`Semaphore`]; dropping it gives them back.
///
/// # Telemetry
/// The drop ends the hold: the permits are back before the time is accounted. Dropped by another task
/// or scope than the one that acquired, the hold counts as migrated; see [`adopt`](Self::adopt).
#[must_use]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a>(Held<&'a Semaphore, Count>);

/// A [`SemaphorePermit`] that keeps the semaphore alive.
#[must_use]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit(Held<Arc<Semaphore>, Count>);

/// Implements what both have in common.
macro_rules! permit {
    ($permit:ident $(<$lifetime:lifetime>)?, $lock:ty, $returned:ty) => {
        impl $(<$lifetime>)? $permit $(<$lifetime>)? {
            pub(super) const fn new(held: Held<$lock, Count>) -> Self {
                Self(held)
            }

            /// Takes the permits out of the semaphore for good.
            ///
            /// # Telemetry
            /// The hold ends here.
            pub fn forget(self) {
                self.0.forget();
            }

            /// Takes the permits of `other` along.
            ///
            /// # Telemetry
            /// The hold of `other` ends here, this one goes on with the sum.
            ///
            /// # Panics
            /// If `other` is of another semaphore.
            #[track_caller]
            pub fn merge(&mut self, other: Self) {
                self.0.merge(other.0);
            }

            /// Leaves `n` of the permits to a guard of their own; `None` if there are fewer.
            ///
            /// # Telemetry
            /// Counts as an acquisition that began when this hold did.
            #[track_caller]
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.0.split(n, Location::caller()).map(Self)
            }

            /// The semaphore these are permits of.
            pub fn semaphore(&self) -> &$returned {
                self.0.lock()
            }

            /// How many permits these are.
            pub fn num_permits(&self) -> usize {
                self.0.count()
            }

            /// Makes the task or scope that runs here the owner of these permits, for permits that
            /// were handed over on purpose. The nesting depth of both owners changes at once.
            pub fn adopt(this: &mut Self) {
                this.0.adopt();
            }
        }

        impl $(<$lifetime>)? fmt::Debug for $permit $(<$lifetime>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($permit))
                    .field("sem", self.semaphore())
                    .field("permits", &self.num_permits())
                    .finish()
            }
        }
    };
}

permit!(SemaphorePermit<'a>, &'a Semaphore, Semaphore);
permit!(OwnedSemaphorePermit, Arc<Semaphore>, Arc<Semaphore>);
