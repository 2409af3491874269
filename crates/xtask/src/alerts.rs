//! `cargo xtask alerts`: which alerts the orders service raises, at the speed of production or faster.

use std::collections::BTreeMap;
use std::io::{Write, stdout};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use integration_tests::scenarios::{Alerts, COMPLETE, SCENARIOS, Watch};
use tokio::time::MissedTickBehavior;

use crate::interrupt::Interrupt;

/// Pause between two looks: Alertmanager waits longer before it calls anybody.
const LOOK: Duration = Duration::from_secs(1);

/// A line at least this often, also when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// See which alerts the orders service raises in a real Prometheus and Alertmanager, and judge them.
///
/// Runs the service with one habit or several, the shipped rules, and the shipped routes with a
/// receiver that is called. Passes if nothing fires but what the habit is known for, and after half an
/// hour if all of that has come out as it should. Ctrl-C ends everything without a verdict. Needs Go
/// for the first run, and apt for Alertmanager.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Habit of the service; may be given several times.
    #[arg(long = "scenario", value_name = "NAME", default_value = "clean",
        value_parser = PossibleValuesParser::new(SCENARIOS.iter().map(|it| it.name)))]
    scenarios: Vec<String>,

    /// How long, in the time of the rules.
    #[arg(long, value_name = "N", default_value = "10")]
    minutes: NonZeroU32,

    /// How many times faster than usual that passes: intervals, delays and windows are divided by it.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
}

/// Alerts by the scenario they are about.
type Raised = BTreeMap<String, Alerts>;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(watch(arguments))
}

async fn watch(arguments: &Arguments) -> Result<ExitCode> {
    let wanted = |name: &str| arguments.scenarios.iter().any(|it| it == name);
    let scenarios: Vec<_> = SCENARIOS.iter().filter(|it| wanted(it.name)).collect();
    let length = Duration::from_secs(u64::from(arguments.minutes.get()) * 60);
    say("building and starting the service, the collector, Prometheus and Alertmanager")?;
    let mut interrupt = Interrupt::new()?;
    let missing = |error: &anyhow::Error| drop(say(&format!("only Prometheus: {error:#}")));
    let mut watch = tokio::select! {
        started = Watch::start(&scenarios, arguments.speed, missing) => started?,
        () = interrupt.requested() => return interrupted(),
    };
    let real = length / arguments.speed;
    say(&format!("watching for {} minutes, {} s of real time", arguments.minutes, real.as_secs()))?;
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut known, mut told) = (Raised::new(), Duration::ZERO);
    while watch.elapsed() < length {
        tokio::select! {
            _ = looks.tick() => {}
            () = interrupt.requested() => return interrupted(),
        }
        let raised = watch.look().await?;
        let elapsed = watch.elapsed();
        let minutes = elapsed.as_secs_f64() / 60.0;
        for line in news(&known, &raised) {
            say(&format!("{minutes:6.1} min  {line}"))?;
            told = elapsed;
        }
        if elapsed.saturating_sub(told) >= HEARTBEAT * arguments.speed {
            let count: usize = raised.values().map(Alerts::len).sum();
            say(&format!("{minutes:6.1} min  {count} so far, the one that always fires included"))?;
            told = elapsed;
        }
        known = raised;
    }
    let wrong = wrong(&known, &watch.right(), length >= COMPLETE);
    wrong.iter().try_for_each(|line| say(line))?;
    let outcome = if wrong.is_empty() { "passed" } else { "FAILED" };
    say(&format!(
        "{outcome}: {} after {} minutes",
        names(&arguments.scenarios),
        arguments.minutes
    ))?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is new since the last look, or came out differently.
fn news(known: &Raised, raised: &Raised) -> Vec<String> {
    let all = raised.iter().flat_map(|(of, alerts)| alerts.iter().map(move |it| (of, it)));
    let is_new = |(of, (alert, fate)): &(&String, (&String, &String))| {
        known.get(*of).and_then(|alerts| alerts.get(*alert)) != Some(*fate)
    };
    let line = |(of, (alert, fate)): (&String, (&String, &String))| format!("{of} {alert}: {fate}");
    all.filter(is_new).map(|it| line(it).trim_start().to_owned()).collect()
}

/// What should not have come, and where everything has had its time also what should have.
fn wrong(raised: &Raised, right: &Raised, is_complete: bool) -> Vec<String> {
    let mut found = Vec::new();
    for (of, alerts) in raised {
        let right = right.get(of);
        for (alert, fate) in alerts {
            match right.and_then(|right| right.get(alert)) {
                None => found.push(format!("wrong: {of} {alert}: {fate}")),
                Some(right) if is_complete && right != fate => {
                    found.push(format!("wrong: {of} {alert}: {fate}, not {right}"));
                }
                Some(_) => {}
            }
        }
    }
    for (of, alerts) in right {
        // Without the alert that always fires nothing was watched.
        for alert in alerts.keys().filter(|_| is_complete || of.is_empty()) {
            if !raised.get(of).is_some_and(|raised| raised.contains_key(alert)) {
                found.push(format!("missing: {of} {alert}"));
            }
        }
    }
    found
}

fn names(scenarios: &[String]) -> String {
    scenarios.join(", ")
}

fn interrupted() -> Result<ExitCode> {
    say("interrupted, without a verdict")?;
    Ok(ExitCode::FAILURE)
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(stdout(), "{line}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(alerts: &[(&str, &str, &str)]) -> Raised {
        let mut raised = Raised::from([(String::new(), Alerts::new())]);
        for (of, alert, fate) in alerts {
            raised.entry((*of).into()).or_default().insert((*alert).into(), (*fate).into());
        }
        raised
    }

    const ALWAYS: (&str, &str, &str) = ("", "Always", "calls nobody");

    #[test]
    fn an_alert_that_is_not_expected_is_wrong_at_any_time() {
        let seen = raised(&[ALWAYS, ("clean", "A", "calls x")]);
        for is_complete in [false, true] {
            let found = wrong(&seen, &raised(&[ALWAYS]), is_complete);
            assert_eq!(found, ["wrong: clean A: calls x"]);
        }
    }

    #[test]
    fn an_alert_has_its_time_to_come_and_to_come_out() {
        let right = raised(&[ALWAYS, ("pool", "A", "calls x"), ("pool", "B", "silent by A")]);
        let early = raised(&[ALWAYS, ("pool", "A", "not sent on")]);
        assert!(wrong(&early, &right, false).is_empty());
        let found = wrong(&early, &right, true);
        assert_eq!(found, ["wrong: pool A: not sent on, not calls x", "missing: pool B"]);
        assert!(wrong(&right, &right, true).is_empty());
    }

    #[test]
    fn silence_of_everything_is_no_success() {
        assert_eq!(wrong(&raised(&[]), &raised(&[ALWAYS]), false), ["missing:  Always"]);
    }

    #[test]
    fn only_what_changed_is_told() {
        let before = raised(&[ALWAYS, ("pool", "A", "not sent on")]);
        let after = raised(&[ALWAYS, ("pool", "A", "calls x"), ("clean", "B", "calls y")]);
        assert_eq!(news(&before, &after), ["clean B: calls y", "pool A: calls x"]);
    }
}
