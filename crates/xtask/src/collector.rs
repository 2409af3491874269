//! `cargo xtask collector`: builds the collector and Prometheus and says where they are.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use integration_tests::{Tools, repository};

/// Build the OpenTelemetry Collector, Prometheus and amtool that the tests and the demo use.
///
/// The versions are pinned in otel-collector/builder.yaml and in otel-collector/tools/. The server of
/// Alertmanager is that of Debian's package, taken out of it and not installed.
/// The binaries are kept in `$PLOCK_CACHE`, else `$XDG_CACHE_HOME/plock`, else `~/.cache/plock`, one
/// directory per manifest: a second run builds nothing. The first one needs Go 1.25 or newer.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Also let the collector, promtool and amtool check the files in otel-collector/ that are theirs.
    #[arg(long)]
    validate: bool,
}

#[expect(clippy::print_stdout, reason = "the paths are this command's result")]
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let tools = Tools::ready()?;
    println!("collector  {} {}", tools.collector_version, tools.collector.display());
    println!("prometheus {} {}", tools.prometheus_version, tools.prometheus.display());
    println!("promtool   {} {}", tools.prometheus_version, tools.promtool.display());
    println!("amtool     {} {}", tools.alertmanager_version, tools.amtool.display());
    match Tools::alertmanager() {
        Ok(program) => println!("alertmanager {}", program.display()),
        Err(error) => println!("no alertmanager: {error:#}"),
    }
    if arguments.validate {
        let directory = repository().join("otel-collector");
        let config = directory.join("config.yaml");
        check(Command::new(&tools.collector).arg("validate").arg("--config").arg(&config))?;
        let config = directory.join("prometheus/prometheus.yml");
        check(Command::new(&tools.promtool).args(["check", "config"]).arg(&config))?;
        let config = directory.join("alertmanager/alertmanager.yml");
        check(Command::new(&tools.amtool).arg("check-config").arg(&config))?;
        println!("the configurations are valid");
    }
    Ok(ExitCode::SUCCESS)
}

fn check(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let status = command.status().with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "{} refuses the configuration", program.display());
    Ok(())
}
