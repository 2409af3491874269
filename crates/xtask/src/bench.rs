//! `cargo xtask bench`: what plock costs. Builds and runs `crates/plock/benches/locks`, and `peers`
//! beside it on request, counts instructions with callgrind on request, and draws the table.

use std::io::{BufRead, BufReader, IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{CellAlignment, Table, presets};
use integration_tests::repository;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Operations per instruction count: the fixed part of a run is then less than one instruction.
const COUNTED: u64 = 20_000;

/// How the names of the rows begin that the second build of `peers` runs.
const CONSOLE: &str = "peer:console-subscriber/";

/// Measure what plock costs, as ratios to the bare types in the same run.
///
/// Runs short batches of every operation in turn, bare, wrapped (`full`) and wrapped with recording
/// switched off at run time (`off`), 200 rounds of them, and tells the minimum and the median time of
/// an operation and the median of the ratios within each round. Leave the machine alone meanwhile.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object per row on standard output, and progress on standard error.
    #[arg(long)]
    json: bool,
    /// Only rows whose name contains this; the bare rows they are compared with come along.
    #[arg(long, value_name = "NAME", default_value = "")]
    filter: String,
    /// A few short rounds of an unoptimised build, to see that every row works. The times mean
    /// nothing.
    #[arg(long)]
    quick: bool,
    /// Also measure other ways to time a lock, as described in `crates/plock/benches/README.md`.
    #[arg(long)]
    peers: bool,
    /// Also count instructions per operation, of the rows that run on one thread. Needs valgrind.
    #[arg(long)]
    instructions: bool,
}

/// What the bench binary says of a row.
#[derive(Debug, Deserialize)]
struct Measured {
    #[serde(flatten)]
    row: Row,
    /// Name of the row that the ratio is to.
    base: String,
    countable: bool,
}

/// A bench binary, and what it is started with.
struct Program {
    path: PathBuf,
    /// Another build of it, which runs some of its rows.
    console: Option<PathBuf>,
}

/// A line of the result.
#[derive(Debug, Deserialize, Serialize)]
struct Row {
    name: String,
    ns_min: f64,
    ns_median: f64,
    /// To the bare row of the same situation.
    ratio: f64,
    /// To the same operation on one thread, for rows that run on two.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_one_thread: Option<f64>,
    /// Per operation.
    #[serde(default)]
    instructions: Option<u64>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut programs = vec![Program { path: build_locks(arguments.quick)?, console: None }];
    if arguments.peers {
        let [path, console] = [false, true].map(|console| build_peers(arguments.quick, console));
        programs.push(Program { path: path?, console: Some(console?) });
    }
    let settings = settings();
    if arguments.json {
        writeln!(stderr(), "{settings}")?;
    } else {
        writeln!(stdout(), "{settings}")?;
    }
    let mut rows = Vec::new();
    for program in &programs {
        for mut measured in measure(program, arguments)? {
            if arguments.instructions && measured.countable {
                measured.row.instructions = count(program, &measured.row.name)?;
            }
            rows.push(measured);
        }
    }
    ensure!(!rows.is_empty(), "no row has a name that contains `{}`", arguments.filter);
    if !arguments.json {
        writeln!(stdout(), "{}", draw(&rows))?;
        return Ok(ExitCode::SUCCESS);
    }
    for measured in &rows {
        writeln!(stdout(), "{}", serde_json::to_string(&measured.row)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn build_locks(quick: bool) -> Result<PathBuf> {
    writeln!(stderr(), "building crates/plock/benches/locks (a minute or two the first time)")?;
    let mut command = cargo();
    command.args(["bench", "--package=plock", "--bench=locks", "--features=tower", "--no-run"]);
    command.args(["--profile", if quick { "dev" } else { "bench" }]);
    build(command, "locks")
}

/// A package and a target directory of its own, and another one for tokio as tokio-console needs it.
fn build_peers(quick: bool, console: bool) -> Result<PathBuf> {
    let with = if console { " with console-subscriber" } else { "" };
    writeln!(stderr(), "building crates/plock/benches/peers{with} (some minutes the first time)")?;
    let mut command = cargo();
    command.args(["build", "--manifest-path=crates/plock/benches/peers/Cargo.toml"]);
    command.args(["--profile", if quick { "dev" } else { "release" }]);
    if console {
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        command.env("RUSTFLAGS", format!("{flags} --cfg tokio_unstable"));
        command.args(["--features=console", "--target-dir=target/peers-console"]);
    } else {
        command.arg("--target-dir=target/peers");
    }
    build(command, "peers")
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repository());
    command
}

/// Builds a bench binary; cargo's own progress goes to standard error.
fn build(mut command: Command, target: &str) -> Result<PathBuf> {
    command.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit());
    let output = command.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "the build of the bench binary ended with {}", output.status);
    for line in output.stdout.lines() {
        let message: Value = serde_json::from_str(&line?).context("not a message of cargo")?;
        if message["target"]["name"] == target
            && let Some(program) = message["executable"].as_str()
        {
            return Ok(program.into());
        }
    }
    bail!("cargo built no bench binary")
}

