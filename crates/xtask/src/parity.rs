//! `cargo xtask parity`: whether plock's modules have everything that those of the wrapped crates have,
//! as it is declared there: types, methods, implementations of traits, auto traits.
//!
//! | file | idea |
//! |---|---|
//! | `document` | rustdoc writes down both sides, under the same paths |
//! | `page` | what a page of it declares |
//! | `text`, `lifetimes` | the normal form of that |
//! | `api` | the declarations of one side by path |
//! | `compare` | what is missing or different, less what `allow.toml` explains |

mod api;
mod compare;
mod document;
mod lifetimes;
mod page;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use comfy_table::{CellAlignment, Table, presets};
use integration_tests::repository;

use crate::generated::package;
use compare::{AllowList, Comparison, FindingKind, Module, compare};
use document::{Side, re_exports};

/// Compare the public interface of plock's modules with that of the crates they stand for.
///
/// Fails on whatever is missing or different and not explained in the allow-list, and on an explanation that
/// is not needed any more.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print everything as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Modules that have the same path in plock and without it.
const MODULES: &[&str] = &["parking_lot", "std::sync", "tokio::sync", "tokio::task", "tokio::time"];

/// The wrapped crates, with their features: all that add to those modules.
const CRATES: &[(&str, &str)] = &[("parking_lot", "'arc_lock'"), ("tokio", "'full', 'test-util'")];

/// plock as it is built, with its features; what explains a difference in the first does not in the other.
const BUILDS: &[(&str, &str, bool)] =
    &[("plock", "'parking_lot'", true), ("plock without recording", "'parking_lot', 'off'", false)];

/// Where differences are explained.
const ALLOW_LIST: &str = "crates/xtask/src/parity/allow.toml";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if !arguments.json {
        return check().map(|()| ExitCode::SUCCESS);
    }
    let comparisons = comparisons()?;
    writeln!(stdout(), "{}", serde_json::to_string(&comparisons)?)?;
    let is_clean = comparisons.values().all(Comparison::is_clean);
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares, prints, and fails unless all is explained.
pub(crate) fn check() -> Result<()> {
    let comparisons = comparisons()?;
    for (build, comparison) in &comparisons {
        print(build, comparison)?;
    }
    let is_clean = comparisons.values().all(Comparison::is_clean);
    ensure!(is_clean, "give plock what the lines above show, or explain it in {ALLOW_LIST}");
    Ok(())
}

/// The comparison of each build.
fn comparisons() -> Result<BTreeMap<&'static str, Comparison>> {
    let directory = repository().join("target/parity");
    let mut dependencies = String::new();
    let mut versions = "std".to_owned();
    for (name, features) in CRATES {
        let (version, _) = package(name)?;
        writeln!(dependencies, "{name} = {{ version = '={version}', features = [{features}] }}")?;
        write!(versions, ", {name} {version}")?;
    }
    progress(&versions)?;
    let source = re_exports(MODULES, "");
    let bare = Side { name: "bare", dependencies: dependencies.clone(), source };
    let bare = bare.read(&directory)?;
    for module in MODULES {
        // A comparison with nothing would find nothing.
        let has_items = bare.items.values().any(|item| item.module == *module);
        ensure!(has_items, "rustdoc shows no declaration of {module}, which is to be compared");
    }
    let explained = AllowList::parse(include_str!("parity/allow.toml"))?;
    let plock = repository().join("crates/plock");
    let compared = |(name, features, is_explained): &(&'static str, &str, bool)| {
        progress(name)?;
        let plock =
            format!("plock = {{ path = '{}', features = [{features}] }}\n", plock.display());
        let dependencies = dependencies.clone() + &plock;
        let mut wrapped =
            Side { name, dependencies, source: re_exports(MODULES, "plock::") }.read(&directory)?;
        wrapped.name_by_alias();
        let unexplained = AllowList::default();
        let allowed = if *is_explained { &explained } else { &unexplained };
        Ok((*name, compare(&bare, &wrapped, allowed)))
    };
    BUILDS.iter().map(compared).collect()
}

fn progress(what: &str) -> Result<()> {
    Ok(writeln!(stderr(), "reading the interface of {what}")?)
}

fn print(build: &str, comparison: &Comparison) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "\n{build}")?;
    for finding in comparison.unexplained() {
        let kind = match finding.kind {
            FindingKind::Missing => "missing",
            FindingKind::Different => "different",
            FindingKind::Hiding => "hides what is behind a guard",
        };
        writeln!(out, "{}: {kind}", finding.path)?;
        for text in &finding.expected {
            writeln!(out, "  - {text}")?;
        }
        for text in &finding.found {
            writeln!(out, "  + {text}")?;
        }
    }
    for path in &comparison.unneeded {
        writeln!(out, "{path}: explained in {ALLOW_LIST}, but nothing differs")?;
    }
    writeln!(out, "{}", table(comparison))?;
    for (name, module) in comparison.modules.iter().filter(|(_, it)| !it.extras.is_empty()) {
        let extras: Vec<_> =
            module.extras.iter().map(|it| it.replace(&format!("{name}::"), "")).collect();
        writeln!(out, "{name} has besides: {}", extras.join(", "))?;
    }
    Ok(())
}

