//! What plock costs: every operation bare, wrapped, and wrapped with recording switched off, batch by
//! batch in turn. Started by `cargo xtask bench`, which builds it, adds instruction counts and draws
//! the table; prints one JSON object per row by itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program of its own, which reports on its outputs and ends when it cannot measure"
)]

mod blocking;
mod growth;
#[expect(dead_code, reason = "`../peers` includes it too, and needs more of it")]
mod harness;
mod here;
mod messages;
mod once;
mod operations;
mod read_outs;
mod rows;
mod spans;
mod threads;

use clap::Parser;
use harness::Row;

/// Measures the rows whose name contains the filter.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only rows whose name contains this; the bare rows they are compared with are measured too.
    #[arg(long, default_value = "")]
    filter: String,
    /// A few short rounds, to see that every row works; the times mean nothing.
    #[arg(long)]
    quick: bool,
    /// Run one batch of every row that runs on one thread inside `harness::counted`, and say how many
    /// operations that were; an instruction counter looks on.
    #[arg(long)]
    count: bool,
    /// How cost grows with threads, locks and classes, instead of the operations one by one.
    #[arg(long)]
    growth: bool,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    plock::calibrate();
    // The read-outs fill the process with classes and threads, so everything else goes before them.
    let groups = if arguments.growth {
        vec![growth::all()]
    } else {
        // The spans install an observer, and the read-outs fill the process with classes and threads.
        vec![rows::all(), spans::all(), read_outs::all()]
    };
    let groups = groups.into_iter().map(|rows| harness::choose(rows, &arguments.filter));
    if arguments.count {
        return groups.for_each(count);
    }
    eprintln!("clock source: {}", plock::snapshot().clock);
    let plan = if arguments.quick { harness::Plan::QUICK } else { harness::Plan::FULL };
    for rows in groups.filter(|rows| !rows.is_empty()) {
        for result in harness::measure(rows, &plan) {
            println!("{}", serde_json::to_string(&result).unwrap());
        }
    }
    if let Some(share) = rows::contended_share(&plock::snapshot()) {
        eprintln!("contended rows: {:.1} % of the acquisitions waited", share * 100.0);
    }
}

fn count(mut rows: Vec<Row>) {
    for count in rows.iter_mut().filter_map(Row::count) {
        println!("{}", serde_json::to_string(&count).unwrap());
    }
}
