//! The cells that one thread writes and anybody reads, and the histogram made of them.

use crate::histogram::{self, BUCKETS};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One cell: the owning thread stores, everyone else loads. Nothing is published through it.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

/// Counts by bucket. A note says which buckets have ever been used, for a reader would otherwise
/// have to look at all of them, and most durations of one lock fall into a few.
///
/// A count is a quarter of a word, so that a series takes up less than half as much, and a reader has
/// fewer lines to fetch; the rest of one that has gone around is kept aside. Whoever goes around says so,
/// then starts at 0 again. A reader that has seen the new count sees that as well, and reads again under
/// the mutex: so what it reads never falls.
#[derive(Debug)]
#[repr(C)] // what leads to the counts is at the start, with what a shard has before
pub(crate) struct Buckets {
    used: [Cell; BUCKETS.div_ceil(BITS)],
    has_gone_around: AtomicBool,
    around: Mutex<Around>,
    counts: [AtomicU16; BUCKETS],
}

/// Buckets that have gone around, and how often.
type Around = Vec<(u16, u64)>;

/// Buckets per word of the note.
const BITS: usize = u64::BITS as usize;
/// What a count goes around at: every 65,536th of a bucket takes the slow path.
const AROUND: u64 = 1 << u16::BITS;

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
    /// Bytes at the start that lead to the counts.
    pub(crate) const NOTE: usize = std::mem::offset_of!(Self, around);

    pub(crate) const fn new() -> Self {
        Self {
            used: [const { Cell::new() }; BUCKETS.div_ceil(BITS)],
            has_gone_around: AtomicBool::new(false),
            around: Mutex::new(Vec::new()),
            counts: [const { AtomicU16::new(0) }; BUCKETS],
        }
    }

    /// One more duration.
    #[inline]
    pub(crate) fn count(&self, ns: u64) {
        let bucket = histogram::bucket(ns);
        if !self.add_as_usual(bucket) {
            self.count_unusually(bucket);
        }
    }

    /// The same of one shorter than 292 years, unless it is the first of its bucket or goes around: then
    /// nothing has been done.
    #[inline(always)]
    pub(crate) fn count_as_usual(&self, ns: u64) -> bool {
        self.add_as_usual(histogram::usual_bucket(ns))
    }

    #[inline(always)]
    fn add_as_usual(&self, bucket: usize) -> bool {
        // There always is one; but to panic here would take a frame on the stack.
        let Some(count) = self.counts.get(bucket) else { return false };
        let more = count.load(Relaxed).wrapping_add(1);
        if more > 1 {
            count.store(more, Relaxed);
        }
        more > 1
    }

    /// The first one ever, or the last before it goes around.
    #[cold]
    fn count_unusually(&self, bucket: usize) {
        let word = &self.used[bucket / BITS];
        word.set(word.get() | 1 << (bucket % BITS));
        if self.counts[bucket].load(Relaxed) == 0 {
            return self.counts[bucket].store(1, Relaxed);
        }
        let mut around = self.around();
        match around.iter_mut().find(|(known, _)| usize::from(*known) == bucket) {
            Some((_, times)) => *times += 1,
            None => around.push((number(bucket), 1)),
        }
        self.has_gone_around.store(true, Relaxed);
        // ORDERING: pairs with Acquire in `each`: who reads the 0 knows that it has gone around.
        self.counts[bucket].store(0, Release);
    }

    /// The used buckets and their counts, ascending. One that is being used for the first time may be
    /// left out; the next look has it.
    #[inline]
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, u64)> {
        let mut around = None;
        self.used_ones().map(move |bucket| {
            let count = u64::from(self.counts[bucket].load(Acquire));
            if !self.has_gone_around.load(Relaxed) {
                return (number(bucket), count);
            }
            (number(bucket), self.whole(bucket, around.get_or_insert_with(|| self.around())))
        })
    }

    #[cold]
    fn whole(&self, bucket: usize, around: &Around) -> u64 {
        let times = around.iter().find(|(known, _)| usize::from(*known) == bucket);
        let count = u64::from(self.counts[bucket].load(Relaxed));
        times.map_or(0, |(_, times)| times * AROUND) + count
    }

    fn around(&self) -> MutexGuard<'_, Around> {
        self.around.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn used_ones(&self) -> impl Iterator<Item = usize> {
        (0..).step_by(BITS).zip(&self.used).flat_map(|(first, word)| {
            let left = |word: &u64| Some(*word & (*word - 1)).filter(|word| *word != 0);
            let words = std::iter::successors(Some(word.get()).filter(|word| *word != 0), left);
            words.map(move |word| first + word.trailing_zeros() as usize)
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "fewer than 320 buckets")]
const fn number(bucket: usize) -> u16 {
    bucket as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nth(buckets: &Buckets, n: usize) -> (u16, u64) {
        buckets.each().nth(n).unwrap()
    }

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

    #[test]
    fn a_count_that_has_gone_around_goes_on_where_it_was() {
        let buckets = Buckets::new();
        let (ns, others) = (1_000, 5);
        let bucket = histogram::bucket(ns);
        buckets.count(others);
        buckets.count(ns);
        for times in 1..=2 {
            buckets.counts[bucket].store(u16::MAX, Relaxed);
            let before = nth(&buckets, 1).1;
            buckets.count(ns);
            assert_eq!(nth(&buckets, 1), (number(bucket), before + 1));
            assert_eq!(before + 1, times * AROUND);
            buckets.count(ns);
            assert_eq!(nth(&buckets, 1).1, times * AROUND + 1);
        }
        assert_eq!(nth(&buckets, 0).1, 1);
    }

    /// What a reader sees while a count goes around, again and again, never falls.
    #[test]
    fn a_count_never_falls() {
        let buckets = Buckets::new();
        let bucket = histogram::bucket(7);
        buckets.count(7);
        let done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for _ in 0..2_000 {
                    let count = buckets.counts[bucket].load(Relaxed);
                    buckets.counts[bucket].store(count.max(u16::MAX - 3), Relaxed);
                    (0..6).for_each(|_| buckets.count(7));
                }
                done.store(true, Release);
            });
            let mut before = 0;
            while !done.load(Acquire) {
                let now = nth(&buckets, 0).1;
                assert!(now >= before, "{now} after {before}");
                before = now;
            }
        });
    }
}
