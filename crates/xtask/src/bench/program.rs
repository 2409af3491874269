//! The benchmark programs of `crates/plock/benches`: built, started, and understood line by line.

use std::io::{BufRead, BufReader, Write, stderr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use integration_tests::repository;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A benchmark that has been built.
#[derive(Debug)]
pub(crate) struct Program(PathBuf);

/// How it is compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Profile {
    /// Fast to build; times mean nothing.
    Dev,
    /// As optimised as can be.
    Bench,
}

impl Program {
    /// Builds a target of `crates/plock/benches`; cargo's own progress goes to standard error.
    pub(crate) fn build(target: &str, profile: Profile) -> Result<Self> {
        let (profile, time) = match profile {
            Profile::Dev => ("dev", "a minute"),
            Profile::Bench => ("bench", "a minute or two"),
        };
        writeln!(stderr(), "building crates/plock/benches/{target} ({time} the first time)")?;
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(repository()).args(["bench", "--package=plock", "--bench", target]);
        command.args(["--features=tower", "--no-run", "--profile", profile]);
        command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
        let output = command.output().context("cannot start cargo")?;
        ensure!(output.status.success(), "the build of {target} ended with {}", output.status);
        for line in output.stdout.lines() {
            let message: Value = serde_json::from_str(&line?).context("not a message of cargo")?;
            if message["target"]["name"] == target
                && let Some(program) = message["executable"].as_str()
            {
                return Ok(Self(program.into()));
            }
        }
        bail!("cargo built no benchmark `{target}`")
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.0)
    }

    /// The same under another program, given with its arguments.
    pub(crate) fn under(&self, mut other: Command) -> Command {
        other.arg(&self.0);
        other
    }
}

/// Runs a benchmark that prints one JSON object per line.
pub(crate) fn objects<T: DeserializeOwned>(command: &mut Command) -> Result<Vec<T>> {
    let mut objects = Vec::new();
    each_object(command, |object| {
        objects.push(object);
        Ok(())
    })?;
    Ok(objects)
}

/// As [`objects`], each as soon as it is there.
pub(crate) fn each_object<T: DeserializeOwned>(
    command: &mut Command,
    mut see: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start the benchmark")?;
    let mut lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
    let seen = lines.try_for_each(|line| {
        let line = line?;
        let object = serde_json::from_str(&line);
        see(object.with_context(|| format!("the benchmark printed `{line}`"))?)
    });
    if seen.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    seen?;
    ensure!(status.success(), "the benchmark ended with {status}");
    Ok(())
}

/// Where the figures are from: they mean little without it.
pub(crate) fn settings() -> String {
    let first = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown");
        value.trim_start_matches(['\t', ' ', ':']).trim().to_owned()
    };
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or_else(
        |_| "rustc: unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{} {}, kernel {}, {cores} x {} (family {}, model {}), {rustc}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        first("/proc/sys/kernel/osrelease", ""),
        first("/proc/cpuinfo", "model name"),
        first("/proc/cpuinfo", "cpu family"),
        first("/proc/cpuinfo", "model\t"),
    )
}
