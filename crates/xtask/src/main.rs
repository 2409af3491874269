//! The commands of this repository, run as `cargo xtask <command>`. One file per command; only
//! this crate and the examples print.

mod alerts;
mod bench;
mod boards;
mod collector;
mod conformance;
mod demo;
mod generated;
mod interrupt;
mod parity;
mod preview;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Commands of the plock repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Alerts(alerts::Arguments),
    Bench(bench::Arguments),
    Boards(boards::Arguments),
    Collector(collector::Arguments),
    Conformance(conformance::Arguments),
    Demo(demo::Arguments),
    Parity(parity::Arguments),
    Preview(preview::Arguments),
    Soak(soak::Arguments),
    Test(test::Arguments),
    Tidy(tidy::Arguments),
}

#[expect(clippy::print_stderr, reason = "the one place that reports why a command failed")]
fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Alerts(arguments) => alerts::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Boards(arguments) => boards::run(&arguments),
        Command::Collector(arguments) => collector::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Parity(arguments) => parity::run(&arguments),
        Command::Preview(arguments) => preview::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
