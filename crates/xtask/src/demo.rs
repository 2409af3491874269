//! `cargo xtask demo`: builds the orders service, puts it under load and shows who holds which lock,
//! for how long, and who waits for whom: refreshed while it runs, and as a report at the end.

pub(crate) mod collector;
mod digest;
mod screen;
pub(crate) mod service;
mod tables;
mod tree;

use std::io::{Write, stderr, stdout};
use std::num::NonZeroU64;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::json;
use tokio::time::Instant;

use self::collector::Backend;
use self::digest::Digest;
use self::screen::Screen;
use self::service::{Orders, Outcome};
use crate::interrupt::Interrupt;

/// Pause between two looks at the running service.
const INTERVAL: Duration = Duration::from_secs(1);

/// Edges in the report.
const EDGES: usize = 12;

/// Findings in the report.
const FINDINGS: usize = 8;

/// Watch a real service report who holds which lock, for how long, and whom it blocked.
///
/// Builds and starts examples/orders under load, shows its locks while it runs and a report at the
/// end. Ctrl-C ends it early, with the report. Needs nothing but a Rust toolchain.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Habit of the service to look at.
    #[arg(long, value_enum, default_value = "hold-across-await")]
    scenario: Scenario,

    /// How long the load lasts.
    #[arg(long, default_value = "20")]
    seconds: NonZeroU64,

    /// Print the report as one JSON object on standard output, and progress on standard error.
    #[arg(long)]
    json: bool,

    /// Also start an OpenTelemetry Collector and a Prometheus on free loopback ports, let the
    /// service export to them and print queries to try. Needs Go for the first run.
    #[arg(long)]
    collector: bool,

    /// Leave the collector and Prometheus running at the end.
    #[arg(long, requires = "collector")]
    keep: bool,
}

/// A behaviour of examples/orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Short sections, locks released before the database is asked.
    Clean,
    /// Many short sections on one hot mutex.
    Convoy,
    /// A background task keeps a mutex over a database query.
    HoldAcrossAwait,
    /// A writer queues behind long readers, and new readers behind the writer.
    WriterBehindReaders,
    /// Fewer database connections than requests that need one, and a slow report among them.
    Pool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let program = service::build(false)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(show(arguments, &program)).map(|()| ExitCode::SUCCESS)
}

async fn show(arguments: &Arguments, program: &Path) -> Result<()> {
    let scenario = arguments.scenario.to_possible_value().context("a hidden scenario")?;
    let backend = match arguments.collector {
        true => Some(Backend::start().await?),
        false => None,
    };
    let endpoint = backend.as_ref().map(Backend::otlp);
    let mut interrupt = Interrupt::new()?;
    let mut orders =
        Orders::start(program, scenario.get_name(), arguments.seconds, endpoint.as_deref()).await?;
    let scrape = format!("{}/metrics", orders.url());
    let title = format!("orders, scenario {}; scrape {scrape}", scenario.get_name());
    progress(&format!("{title}; {} s of load", arguments.seconds))?;
    let outcome = watch(&mut orders, &mut interrupt, arguments.json, &title).await?;
    let digest = Digest::new(&outcome.snapshot);
    if !arguments.json {
        report(&title, &outcome, &digest)?;
    }
    let mut answers = Vec::new();
    if let Some(backend) = &backend {
        tokio::select! {
            tried = backend.ask(digest.acquisitions()) => answers = tried?,
            () = interrupt.requested() => progress("interrupted")?,
        }
    }
    if arguments.json {
        let Outcome { load, slowest, .. } = &outcome;
        let Digest { locks, edges, findings } = &digest;
        let report = json!({
            "scrape_url": scrape, "load": load, "locks": locks, "edges": edges,
            "findings": findings, "slowest": slowest, "queries": answers,
        });
        writeln!(stdout(), "{report}")?;
    } else if let Some(backend) = &backend {
        writeln!(stdout(), "{}", backend.draw(&answers))?;
    }
    match backend {
        Some(backend) => backend.end(arguments.keep).await,
        None => Ok(()),
    }
}

/// Looks at the service until its load ends or somebody interrupts it.
async fn watch(
    orders: &mut Orders,
    interrupt: &mut Interrupt,
    json: bool,
    title: &str,
) -> Result<Outcome> {
    let mut screen = Screen::open(json, title)?;
    // Not at once: there is nothing to see before the first requests.
    let mut ticks = tokio::time::interval_at(Instant::now() + INTERVAL, INTERVAL);
    loop {
        tokio::select! {
            outcome = orders.outcome() => return outcome,
            () = interrupt.requested() => {
                orders.terminate()?;
                break;
            }
            _ = ticks.tick() => {
                // The service may end between two looks; its report then follows.
                if let Ok(snapshot) = orders.snapshot().await {
                    screen.show(&Digest::new(&snapshot))?;
                }
            }
        }
    }
    tokio::select! {
        outcome = orders.outcome() => outcome,
        () = interrupt.requested() => bail!("interrupted before the report"),
    }
}

fn report(title: &str, outcome: &Outcome, digest: &Digest) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "\n{title}\n")?;
    writeln!(out, "{}\n", tables::load(&outcome.load))?;
    writeln!(out, "Locks, most waited for first\n{}\n", tables::locks(digest))?;
    writeln!(out, "Their longest holds, and the causes of waiting\n{}\n", tables::holders(digest))?;
    writeln!(
        out,
        "Who blocks whom, by what it cost the victims\n{}\n",
        tables::edges(digest, EDGES)
    )?;
    writeln!(out, "What is wrong for certain\n{}\n", tables::findings(digest, FINDINGS))?;
    match &outcome.slowest {
        Some(root) => writeln!(out, "The slowest request\n{}", tree::draw(root))?,
        None => writeln!(out, "No request was traced.")?,
    }
    Ok(())
}

/// One line about what happens now; on standard error, so that a report can be piped.
pub(crate) fn progress(line: &str) -> Result<()> {
    Ok(writeln!(stderr(), "{line}")?)
}
