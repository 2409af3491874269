//! A snapshot as families of points: the single mapping from figures to names and labels. Exporters
//! encode what comes out of here and add nothing.

use crate::attributes::{DEADLOCK_SELF, PRECISION_EXACT, STAGE_HELD, STAGE_WAITING, UNKNOWN};
use crate::family::MAX_ATTRIBUTES;
use crate::{DepthHistogram, Family, Instrument, Point, Value, metrics};
use plock_core::{
    Cause, Dropped, FindingKind, Idle, Kind, LockSeries, Mode, Outcome, PoolSeries, ScopeSeries,
    Snapshot,
};
use std::collections::BTreeMap;

/// The snapshot under its telemetry names, in table order. A family without points is left out.
///
/// ```
/// use plock_semconv::{families, metrics};
///
/// let snapshot = plock_core::Snapshot::default();
/// let families = families(&snapshot);
/// assert!(families.iter().any(|family| *family.instrument == metrics::BUILD_INFO));
/// ```
#[must_use]
pub fn families(snapshot: &Snapshot) -> Vec<Family<'_>> {
    let mut families = Vec::with_capacity(metrics::ALL.len());
    locks(&snapshot.locks, &mut families);
    blame(snapshot, &mut families);
    findings(snapshot, &mut families);
    scopes(&snapshot.scopes, &mut families);
    pools(snapshot, &mut families);
    telemetry(snapshot, &mut families);
    families.retain(|family| !family.points.is_empty());
    let place =
        |family: &Family<'_>| metrics::ALL.iter().position(|listed| *listed == family.instrument);
    families.sort_by_key(place);
    families
}

/// The causes of waits that exist for a lock from registration on, with count 0. Any other cause
/// appears when it first occurs.
///
/// ```
/// use plock_core::{Cause, Kind, Mode};
/// assert_eq!(plock_semconv::expected_causes(Kind::Mutex, Mode::Exclusive), [Cause::Holder]);
/// ```
#[must_use]
pub const fn expected_causes(kind: Kind, mode: Mode) -> &'static [Cause] {
    match (kind, mode) {
        (Kind::Semaphore | Kind::Channel | Kind::Pool, _) => &[Cause::Holder, Cause::Permits],
        (Kind::Rwlock, Mode::Shared) => &[Cause::Holder, Cause::WriterPending],
        _ => &[Cause::Holder],
    }
}

fn locks<'a>(locks: &'a [LockSeries], families: &mut Vec<Family<'a>>) {
    let each = |value: fn(&'a LockSeries) -> Value<'a>| {
        locks.iter().map(move |lock| (lock_values(lock), value(lock)))
    };

    let acquisitions = locks.iter().flat_map(|lock| {
        let [name, kind, mode] = lock_values(lock);
        Outcome::ALL.iter().map(move |outcome| {
            ([name, kind, mode, outcome.as_str()], Value::Count(lock.outcome(*outcome)))
        })
    });
    families.push(family(&metrics::ACQUISITIONS, acquisitions));

    let waits = locks.iter().flat_map(|lock| {
        let [name, kind, mode] = lock_values(lock);
        Cause::ALL.iter().zip(&lock.wait).filter_map(move |(cause, histogram)| {
            let exists =
                histogram.count() > 0 || expected_causes(lock.kind, lock.mode).contains(cause);
            let exemplar = lock
                .wait_exemplars
                .iter()
                .find(|(of, _)| of == cause)
                .map(|(_, exemplar)| exemplar);
            exists.then(|| {
                ([name, kind, mode, cause.as_str()], Value::Histogram { histogram, exemplar })
            })
        })
    });
    families.push(family(&metrics::WAIT_DURATION, waits));

    let hold = |lock: &'a LockSeries| Value::Histogram {
        histogram: &lock.hold,
        exemplar: lock.hold_exemplar.as_ref(),
    };
    families.push(family(&metrics::HOLD_DURATION, each(hold)));
    families.push(family(
        &metrics::HOLD_SUSPENDED_TIME,
        each(|lock| Value::Seconds(seconds(lock.hold_suspended_ns))),
    ));
    families.push(family(&metrics::WAITERS, each(|lock| Value::Gauge(number(lock.waiters)))));
    families.push(family(&metrics::HOLDERS, each(|lock| Value::Gauge(number(lock.holders)))));

    let held = locks.iter().flat_map(|lock| {
        let hold = lock.oldest_hold.iter().map(|open| (STAGE_HELD, open, &open.owner));
        let wait = lock.oldest_wait.iter().map(|open| (STAGE_WAITING, open, &open.holder));
        let [name, kind, mode] = lock_values(lock);
        hold.chain(wait).map(move |(stage, open, holder)| {
            ([name, kind, mode, stage, holder], Value::Gauge(seconds(open.age_ns)))
        })
    });
    families.push(family(&metrics::HELD, held));

    let mut depths = BTreeMap::<&str, DepthHistogram>::new();
    for lock in locks {
        depths.entry(&lock.name).or_default().add(lock);
    }
    families.push(family(
        &metrics::NESTING_DEPTH,
        depths.into_iter().map(|(name, depth)| ([name], Value::Depth(depth))),
    ));
}

