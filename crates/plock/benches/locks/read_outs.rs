//! What reading the figures costs: the snapshot, and its encoding for either side.

use crate::harness::Row;
use plock::tokio::sync::Mutex;
use plock::{Dropped, Snapshot};
use plock_otel::Histograms;
use plock_prometheus::Format;
use std::hint::black_box;
use std::sync::{Barrier, OnceLock};
use std::time::{Duration, Instant};

/// A read-write lock takes two of the 1,024 series and a scope's name too, a mutex takes one.
const CLASSES: usize = 1000;
const THREADS: usize = 16;

pub(crate) fn all() -> Vec<Row> {
    let encode = |name, encode: fn(&Snapshot) -> Vec<u8>| {
        Row::lone(name, move |operations| repeat(operations, || encode(filled())))
    };
    let snapshot = |operations| {
        filled();
        repeat(operations, plock::snapshot)
    };
    vec![
        Row::lone("snapshot/1000-classes-16-threads", snapshot),
        encode("encode/otlp", |s| plock_otel::encode(s, Histograms::Exponential)),
        encode("encode/prometheus-text", |s| scraped(s, Format::Text)),
        encode("encode/prometheus-protobuf", |s| scraped(s, Format::Protobuf)),
    ]
}

fn scraped(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    plock_prometheus::render(snapshot, Some(format.content_type())).body
}

fn repeat<T>(operations: u64, mut operation: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..operations {
        black_box(operation());
    }
    start.elapsed()
}

/// The snapshot after every thread has held a lock of every class that was not there before. Made when
/// first asked for, since it stays in the process.
fn filled() -> &'static Snapshot {
    static FILLED: OnceLock<Snapshot> = OnceLock::new();
    FILLED.get_or_init(|| {
        let before = plock::snapshot();
        let there = before.locks.len() + 2 * before.scopes.len();
        let names: Vec<&'static str> =
            (there..CLASSES).map(|number| &*format!("bench_class_{number}").leak()).collect();
        let all_alive = Barrier::new(THREADS); // or one would take over what another has left
        std::thread::scope(|threads| {
            for _ in 0..THREADS {
                threads.spawn(|| {
                    all_alive.wait();
                    for name in &names {
                        drop(Mutex::named(name, ()).try_lock());
                    }
                    all_alive.wait();
                });
            }
        });
        let snapshot = plock::snapshot();
        assert_eq!(snapshot.dropped(Dropped::Classes), 0, "the classes fit under the cap");
        snapshot
    })
}
