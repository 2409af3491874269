//! The terms of sale: a small configuration that every order reads and hardly anybody changes. It is
//! never kept over an await, so the standard library's lock does.

use plock::std::sync::{PoisonError, RwLock};

/// What an order may ask for.
#[derive(Debug, Clone, Copy, serde::Deserialize, serde::Serialize)]
pub(crate) struct Limits {
    /// Pieces of one product.
    pub(crate) pieces: i64,
    /// Different lines.
    pub(crate) lines: usize,
}

/// An order is larger than the terms allow.
#[derive(Debug)]
pub(crate) struct TooLarge;

/// The limits that are in force.
#[derive(Debug)]
pub(crate) struct Terms {
    limits: RwLock<Limits>,
}

impl Terms {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits: RwLock::named("terms", limits) }
    }

    pub(crate) fn limits(&self) -> Limits {
        // A panic leaves either the old limits or the new ones.
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change(&self, limits: Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Checks the pieces of each line of an order.
    pub(crate) fn check(&self, lines: impl ExactSizeIterator<Item = i64>) -> Result<(), TooLarge> {
        let limits = self.limits();
        let mut lines = lines;
        let fits = lines.len() <= limits.lines && lines.all(|pieces| pieces <= limits.pieces);
        fits.then_some(()).ok_or(TooLarge)
    }
}