/// Edges are summed per label set: several may differ in what is not a label.
fn blame<'a>(snapshot: &'a Snapshot, families: &mut Vec<Family<'a>>) {
    let mut blocked = BTreeMap::<_, u64>::new();
    let mut blocked_ns = BTreeMap::<_, u64>::new();
    for edge in &snapshot.edges {
        let (lock, cause) = (known(&edge.lock), edge.cause.as_str());
        let (waiter, holder) = (known(&edge.waiter), known(&edge.holder));
        *blocked.entry([lock, cause, holder]).or_default() += edge.waits;
        *blocked_ns.entry([lock, cause, waiter, holder]).or_default() += edge.wait_ns;
    }
    families.push(family(
        &metrics::BLOCKED,
        blocked.into_iter().map(|(values, n)| (values, Value::Count(n))),
    ));
    let times = blocked_ns.into_iter().map(|(values, ns)| (values, Value::Seconds(seconds(ns))));
    families.push(family(&metrics::BLOCKED_TIME, times));

    let mut open = BTreeMap::<_, u64>::new();
    for edge in &snapshot.open_edges {
        *open.entry([known(&edge.lock), known(&edge.waiter), known(&edge.holder)]).or_default() +=
            edge.waits;
    }
    let edges = open.into_iter().map(|(values, n)| (values, Value::Gauge(number(n))));
    families.push(family(&metrics::BLOCK_EDGES, edges));
}

/// Summed over places and owners: those are for people, in the snapshot.
fn findings<'a>(snapshot: &'a Snapshot, families: &mut Vec<Family<'a>>) {
    let of_kind = |kind| snapshot.findings.iter().filter(move |finding| finding.kind == kind);
    let own = of_kind(FindingKind::SelfDeadlock).map(|finding| finding.count).sum();
    let own = ([DEADLOCK_SELF, PRECISION_EXACT], Value::Count(own));
    families.push(family(&metrics::DEADLOCKS, [own]));

    let can_be = |lock: &&LockSeries| matches!(lock.kind, Kind::Mutex | Kind::Rwlock);
    let locks = snapshot.locks.iter().filter(can_be).map(|lock| (known(&lock.name), 0));
    let mut poisoned: BTreeMap<_, u64> = locks.collect();
    for finding in of_kind(FindingKind::Poisoned) {
        *poisoned.entry(known(&finding.lock)).or_default() += finding.count;
    }
    let poisoned = poisoned.into_iter().map(|(lock, n)| ([lock], Value::Count(n)));
    families.push(family(&metrics::POISONED, poisoned));
    mistakes(snapshot, families);
}

/// The findings without a metric of their own. Those about pools exist where there is a pool.
fn mistakes<'a>(snapshot: &'a Snapshot, families: &mut Vec<Family<'a>>) {
    let known_kinds = |lock: &LockSeries| -> &[FindingKind] {
        match lock.kind {
            Kind::Pool => &[FindingKind::PoolUnderPool],
            kind if kind.is_section() && snapshot.pools.is_empty() => &[FindingKind::AcrossAwait],
            kind if kind.is_section() => {
                &[FindingKind::AcrossAwait, FindingKind::PoolUnderLock, FindingKind::LockUnderPool]
            }
            _ => &[],
        }
    };
    let mut counted = BTreeMap::<_, (u64, u64)>::new();
    for lock in &snapshot.locks {
        let kinds = known_kinds(lock).iter();
        counted.extend(kinds.map(|kind| ((known(&lock.name), *kind), (0, 0))));
    }
    for finding in &snapshot.findings {
        if !matches!(finding.kind, FindingKind::SelfDeadlock | FindingKind::Poisoned) {
            let (count, ns) = counted.entry((known(&finding.lock), finding.kind)).or_default();
            (*count, *ns) = (*count + finding.count, *ns + finding.wait_ns);
        }
    }
    let values = |(lock, kind): (&'a str, FindingKind)| [lock, kind.as_str()];
    let count = counted.iter().map(|(of, (count, _))| (values(*of), Value::Count(*count)));
    families.push(family(&metrics::FINDINGS, count));
    let waits = counted.iter().filter(|((_, kind), _)| kind.is_wait());
    let time = waits.map(|(of, (_, ns))| (values(*of), Value::Seconds(seconds(*ns))));
    families.push(family(&metrics::FINDINGS_TIME, time));
}

