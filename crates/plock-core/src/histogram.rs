//! One histogram layout for every duration, read out in two forms without loss.
//!
//! The bucket limits are the union of two grids: the OpenTelemetry exponential grid of scale 3
//! (eight buckets per power of two of a second, 9 % wide) and the classic limits of
//! [`CLASSIC_BOUNDS_NS`]. A bucket therefore never straddles a limit of either form, and both
//! read-outs are sums of whole buckets: exact, not interpolated. A value belongs to the first
//! bucket whose limit is not below it (upper limits are inclusive, as in both wire formats).
//!
//! Finding the bucket costs no loop and no logarithm: a linear sub-division of the octave, which is how a
//! floating-point number begins, picks a row of a constant table, and at most [`STEPS`] comparisons move
//! on from there.

/// Classic bucket limits in nanoseconds; every alert threshold is one of them.
pub const CLASSIC_BOUNDS_NS: [u64; 15] = [
    1_000,
    5_000,
    25_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    300_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Scale of the exponential read-out: base `2^(1/8)`.
pub const SCALE: i32 = 3;
/// Durations up to this many nanoseconds are the zero bucket of the exponential read-out.
pub const ZERO_THRESHOLD_NS: u64 = 8;

/// Exponential index of the first bucket above the zero bucket, and of the last one (1,024 s).
const MIN_INDEX: i32 = -215;
const MAX_INDEX: i32 = 79;
const EXPONENTIAL: usize = (MAX_INDEX - MIN_INDEX + 1) as usize;
/// Buckets of the internal layout; the last one takes everything longer than 1,024 s.
pub const BUCKETS: usize = LAYOUT.len;

/// `2^(j/8)` for one octave, correctly rounded.
#[expect(
    clippy::excessive_precision,
    clippy::approx_constant,
    reason = "the literals are the correctly rounded values, spelled in full"
)]
const ROOTS: [f64; 8] = [
    1.0,
    1.090_507_732_665_257_659_2,
    1.189_207_115_002_721_066_7,
    1.296_839_554_651_009_665_9,
    1.414_213_562_373_095_048_8,
    1.542_210_825_407_940_823_6,
    1.681_792_830_507_429_086_1,
    1.834_008_086_409_342_463_5,
];

/// Largest whole number of nanoseconds in the exponential bucket `index` (upper limit inclusive).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive and far below 2^53; rounding down is the meaning"
)]
const fn exponential_limit(index: i32) -> u64 {
    let upper = index + 1;
    let octave = upper.div_euclid(8);
    let mut limit = 1e9 * ROOTS[upper.rem_euclid(8) as usize];
    let mut i = 0;
    while i < octave.abs() {
        limit = if octave < 0 { limit / 2.0 } else { limit * 2.0 };
        i += 1;
    }
    limit as u64
}

struct Layout {
    len: usize,
    /// Inclusive upper limit of each bucket; `u64::MAX` from the last one on.
    limit: [u64; 320],
    /// Exponential index of each bucket; `i32::MIN` marks the zero bucket.
    index: [i32; 320],
}

const LAYOUT: Layout = layout();

const fn layout() -> Layout {
    let mut out = Layout { len: 0, limit: [u64::MAX; 320], index: [MAX_INDEX; 320] };
    let mut classic = 0;
    let mut index = MIN_INDEX - 1; // the zero bucket comes first
    while index <= MAX_INDEX {
        let zero = index < MIN_INDEX;
        let limit = if zero { ZERO_THRESHOLD_NS } else { exponential_limit(index) };
        while classic < CLASSIC_BOUNDS_NS.len() && CLASSIC_BOUNDS_NS[classic] < limit {
            out.limit[out.len] = CLASSIC_BOUNDS_NS[classic];
            out.index[out.len] = index;
            out.len += 1;
            classic += 1;
        }
        if classic < CLASSIC_BOUNDS_NS.len() && CLASSIC_BOUNDS_NS[classic] == limit {
            classic += 1;
        }
        // Below 12 ns some exponential buckets hold no whole nanosecond: they need no bucket here.
        if out.len == 0 || out.limit[out.len - 1] < limit {
            out.limit[out.len] = limit;
            out.index[out.len] = if zero { i32::MIN } else { index };
            out.len += 1;
        }
        index += 1;
    }
    out.limit[out.len] = u64::MAX;
    out.index[out.len] = MAX_INDEX + 1;
    out.len += 1;
    out
}

