//! The table of peers. To add one, add a line to [`PEERS`].

use crate::harness::Row;
use crate::here::Here;
use crate::operations::{bare, wrapped};
use crate::rows::{Rows, never};
use crate::{by_hand, elsewhere, spans, wrapped as wrappers};
use std::path::Path;

/// Its rows are run by a program that is built in another way.
const CONSOLE: &str = "console-subscriber";

/// Another way to time a lock.
struct Peer {
    name: &'static str,
    /// What it does to its process, which is one of its own then. Nothing, where the locks
    /// themselves start threads in the background.
    prepare: Option<fn()>,
    rows: fn(Rows<'_>) -> Vec<Row>,
}

#[rustfmt::skip]
const PEERS: &[Peer] = &[
    Peer { name: "prometheus", prepare: None, rows: by_hand::prometheus },
    Peer { name: "opentelemetry", prepare: None, rows: by_hand::opentelemetry },
    Peer { name: "tracing", prepare: None, rows: spans::tracing },
    Peer { name: "tracing+registry", prepare: Some(spans::with_registry), rows: spans::tracing },
    Peer { name: "tracing+opentelemetry", prepare: Some(spans::with_opentelemetry), rows: spans::tracing },
    Peer { name: "fastrace", prepare: Some(spans::with_reporter), rows: spans::fastrace },
    Peer { name: "hotpath", prepare: Some(|| ()), rows: wrappers::hotpath },
    Peer { name: "await-tree", prepare: None, rows: wrappers::await_tree },
    Peer { name: "tokio-metrics", prepare: None, rows: wrappers::tokio_metrics },
    Peer { name: "tracing-mutex", prepare: None, rows: wrappers::tracing_mutex },
    #[cfg(feature = "console")]
    Peer { name: CONSOLE, prepare: Some(console), rows: instrumented_tokio },
];

impl Peer {
    fn rows(&self, here: &Here) -> Vec<Row> {
        let who = format!("peer:{}", self.name);
        (self.rows)(Rows::of(here, &who))
    }
}

/// Every row, of whichever process, all rows of a situation after its bare one.
pub(crate) fn all(console: Option<&Path>, quick: bool) -> Vec<Row> {
    let here = Here::new();
    let program = std::env::current_exe().expect("this program");
    let mut rows = bare_rows(&here);
    let situations: Vec<String> = rows.iter().map(|row| row.label().name.clone()).collect();
    rows.extend(plock_rows(&here));
    for peer in PEERS {
        rows.extend(match peer.prepare {
            None => peer.rows(&here),
            Some(_) => elsewhere::rows(&program, peer.name, quick),
        });
    }
    if let Some(program) = console {
        rows.extend(elsewhere::rows(program, CONSOLE, quick));
    }
    rows.sort_by_key(|row| {
        situations.iter().position(|bare| Some(bare) == row.label().base.as_ref())
    });
    rows
}

/// The rows of a peer that has this process to itself.
pub(crate) fn alone(name: &str) -> Vec<Row> {
    let peer = PEERS.iter().find(|peer| peer.name == name).expect("a peer of that name");
    if let Some(prepare) = peer.prepare {
        prepare();
    }
    peer.rows(&Here::new())
}

/// Rows among which is the one of this name, in this process.
pub(crate) fn with(name: &str) -> Vec<Row> {
    let peer = name.strip_prefix("peer:").and_then(|rest| rest.split('/').next());
    let here = Here::new();
    peer.map_or_else(
        || [bare_rows(&here), plock_rows(&here)].into_iter().flatten().collect(),
        alone,
    )
}

/// What every other row is compared with.
fn bare_rows(here: &Here) -> Vec<Row> {
    let rows = Rows::of(here, "bare");
    let mut all = rows.awaited("tokio::Mutex", || tokio::sync::Mutex::new(0), bare::lock);
    all.extend(rows.blocking(
        "std::Mutex",
        || std::sync::Mutex::new(0_u64),
        |mutex, operations| {
            for _ in 0..operations {
                *mutex.lock().unwrap() += 1;
            }
        },
    ));
    let parking_lot = || parking_lot::Mutex::new(0_u64);
    all.extend(rows.blocking("parking_lot::Mutex", parking_lot, |mutex, operations| {
        for _ in 0..operations {
            *mutex.lock() += 1;
        }
    }));
    all.extend([rows.polled(never), rows.polled_twice(never), rows.scheduled()]);
    all
}

/// Everything recorded.
fn plock_rows(here: &Here) -> Vec<Row> {
    let polled = Rows::of(here, "plock").mode("/full");
    let rows = polled.within(|operations| Box::pin(plock::scope("bench", operations)));
    let mut all = rows.awaited("tokio::Mutex", || plock::tokio::sync::Mutex::new(0), wrapped::lock);
    let scope = || plock::scope("bench-poll", never());
    all.extend([polled.polled(scope), polled.polled_twice(scope), rows.scheduled()]);
    all
}

/// Serves on a port of the system's choice; nobody connects.
#[cfg(feature = "console")]
fn console() {
    console_subscriber::ConsoleLayer::builder().server_addr(([127, 0, 0, 1], 0)).init();
}

/// Nothing in the source tells of the subscriber: it is tokio that is instrumented.
#[cfg(feature = "console")]
fn instrumented_tokio(rows: Rows<'_>) -> Vec<Row> {
    let mut all = rows.awaited("tokio::Mutex", || tokio::sync::Mutex::new(0), bare::lock);
    all.push(rows.scheduled());
    all
}
