//! The cells that one thread writes and anybody reads, and the histogram made of them.

use crate::histogram::{self, BUCKETS};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One cell: the owning thread stores, everyone else loads. Nothing is published through it.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

/// Counts by bucket. A note says which buckets have ever been used, for a reader would otherwise
/// have to look at all of them, and most durations of one lock fall into a few.
#[derive(Debug)]
pub(crate) struct Buckets {
    used: [Cell; BUCKETS.div_ceil(BITS)],
    counts: [Cell; BUCKETS],
}

/// Buckets per word of the note.
const BITS: usize = u64::BITS as usize;

impl Cell {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(crate) fn add(&self, by: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(by), Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    #[inline]
    pub(crate) fn set(&self, to: u64) {
        self.0.store(to, Relaxed);
    }
}

impl Buckets {
    pub(crate) const fn new() -> Self {
        Self {
            used: [const { Cell::new() }; BUCKETS.div_ceil(BITS)],
            counts: [const { Cell::new() }; BUCKETS],
        }
    }

    /// One more duration.
    #[inline(always)]
    pub(crate) fn count(&self, ns: u64) {
        let bucket = histogram::bucket(ns);
        let before = self.counts[bucket].get();
        self.counts[bucket].set(before + 1);
        if before == 0 {
            self.note(bucket);
        }
    }

    #[cold]
    fn note(&self, bucket: usize) {
        let word = &self.used[bucket / BITS];
        word.set(word.get() | 1 << (bucket % BITS));
    }

    /// The used buckets and their counts, ascending. One that is being used for the first time may be
    /// left out; the next look has it.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, u64)> {
        (0..)
            .step_by(BITS)
            .zip(&self.used)
            .flat_map(|(first, word)| {
                let left = |word: &u64| Some(*word & (*word - 1)).filter(|word| *word != 0);
                let words = std::iter::successors(Some(word.get()).filter(|word| *word != 0), left);
                words.map(move |word| first + word.trailing_zeros() as usize)
            })
            .map(|bucket| {
                #[expect(clippy::cast_possible_truncation, reason = "fewer than 320 buckets")]
                (bucket as u16, self.counts[bucket].get())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_counted_is_read_in_ascending_order(durations in prop::collection::vec(any::<u64>(), 0..200)) {
            let buckets = Buckets::new();
            let mut expected = std::collections::BTreeMap::new();
            for ns in durations {
                buckets.count(ns);
                *expected.entry(u16::try_from(histogram::bucket(ns)).unwrap()).or_insert(0u64) += 1;
            }
            prop_assert_eq!(buckets.each().collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        }
    }
}
