//! Peers that wrap the lock, or the future that waits for it.

use crate::harness::Row;
use crate::rows::{Rows, never};
use await_tree::{InstrumentAwait, Registry};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_metrics::TaskMonitor;

/// Every acquisition is an event in a ring of the thread, which a thread in the background empties
/// every 50 ms, of at most 65,536 events: above that the rings grow without bound. Hence the rests;
/// the minimum is the warm figure, since the lines of the ring come back from another processor.
/// Two threads take less than that many in one batch, on rings that grow meanwhile.
pub(crate) fn hotpath(rows: Rows<'_>) -> Vec<Row> {
    let tokio = || hotpath::mutex!(Mutex::new(0_u64), label = { "tokio" });
    let std = || hotpath::mutex!(std::sync::Mutex::new(0_u64), label = { "std" });
    let parking_lot = || hotpath::mutex!(parking_lot::Mutex::new(0_u64), label = { "parking_lot" });
    let mut all = rows.awaited("tokio::Mutex", tokio, async |mutex, operations| {
        for _ in 0..operations {
            *mutex.lock().await += 1;
        }
    });
    all.extend(rows.blocking("std::Mutex", std, |mutex, operations| {
        for _ in 0..operations {
            *mutex.lock().unwrap() += 1;
        }
    }));
    all.extend(rows.blocking("parking_lot::Mutex", parking_lot, |mutex, operations| {
        for _ in 0..operations {
            *mutex.lock() += 1;
        }
    }));
    all.push(rows.polled(|| hotpath::future!(never(), label = { "never" })));
    let rest = || std::thread::sleep(Duration::from_millis(4));
    all.into_iter().map(|row| row.in_parts(3000, rest)).collect()
}

/// Checks the order of locks that are held together; times nothing.
pub(crate) fn tracing_mutex(rows: Rows<'_>) -> Vec<Row> {
    let std = || tracing_mutex::stdsync::tracing::Mutex::new(0_u64);
    let parking_lot = || tracing_mutex::parkinglot::tracing::Mutex::new(0_u64);
    let mut all = rows.blocking("std::Mutex", std, |mutex, operations| {
        for _ in 0..operations {
            *mutex.lock().unwrap() += 1;
        }
    });
    all.extend(rows.blocking("parking_lot::Mutex", parking_lot, |mutex, operations| {
        for _ in 0..operations {
            *mutex.lock() += 1;
        }
    }));
    all
}

/// A span in the tree of the task while it waits; tells what is awaited now, and keeps no times.
pub(crate) fn await_tree(rows: Rows<'_>) -> Vec<Row> {
    let rows = rows.within(|operations| {
        let task = Registry::new(await_tree::Config::default()).register((), "request");
        Box::pin(task.instrument(operations))
    });
    let mut all = rows.awaited("tokio::Mutex", || Mutex::new(0), in_tree);
    all.push(rows.polled(|| never().instrument_await("never")));
    all
}

async fn in_tree(mutex: &'static Mutex<u64>, operations: u64) {
    for _ in 0..operations {
        *mutex.lock().instrument_await("lock orders").await += 1;
    }
}

/// All tasks of a kind share the counters of their monitor.
static MONITOR: LazyLock<TaskMonitor> = LazyLock::new(TaskMonitor::new);

/// Times polls and what is between them; knows of no lock.
pub(crate) fn tokio_metrics(rows: Rows<'_>) -> Vec<Row> {
    let polled = || MONITOR.instrument(never());
    let scheduled = rows.within(|operations| Box::pin(MONITOR.instrument(operations))).scheduled();
    vec![rows.polled(polled), rows.polled_twice(polled), scheduled]
}
