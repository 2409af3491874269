//! Builds the collector and Prometheus from the pinned manifests under `otel-collector/`, once per
//! manifest: the binaries live outside the tree in a cache directory whose name holds the tool, its
//! version and a hash of the manifest. Builds happen in a scratch directory that is renamed into
//! place, under a file lock, so an interrupted build leaves nothing and two processes build once.

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

/// The binaries of the stack, ready to run.
#[derive(Debug, Clone)]
pub struct Tools {
    /// The collector that `otel-collector/builder.yaml` describes.
    pub collector: PathBuf,
    /// Version of the collector and its components, for example `v0.161.0`.
    pub collector_version: String,
    /// Prometheus: the HTTP API without the web pages, which are not part of its Go module.
    pub prometheus: PathBuf,
    /// Checks rules, configuration and queries.
    pub promtool: PathBuf,
    /// Go module version of Prometheus, for example `v0.314.0` for release 3.14.0.
    pub prometheus_version: String,
    /// Checks Alertmanager's configuration and tells where it sends an alert.
    pub amtool: PathBuf,
    /// Version of Alertmanager, for example `v0.35.0`.
    pub alertmanager_version: String,
    /// Renders the manifests for Kubernetes.
    pub kustomize: PathBuf,
}

impl Tools {
    /// Finds the tools in the cache, building what is missing (some minutes on two cores).
    ///
    /// The cache is `$PLOCK_CACHE`, else `$XDG_CACHE_HOME/plock`, else `~/.cache/plock`. Progress
    /// goes to standard error.
    ///
    /// # Errors
    ///
    /// If something has to be built and Go is missing, too old, or its build fails.
    pub fn ready() -> Result<Self> {
        let cache = cache_directory()?;
        let collector = Build::collector()?;
        let prometheus = Build::prometheus()?;
        let alertmanager = Build::alertmanager()?;
        let collector_directory = collector.cached(&cache)?;
        let prometheus_directory = prometheus.cached(&cache)?;
        let amtool = alertmanager.cached(&cache)?.join("amtool");
        let kustomize = Build::kustomize()?.cached(&cache)?.join("kustomize");
        Ok(Self {
            collector: collector_directory.join("otelcol-plock"),
            collector_version: collector.version,
            prometheus: prometheus_directory.join("prometheus"),
            promtool: prometheus_directory.join("promtool"),
            prometheus_version: prometheus.version,
            amtool,
            alertmanager_version: alertmanager.version,
            kustomize,
        })
    }
}

/// The root of the repository that this crate was built from.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// One thing to build: its pinned manifest and the Go command that turns it into binaries.
struct Build {
    name: &'static str,
    version: String,
    manifests: Vec<PathBuf>,
    go: Vec<String>,
    /// Where in the scratch directory the command leaves its binaries.
    output: &'static str,
    /// The binaries that are kept.
    binaries: &'static [&'static str],
}

impl Build {
    fn collector() -> Result<Self> {
        let manifest = repository().join("otel-collector/builder.yaml");
        let yaml: serde_json::Value = serde_saphyr::from_str(&read(&manifest)?)
            .with_context(|| format!("{} is not YAML", manifest.display()))?;
        let version = yaml["dist"]["version"].as_str().context("builder.yaml: dist.version")?;
        let version = format!("v{version}");
        let builder = format!("go.opentelemetry.io/collector/cmd/builder@{version}");
        Ok(Self {
            name: "collector",
            go: ["run", &builder, "--config", "builder.yaml"].map(String::from).to_vec(),
            version,
            manifests: vec![manifest],
            output: "build",
            binaries: &["otelcol-plock"],
        })
    }

    fn prometheus() -> Result<Self> {
        // Without service discovery plugins the build takes half the time.
        let tags = ["-tags", "remove_all_sd"];
        let binaries = &["prometheus", "promtool"];
        let packages = binaries.map(|it| format!("github.com/prometheus/prometheus/cmd/{it}"));
        Self::go("prometheus", "github.com/prometheus/prometheus", &tags, &packages, binaries)
    }

    fn alertmanager() -> Result<Self> {
        let module = "github.com/prometheus/alertmanager";
        Self::go("alertmanager", module, &[], &[format!("{module}/cmd/amtool")], &["amtool"])
    }

    fn kustomize() -> Result<Self> {
        let module = "sigs.k8s.io/kustomize/kustomize/v5";
        Self::go("kustomize", module, &[], &[module.to_owned()], &["kustomize"])
    }

    /// Commands of a Go module, at the version that the manifest in `otel-collector/tools` requires.
    fn go(
        name: &'static str,
        module: &str,
        flags: &[&str],
        packages: &[String],
        binaries: &'static [&'static str],
    ) -> Result<Self> {
        let directory = repository().join("otel-collector/tools").join(name);
        let manifest = directory.join("go.mod");
        let version = read(&manifest)?
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|words| words.first() == Some(&module))
            .and_then(|words| words.get(1).map(ToString::to_string))
            .with_context(|| format!("go.mod does not require {module}"))?;
        let mut go = ["build", "-trimpath"].map(String::from).to_vec();
        go.extend(flags.iter().map(ToString::to_string));
        go.push("-ldflags".to_owned());
        go.push(format!("-X github.com/prometheus/common/version.Version={version}"));
        go.extend(["-o", "build/"].map(String::from));
        go.extend_from_slice(packages);
        let manifests = vec![manifest, directory.join("go.sum")];
        Ok(Self { name, version, manifests, go, output: "build", binaries })
    }

    /// The directory with the finished binaries, built now if need be.
    fn cached(&self, cache: &Path) -> Result<PathBuf> {
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
        for binary in self.binaries {
            fs::rename(scratch.path().join(self.output).join(binary), finished.join(binary))
                .with_context(|| format!("the build of {} left no `{binary}`", self.name))?;
        }
        fs::rename(&finished, &done)?;
        Ok(done)
    }

    /// Hash of everything that decides what is built; a change of Rust's hasher costs one rebuild.
    fn fingerprint(&self) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        (env::consts::OS, env::consts::ARCH, &self.go).hash(&mut hasher);
        for manifest in &self.manifests {
            read(manifest)?.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    fn build(&self, scratch: &Path) -> Result<()> {
        require_go()?;
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
        let mut child = Command::new("go")
            .args(&self.go)
            .current_dir(scratch)
            // Some packagings pin Go to the local version; the manifests name the one they need.
            .envs([("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "auto"), ("GOWORK", "off")])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start go")?;
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

fn cache_directory() -> Result<PathBuf> {
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

fn read(path: &Path) -> Result<String> {
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
        let go = ["build", "-o", "build/tiny", "."].map(String::from).to_vec();
        let version = "v1".to_owned();
        Build { name: "tiny", version, manifests, go, output: "build", binaries: &["tiny"] }
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

    #[test]
    fn manifests_name_their_versions() {
        assert!(Build::collector().unwrap().version.starts_with("v0."));
        assert!(Build::prometheus().unwrap().version.starts_with("v0."));
        assert!(Build::alertmanager().unwrap().version.starts_with("v0."));
        assert!(Build::kustomize().unwrap().version.starts_with("v5."));
    }
}
