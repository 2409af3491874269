//! Runbooks: prose that people write, one page an alert, and in its last section what the generator
//! knows: severity, delay, options with their values, and why.

use std::fmt::Write as _;

use crate::Options;
use crate::alerts::{Alert, groups};

const BEGIN: &str = "<!-- written by `cargo xtask boards` -->\n";
const END: &str = "<!-- end -->\n";

/// The sections of a page that is new. Each has to be filled: a test reads them.
const SKELETON: [&str; 6] =
    ["Meaning", "Impact", "Diagnosis", "Mitigation", "False positives", "Tuning"];

/// The names of all alerts, each once: every one has a page.
#[must_use]
pub fn runbooks(options: &Options) -> Vec<&'static str> {
    let mut names: Vec<_> =
        groups(options).iter().flat_map(|group| &group.alerts).map(|alert| alert.name).collect();
    names.dedup();
    names
}

/// The page of the alert `name` with the generated part as `options` have it. The prose is that of
/// `page`; without one it is a page to be filled.
///
/// ```
/// use plock_boards::{Options, runbook};
///
/// let options = Options::default();
/// let page = runbook("PlockHeldTooLong", None, &options);
/// assert!(page.contains("## Mitigation") && page.contains("`held_too_long_seconds` = 0.5"));
/// let prose = page.replace("## Meaning\n", "## Meaning\nSomebody holds a lock.\n");
/// assert_eq!(runbook("PlockHeldTooLong", Some(&prose), &options), prose);
/// ```
#[must_use]
pub fn runbook(name: &str, page: Option<&str>, options: &Options) -> String {
    let block = format!("{BEGIN}{}{END}", facts(name, options));
    let Some(page) = page else { return skeleton(name, &block) };
    let parts = page.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some(format!("{before}{block}{after}"))
    });
    // A page that lost its mark gets the part anew, at its end.
    parts.unwrap_or_else(|| format!("{}\n\n{block}", page.trim_end()))
}

fn skeleton(name: &str, block: &str) -> String {
    let sections: Vec<_> = SKELETON.iter().map(|it| format!("## {it}\n")).collect();
    format!("# {name}\n\n{}\n{block}", sections.join("\n"))
}

fn facts(name: &str, options: &Options) -> String {
    let groups = groups(options);
    let alerts: Vec<&Alert> =
        groups.iter().flat_map(|group| &group.alerts).filter(|alert| alert.name == name).collect();
    let values = serde_json::to_value(&options.thresholds).unwrap_or_default();
    let mut text =
        "| severity | window | for | keeps firing | options |\n|---|---|---|---|---|\n".to_owned();
    for alert in &alerts {
        let option = |it: &&str| format!("`{it}` = {}", values[*it]);
        let taken: Vec<_> = alert.options.iter().map(option).collect();
        let or_none = |it: Option<&'static str>| it.unwrap_or("-");
        // Writing to a string never fails.
        let written = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            alert.severity,
            or_none(alert.window),
            or_none(alert.wait),
            or_none(alert.keep),
            taken.join(", ")
        );
        debug_assert!(written.is_ok());
    }
    let because = alerts.first().map_or("", |alert| alert.because);
    format!("{text}\nWhy these: {because}\n")
}
