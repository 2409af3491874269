//! `cargo xtask test`: every check of the repository as a table of steps. To add a check, add a line
//! to [`STEPS`].

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{Table, presets};
use integration_tests::{Checkers, Tools, repository};
use serde_json::Value;

use crate::{bench, boards, conformance, parity, tidy};

/// Run every check of the repository, as continuous integration does.
///
/// Prints the versions of the tools, then runs the steps in order, each with its duration, and stops
/// at the first that fails. Ends with a table of all steps and the line `N passed, N failed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only this step; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<String>,
    /// List the steps and exit.
    #[arg(long)]
    list: bool,
    /// Go on after a step that fails.
    #[arg(long)]
    keep_going: bool,
}

/// One check.
struct Step {
    name: &'static str,
    about: &'static str,
    run: Run,
}

enum Run {
    /// Cargo with each of these argument lists, leading `NAME=value` pairs as its environment.
    Cargo(&'static [&'static str]),
    /// The same, and each of them has to run at least one test: a filter that matches nothing is a
    /// check that is not made.
    Tests(&'static [&'static str]),
    Own(fn() -> Result<()>),
}

/// What every step that runs tests selects, so that cargo builds each crate once for all of them:
/// another selection is another set of features, and so another build of nearly everything.
macro_rules! whole {
    ($command:literal, $rest:literal) => {
        concat!(
            $command,
            " --workspace --features plock/test-clock,plock/axum,plock/otel-grpc,plock/prometheus",
            ",plock/serde,plock/parking_lot,plock/sqlx,plock/deadpool,plock/bb8,plock-otel/gzip",
            $rest
        )
    };
}

/// In the order of what fails fastest; the tests are built in a step of their own so that its time
/// and that of running them are told apart.
#[rustfmt::skip]
const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the code is formatted", run: Run::Cargo(&[
        "fmt --all --check",
        "fmt --manifest-path crates/plock/benches/peers/Cargo.toml --check",
    ]) },
    Step { name: "tidy", about: "house rules that no lint knows", run: Run::Own(tidy::check) },
    Step { name: "boards", about: "dashboards, rules and alerts are as generated", run: Run::Own(boards::check) },
    Step { name: "clippy", about: "no lint of any target fires", run: Run::Cargo(&[
        whole!("clippy", " --all-targets -- -D warnings"),
        whole!("clippy", " --test overhead -- -D warnings"),
    ]) },
    Step { name: "features", about: "the libraries compile with nothing, switched off, and with everything else", run: Run::Cargo(&[
        "clippy --package plock --lib --no-default-features -- -D warnings",
        "clippy --package plock --lib --features off -- -D warnings",
        "clippy --package plock --lib --features off,parking_lot,sqlx,deadpool,bb8 -- -D warnings",
        "clippy --package plock-otel --lib --features grpc,gzip,tls,tracing -- -D warnings",
    ]) },
    Step { name: "build", about: "all tests compile", run: Run::Cargo(&[whole!("test", " --no-run")]) },
    Step { name: "unit", about: "unit, scenario and property tests", run: Run::Own(unit) },
    Step { name: "doc-tests", about: "examples in the documentation", run: Run::Tests(&[whole!("test", " --doc")]) },
    Step { name: "loom", about: "every interleaving of the lock-free protocols", run: Run::Tests(&[
        "RUSTFLAGS=--cfg=loom test --package plock-core --release --lib --target-dir target/loom loom_",
    ]) },
    Step { name: "conformance", about: "tokio's own tests against plock's types", run: Run::Own(conformance::check) },
    Step { name: "parity", about: "plock's modules have all that those of the wrapped crates have", run: Run::Own(parity::check) },
    Step { name: "bench", about: "every row of the benchmark works", run: Run::Cargo(&[
        "xtask bench --quick --json",
        "xtask bench --quick --json --plot target/growth.svg",
    ]) },
    Step { name: "instructions", about: "no operation executes more instructions than its budget", run: Run::Own(bench::budget::check) },
    Step { name: "overhead", about: "plock says truly what it costs", run: Run::Tests(&[
        "test --package plock --profile bench --features tower,parking_lot --test overhead",
    ]) },
    Step { name: "soak", about: "memory stays flat and nothing is left out at full speed", run: Run::Cargo(&["xtask soak --quick"]) },
    Step { name: "tools", about: "collector, Prometheus, Alertmanager and checkers, built or found", run: Run::Own(tools) },
    Step { name: "rules", about: "every alert fires and stays silent as it should, under promtool", run: Run::Tests(&[
        whole!("test", " --test rules"),
    ]) },
    Step { name: "schemas", about: "what is shipped has the types and schemas of its readers", run: Run::Tests(&[
        whole!("test", " --test schemas"),
    ]) },
    Step { name: "integration", about: "against a real collector, Prometheus and Alertmanager", run: Run::Tests(&[
        whole!("test", " --no-fail-fast --test collector --test service --test faults"),
    ]) },
    Step { name: "alerts", about: "the command that watches alerts works, and a clean service raises none", run: Run::Cargo(&["xtask alerts --speed 30 --minutes 10"]) },
    Step { name: "rustdoc", about: "the documentation builds without a warning", run: Run::Cargo(&[concat!("RUSTDOCFLAGS=-Dwarnings ", whole!("doc", " --no-deps"))]) },
];

