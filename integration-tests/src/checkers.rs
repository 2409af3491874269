//! What holds the shipped files against the types and schemas that their readers publish: Grafana's for
//! dashboards, those of Kubernetes and of the Prometheus operator for manifests. Apart from [`Tools`],
//! since they need Node.js and Python, which nothing else here does.
//!
//! [`Tools`]: crate::Tools

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::repository;
use crate::tools::{Build, cache_directory};

/// The checkers, ready to run.
#[derive(Debug, Clone)]
pub struct Checkers {
    /// The folder `node_modules` with Grafana's types and the TypeScript compiler.
    pub node_modules: PathBuf,
    /// Python packages with the schemas of Kubernetes.
    pub kubernetes: PathBuf,
    /// The definitions of the Prometheus operator's resources.
    pub definitions: PathBuf,
    /// Holds the pods of manifests against the profile `restricted`.
    pub pod_security: PathBuf,
    /// Reads a compose file as `docker compose` does.
    pub compose: PathBuf,
}

/// The release of the operator whose definitions are used.
const PROMETHEUS_OPERATOR: &str = "v0.92.0";

impl Checkers {
    /// Finds the checkers in the cache of [`Tools::ready`](crate::Tools::ready), installing what is
    /// missing.
    ///
    /// # Errors
    ///
    /// If something has to be installed and npm, pip or Go is missing or fails.
    pub fn ready() -> Result<Self> {
        let cache = cache_directory()?;
        Ok(Self {
            node_modules: Build::grafana_types().cached(&cache)?.join("node_modules"),
            kubernetes: Build::kubernetes_schemas()?.cached(&cache)?.join("packages"),
            definitions: Build::definitions().cached(&cache)?.join("prometheus-operator-crd"),
            pod_security: Build::pod_security().cached(&cache)?.join("pod-security"),
            compose: Build::compose()?.cached(&cache)?.join("cmd"),
        })
    }
}

impl Build {
    /// Exactly what the lock file names, without running anything of it.
    fn grafana_types() -> Self {
        let directory = repository().join("otel-collector/tools/grafana");
        Self {
            name: "grafana-types",
            version: "npm".to_owned(),
            manifests: ["package.json", "package-lock.json"].map(|it| directory.join(it)).to_vec(),
            program: "npm",
            arguments: ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
                .map(String::from)
                .to_vec(),
            output: ".",
            results: &["node_modules"],
        }
    }

    fn kubernetes_schemas() -> Result<Self> {
        let directory = repository().join("otel-collector/tools/kubernetes");
        let arguments = "-m pip install --quiet --no-deps --only-binary :all: --target packages \
                         -r requirements.txt";
        Ok(Self {
            name: "kubernetes-schemas",
            version: python_version()?,
            manifests: vec![directory.join("requirements.txt")],
            program: "python3",
            arguments: arguments.split(' ').map(String::from).collect(),
            output: ".",
            results: &["packages"],
        })
    }

    /// They are no package of the module, only files in it: hence a module cache in the scratch directory.
    fn definitions() -> Self {
        let module = "github.com/prometheus-operator/prometheus-operator";
        let download = format!(
            "GOMODCACHE=$PWD/modules go mod download -modcacherw {module}@{PROMETHEUS_OPERATOR} \
             && mv modules/{module}@{PROMETHEUS_OPERATOR}/example build"
        );
        Self {
            name: "prometheus-operator",
            version: PROMETHEUS_OPERATOR.to_owned(),
            manifests: Vec::new(),
            program: "sh",
            arguments: vec!["-c".to_owned(), download],
            output: "build",
            results: &["prometheus-operator-crd"],
        }
    }

    fn pod_security() -> Self {
        let directory = repository().join("otel-collector/tools/kubernetes");
        Self {
            name: "pod-security",
            version: "go".to_owned(),
            manifests: ["go.mod", "go.sum", "main.go"].map(|it| directory.join(it)).to_vec(),
            program: "go",
            arguments: ["build", "-trimpath", "-o", "build/pod-security", "."]
                .map(String::from)
                .to_vec(),
            output: "build",
            results: &["pod-security"],
        }
    }

    fn compose() -> Result<Self> {
        let module = "github.com/compose-spec/compose-go/v2";
        Self::go("compose", module, &[], &[format!("{module}/cmd")], &["cmd"])
    }
}

/// Some packages fit one version of Python only.
fn python_version() -> Result<String> {
    let output = Command::new("python3").arg("--version").output();
    let output =
        output.context("Kubernetes' schemas are applied by Python 3: cannot start python3")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().replace(' ', ""))
}
