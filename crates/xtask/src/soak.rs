//! `cargo xtask soak`: whether memory stays flat and every acquisition is recorded while all
//! processors lock at full speed. Builds and runs `crates/plock/benches/soak.rs`, and judges it.

use std::collections::BTreeMap;
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::bench::program::{Profile, Program, each_object, settings};

/// Looks in the whole time.
const SAMPLES: u32 = 20;
/// The first of them, during which tables, cells and the allocator's arenas come to their size.
const WARM_UP: usize = 4;
/// How much more memory may be in use after that: what a lock keeps once it has been waited for, and
/// what the allocator has not given back yet.
const BOUND: u64 = 16 << 20;
const QUICK: Duration = Duration::from_secs(4);

/// Lock at full speed on all processors, with a million live locks, and see that memory stays flat.
///
/// Tasks acquire random ones of 1,000,000 locks of one class and one that they share, in scope after
/// scope. Passes if the memory in use after the first fifth of the time grows by at most 16 MiB, every
/// acquisition is recorded, and nothing is left out.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// A few seconds of an unoptimised build, to see that it works.
    #[arg(long, conflicts_with = "minutes")]
    quick: bool,
    /// Print one JSON object per sample and one with the verdict on standard output, and progress on
    /// standard error.
    #[arg(long)]
    json: bool,
}

/// What the program knows at one moment.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Sample {
    seconds: f64,
    /// Acquisitions that the tasks have counted.
    operations: u64,
    /// Acquisitions that plock has recorded.
    recorded: u64,
    contentions: u64,
    resident_bytes: u64,
    /// By reason.
    dropped: BTreeMap<String, u64>,
    /// The tasks have ended: the counts are final.
    done: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Verdict {
    passed: bool,
    operations: u64,
    contentions: u64,
    warm_resident_bytes: u64,
    grown_bytes: u64,
    bound_bytes: u64,
    failures: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = if arguments.quick { Profile::Dev } else { Profile::Bench };
    let time = if arguments.quick { QUICK } else { Duration::from_secs(arguments.minutes * 60) };
    let program = Program::build("soak", profile)?;
    let mut command = program.command();
    command.args(["--seconds", &time.as_secs_f64().to_string()]);
    command.args(["--samples", &SAMPLES.to_string()]);
    let mut progress: Box<dyn Write> =
        if arguments.json { Box::new(stderr()) } else { Box::new(stdout()) };
    writeln!(progress, "{}", settings())?;
    let mut samples = Vec::new();
    each_object(&mut command, |sample: Sample| {
        writeln!(progress, "{}", line(&sample))?;
        if arguments.json {
            writeln!(stdout(), "{}", serde_json::to_string(&sample)?)?;
        }
        samples.push(sample);
        Ok(())
    })?;
    let verdict = judge(&samples)?;
    report(&verdict, progress.as_mut())?;
    if arguments.json {
        writeln!(stdout(), "{}", serde_json::to_string(&verdict)?)?;
    }
    Ok(if verdict.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn judge(samples: &[Sample]) -> Result<Verdict> {
    let (warm_up, after) = samples.split_at_checked(WARM_UP).unwrap_or((samples, &[]));
    let (Some(warm), Some(last)) = (warm_up.last(), after.last()) else {
        anyhow::bail!("the program ended after {} samples", samples.len());
    };
    ensure!(last.done, "the program ended before its tasks");
    let highest = after.iter().map(|sample| sample.resident_bytes).max().unwrap_or_default();
    let grown_bytes = highest.saturating_sub(warm.resident_bytes);
    let mut failures = Vec::new();
    if grown_bytes > BOUND {
        let (grown, bound) = (mebibytes(grown_bytes), mebibytes(BOUND));
        failures.push(format!("memory grew by {grown} after the warm-up, the bound is {bound}"));
    }
    if last.operations == 0 || last.recorded != last.operations {
        let Sample { recorded, operations, .. } = last;
        failures.push(format!("{recorded} acquisitions are recorded of {operations}"));
    }
    for (reason, count) in last.dropped.iter().filter(|(_, count)| **count > 0) {
        failures.push(format!("{count} left out by reason of {reason}"));
    }
    Ok(Verdict {
        passed: failures.is_empty(),
        operations: last.operations,
        contentions: last.contentions,
        warm_resident_bytes: warm.resident_bytes,
        grown_bytes,
        bound_bytes: BOUND,
        failures,
    })
}

fn line(sample: &Sample) -> String {
    let dropped: u64 = sample.dropped.values().sum();
    format!(
        "{:7.1} s  {:>14} acquisitions  {:>9} waits  {:>10} in use  {dropped} left out",
        sample.seconds,
        sample.recorded,
        sample.contentions,
        mebibytes(sample.resident_bytes)
    )
}

fn report(verdict: &Verdict, to: &mut dyn Write) -> Result<()> {
    for failure in &verdict.failures {
        writeln!(to, "{failure}")?;
    }
    let outcome = if verdict.passed { "passed" } else { "FAILED" };
    writeln!(
        to,
        "{outcome}: {} acquisitions, {} of them waited; memory grew by {} on {} (bound {})",
        verdict.operations,
        verdict.contentions,
        mebibytes(verdict.grown_bytes),
        mebibytes(verdict.warm_resident_bytes),
        mebibytes(verdict.bound_bytes)
    )?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run whose memory is `resident` mebibytes, sample by sample.
    fn run_of(resident: &[u64]) -> Vec<Sample> {
        let sample = |(number, mebibytes): (usize, &u64)| Sample {
            seconds: 1.0,
            operations: 100,
            recorded: 100,
            contentions: 1,
            resident_bytes: mebibytes << 20,
            dropped: BTreeMap::from([("edge_limit".to_owned(), 0)]),
            done: number + 1 == resident.len(),
        };
        resident.iter().enumerate().map(sample).collect()
    }

    #[track_caller]
    fn failures(samples: &[Sample]) -> Vec<String> {
        let verdict = judge(samples).unwrap();
        assert_eq!(verdict.passed, verdict.failures.is_empty());
        verdict.failures
    }

    #[test]
    fn memory_may_grow_while_it_warms_up() {
        assert!(failures(&run_of(&[10, 200, 300, 400, 410, 416])).is_empty());
    }

    #[test]
    fn memory_may_not_grow_later() {
        let found = failures(&run_of(&[400, 400, 400, 400, 417, 400]));
        assert!(found.len() == 1 && found[0].contains("17.0 MiB"), "{found:?}");
    }

    #[test]
    fn every_acquisition_is_recorded() {
        let mut samples = run_of(&[1; 6]);
        samples[5].recorded = 99;
        let found = failures(&samples);
        assert!(found.len() == 1 && found[0].contains("99") && found[0].contains("100"));
    }

    #[test]
    fn nothing_is_left_out() {
        let mut samples = run_of(&[1; 6]);
        samples[5].dropped.insert("edge_limit".to_owned(), 7);
        let found = failures(&samples);
        assert!(found.len() == 1 && found[0].contains("7") && found[0].contains("edge_limit"));
    }

    #[test]
    fn a_run_that_was_cut_short_has_no_verdict() {
        assert!(judge(&run_of(&[1; 4])).is_err());
        assert!(judge(&run_of(&[1; 7])[..6]).is_err());
    }
}
