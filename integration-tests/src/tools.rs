//! The collector, Prometheus and what checks their files, built from the pinned manifests under
//! `otel-collector/` and kept in a cache.

mod build;
mod debian;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub(crate) use build::Build;
pub use build::cache_directory;
use build::read;

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

    /// Finds the server of Alertmanager in the cache, or gets it with the `apt-get` of a Debian.
    ///
    /// # Errors
    ///
    /// If it is not in the cache and there is no apt, or apt does not have it.
    pub fn alertmanager() -> Result<PathBuf> {
        debian::alertmanager(&cache_directory()?)
    }
}

/// The root of the repository that this crate was built from.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
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
            program: "go",
            arguments: ["run", &builder, "--config", "builder.yaml"].map(String::from).to_vec(),
            version,
            manifests: vec![manifest],
            output: "build",
            results: &["otelcol-plock"],
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
    pub(crate) fn go(
        name: &'static str,
        module: &str,
        flags: &[&str],
        packages: &[String],
        results: &'static [&'static str],
    ) -> Result<Self> {
        let directory = repository().join("otel-collector/tools").join(name);
        let manifest = directory.join("go.mod");
        let version = read(&manifest)?
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .find(|words| words.first() == Some(&module))
            .and_then(|words| words.get(1).map(ToString::to_string))
            .with_context(|| format!("go.mod does not require {module}"))?;
        let mut arguments = ["build", "-trimpath"].map(String::from).to_vec();
        arguments.extend(flags.iter().map(ToString::to_string));
        arguments.push("-ldflags".to_owned());
        arguments.push(format!("-X github.com/prometheus/common/version.Version={version}"));
        arguments.extend(["-o", "build/"].map(String::from));
        arguments.extend_from_slice(packages);
        let manifests = vec![manifest, directory.join("go.sum")];
        Ok(Self { name, version, manifests, program: "go", arguments, output: "build", results })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_name_their_versions() {
        assert!(Build::collector().unwrap().version.starts_with("v0."));
        assert!(Build::prometheus().unwrap().version.starts_with("v0."));
        assert!(Build::alertmanager().unwrap().version.starts_with("v0."));
        assert!(Build::kustomize().unwrap().version.starts_with("v5."));
    }
}
