//! The command line. Every option can come from the environment as well.

use std::{
    net::IpAddr,
    num::{NonZeroU64, NonZeroUsize},
    time::Duration,
};

use clap::{Parser, Subcommand};

use crate::{load::Plan, scenarios::Scenario, shop::Habits};

/// An order service whose lock habits can be switched, with its own load.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Habit of the service, and the load under which it hurts.
    #[arg(long, global = true, env = "ORDERS_SCENARIO", value_enum, default_value = "clean")]
    pub(crate) scenario: Scenario,

    /// How long the load lasts; without it, until Ctrl-C.
    #[arg(long, global = true, env = "ORDERS_SECONDS")]
    seconds: Option<NonZeroU64>,

    /// Arrivals per second; each scenario has a fitting default.
    #[arg(long, global = true, env = "ORDERS_RATE", value_parser = rate)]
    rate: Option<f64>,

    /// Requests on the way at once; those beyond are counted as shed, so that a service that hangs
    /// cannot make the generator grow.
    #[arg(long, global = true, env = "ORDERS_IN_FLIGHT", default_value = "4096")]
    in_flight: NonZeroUsize,

    /// Milliseconds that the sales report takes at least. With it, the report has little to sum, so
    /// that its time is the same on every machine.
    #[arg(long, global = true, env = "ORDERS_REPORT_MS")]
    report_ms: Option<u64>,

    /// Address to listen on.
    #[arg(long, global = true, env = "ORDERS_HOST", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// Port to listen on; 0 takes a free one.
    #[arg(long, global = true, env = "ORDERS_PORT", default_value_t = 0)]
    pub(crate) port: u16,

    /// Prints one JSON object per event instead of text.
    #[arg(long, global = true, env = "ORDERS_JSON")]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Serves, and puts itself under load (the default).
    Run,
    /// Serves only.
    Serve,
}

impl Args {
    pub(crate) fn command(&self) -> Command {
        self.command.unwrap_or(Command::Run)
    }

    pub(crate) fn habits(&self) -> Habits {
        let habits = self.scenario.habits();
        match self.report_ms {
            Some(least) => Habits { summed: 100, report: Duration::from_millis(least), ..habits },
            None => habits,
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            rate: self.rate.unwrap_or_else(|| self.scenario.rate()),
            length: self.seconds.map(|seconds| Duration::from_secs(seconds.get())),
            in_flight: self.in_flight.get(),
            mix: self.scenario.mix(),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.01..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("expected arrivals per second between 0.01 and 100000".to_owned()),
    }
}
