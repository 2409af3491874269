//! An order service over `SQLite` whose lock habits can be switched, with its own load.
//!
//! `orders --scenario hold-across-await --seconds 10` serves on a free port, sends itself requests
//! and reports; `orders serve` serves only. README.md at the top of the repository shows what plock
//! makes visible here.

mod args;
mod catalogue;
mod database;
mod figures;
mod inventory;
mod load;
mod output;
mod reindexer;
mod requests;
mod routes;
mod scenarios;
mod service;
mod shop;
mod slowest;
mod telemetry;
mod terms;
mod views;
mod worker;

use std::net::SocketAddr;

use clap::Parser;

use crate::{
    args::{Args, Command},
    figures::Report,
    load::Load,
    output::Output,
    service::Service,
    slowest::Slowest,
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let output = Output::new(args.json);
    let address = SocketAddr::new(args.host, args.port);
    let slowest = Slowest::default();
    let telemetry = telemetry::start(slowest.clone())?;
    let service = Service::start(address, args.habits(), slowest.clone()).await?;
    output.listening(args.scenario, &service.url())?;
    let load = match args.command() {
        Command::Run => Some(load(&args, service.url()).await?),
        Command::Serve => {
            interrupted().await?;
            None
        }
    };
    service.stop().await?;
    output.report(load.as_ref(), &plock::snapshot(), slowest.tree().as_ref())?;
    tokio::task::spawn_blocking(|| telemetry.shut_down()).await?;
    Ok(())
}

/// Runs the load to its end, or to the first signal.
async fn load(args: &Args, url: String) -> anyhow::Result<Report> {
    let mut load = Load::start(url, args.plan())?;
    tokio::select! {
        report = load.report() => return report,
        signal = interrupted() => signal?,
    }
    load.stop();
    load.report().await
}

/// Waits for Ctrl-C or a request to terminate.
async fn interrupted() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}