fn table(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["module", "compared", "equal", "allowed", "missing", "different", "besides"]);
    for (name, module) in &comparison.modules {
        let extras = module.extras.len();
        let Module { compared, equal, allowed, missing, different, .. } = module;
        let counts = [compared, equal, allowed, missing, different, &extras].map(usize::to_string);
        table.add_row([name.clone()].into_iter().chain(counts));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::compare::Finding;
    use super::*;
    use crate::generated::write;

    const BARE: &str = "
        pub mod sync {
            #[derive(Debug)]
            pub struct Lock<T: ?Sized> { taken: bool, value: T }
            pub struct Guard<'a, T: ?Sized> { lock: &'a Lock<T> }
            pub fn lock_of<T>(value: T) -> Lock<T> { Lock { taken: false, value } }
            impl<T> Lock<T> {
                pub async fn lock(&self) -> Guard<'_, T> { Guard { lock: self } }
                pub fn try_lock(&self) -> Option<Guard<'_, T>> { None }
                pub fn into_inner(self) -> T { self.value }
            }
            impl<'g, T: ?Sized> std::ops::Deref for Guard<'g, T> {
                type Target = T;
                fn deref(&self) -> &T { &self.lock.value }
            }
        }";

    const SAME: &str = "
        pub mod sync {
            mod inside {
                #[derive(Debug)]
                pub struct Lock<T>(pub(super) bool, pub(super) T) where T: ?Sized;
            }
            pub use inside::Lock;
            pub struct Guard<'lock, T: ?Sized + 'lock>(&'lock Lock<T>);
            pub fn lock_of<T>(value: T) -> Lock<T> { Lock(false, value) }
            impl<T> Lock<T> {
                pub fn named(value: T) -> Self { lock_of(value) }
                pub fn lock(&self) -> impl std::future::Future<Output = Guard<'_, T>> {
                    std::future::ready(Guard(self))
                }
                pub fn try_lock(&self) -> Option<Guard<'_, T>> { None }
                pub fn into_inner(self) -> T { self.1 }
            }
            impl<T: ?Sized> std::ops::Deref for Guard<'_, T> {
                type Target = T;
                fn deref(&self) -> &Self::Target { &self.0.1 }
            }
        }";

    /// What differs in a crate whose source is `wrapped`, found in the way in which the command finds it.
    fn differences(wrapped: &str) -> Vec<String> {
        let directory = TempDir::new().unwrap();
        let read = |name: &'static str, source: &str| {
            let path = directory.path().join("sources").join(name);
            write(
                &path,
                "Cargo.toml",
                "[package]\nname = 'fixture'\nedition = '2024'\n[workspace]\n",
            )
            .unwrap();
            write(&path, "src/lib.rs", source).unwrap();
            let dependencies = format!("fixture = {{ path = '{}' }}\n", path.display());
            let source = re_exports(&["fixture::sync"], "");
            Side { name, dependencies, source }.read(directory.path()).unwrap()
        };
        let comparison =
            compare(&read("bare", BARE), &read("wrapped", wrapped), &AllowList::default());
        let extras = comparison.modules.values().flat_map(|module| &module.extras);
        assert_eq!(extras.collect::<Vec<_>>(), ["fixture::sync::Lock::named"]);
        let told = |finding: &Finding| format!("{} {:?}", finding.path, finding.kind);
        comparison.findings.iter().map(told).collect()
    }

    #[test]
    fn what_is_written_otherwise_is_equal() {
        assert_eq!(differences(SAME), [""; 0]);
    }

    #[test]
    fn what_is_missing_or_changed_is_found() {
        let change = |source: &str, from: &str, to: &str| {
            assert!(source.contains(from), "{from}");
            source.replace(from, to)
        };
        let source = change(SAME, "pub fn into_inner", "fn into_inner");
        let source = change(&source, "Option<Guard<'_, T>> { None }", "Option<&T> { None }");
        let source = change(&source, "#[derive(Debug)]", "");
        let source = change(&source, "pub(super) bool", "pub(super) *const u8");
        let source = change(&source, "Lock(false", "Lock(&0");
        let source = change(&source, "-> &Self::Target", "-> &str");
        let source = change(&source, "{ &self.0.1 }", "{ \"\" }");
        let source = change(&source, "type Target = T", "type Target = str");
        let path = |it: &str| format!("fixture::sync::{it}");
        assert_eq!(
            differences(&source),
            [
                path("Guard: Deref Different"),
                path("Guard: Send Different"),
                path("Guard: Sync Different"),
                path("Lock: Debug Missing"),
                path("Lock: Send Different"),
                path("Lock: Sync Different"),
                path("Lock::into_inner Missing"),
                path("Lock::try_lock Different"),
            ]
        );
    }
}
