//! The figures of SCALING.md: series counted over a snapshot of the library itself, and over the rules
//! of the collector, then multiplied.

use std::fs;

use plock::PlockExt;
use plock::tokio::sync::Mutex;
use plock_core::CLASSIC_BOUNDS_NS;
use plock_semconv::{InstrumentKind, Value, derived, families, metrics};
use tokio::sync::oneshot;

use crate::{shipped, yaml};

/// Series by form of the histograms of durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Series {
    classic: usize,
    native: usize,
}

/// A classic histogram: its buckets, the one without limit, sum and count.
const fn classic(bounds: usize) -> usize {
    bounds + 3
}

const DURATION: usize = classic(CLASSIC_BOUNDS_NS.len());
const DEPTH: usize = classic(metrics::DEPTH_BOUNDS.len());

impl Series {
    /// What this process would show now.
    fn now() -> Self {
        let snapshot = plock::snapshot();
        // Only a process that pushes has the time of its last push.
        let mut sum = Self { classic: 1, native: 1 };
        for point in families(&snapshot).iter().flat_map(|family| &family.points) {
            let (classic, native) = match point.value {
                Value::Histogram { .. } => (DURATION, 1),
                Value::Depth(_) => (DEPTH, DEPTH),
                _ => (1, 1),
            };
            sum.classic += classic;
            sum.native += native;
        }
        sum
    }

    fn since(self, before: Self) -> Self {
        Self { classic: self.classic - before.classic, native: self.native - before.native }
    }

    fn plus(self, count: usize, of: Self) -> Self {
        Self { classic: self.classic + count * of.classic, native: self.native + count * of.native }
    }
}

/// What one more of each adds.
struct Costs {
    process: Series,
    lock: Series,
    pair: Series,
    task: Series,
}

async fn scope(name: &str) {
    async {}.plock_scope(name).await;
}

/// `waiter` waits for the lock that `holder` has.
async fn contend(lock: &Mutex<()>, holder: &str, waiter: &str) {
    let (release, released) = oneshot::channel();
    let hold = async {
        let _guard = lock.lock().await;
        released.await.unwrap();
    };
    let wait = async { drop(lock.lock().await) };
    let end = async {
        while plock::snapshot().locks.iter().all(|it| it.waiters == 0) {
            tokio::task::yield_now().await;
        }
        release.send(()).unwrap();
    };
    tokio::join!(hold.plock_scope(holder), wait.plock_scope(waiter), end);
}

/// The series that are there after `something` and were not before.
async fn added(something: impl Future<Output = ()>) -> Series {
    let before = Series::now();
    something.await;
    Series::now().since(before)
}

impl Costs {
    async fn counted() -> Self {
        let process = Series::now();
        let mut locks = Vec::new();
        let lock = added(async { locks.push(Mutex::named("one", ())) }).await;
        assert_eq!(added(async { locks.push(Mutex::named("other", ())) }).await, lock);
        assert_eq!(added(async { drop(locks[0].lock().await) }).await, Series::default());
        let task = added(scope("holder")).await;
        assert_eq!(added(scope("first")).await, task);
        assert_eq!(added(scope("second")).await, task);
        let pair = added(contend(&locks[0], "holder", "first")).await;
        // The count by holder is there already.
        let second = added(contend(&locks[0], "holder", "second")).await;
        assert!(second.classic < pair.classic, "{second:?} {pair:?}");
        Self { process, lock, pair, task }
    }
}

/// The instance of the tables: what of each it has.
const LOCKS: usize = 5;
const PAIRS: usize = 2;
const TASKS: usize = 8;
/// Requests by lock, cause and depth; slow waits and holds by those, mode and phase; routes by status,
/// lock and cause.
const REQUESTS: usize = 10;
const SLOW: usize = 10;
const ROUTES: usize = 20;

const INSTANCES: [usize; 3] = [10, 1_000, 100_000];
const SCRAPE: usize = 15;

/// What the collector derives: series by combination of labels, and streams of one instance.
struct Derived {
    requests: usize,
    slow: usize,
    routes: usize,
    streams: usize,
}

