//! `cargo xtask conformance`: tokio's own tests of what plock mirrors, run against plock's types;
//! and those of parking_lot in [`parking_lot`].
//!
//! The tests ship inside the tokio crate and are read from where cargo keeps it; nothing of them is
//! in this repository. They run in a generated crate whose dependency called `tokio` is a shim: all of
//! tokio, but with `plock::tokio::sync`, `task` and `time` in the place of its own. So no path in a test is
//! rewritten. The one change is a call at the beginning of each test, which switches recording off
//! if this run asks for it.

mod parking_lot;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use integration_tests::repository;

use crate::generated::{cargo, package, write};

/// Run tokio's own tests of locks, channels and joined tasks against plock's types: with recording, with
/// recording switched off at run time, and in the build with the feature `off`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only tests whose name contains this.
    filter: Option<String>,
}

/// tokio's files that test the types plock mirrors, or that everything else is still there.
const FILES: &[&str] = &[
    "async_send_sync",
    "join_handle_panic",
    "sync_barrier",
    "sync_broadcast",
    "sync_broadcast_weak",
    "sync_errors",
    "sync_mpsc",
    "sync_mpsc_weak",
    "sync_mutex",
    "sync_mutex_owned",
    "sync_notify",
    "sync_notify_owned",
    "sync_once_cell",
    "sync_oneshot",
    "sync_panic",
    "sync_rwlock",
    "sync_semaphore",
    "sync_semaphore_owned",
    "sync_set_once",
    "sync_watch",
    "task_abort",
    "task_join_set",
    "time_interval",
    "time_panic",
    "time_sleep",
    "time_timeout",
    "unwindsafe",
];

/// What those files share.
const SUPPORT: &[&str] = &["support/mpsc_stream.rs", "support/panic.rs"];

/// The runs: name, arguments of cargo, value of the variable that [`LIBRARY`] reads.
const RUNS: &[(&str, &[&str], &str)] = &[
    ("recording", &[], "on"),
    ("recording switched off", &[], "off"),
    ("built without recording", &["--features", "off"], "absent"),
];

const MANIFEST: &str = r#"[package]
name = "conformance"
edition = "2024"

[workspace]

[features]
default = ["full", "sync", "rt", "net"]
full = []
sync = []
rt = []
net = []
off = ["plock/off"]

[dependencies]
bytes = "1"
futures = { package = "futures-util", version = "0.3" }
plock = { path = "@plock" }
rand = "0.9"
tokio = { package = "shim", path = "shim" }
tokio-stream = "0.1"
tokio-test = "0.4"

[profile.dev]
debug = "line-tables-only"
"#;

const SHIM_MANIFEST: &str = r#"[package]
name = "shim"
edition = "2024"

[dependencies]
plock = { path = "@plock" }
tokio = { version = "=@version", features = ["full", "test-util"] }
"#;

/// What is named shadows its counterpart in the glob.
const SHIM: &str = "pub use plock::tokio::task::{self, spawn};\npub use plock::tokio::{sync, time};\npub use ::tokio::*;\n";

/// Called by every test first, and by one test more per file, which proves that the run is what it
/// claims to be.
const LIBRARY: &str = r#"
pub fn begin() {
    plock::set_enabled(recording() == "on");
}

pub fn check() {
    use plock::tokio::sync::*;
    begin();
    drop(Mutex::named("conformance", ()).try_lock().unwrap());
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
"#;

const CHECK: &str =
    "\n#[test]\nfn this_run_is_what_it_claims_to_be() {\n    conformance::check();\n}\n";

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let filter = arguments.filter.as_deref();
    Conformance::generate()?.run(filter)?;
    parking_lot::Conformance::generate()?.run(filter)?;
    Ok(ExitCode::SUCCESS)
}

/// All runs.
pub(crate) fn check() -> Result<()> {
    Conformance::generate()?.run(None)?;
    parking_lot::Conformance::generate()?.run(None)
}

/// The generated crate.
struct Conformance {
    directory: PathBuf,
    tokio: String,
    /// How many tests there are in it.
    tests: usize,
}

