//! Has rustdoc write down both sides. Each is a generated crate called `api` that re-exports the modules
//! under the same paths, so that a type of plock's has the path of its counterpart wherever it is
//! mentioned.
//!
//! Re-exports are inlined from what the compiler keeps of a compiled crate. That exists for the standard
//! library as well, without its source, and shows what was meant rather than how it was written: both
//! sides of a signature have their generics, lifetimes and bounds in one form.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use integration_tests::repository;

use super::api::Api;
use crate::generated::{cargo, write};

/// A crate to write down.
pub(super) struct Side<'a> {
    pub(super) name: &'a str,
    /// The lines of `[dependencies]`.
    pub(super) dependencies: String,
    pub(super) source: String,
}

/// The source of a crate that has `modules` under their paths, each taken from there below `root`.
pub(super) fn re_exports(modules: &[&str], root: &str) -> String {
    let mut source = String::new();
    for module in modules {
        let (parent, name) = module.split_once("::").unwrap_or((module, "*"));
        let within = format!("pub mod {parent} {{\n");
        let line = format!("    #[doc(inline)]\n    pub use ::{root}{parent}::{name};\n");
        match source.find(&within) {
            Some(start) => source.insert_str(start + within.len(), &line),
            None => source += &(within + &line + "}\n"),
        }
    }
    source
}

impl Side<'_> {
    /// Builds the documentation in `directory` and reads it.
    pub(super) fn read(&self, directory: &Path) -> Result<Api> {
        let package = directory.join(self.name.replace(' ', "-"));
        let manifest = format!(
            "[package]\nname = \"api\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}",
            self.dependencies
        );
        write(&package, "Cargo.toml", &manifest)?;
        write(&package, "src/lib.rs", &self.source)?;
        // The versions that everything else here is tested with; cargo drops what is not needed.
        fs::copy(repository().join("Cargo.lock"), package.join("Cargo.lock"))?;
        let target = package.join("target");
        let pages = target.join("doc/api");
        // A page of an item that is not there any more would stay.
        if pages.exists() {
            fs::remove_dir_all(&pages)?;
        }
        let output = cargo()
            .args(["doc", "--no-deps", "--lib", "--quiet", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_BUILD_BUILD_DIR", directory.join("build"))
            .env_remove("RUSTDOCFLAGS")
            .output()
            .context("cannot start cargo")?;
        let messages = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo doc of {}:\n{messages}", package.display());
        Api::read(&pages)
    }
}
