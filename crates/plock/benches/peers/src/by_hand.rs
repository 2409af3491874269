//! Timing by hand, as a service does that has histograms anyway: three clock readings, and a value
//! each for the wait and for the hold. Nothing tells who holds the lock.

use crate::harness::Row;
use crate::rows::Rows;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A histogram for the wait and one for the hold.
trait Record: Send + Sync {
    fn record(&self, wait: Duration, hold: Duration);
}

struct Timed<R> {
    mutex: Mutex<u64>,
    record: R,
}

async fn lock<R: Record>(timed: &'static Timed<R>, operations: u64) {
    for _ in 0..operations {
        let asked = Instant::now();
        let mut guard = timed.mutex.lock().await;
        let locked = Instant::now();
        *guard += 1;
        drop(guard);
        timed.record.record(locked - asked, locked.elapsed());
    }
}

fn rows<R: Record + Clone + 'static>(rows: &Rows<'_>, record: R) -> Vec<Row> {
    let new = || Timed { mutex: Mutex::new(0), record: record.clone() };
    rows.awaited("tokio::Mutex", new, lock)
}

/// Children of a labelled histogram, looked up once. All locks of one label share their cells.
#[derive(Clone)]
struct Children {
    wait: prometheus::Histogram,
    hold: prometheus::Histogram,
}

impl Record for Children {
    fn record(&self, wait: Duration, hold: Duration) {
        self.wait.observe(wait.as_secs_f64());
        self.hold.observe(hold.as_secs_f64());
    }
}

pub(crate) fn prometheus(peer: Rows<'_>) -> Vec<Row> {
    let child = |name| {
        let options = prometheus::HistogramOpts::new(name, "Time in seconds.");
        let family = prometheus::HistogramVec::new(options, &["lock"]).unwrap();
        family.with_label_values(&["orders"])
    };
    rows(&peer, Children { wait: child("lock_wait"), hold: child("lock_hold") })
}

/// Instruments of the SDK with attributes that are made once.
#[derive(Clone)]
struct Instruments {
    wait: opentelemetry::metrics::Histogram<f64>,
    hold: opentelemetry::metrics::Histogram<f64>,
    attributes: [KeyValue; 1],
}

impl Record for Instruments {
    fn record(&self, wait: Duration, hold: Duration) {
        self.wait.record(wait.as_secs_f64(), &self.attributes);
        self.hold.record(hold.as_secs_f64(), &self.attributes);
    }
}

/// Aggregates, and collects nothing meanwhile.
static METERS: LazyLock<SdkMeterProvider> = LazyLock::new(|| {
    SdkMeterProvider::builder().with_reader(ManualReader::builder().build()).build()
});

pub(crate) fn opentelemetry(peer: Rows<'_>) -> Vec<Row> {
    let meter = METERS.meter("bench");
    let histogram = |name| meter.f64_histogram(name).with_unit("s").build();
    let attributes = [KeyValue::new("lock", "orders")];
    let (wait, hold) = (histogram("lock.wait"), histogram("lock.hold"));
    rows(&peer, Instruments { wait, hold, attributes })
}