impl Conformance {
    fn generate() -> Result<Self> {
        let (version, source) = package("tokio")?;
        let directory = repository().join("target/conformance");
        let plock = repository().join("crates/plock").display().to_string();
        let fill = |text: &str| text.replace("@plock", &plock).replace("@version", &version);
        write(&directory, "Cargo.toml", &fill(MANIFEST))?;
        write(&directory, "shim/Cargo.toml", &fill(SHIM_MANIFEST))?;
        write(&directory, "shim/src/lib.rs", SHIM)?;
        write(&directory, "src/lib.rs", LIBRARY)?;
        // The versions that everything else here is tested with; cargo drops what is not needed.
        fs::copy(repository().join("Cargo.lock"), directory.join("Cargo.lock"))?;
        let read = |path: &str| {
            let path = source.join("tests").join(path);
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        for path in SUPPORT {
            write(&directory, &format!("tests/{path}"), &read(path)?)?;
        }
        remove_others(&directory.join("tests"))?;
        let mut tests = 0;
        for name in FILES {
            let (text, count) = with_begin(&read(&format!("{name}.rs"))?);
            write(&directory, &format!("tests/{name}.rs"), &(text + CHECK))?;
            tests += count + 1;
        }
        Ok(Self { directory, tokio: version, tests })
    }

    fn run(&self, filter: Option<&str>) -> Result<()> {
        let Self { directory, tokio, tests } = self;
        let exactly = |passed: usize| {
            ensure!(passed == *tests, "{passed} tests passed, there are {tests}");
            Ok(())
        };
        run_all(&format!("tokio {tokio}"), directory, filter, exactly)
    }
}

/// Runs the generated crate in `directory` in every way; `counted` looks at how many tests passed each
/// time.
#[expect(clippy::print_stdout, reason = "progress of a long step")]
fn run_all(
    whose: &str,
    directory: &Path,
    filter: Option<&str>,
    counted: impl Fn(usize) -> Result<()>,
) -> Result<()> {
    for (name, arguments, recording) in RUNS {
        println!("tests of {whose} against plock, {name}");
        let mut command = cargo();
        command
            .args(["test", "--lib", "--tests", "--no-fail-fast", "--manifest-path"])
            .arg(directory.join("Cargo.toml"))
            .args(*arguments)
            .arg("--")
            .args(filter)
            .env("CONFORMANCE_RECORDING", recording)
            .stderr(Stdio::inherit());
        let output = command.output().context("cannot start cargo")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let passed = passed(&text);
        if !output.status.success() {
            println!("{text}");
        }
        ensure!(output.status.success(), "tests of {whose} fail against plock, {name}");
        if filter.is_none() {
            ensure!(passed > 0, "no test ran");
            counted(passed)?;
        }
        println!("{passed} tests passed");
    }
    Ok(())
}

/// Removes tests that an earlier run put there and that are not listed any more.
fn remove_others(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_listed = |stem: &str| FILES.contains(&stem);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if path.is_file() && !stem.is_some_and(is_listed) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// `source` with the call at the beginning of each test, and how many of them run here.
fn with_begin(source: &str) -> (String, usize) {
    let width = if cfg!(target_pointer_width = "64") { "32" } else { "64" };
    let width = format!("target_pointer_width = \"{width}\"");
    let skipping = [
        width.as_str(),
        "#[cfg(windows)",
        "#[cfg(tokio_unstable)",
        "#[cfg(feature = \"serde\")",
        "#[ignore",
    ];
    let (mut text, mut count) = (String::new(), 0);
    let (mut is_test, mut is_skipped, mut in_attribute) = (false, false, false);
    for line in source.lines() {
        let _ = writeln!(text, "{line}");
        let line = line.trim_start(); // a test may be in a module
        if in_attribute {
            in_attribute = !line.ends_with(']');
        } else if line.starts_with("#[") {
            in_attribute = line.ends_with('(');
            is_test |=
                line.trim_end_matches(']').split('(').next().is_some_and(|it| it.ends_with("test"));
            is_skipped |= skipping.iter().any(|it| line.contains(it));
        } else if line.ends_with('{') && line.contains("fn ") && is_test {
            let _ = writeln!(text, "    conformance::begin();");
            count += usize::from(!is_skipped);
            (is_test, is_skipped) = (false, false);
        } else if !line.starts_with("//") {
            (is_test, is_skipped) = (false, false);
        }
    }
    (text, count)
}

/// Sum over the `test result:` lines of a test run.
fn passed(output: &str) -> usize {
    let results = output.lines().filter_map(|line| line.strip_prefix("test result: "));
    let count = |line: &str| line.split(". ").nth(1)?.split(' ').next()?.parse::<usize>().ok();
    results.filter_map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_test_is_found() {
        let source = "#[test]\nfn a() {\n}\n\n#[tokio::test(flavor = \"x\")]\n#[cfg(full)]\nasync fn b() -> R {\n}\n\
                      \nfn c() {\n}\n#[maybe_tokio_test]\nasync fn d() {\n}\n\
                      mod e {\n    #[test]\n    #[should_panic(\n        expected = \"\"\n    )]\n    fn f() {\n    }\n}\n";
        let (text, count) = with_begin(source);
        assert_eq!(count, 4);
        assert_eq!(text.matches("{\n    conformance::begin();\n").count(), 4);
        assert!(text.contains("fn c() {\n}"));
    }

    #[test]
    fn passed_tests_are_summed() {
        let output =
            "test result: ok. 3 passed; 0 failed\nx\ntest result: ok. 14 passed; 0 failed\n";
        assert_eq!(passed(output), 17);
        assert_eq!(passed("running 0 tests"), 0);
    }
}
