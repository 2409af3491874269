//! What exporters encode: families of points, each with its attributes and its value.

use crate::{Instrument, metrics};
use plock_core::{Exemplar, Histogram, LockSeries};

/// All points of one instrument.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Family<'a> {
    /// What they are points of.
    pub instrument: &'static Instrument,
    /// One point per set of attribute values; never two with the same set.
    pub points: Vec<Point<'a>>,
}

/// One value with its attributes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Point<'a> {
    pub(crate) keys: &'static [&'static str],
    /// As many as there are keys; in place, because a snapshot has thousands of points.
    pub(crate) values: [&'a str; MAX_ATTRIBUTES],
    /// The value.
    pub value: Value<'a>,
}

/// Most attributes that an instrument of [`metrics::ALL`] has.
pub(crate) const MAX_ATTRIBUTES: usize = 5;

/// The value of a point. Durations are double seconds, except inside a [`Histogram`], which knows
/// its unit itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A counter of things.
    Count(u64),
    /// A counter of seconds.
    Seconds(f64),
    /// A gauge of things or seconds.
    Gauge(f64),
    /// A distribution of durations.
    Histogram {
        /// The distribution.
        histogram: &'a Histogram,
        /// Its longest value since the last collection that took exemplars.
        exemplar: Option<&'a Exemplar>,
    },
    /// A distribution of nesting depths.
    Depth(DepthHistogram),
}

/// A distribution of nesting depths over [`metrics::DEPTH_BOUNDS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DepthHistogram {
    /// How many depths were at most each bound.
    pub cumulative: [u64; metrics::DEPTH_BOUNDS.len()],
    /// How many depths there are.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
}

impl<'a> Point<'a> {
    /// Key and value, in the order of [`Instrument::attributes`]; no value is empty.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.keys.iter().copied().zip(self.values)
    }
}

impl DepthHistogram {
    pub(crate) fn add(&mut self, lock: &LockSeries) {
        for (depth, count) in (1u64..).zip(lock.depth) {
            for (bound, cumulative) in metrics::DEPTH_BOUNDS.iter().zip(&mut self.cumulative) {
                *cumulative += if depth <= *bound { count } else { 0 };
            }
            self.count += count;
        }
        self.sum += lock.depth_sum;
    }
}
