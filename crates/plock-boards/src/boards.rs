//! The boards, one file each. A board answers one question; the first is where everybody begins.

mod blame;
mod lock;
mod overview;
mod pools;
mod requests;
mod runtime;
mod slo;
mod telemetry;

use crate::Options;
use crate::grafana::Dashboard;

/// Address of a panel: what alerts lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) uid: &'static str,
    pub(crate) panel: u32,
}

pub(crate) use blame::{DEADLOCKS, ROOTS};
pub(crate) use lock::{AGAINST_BEFORE, HOLDS, HOLDS_NOW, MISTAKES, PANICS, WAITS_BY_MODE};
pub(crate) use overview::OLDEST_WAIT;
pub(crate) use pools::{POOL_WAIT, POOLS, WHILE_HOLDING};
pub(crate) use runtime::{BLOCKED_POLLS, LONG_POLLS, SCHEDULE_DELAY, TASKS};
pub(crate) use slo::BURN;
pub(crate) use telemetry::{COLLECTOR_LOSS, COLLECTOR_QUEUE, COST, EXPORT_AGE, LEFT_OUT, VERSIONS};

/// Every board, in the order of file names.
pub(crate) fn all(options: &Options) -> Vec<Dashboard> {
    let mut boards = vec![
        overview::board(options),
        lock::board(options),
        blame::board(options),
        requests::board(options),
        runtime::board(options),
        pools::board(options),
        slo::board(options),
        telemetry::board(options),
    ];
    boards.sort_by(|one, other| one.uid.cmp(&other.uid));
    boards
}
