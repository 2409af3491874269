//! What the service says on standard output: lines for people, or one JSON object per event.

use std::io::{Write, stdout};

use plock::Snapshot;
use serde_json::json;

use crate::{
    figures::{Latency, Report},
    scenarios::Scenario,
    slowest::Node,
};

/// The chosen form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says where the service is, as soon as it answers.
    pub(crate) fn listening(self, scenario: Scenario, url: &str) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        if self.json {
            let event = json!({ "event": "listening", "url": url, "scenario": scenario });
            writeln!(out, "{event}")?;
        } else {
            writeln!(out, "orders listens on {url} (metrics at {url}/metrics)")?;
        }
        Ok(out.flush()?)
    }

    /// The last word: how the load fared.
    pub(crate) fn report(
        self,
        load: Option<&Report>,
        locks: &Snapshot,
        slowest: Option<&Node>,
    ) -> anyhow::Result<()> {
        let mut out = stdout().lock();
        if self.json {
            writeln!(
                out,
                "{}",
                json!({ "event": "report", "load": load, "snapshot": locks, "slowest": slowest })
            )?;
            return Ok(());
        }
        let Some(load) = load else { return Ok(()) };
        writeln!(
            out,
            "{} requests in {:.1} s: offered {:.1}/s, achieved {:.1}/s, errors {:?}",
            load.requests, load.seconds, load.offered_rate, load.achieved_rate, load.errors
        )?;
        for (route, latency) in load.routes.iter().chain([(&"all", &load.latency)]) {
            let Latency { requests, p50_seconds, p99_seconds, max_seconds } = latency;
            let [p50, p99, max] = [p50_seconds, p99_seconds, max_seconds].map(|s| s * 1e3);
            writeln!(
                out,
                "{route:<26} {requests:>7}  p50 {p50:>8.2} ms  p99 {p99:>8.2} ms  max {max:>8.2} ms"
            )?;
        }
        Ok(())
    }
}
