//! plock's dashboards, recording rules, alerts and runbooks, made from the table of its metrics.
//!
//! Metric names, labels and bucket limits come from `plock-semconv` and `plock-core`, thresholds from
//! [`Options`]: a rename does not compile, and a line in a graph is the figure that its alert fires
//! at. The files are checked in; `cargo xtask boards` writes them and `--check` compares.
//!
//! | part | what it holds |
//! |---|---|
//! | [`Options`] | thresholds, selection, addresses: what a user may decide |
//! | `query` | PromQL made of instruments, in both forms of histograms |
//! | [`grafana`] | the dashboard schema, panels, layout, links |
//! | `boards` | the boards, one file each |
//! | `rules`, [`alerts`] | recording rules and alerts |
//! | [`files()`], [`runbook()`] | everything as files |
//!
//! ```
//! use plock_boards::{Options, dashboards};
//!
//! let boards = dashboards(&Options::default());
//! let overview = boards.iter().find(|board| board.uid == "plock-overview").unwrap();
//! assert!(overview.panels().all(|panel| !panel.description.is_empty()));
//! ```

mod alertmanager;
pub mod alerts;
mod boards;
mod files;
pub mod grafana;
mod names;
mod options;
mod query;
mod rules;
mod runbook;

pub use files::{File, files};
pub use options::{Options, Thresholds, bucket_bounds};
pub use runbook::{runbook, runbooks};

/// Every dashboard.
#[must_use]
pub fn dashboards(options: &Options) -> Vec<grafana::Dashboard> {
    boards::all(options)
}
