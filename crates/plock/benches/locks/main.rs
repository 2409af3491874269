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

#[expect(dead_code, reason = "`../peers` includes it too, and needs more of it")]
mod harness;
mod here;
mod operations;
mod rows;
mod threads;

use clap::Parser;

/// Measures the rows whose name contains the filter.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only rows whose name contains this; the bare rows they are compared with are measured too.
    #[arg(long, default_value = "")]
    filter: String,
    /// A few short rounds, to see that every row works; the times mean nothing.
    #[arg(long)]
    quick: bool,
    /// Print the names of the rows whose instructions can be counted.
    #[arg(long)]
    list: bool,
    /// Run the row of this name once, this many operations long, inside `harness::counted`.
    #[arg(long, num_args = 2, value_names = ["NAME", "OPERATIONS"])]
    count: Vec<String>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let arguments = Arguments::parse();
    plock::calibrate();
    let mut rows = rows::all();
    if arguments.list {
        let countable = rows.iter().map(|row| row.label()).filter(|label| label.countable);
        countable.for_each(|label| println!("{}", label.name));
        return;
    }
    if let [name, operations] = &arguments.count[..] {
        let row =
            rows.iter_mut().find(|row| row.label().name == *name).expect("a row of that name");
        return row.count(operations.parse().expect("a number of operations"));
    }
    eprintln!("clock source: {}", plock::snapshot().clock);
    let plan = if arguments.quick { harness::Plan::QUICK } else { harness::Plan::FULL };
    let chosen = harness::choose(rows, &arguments.filter);
    for result in harness::measure(chosen, &plan) {
        println!("{}", serde_json::to_string(&result).unwrap());
    }
    if let Some(share) = rows::contended_share(&plock::snapshot()) {
        eprintln!("contended rows: {:.1} % of the acquisitions waited", share * 100.0);
    }
}
