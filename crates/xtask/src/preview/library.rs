//! The library that draws the charts, `ECharts`: fetched once from the npm registry by npm, kept
//! outside the tree.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use integration_tests::cache_directory;
use serde_json::Value;

const VERSION: &str = "6.1.0";

/// What npm says of the package of that version; another one is refused.
const INTEGRITY: &str = "sha512-q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6HIVpIyHZA==";

const FILE: &str = "package/dist/echarts.min.js";

/// The text of the library, fetched if it is not there yet.
pub(super) fn ready() -> Result<String> {
    let cache = cache_directory()?;
    let done = cache.join(format!("echarts-{VERSION}.js"));
    if !done.is_file() {
        fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
        let scratch = tempfile::Builder::new().prefix("echarts.tmp").tempdir_in(&cache)?;
        fetch(scratch.path())?;
        // Whole or not at all, also when two do it at once.
        fs::rename(scratch.path().join(FILE), &done)?;
    }
    fs::read_to_string(&done).with_context(|| format!("cannot read {}", done.display()))
}

fn fetch(scratch: &Path) -> Result<()> {
    let package = format!("echarts@{VERSION}");
    super::progress(&format!("fetching {package} with npm, once"))?;
    let answer = output(scratch, "npm", ["pack", "--json", &package])
        .context("the charts are drawn by a library from npm: `apt-get install npm`, or see https://nodejs.org")?;
    let answer: Value = serde_json::from_slice(&answer).context("npm did not answer in JSON")?;
    let text = |key: &str| answer[0][key].as_str().with_context(|| format!("npm told no {key}"));
    ensure!(text("integrity")? == INTEGRITY, "{package} is not the package that was expected");
    output(scratch, "tar", ["-xzf", text("filename")?, FILE])?;
    Ok(())
}

fn output<A: AsRef<OsStr>>(
    directory: &Path,
    program: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    ensure!(output.status.success(), "{program} ended with {}", output.status);
    Ok(output.stdout)
}
