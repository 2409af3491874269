//! The benchmark programs of `crates/plock/benches`: built, started, and understood line by line.

use std::io::{BufRead, BufReader, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use integration_tests::repository;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A benchmark that has been built.
#[derive(Debug)]
pub(crate) struct Program {
    target: &'static str,
    path: PathBuf,
}

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
    pub(crate) fn build(target: &'static str, profile: Profile) -> Result<Self> {
        let (profile, time) = match profile {
            Profile::Dev => ("dev", "a minute"),
            Profile::Bench => ("bench", "a minute or two"),
        };
        writeln!(stderr(), "building crates/plock/benches/{target} ({time} the first time)")?;
        let mut command = cargo();
        command.args([
            "bench",
            "--package=plock",
            "--bench",
            target,
            "--features=tower,parking_lot",
        ]);
        command.args(["--no-run", "--profile", profile]);
        Self::built(target, command)
    }

    /// Builds `peers`: a package and a target directory of its own, and with `console` another one
    /// for tokio as tokio-console needs it.
    pub(crate) fn build_peers(profile: Profile, console: bool) -> Result<Self> {
        let with = if console { " with console-subscriber" } else { "" };
        writeln!(
            stderr(),
            "building crates/plock/benches/peers{with} (some minutes the first time)"
        )?;
        let mut command = cargo();
        command.args(["build", "--manifest-path=crates/plock/benches/peers/Cargo.toml"]);
        let profile = match profile {
            Profile::Dev => "dev",
            Profile::Bench => "release",
        };
        command.args(["--profile", profile]);
        if console {
            let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
            command.env("RUSTFLAGS", format!("{flags} --cfg tokio_unstable"));
            command.args(["--features=console", "--target-dir=target/peers-console"]);
        } else {
            command.arg("--target-dir=target/peers");
        }
        Self::built("peers", command)
    }

    fn built(target: &'static str, mut command: Command) -> Result<Self> {
        command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
        let output = command.output().context("cannot start cargo")?;
        ensure!(output.status.success(), "the build of {target} ended with {}", output.status);
        for line in output.stdout.lines() {
            let message: Value = serde_json::from_str(&line?).context("not a message of cargo")?;
            if message["target"]["name"] == target
                && let Some(program) = message["executable"].as_str()
            {
                return Ok(Self { target, path: program.into() });
            }
        }
        bail!("cargo built no benchmark `{target}`")
    }

    /// Name of the target, and so of the crate.
    pub(crate) const fn target(&self) -> &'static str {
        self.target
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.path)
    }
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository());
    command
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
