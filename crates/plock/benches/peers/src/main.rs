//! What other ways to time a lock cost, beside plock: the same operations, in one run, with the
//! harness of `../locks`. Started by `cargo xtask bench --peers`, which builds it twice: once with
//! tokio as it is, once as tokio-console needs it. Prints one JSON object per row by itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program of its own, which reports on its outputs and ends when it cannot measure"
)]

mod by_hand;
mod elsewhere;
#[path = "../../locks/harness.rs"]
#[expect(dead_code, reason = "`../locks` needs more of it")]
mod harness;
#[path = "../../locks/here.rs"]
#[expect(dead_code, reason = "`../locks` needs more of it")]
mod here;
#[path = "../../locks/operations.rs"]
#[expect(dead_code, reason = "`../locks` needs more of it")]
mod operations;
mod peers;
mod rows;
mod spans;
#[path = "../../locks/threads.rs"]
#[expect(dead_code, reason = "`../locks` needs more of it")]
mod threads;
mod wrapped;

use clap::Parser;
use std::path::PathBuf;

/// Measures the rows whose name contains the filter.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only rows whose name contains this; the bare rows they are compared with are measured too.
    #[arg(long, default_value = "")]
    filter: String,
    /// A few short rounds, to see that every row works; the times mean nothing.
    #[arg(long)]
    quick: bool,
    /// This program, built with `--features console` and `--cfg tokio_unstable`.
    #[arg(long)]
    console: Option<PathBuf>,
    /// Run one batch of the row of this name inside `harness::counted`, and say how many operations
    /// that were; an instruction counter looks on.
    #[arg(long, value_name = "NAME")]
    count: Option<String>,
    /// Run the rows of this peer as standard input asks.
    #[arg(long, value_name = "PEER", hide = true)]
    answer: Option<String>,
}

fn main() {
    let arguments = Arguments::parse();
    plock::calibrate();
    let plan = if arguments.quick { harness::Plan::QUICK } else { harness::Plan::FULL };
    if let Some(peer) = &arguments.answer {
        return elsewhere::answer(peers::alone(peer), &plan);
    }
    if let Some(name) = &arguments.count {
        let mut rows = peers::with(name);
        let row = rows.iter_mut().find(|row| row.label().name == *name);
        let count = row.expect("a row of that name").count().expect("a row of one thread");
        return println!("{}", serde_json::to_string(&count).unwrap());
    }
    let rows = peers::all(arguments.console.as_deref(), arguments.quick);
    for result in harness::measure(harness::choose(rows, &arguments.filter), &plan) {
        println!("{}", serde_json::to_string(&result).unwrap());
    }
}
