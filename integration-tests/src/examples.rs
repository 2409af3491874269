//! The programs under `examples/`, built by cargo on demand: they belong to other packages, so no
//! test of this one has them built already.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::repository;

/// The programs, built together: two builds with different features would build what they share
/// twice. Once per process is enough.
static PROGRAMS: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// Builds the examples if need be and returns the program of `package`. Cargo's progress goes to
/// standard error.
///
/// # Errors
///
/// If they do not build, or there is no such program.
pub fn example(package: &str) -> Result<PathBuf> {
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    if programs.is_empty() {
        *programs = build()?;
    }
    programs.get(package).cloned().with_context(|| format!("no program `{package}`"))
}

fn build() -> Result<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo)
        .args(["build", "--package", "orders", "--package", "axum-minimal"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(repository())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let messages = BufReader::new(build.stdout.take().context("cargo has no output")?);
    let mut programs = BTreeMap::new();
    for message in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(&message?)?;
        let name = message["target"]["name"].as_str();
        if let Some((name, program)) = name.zip(message["executable"].as_str()) {
            programs.insert(name.to_owned(), PathBuf::from(program));
        }
    }
    ensure!(build.wait()?.success(), "the examples do not build");
    Ok(programs)
}