/// Linear sub-divisions per octave of the index table, as a power of two.
const SUB: u32 = 4;
/// Octaves of the index table: a row each for what begins like it.
const OCTAVES: u32 = 64;
/// Comparisons that lead from a row of the table to the bucket (checked by a test).
const STEPS: usize = 2;
const ROWS: usize = (OCTAVES as usize) << SUB;

/// The inclusive upper limits of all buckets.
static LIMITS: [u64; BUCKETS] = {
    let mut out = [u64::MAX; BUCKETS];
    let mut i = 0;
    while i < BUCKETS {
        out[i] = LAYOUT.limit[i];
        i += 1;
    }
    out
};

/// What is known of all numbers that begin alike. In one place: it is read in one go.
#[derive(Clone, Copy)]
struct Row {
    /// The inclusive upper limits of the first buckets that reach into it.
    limits: [u64; STEPS],
    /// The first of these buckets.
    first: usize,
}

static INDEX: [Row; ROWS] = {
    let mut out = [Row { limits: [u64::MAX; STEPS], first: 0 }; ROWS];
    let mut first = 0;
    let mut nth = 0;
    while nth < ROWS {
        let (octave, part) = (nth >> SUB, nth & ((1 << SUB) - 1));
        // No number below this is in there.
        let low = (((1 << SUB) + part) as u128) << octave;
        while (LAYOUT.limit[first] as u128) << SUB < low {
            first += 1;
        }
        let row = &mut out[row(1 << octave) + part];
        row.first = first;
        let mut step = 0;
        while step < STEPS && first + step < BUCKETS {
            row.limits[step] = LAYOUT.limit[first + step];
            step += 1;
        }
        nth += 1;
    }
    out
};

/// The row of a number below 2^63: the last bits of the exponent and the first of the mantissa. (What is
/// too large to be converted exactly is in the last bucket in any case; 0 is in the row of 2.)
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "only the first bits matter")]
const fn row(ns: u64) -> usize {
    let bits = (ns.cast_signed() as f64).to_bits();
    (bits >> (f64::MANTISSA_DIGITS - 1 - SUB)) as usize & (ROWS - 1)
}

/// The bucket of a duration in nanoseconds; always below [`BUCKETS`].
#[inline]
#[must_use]
pub fn bucket(ns: u64) -> usize {
    usual_bucket(ns.min(i64::MAX.unsigned_abs()))
}

/// As [`bucket`], of what is shorter than 292 years.
#[inline(always)]
pub(crate) fn usual_bucket(ns: u64) -> usize {
    let Row { limits, first } = INDEX[row(ns)];
    // Limits ascend, so counting the ones below is stepping over them, without waiting in between.
    first + limits.iter().map(|limit| usize::from(ns > *limit)).sum::<usize>()
}

/// A merged, immutable histogram of durations in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Histogram {
    /// Occupied buckets as (internal bucket, count), ascending.
    buckets: Vec<(u16, u64)>,
    /// Sum of all values, in nanoseconds.
    sum_ns: u64,
    /// Largest value ever seen, in nanoseconds.
    max_ns: u64,
}

/// The exponential form, ready for either wire format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exponential {
    /// Values at most [`ZERO_THRESHOLD_NS`] long.
    pub zero_count: u64,
    /// Exponential index of the first entry of `counts`.
    pub offset: i32,
    /// Counts of consecutive buckets; empty when every value was in the zero bucket.
    pub counts: Vec<u64>,
}

impl Histogram {
    /// A histogram of the given durations; the model the recorded ones are tested against.
    #[must_use]
    pub fn of(values_ns: &[u64]) -> Self {
        let mut counts = vec![0; BUCKETS];
        for value in values_ns {
            counts[bucket(*value)] += 1;
        }
        let sum = values_ns.iter().fold(0u64, |sum, v| sum.wrapping_add(*v));
        let mut this = Self::default();
        this.add_counts((0..).zip(counts), sum, values_ns.iter().copied().max().unwrap_or(0));
        this
    }