impl Derived {
    fn counted() -> Self {
        let (slow, requests): (Vec<_>, Vec<_>) =
            derived::ALL.iter().partition(|it| ***it == derived::SLOW_LOCK_DURATION);
        let series = |it: &&&plock_semconv::Instrument| match (it.kind, it.unit) {
            (InstrumentKind::Histogram, "s") => DURATION,
            (InstrumentKind::Histogram, _) => DEPTH,
            _ => 1,
        };
        let config = yaml(&shipped("config.yaml"));
        let buckets =
            &config["connectors"]["span_metrics/requests"]["histogram"]["explicit"]["buckets"];
        let streams = REQUESTS * requests.len() + SLOW * slow.len() + ROUTES * 2;
        Self {
            requests: requests.iter().map(series).sum(),
            slow: slow.iter().map(series).sum(),
            // Calls and their duration.
            routes: 1 + classic(buckets.as_array().unwrap().len()),
            streams,
        }
    }

    const fn series(&self) -> usize {
        REQUESTS * self.requests + SLOW * self.slow + ROUTES * self.routes
    }
}

/// Two digits that count.
fn short(number: usize) -> String {
    let (unit, name) = [(1_000_000, " M"), (1_000, " k"), (1, "")]
        .into_iter()
        .find(|it| number >= it.0)
        .unwrap_or((1, ""));
    let value = number as f64 / unit as f64;
    let digits = usize::from(value < 10.0 && unit > 1);
    let rounded = if value >= 100.0 { (value / 10.0).round() * 10.0 } else { value };
    format!("{rounded:.digits$}{name}")
}

#[tokio::test]
async fn the_page_on_scaling_has_the_figures_that_are_counted() {
    let Costs { process, lock, pair, task } = Costs::counted().await;
    let derived = Derived::counted();
    let instance = process.plus(LOCKS, lock).plus(LOCKS * PAIRS, pair).plus(TASKS, task);
    let mut expected = vec![
        format!("| a process | {} | {} |", process.classic, process.native),
        format!("| a lock | {} | {} |", lock.classic, lock.native),
        format!("| a pair of holder and waiter at it | {} | {} |", pair.classic, pair.native),
        format!("| a task name | {} | {} |", task.classic, task.native),
        format!("| requests by lock, cause and depth | {} | |", derived.requests),
        format!("| slow waits and holds by those, mode and phase | {} | |", derived.slow),
        format!("| routes by status, lock and cause | {} | |", derived.routes),
        format!(
            "One process with {LOCKS} locks, {PAIRS} such pairs at each, and {TASKS} task names has {} \
             direct series, or {} with native",
            instance.classic, instance.native
        ),
        format!(
            "histograms. With {REQUESTS} combinations of the first kind, {SLOW} of the second and {ROUTES} of \
             the third it has {} derived",
            derived.series()
        ),
    ];
    let most =
        yaml(&shipped("config.yaml"))["processors"]["delta_to_cumulative"]["max_streams"].clone();
    let most = usize::try_from(most.as_u64().unwrap()).unwrap();
    expected.push(format!(
        "ones, in {} streams; a gateway has room for {}.",
        derived.streams,
        short(most)
    ));
    let scaler =
        yaml(&shipped("kubernetes/gateway/autoscaler.yaml"))["spec"]["maxReplicas"].clone();
    let scaler = usize::try_from(scaler.as_u64().unwrap()).unwrap();
    let room = short(scaler * most / derived.streams);
    expected.push(format!(
        "The {scaler} gateways of the autoscaler have room for the streams of {room}\n"
    ));
    for count in INSTANCES {
        let cells = [instance.classic, instance.native, derived.series()].map(|series| {
            format!("{} | {}", short(count * series), short(count * series / SCRAPE))
        });
        let gateways = (count * derived.streams).div_ceil(most);
        let count = count.to_string();
        let count =
            if count.len() > 3 { format!("{},000", &count[..count.len() - 3]) } else { count };
        expected.push(format!("| {count} | {} | {gateways} |", cells.join(" | ")));
    }
    let page = fs::read_to_string(shipped("SCALING.md")).unwrap();
    let missing: Vec<_> = expected.iter().filter(|line| !page.contains(*line)).collect();
    assert!(missing.is_empty(), "SCALING.md lacks:\n{}", expected.join("\n"));

    // What the page concludes: a store takes a few million series.
    let store = 3_000_000;
    assert!(1_000 * (instance.classic + derived.series()) < store);
    assert!(100_000 * instance.native > store);
}
