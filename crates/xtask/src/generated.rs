//! Crates that commands generate under `target`: what they need of this repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use integration_tests::repository;
use serde_json::Value;

/// The cargo that runs this command.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The version of a package that plock uses, and the directory with its source.
pub(crate) fn package(name: &str) -> Result<(String, PathBuf)> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--all-features"])
        .current_dir(repository())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata ended with {}", output.status);
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let of = |list: &'_ Value, key: &str, value: &Value| {
        list.as_array().into_iter().flatten().find(|it| it[key] == *value).cloned()
    };
    // Another version may be there for somebody else.
    let plock = of(&metadata["packages"], "name", &"plock".into()).context("no plock")?;
    let plock = of(&metadata["resolve"]["nodes"], "id", &plock["id"]).context("no resolution")?;
    let used = of(&plock["deps"], "name", &name.into());
    let used = used.with_context(|| format!("{name} is not used"))?;
    let package = of(&metadata["packages"], "id", &used["pkg"]).context("not a package")?;
    let text = |key: &str| package[key].as_str().with_context(|| format!("{name} has no {key}"));
    let manifest = Path::new(text("manifest_path")?);
    let directory = manifest.parent().context("a manifest in no directory")?;
    Ok((text("version")?.to_owned(), directory.to_owned()))
}

/// Writes a file of such a crate.
pub(crate) fn write(directory: &Path, path: &str, text: &str) -> Result<()> {
    let path = directory.join(path);
    fs::create_dir_all(path.parent().unwrap_or(directory))?;
    // An unchanged file keeps its time, and what was built from it stays.
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