    /// Adds counts by internal bucket, in ascending order.
    pub(crate) fn add_counts(
        &mut self,
        counts: impl Iterator<Item = (u16, u64)>,
        sum_ns: u64,
        max_ns: u64,
    ) {
        // Both ascend, so the next one is not before the last.
        let mut at = 0;
        for (bucket, count) in counts.filter(|(_, count)| *count > 0) {
            at += self.buckets[at..].iter().take_while(|(known, _)| *known < bucket).count();
            match self.buckets.get_mut(at).filter(|(known, _)| *known == bucket) {
                Some((_, known)) => *known += count,
                None => self.buckets.insert(at, (bucket, count)),
            }
        }
        self.sum_ns = self.sum_ns.wrapping_add(sum_ns);
        self.max_ns = self.max_ns.max(max_ns);
    }

    /// Adds another histogram; associative and commutative.
    pub fn merge(&mut self, other: &Self) {
        self.add_counts(other.buckets.iter().copied(), other.sum_ns, other.max_ns);
    }

    /// What was recorded since `earlier` (an older snapshot of the same series). The maximum
    /// stays cumulative: it is not a sum.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let old = |b: u16| {
            earlier
                .buckets
                .binary_search_by_key(&b, |(b, _)| *b)
                .map_or(0, |i| earlier.buckets[i].1)
        };
        let buckets = self.buckets.iter().map(|(b, n)| (*b, n.saturating_sub(old(*b))));
        Self {
            buckets: buckets.filter(|(_, n)| *n > 0).collect(),
            sum_ns: self.sum_ns.wrapping_sub(earlier.sum_ns),
            max_ns: self.max_ns,
        }
    }

    /// Number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, n)| n).sum()
    }

    /// Sum of all values in nanoseconds.
    #[must_use]
    pub const fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// Largest value in nanoseconds, 0 when empty.
    #[must_use]
    pub const fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// Values that are at most `bound_ns`: exact for every classic and exponential limit, and for
    /// other bounds rounded down to the nearest limit below.
    #[must_use]
    pub fn count_at_most(&self, bound_ns: u64) -> u64 {
        let below = self.buckets.iter().take_while(|(b, _)| LIMITS[usize::from(*b)] <= bound_ns);
        below.map(|(_, n)| n).sum()
    }

    /// Cumulative counts at each of [`CLASSIC_BOUNDS_NS`], without the `+Inf` bucket.
    #[must_use]
    pub fn classic(&self) -> [u64; CLASSIC_BOUNDS_NS.len()] {
        CLASSIC_BOUNDS_NS.map(|bound| self.count_at_most(bound))
    }

    /// The exponential form at [`SCALE`].
    #[must_use]
    pub fn exponential(&self) -> Exponential {
        let mut out = Exponential::default();
        for (bucket, count) in &self.buckets {
            let index = LAYOUT.index[usize::from(*bucket)];
            if index == i32::MIN {
                out.zero_count += count;
                continue;
            }
            if out.counts.is_empty() {
                out.offset = index;
            }
            #[expect(
                clippy::cast_sign_loss,
                reason = "buckets ascend, so no index is below the offset"
            )]
            let at = (index - out.offset) as usize;
            out.counts.resize(at + 1, 0);
            out.counts[at] += count;
        }
        out
    }

    /// Upper limit in nanoseconds of the bucket that holds the `q`-quantile (at most 9 % above the
    /// true value, never above the maximum); `None` when empty.
    #[must_use]
    pub fn quantile_ns(&self, q: f64) -> Option<u64> {
        let count = self.count();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank: whole, positive, and exact below 2^53"
        )]
        let rank = ((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, n) in &self.buckets {
            seen += n;
            if seen >= rank {
                return Some(LIMITS[usize::from(*bucket)].min(self.max_ns));
            }
        }
        None
    }
}

/// Upper limit in seconds of an exponential bucket at [`SCALE`].
#[must_use]
pub fn exponential_bound(index: i32) -> f64 {
    2f64.powf(f64::from(index + 1) / 8.0)
}

const _: () =
    assert!(EXPONENTIAL + CLASSIC_BOUNDS_NS.len() + 2 <= 320, "the layout table is large enough");

#[cfg(test)]
#[path = "histogram_tests.rs"]
mod tests;