/// How a step went.
enum Outcome {
    Passed(Duration),
    Failed(Duration, anyhow::Error),
    NotRun,
}

#[expect(clippy::print_stdout, reason = "progress and summary are what this command is for")]
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let steps = selected(&arguments.only)?;
    if arguments.list {
        for step in steps {
            println!("{:12} {}", step.name, step.about);
        }
        return Ok(ExitCode::SUCCESS);
    }
    print_versions();
    let mut outcomes = Vec::new();
    let mut broken = false;
    for (index, step) in steps.iter().enumerate() {
        if broken && !arguments.keep_going {
            outcomes.push(Outcome::NotRun);
            continue;
        }
        println!("\n==> [{}/{}] {}: {}", index + 1, steps.len(), step.name, step.about);
        let outcome = step.execute();
        match &outcome {
            Outcome::Passed(time) => {
                println!("<== {} passed in {:.1} s", step.name, time.as_secs_f64());
            }
            Outcome::Failed(time, error) => {
                broken = true;
                println!("<== {} FAILED in {:.1} s: {error:#}", step.name, time.as_secs_f64());
            }
            Outcome::NotRun => {}
        }
        outcomes.push(outcome);
    }
    println!("\n{}", summary(&steps, &outcomes));
    let passed = outcomes.iter().filter(|it| matches!(it, Outcome::Passed(_))).count();
    let failed = outcomes.iter().filter(|it| matches!(it, Outcome::Failed(..))).count();
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Step {
    fn execute(&self) -> Outcome {
        let start = Instant::now();
        let result = match self.run {
            Run::Cargo(lines) => lines.iter().try_for_each(|line| cargo(line)),
            Run::Tests(lines) => lines.iter().try_for_each(|line| tests(line)),
            Run::Own(check) => check(),
        };
        match result {
            Ok(()) => Outcome::Passed(start.elapsed()),
            Err(error) => Outcome::Failed(start.elapsed(), error),
        }
    }
}

fn selected(only: &[String]) -> Result<Vec<&'static Step>> {
    if let Some(unknown) = only.iter().find(|name| STEPS.iter().all(|step| step.name != *name)) {
        let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        bail!("there is no step `{unknown}`; the steps are {}", known.join(", "));
    }
    let wanted = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

