//! parking_lot's own tests of its locks, run against plock's.
//!
//! Most of them are unit tests inside its source, which look at nothing but what the crate exports. So
//! the generated crate exports `plock::parking_lot` under the same name, and has these modules as its
//! own: no path in a test is rewritten. What tests something inside is left out, with the reason.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use integration_tests::repository;

use super::{run_all, with_begin};
use crate::generated::{package, write};

/// Files whose tests are of locks that plock mirrors.
const UNITS: &[&str] = &["condvar", "fair_mutex", "mutex", "recursive_rwlock", "remutex", "rwlock"];

/// Programs of their own.
const PROGRAMS: &[&str] = &["issue_203", "issue_392"];

/// Tests that look at something inside a lock, by what they ask of it.
const INSIDE: &[&str] = &["has_parked_threads"];

const MANIFEST: &str = r#"[package]
name = "parking_lot"
version = "@version"
edition = "2024"

[workspace]

[features]
default = ["arc_lock"]
arc_lock = []
serde = []
off = ["plock/off"]

[dependencies]
plock = { path = "@plock", features = ["parking_lot"] }

[dev-dependencies]
rand = "0.10"

[profile.dev]
debug = "line-tables-only"
"#;

/// What the generated crate is besides its tests: the mirror, and what [`with_begin`] calls.
const LIBRARY: &str = r#"
pub use plock::parking_lot::*;

#[cfg(test)]
extern crate self as conformance;

pub fn begin() {
    plock::set_enabled(recording() == "on");
}

pub fn check() {
    begin();
    drop(<Mutex<()> as Named>::named("conformance", ()).lock());
    let figures = plock::snapshot();
    let lock = figures.lock("conformance", plock::Mode::Exclusive);
    let seen = lock.map(|lock| lock.outcome(plock::Outcome::Acquired));
    let expected = match recording().as_str() {
        "on" => Some(1),
        "off" => Some(0),
        _ => None,
    };
    assert_eq!(seen, expected);
}

fn recording() -> String {
    std::env::var("CONFORMANCE_RECORDING").unwrap()
}

#[test]
fn this_run_is_what_it_claims_to_be() {
    check();
}
"#;

/// The generated crate.
pub(super) struct Conformance {
    directory: PathBuf,
    version: String,
    /// How many tests there are in it at least: some are made by macros.
    tests: usize,
}

impl Conformance {
    pub(super) fn generate() -> Result<Self> {
        let (version, source) = package("parking_lot")?;
        let directory = repository().join("target/conformance-parking_lot");
        let plock = repository().join("crates/plock").display().to_string();
        let fill = |text: &str| text.replace("@plock", &plock).replace("@version", &version);
        write(&directory, "Cargo.toml", &fill(MANIFEST))?;
        fs::copy(repository().join("Cargo.lock"), directory.join("Cargo.lock"))?;
        let (mut library, mut tests) = (LIBRARY.to_owned(), 1);
        for name in UNITS {
            let (text, count) = with_begin(&without_inside(&unit_tests(&read(
                &source,
                &format!("src/{name}.rs"),
            )?)));
            ensure!(count > 0, "{name} has no tests");
            let _ = write!(library, "\n#[cfg(test)]\nmod {name} {{\n{text}}}\n");
            tests += count;
        }
        write(&directory, "src/lib.rs", &library)?;
        for name in PROGRAMS {
            let (text, count) = with_begin(&read(&source, &format!("tests/{name}.rs"))?);
            let text = text + "\nextern crate parking_lot as conformance;\n";
            write(&directory, &format!("tests/{name}.rs"), &text)?;
            tests += count;
        }
        Ok(Self { directory, version, tests })
    }

    pub(super) fn run(&self, filter: Option<&str>) -> Result<()> {
        let at_least = |passed: usize| {
            ensure!(passed >= self.tests, "{passed} tests passed, there are {}", self.tests);
            Ok(())
        };
        run_all(&format!("parking_lot {}", self.version), &self.directory, filter, at_least)
    }
}

fn read(source: &Path, path: &str) -> Result<String> {
    let path = source.join(path);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The modules of tests in a source file, on the outermost level.
fn unit_tests(source: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for line in source.lines() {
        inside |= line == "#[cfg(test)]";
        // What is inside a module is one level in; `with_begin` looks for tests on the outermost.
        let is_frame = line == "#[cfg(test)]" || line.starts_with("mod ") || line == "}";
        if inside && !is_frame {
            let _ = writeln!(text, "{}", line.strip_prefix("    ").unwrap_or(line));
        } else if inside && line.starts_with("mod ") {
            let _ = writeln!(text, "{line}");
        } else if inside && line == "}" {
            let _ = writeln!(text, "}}");
        }
    }
    text
}

/// The same without the tests that look inside.
fn without_inside(source: &str) -> String {
    let mut text = String::new();
    for part in source.split_inclusive("\n}\n") {
        let looks_inside = INSIDE.iter().any(|it| part.contains(it));
        match (looks_inside, part.rfind("#[test]")) {
            (true, Some(test)) => text.push_str(&part[..test]),
            _ => text.push_str(part),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "pub fn a() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::A;\n\n    #[test]\n    fn one() {\n        a();\n    }\n\n    #[test]\n    fn two() {\n        a().has_parked_threads();\n    }\n}\n";

    #[test]
    fn modules_of_tests_are_found_and_those_that_look_inside_left_out() {
        let text = unit_tests(SOURCE);
        assert!(text.starts_with("mod tests {\nuse crate::A;"), "{text}");
        assert_eq!(text.matches("#[test]").count(), 2);
        let text = without_inside(&text);
        assert_eq!(text.matches("#[test]").count(), 1);
        assert!(text.contains("fn one() {\n    a();\n}\n") && !text.contains("two"), "{text}");
        assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
    }
}
