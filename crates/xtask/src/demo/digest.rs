//! A snapshot reduced to what the demo shows: one row per lock and mode, one per edge, one per finding.

use plock_core::{Cause, Finding, Histogram, LockSeries, Outcome, Snapshot};
use serde::Serialize;

/// The figures of the tables, most expensive first.
#[derive(Debug, Serialize)]
pub(super) struct Digest {
    pub(super) locks: Vec<Lock>,
    pub(super) edges: Vec<Edge>,
    /// The costliest first, then the most frequent.
    pub(super) findings: Vec<Finding>,
}

/// One lock class in one mode.
#[derive(Debug, Serialize)]
pub(super) struct Lock {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) mode: &'static str,
    pub(super) acquisitions: u64,
    pub(super) contended: u64,
    /// Contended attempts among all that were ready to wait.
    pub(super) contended_share: f64,
    pub(super) wait: Spread,
    pub(super) hold: Spread,
    /// The longest hold: by whom and from where.
    pub(super) worst_holder: Option<Worst>,
    /// Part of the wait time by cause, largest first.
    pub(super) causes: Vec<Share>,
}

/// A distribution in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Spread {
    pub(super) count: u64,
    pub(super) sum_seconds: f64,
    pub(super) p50_seconds: f64,
    pub(super) p99_seconds: f64,
    pub(super) max_seconds: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Worst {
    pub(super) owner: String,
    pub(super) site: String,
    pub(super) seconds: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Share {
    pub(super) cause: &'static str,
    pub(super) share: f64,
}

/// Who waited for whom.
#[derive(Debug, Serialize)]
pub(super) struct Edge {
    pub(super) waiter: String,
    pub(super) lock: String,
    pub(super) holder: String,
    pub(super) holder_site: String,
    pub(super) cause: &'static str,
    pub(super) waits: u64,
    pub(super) wait_seconds: f64,
    /// Part of all blame.
    pub(super) share: f64,
}

impl Digest {
    pub(super) fn new(snapshot: &Snapshot) -> Self {
        let mut locks: Vec<Lock> = snapshot.locks.iter().map(Lock::new).collect();
        locks.sort_by(|a, b| {
            let cost = |lock: &Lock| (lock.wait.sum_seconds, lock.hold.sum_seconds);
            cost(b).partial_cmp(&cost(a)).unwrap_or(std::cmp::Ordering::Equal)
        });
        let total: u64 = snapshot.edges.iter().map(|edge| edge.wait_ns).sum();
        let mut edges: Vec<&plock_core::Edge> = snapshot.edges.iter().collect();
        edges.sort_by_key(|edge| std::cmp::Reverse(edge.wait_ns));
        let mut findings = snapshot.findings.clone();
        findings.sort_by_key(|it| std::cmp::Reverse((it.wait_ns, it.count)));
        let edges = edges.into_iter().map(|edge| Edge::new(edge, total)).collect();
        Self { locks, edges, findings }
    }

    /// Acquisitions of all locks.
    pub(super) fn acquisitions(&self) -> u64 {
        self.locks.iter().map(|lock| lock.acquisitions).sum()
    }

    /// Contended attempts of all locks.
    pub(super) fn contended(&self) -> u64 {
        self.locks.iter().map(|lock| lock.contended).sum()
    }

    /// Wait of all locks.
    pub(super) fn wait_seconds(&self) -> f64 {
        self.locks.iter().map(|lock| lock.wait.sum_seconds).sum()
    }
}

impl Lock {
    fn new(series: &LockSeries) -> Self {
        let contended = series.contentions();
        // A `try_` that found the lock taken never meant to wait.
        let attempts: u64 =
            series.outcomes.iter().sum::<u64>() - series.outcome(Outcome::WouldBlock);
        let wait = series.wait_total();
        Self {
            name: series.name.clone(),
            kind: series.kind.as_str(),
            mode: series.mode.as_str(),
            acquisitions: series.outcome(Outcome::Acquired),
            contended,
            contended_share: share(contended, attempts),
            causes: causes(series, wait.sum_ns()),
            wait: Spread::of(&wait),
            hold: Spread::of(&series.hold),
            worst_holder: series.worst_hold.as_ref().map(|worst| Worst {
                owner: worst.owner.clone(),
                site: worst.site.clone(),
                seconds: seconds(worst.ns),
            }),
        }
    }
}

impl Edge {
    fn new(edge: &plock_core::Edge, total: u64) -> Self {
        Self {
            waiter: edge.waiter.clone(),
            lock: edge.lock.clone(),
            holder: edge.holder.clone(),
            holder_site: edge.holder_site.clone(),
            cause: edge.cause.as_str(),
            waits: edge.waits,
            wait_seconds: seconds(edge.wait_ns),
            share: share(edge.wait_ns, total),
        }
    }
}

impl Spread {
    fn of(histogram: &Histogram) -> Self {
        let quantile = |q| seconds(histogram.quantile_ns(q).unwrap_or(0));
        Self {
            count: histogram.count(),
            sum_seconds: seconds(histogram.sum_ns()),
            p50_seconds: quantile(0.5),
            p99_seconds: quantile(0.99),
            max_seconds: seconds(histogram.max_ns()),
        }
    }
}

fn causes(series: &LockSeries, total: u64) -> Vec<Share> {
    let mut causes: Vec<Share> = Cause::ALL
        .iter()
        .zip(&series.wait)
        .filter(|(_, wait)| wait.sum_ns() > 0)
        .map(|(cause, wait)| Share { cause: cause.as_str(), share: share(wait.sum_ns(), total) })
        .collect();
    causes.sort_by(|a, b| b.share.total_cmp(&a.share));
    causes
}

fn seconds(ns: u64) -> f64 {
    std::time::Duration::from_nanos(ns).as_secs_f64()
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
