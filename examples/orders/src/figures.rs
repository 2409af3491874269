//! How the load fared: rates, errors, and latencies by route.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use hdrhistogram::Histogram;

use crate::requests::Request;

/// What came of it.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    /// First scheduled arrival to last answer.
    pub(crate) seconds: f64,
    /// Scheduled arrivals per second of schedule.
    pub(crate) offered_rate: f64,
    /// Good answers per second.
    pub(crate) achieved_rate: f64,
    pub(crate) requests: u64,
    /// Everything but a 2xx answer, by kind.
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) latency: Latency,
    pub(crate) routes: BTreeMap<&'static str, Latency>,
}

/// Scheduled arrival to the last byte of the answer, good answers only.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Latency {
    pub(crate) requests: u64,
    pub(crate) p50_seconds: f64,
    pub(crate) p99_seconds: f64,
    pub(crate) max_seconds: f64,
}

/// How one request ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) request: Request,
    /// From the scheduled arrival.
    pub(crate) latency: Duration,
    /// What went wrong, by kind.
    pub(crate) error: Option<String>,
}

/// The figures while they are being collected.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    scheduled: u64,
    errors: BTreeMap<String, u64>,
    /// Microseconds.
    routes: BTreeMap<Request, Histogram<u64>>,
}

impl Tally {
    pub(crate) const fn scheduled(&mut self) {
        self.scheduled += 1;
    }

    pub(crate) fn count(&mut self, answer: Answer) {
        if let Some(error) = answer.error {
            return self.error(&error);
        }
        let micros = u64::try_from(answer.latency.as_micros()).unwrap_or(u64::MAX);
        self.routes.entry(answer.request).or_insert_with(histogram).saturating_record(micros);
    }

    pub(crate) fn error(&mut self, kind: &str) {
        *self.errors.entry(kind.to_owned()).or_default() += 1;
    }

    pub(crate) fn report(self, schedule: Duration, total: Duration) -> anyhow::Result<Report> {
        let mut all = histogram();
        for route in self.routes.values() {
            all.add(route).context("merge latencies")?;
        }
        Ok(Report {
            seconds: total.as_secs_f64(),
            offered_rate: self.scheduled as f64 / schedule.as_secs_f64(),
            achieved_rate: all.len() as f64 / total.as_secs_f64(),
            requests: self.scheduled,
            errors: self.errors,
            latency: Latency::of(&all),
            routes: self.routes.iter().map(|(route, h)| (route.route(), Latency::of(h))).collect(),
        })
    }
}

impl Latency {
    fn of(micros: &Histogram<u64>) -> Self {
        let seconds = |us: u64| Duration::from_micros(us).as_secs_f64();
        Self {
            requests: micros.len(),
            p50_seconds: seconds(micros.value_at_quantile(0.5)),
            p99_seconds: seconds(micros.value_at_quantile(0.99)),
            max_seconds: seconds(micros.max()),
        }
    }
}

/// One microsecond to ten minutes, three digits.
#[expect(clippy::expect_used, reason = "the bounds are constants that the crate accepts")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).expect("constant bounds")
}
