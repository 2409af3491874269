//! What holds the shipped files against the types and schemas that their readers publish: Grafana's for
//! dashboards, those of Kubernetes and of the Prometheus operator for manifests. Apart from [`Tools`],
//! since they need Node.js and Python, which nothing else here does.
//!
//! [`Tools`]: crate::Tools

use std::path::PathBuf;

use anyhow::Result;

use crate::repository;
use crate::tools::{Build, cache_directory};

/// The checkers, ready to run.
#[derive(Debug, Clone)]
pub struct Checkers {
    /// The folder `node_modules` with Grafana's types and the TypeScript compiler.
    pub node_modules: PathBuf,
}

impl Checkers {
    /// Finds the checkers in the cache of [`Tools::ready`](crate::Tools::ready), installing what is
    /// missing.
    ///
    /// # Errors
    ///
    /// If something has to be installed and npm is missing or fails.
    pub fn ready() -> Result<Self> {
        let cache = cache_directory()?;
        Ok(Self { node_modules: Build::grafana_types().cached(&cache)?.join("node_modules") })
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
}
