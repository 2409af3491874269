//! `cargo xtask bench`: what plock costs. Builds and runs `crates/plock/benches/locks`, and `peers`
//! beside it on request, counts instructions with callgrind on request, and draws the tables.

pub(crate) mod budget;
mod growth;
mod instructions;
mod peers;
pub(crate) mod program;
mod sizes;
mod table;

use std::io::{Write, stderr, stdout};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use self::program::{Profile, Program, objects, settings};
use self::sizes::Size;

/// Measure what plock costs, as ratios to the bare types in the same run.
///
/// Runs short batches of every operation in turn, bare, wrapped (`full`) and wrapped with recording
/// switched off at run time (`off`), 200 rounds of them, and tells the minimum and the median time of
/// an operation and the median of the ratios within each round. Leave the machine alone meanwhile. A
/// second table tells the bytes that locks, guards, futures, scopes, threads and classes take.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print one JSON object per row on standard output, and progress on standard error.
    #[arg(long)]
    json: bool,
    /// Only rows whose name contains this; the bare rows they are compared with come along. The names
    /// of sizes begin with `size/`.
    #[arg(long, value_name = "NAME", default_value = "")]
    filter: String,
    /// A few short rounds of an unoptimised build, to see that every row works. The times mean
    /// nothing.
    #[arg(long)]
    quick: bool,
    /// Also measure other ways to time a lock, as described in `crates/plock/benches/README.md`.
    #[arg(long, conflicts_with_all = ["bless", "plot"])]
    peers: bool,
    /// Also count instructions per operation, of the rows that run on one thread. Needs valgrind,
    /// and installs it as root on Debian.
    #[arg(long)]
    instructions: bool,
    /// Only count instructions, and make the counts plus 2 % (read-outs: 10 %) the budgets that the
    /// test run holds every operation to (crates/plock/benches/instructions.toml).
    #[arg(long, conflicts_with_all = ["json", "filter", "quick", "instructions"])]
    bless: bool,
    /// Only measure how cost grows with the number of threads, locks and lock classes, and draw it into
    /// this file.
    #[arg(long, value_name = "FILE.svg", conflicts_with_all = ["bless", "instructions"])]
    plot: Option<PathBuf>,
}

/// A line of the result.
#[derive(Debug, Deserialize, Serialize)]
struct Row {
    name: String,
    ns_min: f64,
    ns_median: f64,
    /// To the bare row of the same situation, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// To the same operation on one thread, for rows that run beside another.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_one_thread: Option<f64>,
    /// Per operation.
    #[serde(default)]
    instructions: Option<u64>,
    /// Name of the row that the ratio is to.
    #[serde(default, skip_serializing)]
    base: Option<String>,
    /// Whether its instructions can be counted.
    #[serde(skip_serializing)]
    countable: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let profile = if arguments.quick { Profile::Dev } else { Profile::Bench };
    let program = Program::build("locks", profile)?;
    if arguments.bless {
        budget::bless(&instructions::count(&program, &["--count"])?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = settings();
    if arguments.json {
        writeln!(stderr(), "{settings}")?;
    } else {
        writeln!(stdout(), "{settings}")?;
    }
    let mut rows = measure(&program, arguments)?;
    if arguments.peers {
        rows.extend(peers::measure(profile, arguments)?);
    }
    let sizes = match arguments.plot {
        Some(_) => Vec::new(),
        None => sizes::measure(profile, &arguments.filter)?,
    };
    ensure!(
        !rows.is_empty() || !sizes.is_empty(),
        "no row has a name that contains `{}`",
        arguments.filter
    );
    print(&rows, &sizes, arguments.json)?;
    if let Some(file) = &arguments.plot {
        growth::plot(&rows, file)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(rows: &[Row], sizes: &[Size], json: bool) -> Result<()> {
    if json {
        print_each(rows)?;
        return print_each(sizes);
    }
    if !rows.is_empty() {
        writeln!(stdout(), "{}\n", table::draw(rows))?;
    }
    if !sizes.is_empty() {
        writeln!(stdout(), "{}", sizes::draw(sizes))?;
    }
    Ok(())
}

fn print_each(objects: &[impl Serialize]) -> Result<()> {
    for object in objects {
        writeln!(stdout(), "{}", serde_json::to_string(object)?)?;
    }
    Ok(())
}

fn measure(program: &Program, arguments: &Arguments) -> Result<Vec<Row>> {
    let mut command = arguments.choice(program);
    if arguments.plot.is_some() {
        command.arg("--growth");
    }
    let mut rows: Vec<Row> = objects(&mut command)?;
    if arguments.instructions {
        let counts = instructions::count(program, &["--count", "--filter", &arguments.filter])?;
        for row in &mut rows {
            let count = counts.iter().find(|count| count.name == row.name);
            row.instructions = count.map(|count| count.instructions);
        }
    }
    Ok(rows)
}

impl Arguments {
    /// A program, told which rows to measure and how.
    fn choice(&self, program: &Program) -> Command {
        let mut command = program.command();
        command.args(["--filter", &self.filter]).args(self.quick.then_some("--quick"));
        command
    }
}