/// Where the figures are from: they mean little without it.
fn settings() -> String {
    let first = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown");
        value.trim_start_matches(['\t', ' ', ':']).trim().to_owned()
    };
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or_else(
        |_| "rustc: unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    );
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!(
        "{} {}, kernel {}, {cores} x {} (family {}, model {}), {rustc}",
        std::env::consts::OS,
        std::env::consts::ARCH,
        first("/proc/sys/kernel/osrelease", ""),
        first("/proc/cpuinfo", "model name"),
        first("/proc/cpuinfo", "cpu family"),
        first("/proc/cpuinfo", "model\t"),
    )
}

fn measure(program: &Program, arguments: &Arguments) -> Result<Vec<Measured>> {
    let mut command = Command::new(&program.path);
    command.args(["--filter", &arguments.filter]).stdout(Stdio::piped());
    if let Some(console) = &program.console {
        command.arg("--console").arg(console);
    }
    if arguments.quick {
        command.arg("--quick");
    }
    let mut child = command.spawn().context("cannot start the bench binary")?;
    let lines = BufReader::new(child.stdout.take().context("its output is piped")?).lines();
    let parse = |line: std::io::Result<String>| {
        let line = line?;
        serde_json::from_str(&line).with_context(|| format!("the bench binary printed `{line}`"))
    };
    let rows = lines.map(parse).collect::<Result<Vec<Measured>>>();
    let status = child.wait()?;
    ensure!(status.success(), "the bench binary ended with {status}");
    rows
}

/// Instructions of one operation: a given number of them under callgrind, which simulates the
/// processor and so gives the same number every time. `None` without valgrind.
fn count(program: &Program, name: &str) -> Result<Option<u64>> {
    let console = program.console.as_ref().filter(|_| name.starts_with(CONSOLE));
    let program = console.unwrap_or(&program.path);
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"]);
    command.arg("--toggle-collect=*harness::counted*").arg(program);
    command.args(["--count", name, &COUNTED.to_string()]);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("cannot start valgrind"),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind ended with {}:\n{text}", output.status);
    let total = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    let total: u64 = total.with_context(|| format!("no count from callgrind:\n{text}"))?;
    writeln!(stderr(), "{name}: {} instructions", total / COUNTED)?;
    Ok(Some(total / COUNTED))
}

fn draw(rows: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN); // as it is, it can be pasted into a page
    if !stdout().is_terminal() {
        table.set_width(140);
    }
    table.set_header([
        "operation",
        "min ns",
        "median ns",
        "over bare",
        "ratio",
        "one thread",
        "instructions",
    ]);
    for Measured { row, base, .. } in rows {
        let bare = rows.iter().find(|other| other.row.name == *base);
        let over = bare.map_or(0.0, |bare| row.ns_min - bare.row.ns_min);
        let optional = |value: Option<String>| value.unwrap_or_default();
        table.add_row([
            row.name.clone(),
            format!("{:.1}", row.ns_min),
            format!("{:.1}", row.ns_median),
            format!("{over:+.1}"),
            format!("{:.2}", row.ratio),
            optional(row.ratio_one_thread.map(|ratio| format!("{ratio:.2}"))),
            optional(row.instructions.map(|count| count.to_string())),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
