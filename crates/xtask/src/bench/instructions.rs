//! Instructions per operation, counted by callgrind. It simulates the processor, so a count depends
//! on the code alone: not on the machine's speed, nor on what else it does.

use std::fs;
use std::io::{ErrorKind, Write, stderr};
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::program::Program;

/// What one operation of a row executes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) name: String,
    pub(crate) instructions: u64,
}

/// What the benchmark says it ran inside its `harness::counted`.
#[derive(Deserialize)]
struct Batch {
    name: String,
    operations: u64,
}

/// Counts what `program` runs inside its `harness::counted` when it is given these arguments, all in
/// one run.
pub(crate) fn count(program: &Program, arguments: &[&str]) -> Result<Vec<Count>> {
    have_valgrind()?;
    writeln!(stderr(), "counting instructions: {} {}", program.target(), arguments.join(" "))?;
    let counted = format!("{}::harness::counted", program.target());
    let dumps = tempfile::tempdir()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no"]);
    valgrind.arg(format!("--toggle-collect={counted}")).arg(format!("--dump-after={counted}"));
    valgrind.arg(format!("--callgrind-out-file={}", dumps.path().join("out").display()));
    let output = valgrind.arg(program.path()).args(arguments).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind ended with {}:\n{log}", output.status);
    let lines = String::from_utf8(output.stdout)?;
    let batches = lines.lines().map(serde_json::from_str).collect::<Result<Vec<Batch>, _>>()?;
    let counts = (1..).zip(batches).map(|(number, batch)| {
        let total = total(&dumps.path().join(format!("out.{number}")))?;
        Ok(Count { name: batch.name, instructions: total / batch.operations })
    });
    counts.collect::<Result<_>>().with_context(|| format!("callgrind said\n{log}"))
}

/// The sum in a dump that callgrind wrote.
fn total(dump: &Path) -> Result<u64> {
    let text = fs::read_to_string(dump).with_context(|| format!("no dump {}", dump.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok());
    total.filter(|total| *total > 0).with_context(|| format!("no count in {}", dump.display()))
}

/// Valgrind, installed if that can be done without asking anybody.
fn have_valgrind() -> Result<()> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) => {
            ensure!(output.status.success(), "`valgrind --version` ended with {}", output.status);
            return Ok(());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).context("cannot start valgrind"),
    }
    let is_debian = Path::new("/etc/debian_version").exists();
    if !is_debian || !rustix::process::geteuid().is_root() {
        bail!(
            "instructions are counted with valgrind, which is not here: install the package \
             `valgrind` (Debian: sudo apt-get install valgrind)"
        );
    }
    writeln!(stderr(), "valgrind is not here: installing it (apt-get install -y valgrind)")?;
    apt_get(&["update"])?;
    apt_get(&["install", "-y", "--no-install-recommends", "valgrind"])
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    let Output { status, stderr, .. } = command.output().context("cannot start apt-get")?;
    let log = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "apt-get {} ended with {status}:\n{log}", arguments.join(" "));
    Ok(())
}
