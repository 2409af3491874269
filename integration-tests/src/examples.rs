//! The programs under `examples/`, built by cargo on demand: they belong to other packages, so no
//! test of this one has them built already.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::repository;

/// Builds the example `package` and returns its program. Cargo's progress goes to standard error.
///
/// # Errors
///
/// If it does not build.
pub fn example(package: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo)
        .args(["build", "--package", package, "--message-format", "json-render-diagnostics"])
        .current_dir(repository())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let messages = BufReader::new(build.stdout.take().context("cargo has no output")?);
    let mut program = None;
    for message in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(&message?)?;
        if message["target"]["name"] == package && message["executable"].is_string() {
            program = message["executable"].as_str().map(PathBuf::from);
        }
    }
    ensure!(build.wait()?.success(), "examples/{package} does not build");
    program.context("cargo did not say where the program is")
}