/// Every test of the workspace but the test programs of `integration-tests` and what its manifest says
/// is not run with the others. Named one by one, for
/// leaving out that package would be another selection and so another build; naming a program also
/// makes cargo refuse to skip it for a feature that is not selected.
fn unit() -> Result<()> {
    let output = cargo_command("metadata --no-deps --format-version 1").output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?.iter();
    let targets = packages
        .filter(|package| package["name"] != "integration-tests")
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .filter(|target| target["kind"][0] == "test" && target["test"] == true)
        .filter_map(|target| target["name"].as_str());
    let mut line = whole!("test", " --lib --bins --examples").to_owned();
    for target in targets {
        line.push_str(" --test ");
        line.push_str(target);
    }
    tests(&line)
}

/// Without Alertmanager the tests of alerts look at Prometheus only: no reason to fail elsewhere than
/// on a Debian.
#[expect(clippy::print_stdout, reason = "what is not tested is part of the report")]
fn tools() -> Result<()> {
    Tools::ready()?;
    Checkers::ready()?;
    if let Err(error) = Tools::alertmanager() {
        println!("no Alertmanager, what comes out of it is not tested: {error:#}");
    }
    Ok(())
}

fn cargo(line: &str) -> Result<()> {
    let status = cargo_command(line).status().context("cannot start cargo")?;
    ensure!(status.success(), "`cargo {line}` ended with {status}");
    Ok(())
}

/// As [`cargo`], and at least one test has to pass.
#[expect(clippy::print_stdout, reason = "the output of the tests is passed on")]
fn tests(line: &str) -> Result<()> {
    let mut child =
        cargo_command(line).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let output = BufReader::new(child.stdout.take().context("cargo has no output")?);
    let mut count = 0;
    for line in output.lines() {
        let line = line?;
        println!("{line}");
        count += passed(&line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "`cargo {line}` ended with {status}");
    ensure!(count > 0, "`cargo {line}` ran no test");
    println!("{count} tests passed");
    Ok(())
}

/// The number in `test result: ok. 3 passed; ...`.
fn passed(line: &str) -> u64 {
    let result = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "));
    let count = result.and_then(|(_, counts)| counts.split_once(" passed")?.0.parse().ok());
    count.unwrap_or(0)
}

fn cargo_command(line: &str) -> Command {
    let mut words = line.split(' ').peekable();
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository());
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        command.env(name, value);
        words.next();
    }
    command.args(words);
    command
}

/// First thing in the output, so that a log tells what it was made with.
#[expect(clippy::print_stdout, reason = "part of the report")]
fn print_versions() {
    for (program, argument) in [("rustc", "--version"), ("cargo", "--version"), ("go", "version")] {
        let output = Command::new(program).arg(argument).output();
        let version = output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
        println!("{}", version.unwrap_or_else(|_| format!("{program}: not found")));
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{} {}, {cores} cores", env::consts::OS, env::consts::ARCH);
}

fn summary(steps: &[&Step], outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(["step", "result", "seconds"]);
    for (step, outcome) in steps.iter().zip(outcomes) {
        let (result, time) = match outcome {
            Outcome::Passed(time) => ("passed", Some(time)),
            Outcome::Failed(time, _) => ("FAILED", Some(time)),
            Outcome::NotRun => ("not run", None),
        };
        let time = time.map_or_else(String::new, |time| format!("{:.1}", time.as_secs_f64()));
        table.add_row([step.name, result, &time]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_step_is_an_error_that_names_the_known_ones() {
        let error = selected(&["nope".to_owned()]).err().map(|error| error.to_string());
        assert!(error.is_some_and(|text| text.contains("`nope`") && text.contains("clippy")));
    }

    #[test]
    fn only_keeps_the_order_of_the_table() {
        let names = ["tidy", "fmt"].map(String::from);
        let steps: Vec<_> = selected(&names).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(steps, ["fmt", "tidy"]);
    }

    #[test]
    fn passed_tests_are_counted() {
        assert_eq!(passed("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured"), 12);
        assert_eq!(passed("test result: FAILED. 3 passed; 1 failed; 0 ignored"), 3);
        assert_eq!(passed("test it::passed ... ok"), 0);
    }

    #[test]
    fn step_names_are_distinct() {
        let names: std::collections::BTreeSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }
}
