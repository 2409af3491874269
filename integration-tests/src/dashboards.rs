//! The shipped Grafana dashboards, read for running their queries against a live Prometheus.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
pub use plock_boards::grafana::Substitution;
pub use plock_boards::grafana::schema::{Dashboard, Panel, Target, Variable};

use crate::repository;

/// Every dashboard under `otel-collector/grafana/dashboards`, by file name.
///
/// # Errors
///
/// If a file is not a dashboard.
pub fn shipped() -> Result<Vec<(PathBuf, Dashboard)>> {
    let directory = repository().join("otel-collector/grafana/dashboards");
    let mut paths = fs::read_dir(&directory)
        .with_context(|| directory.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path)?;
        let board = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok((path, board))
    };
    paths.into_iter().map(read).collect()
}
