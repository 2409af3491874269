//! Builds something once: the result lives outside the tree in a cache directory whose name holds what
//! it is, its version and a hash of its manifest. Builds happen in a scratch directory that is renamed
//! into place, under a file lock, so an interrupted build leaves nothing and two processes build once.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, bail, ensure};

/// Oldest Go whose toolchain can build the tools, or fetch the one that can.
const MIN_GO: (u32, u32) = (1, 25);

/// How often a running build says that it is still running.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// One thing to build: its pinned manifest and the command that turns it into what is kept.
pub(crate) struct Build {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// Copied into the scratch directory.
    pub(crate) manifests: Vec<PathBuf>,
    /// Run in the scratch directory.
    pub(crate) program: &'static str,
    pub(crate) arguments: Vec<String>,
    /// Where in the scratch directory the command leaves its results.
    pub(crate) output: &'static str,
    /// The files and folders that are kept.
    pub(crate) results: &'static [&'static str],
}

impl Build {
    /// The directory with the results, built now if need be.
    pub(crate) fn cached(&self, cache: &Path) -> Result<PathBuf> {
        let key = format!("{}-{}-{:016x}", self.name, self.version, self.fingerprint()?);
        let done = cache.join(&key);
        if done.is_dir() {
            return Ok(done);
        }
        fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
        let lock = File::create(cache.join(format!("{key}.lock")))?;
        if lock.try_lock().is_err() {
            progress(&format!("waiting for another process that builds {}", self.name));
            lock.lock()?;
        }
        if done.is_dir() {
            return Ok(done);
        }
        let scratch = tempfile::Builder::new().prefix(&format!("{key}.tmp")).tempdir_in(cache)?;
        self.build(scratch.path())?;
        let finished = scratch.path().join("finished");
        fs::create_dir(&finished)?;
        for result in self.results {
            fs::rename(scratch.path().join(self.output).join(result), finished.join(result))
                .with_context(|| format!("the build of {} left no `{result}`", self.name))?;
        }
        fs::rename(&finished, &done)?;
        Ok(done)
    }

    /// Hash of everything that decides what is built; a change of Rust's hasher costs one rebuild.
    fn fingerprint(&self) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        (env::consts::OS, env::consts::ARCH, &self.arguments).hash(&mut hasher);
        for manifest in &self.manifests {
            read(manifest)?.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    fn build(&self, scratch: &Path) -> Result<()> {
        if self.program == "go" {
            require_go()?;
        }
        let title = format!("{} {}", self.name, self.version);
        progress(&format!(
            "building {title}, once per version: some minutes when nothing is cached"
        ));
        for manifest in &self.manifests {
            let name = manifest.file_name().context("a manifest is a file")?;
            fs::copy(manifest, scratch.join(name))?;
        }
        let log_path = scratch.join("build.log");
        let log = File::create(&log_path)?;
        let start = Instant::now();
        let mut child = Command::new(self.program)
            .args(&self.arguments)
            .current_dir(scratch)
            // Some packagings pin Go to the local version; the manifests name the one they need.
            .envs([("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "auto"), ("GOWORK", "off")])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}, which builds {title}", self.program))?;
        let mut told = start;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if told.elapsed() >= HEARTBEAT {
                told = Instant::now();
                progress(&format!("building {title}: {} s", start.elapsed().as_secs()));
            }
            thread::sleep(Duration::from_millis(100));
        };
        if !status.success() {
            bail!("the build of {title} failed ({status}):\n{}", read(&log_path)?);
        }
        progress(&format!("built {title} in {} s", start.elapsed().as_secs()));
        Ok(())
    }
}
/// Where what is built or fetched once is kept: `$PLOCK_CACHE`, else `$XDG_CACHE_HOME/plock`, else
/// `~/.cache/plock`.
///
/// # Errors
///
/// If none of these variables is set.
pub fn cache_directory() -> Result<PathBuf> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("PLOCK_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("plock")))
        .or_else(|| Some(variable("HOME")?.join(".cache/plock")))
        .context("no cache directory: set PLOCK_CACHE, XDG_CACHE_HOME or HOME")
}

fn require_go() -> Result<()> {
    let (major, minor) = MIN_GO;
    let advice = format!(
        "building the collector and Prometheus needs Go {major}.{minor} or newer: install it from https://go.dev/doc/install"
    );
    let Ok(output) = Command::new("go").args(["env", "GOVERSION"]).output() else {
        bail!("{advice} (no `go` found in PATH)");
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let found = parse_go_version(&version);
    ensure!(found.is_some_and(|found| found >= MIN_GO), "{advice} (found `{version}`)");
    Ok(())
}

/// `go1.26.8` is (1, 26); anything else is not a release.
fn parse_go_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("go")?.split(['.', 'r', 'b', '-', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// One line for the person who waits; a closed standard error is no reason to stop building.
fn progress(line: &str) {
    let written = writeln!(std::io::stderr(), "[tools] {line}");
    drop(written);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_versions_are_compared_by_number() {
        assert_eq!(parse_go_version("go1.26.8"), Some((1, 26)));
        assert_eq!(parse_go_version("go1.26rc1"), Some((1, 26)));
        assert!(parse_go_version("go1.9.2") < Some(MIN_GO));
        assert_eq!(parse_go_version(""), None);
        assert_eq!(parse_go_version("devel +abc"), None);
    }

    /// A Go program as small as it gets, built the same way as the tools.
    fn tiny(directory: &Path, source: &str) -> Build {
        let manifests = ["go.mod", "main.go"].map(|name| directory.join(name)).to_vec();
        fs::write(&manifests[0], "module tiny\n\ngo 1.25\n").unwrap();
        fs::write(&manifests[1], source).unwrap();
        let arguments = ["build", "-o", "build/tiny", "."].map(String::from).to_vec();
        let version = "v1".to_owned();
        let (program, results) = ("go", &["tiny"]);
        Build { name: "tiny", version, manifests, program, arguments, output: "build", results }
    }

    #[test]
    fn two_builders_at_once_give_one_binary_and_a_change_gives_another() {
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("cache");
        let build = tiny(directory.path(), "package main\nfunc main() {}\n");
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(|| build.cached(&cache).unwrap());
            (build.cached(&cache).unwrap(), one.join().unwrap())
        });
        assert_eq!(one, other);
        assert!(Command::new(one.join("tiny")).status().unwrap().success());
        let built = fs::metadata(one.join("tiny")).unwrap().modified().unwrap();
        assert_eq!(build.cached(&cache).unwrap(), one);
        assert_eq!(fs::metadata(one.join("tiny")).unwrap().modified().unwrap(), built);

        let changed = tiny(directory.path(), "package main\nfunc main() { println() }\n");
        assert_ne!(changed.cached(&cache).unwrap(), one);
    }

    #[test]
    fn a_failed_build_reports_why_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = directory.path().join("cache");
        let build = tiny(directory.path(), "package main\nfunc main() { undefined() }\n");
        let report = format!("{:#}", build.cached(&cache).unwrap_err());
        assert!(report.contains("undefined: undefined"), "{report}");
        let left = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
        let left: Vec<_> = left.filter(|path| path.is_dir()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