fn scopes<'a>(scopes: &'a [ScopeSeries], families: &mut Vec<Family<'a>>) {
    let each = |value: fn(&'a ScopeSeries) -> Value<'a>| {
        scopes.iter().map(move |s| ([&*s.name], value(s)))
    };

    let poll = |scope: &'a ScopeSeries| Value::Histogram { histogram: &scope.poll, exemplar: None };
    families.push(family(&metrics::TASK_POLL_DURATION, each(poll)));
    let delay = |scope: &'a ScopeSeries| Value::Histogram {
        histogram: &scope.schedule_delay,
        exemplar: None,
    };
    families.push(family(&metrics::TASK_SCHEDULE_DELAY, each(delay)));
    let idle = scopes.iter().flat_map(|scope| {
        Idle::ALL
            .iter()
            .zip(scope.idle_ns)
            .map(|(idle, ns)| ([&*scope.name, idle.as_str()], Value::Seconds(seconds(ns))))
    });
    families.push(family(&metrics::TASK_IDLE_TIME, idle));
    let alive =
        |scope: &'a ScopeSeries| Value::Gauge(number(scope.started.saturating_sub(scope.finished)));
    families.push(family(&metrics::TASKS, each(alive)));
    families.push(family(&metrics::TASKS_SPAWNED, each(|scope| Value::Count(scope.started))));
    families.push(family(&metrics::TASKS_FINISHED, each(|scope| Value::Count(scope.finished))));
}

/// What a pool shares with locks comes from there.
fn pools<'a>(snapshot: &'a Snapshot, families: &mut Vec<Family<'a>>) {
    let each = |value: fn(&'a PoolSeries) -> Value<'a>| {
        snapshot.pools.iter().map(move |pool| ([&*pool.name], value(pool)))
    };
    let acquire =
        |pool: &'a PoolSeries| Value::Histogram { histogram: &pool.acquire, exemplar: None };
    families.push(family(&metrics::POOL_ACQUIRE_DURATION, each(acquire)));
    families.push(family(&metrics::POOL_SIZE, each(|pool| Value::Gauge(number(pool.size)))));
    let locks = || snapshot.locks.iter().filter(|lock| lock.kind == Kind::Pool);
    let gauge = |value: fn(&LockSeries) -> u64| {
        locks().map(move |lock| ([&*lock.name], Value::Gauge(number(value(lock)))))
    };
    families.push(family(&metrics::POOL_IN_USE, gauge(|lock| lock.holders)));
    families.push(family(&metrics::POOL_WAITERS, gauge(|lock| lock.waiters)));
}

fn telemetry<'a>(snapshot: &'a Snapshot, families: &mut Vec<Family<'a>>) {
    let dropped = Dropped::ALL
        .iter()
        .map(|reason| ([reason.as_str()], Value::Count(snapshot.dropped(*reason))));
    families.push(family(&metrics::TELEMETRY_DROPPED, dropped));
    let overhead = Value::Seconds(seconds(snapshot.overhead_ns));
    families.push(family(&metrics::TELEMETRY_OVERHEAD_TIME, [([], overhead)]));
    let last = snapshot.last_export_unix_ns.map(|at| ([], Value::Gauge(seconds(at))));
    families.push(family(&metrics::TELEMETRY_LAST_EXPORT, last));
    let build = [env!("CARGO_PKG_VERSION"), known(&snapshot.clock)];
    families.push(family(&metrics::BUILD_INFO, [(build, Value::Gauge(1.0))]));
}

/// Pairs the values of each point with the instrument's keys.
fn family<'a, const N: usize>(
    instrument: &'static Instrument,
    points: impl IntoIterator<Item = ([&'a str; N], Value<'a>)>,
) -> Family<'a> {
    const { assert!(N <= MAX_ATTRIBUTES, "a point has room for them") };
    let keys = instrument.attributes;
    debug_assert_eq!(N, keys.len(), "one value per key of {}", instrument.name);
    let points = points.into_iter().map(|(given, value)| {
        let mut values = [""; MAX_ATTRIBUTES];
        values[..N].copy_from_slice(&given.map(known));
        Point { keys, values, value }
    });
    Family { instrument, points: points.collect() }
}

fn lock_values(lock: &LockSeries) -> [&str; 3] {
    [&lock.name, lock.kind.as_str(), lock.mode.as_str()]
}

const fn known(label: &str) -> &str {
    if label.is_empty() { UNKNOWN } else { label }
}

fn seconds(ns: u64) -> f64 {
    number(ns) / 1e9
}

#[expect(clippy::cast_precision_loss, reason = "the wire has doubles; exact below 2^53")]
const fn number(n: u64) -> f64 {
    n as f64
}
