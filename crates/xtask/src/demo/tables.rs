//! The tables of the demo, as text.

use std::ops::Range;
use std::time::Duration;

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, TableComponent, presets};

use super::digest::{Digest, Edge, Lock, Spread};
use super::service::Load;

/// Shares from which a cell is marked.
const ALARMING: f64 = 0.5;
const NOTABLE: f64 = 0.1;

/// Nobody could be charged.
const UNKNOWN: &str = "(unknown)";

/// How the load fared, in one line.
pub(super) fn load(load: &Load) -> String {
    let errors: u64 = load.errors.values().sum();
    let kinds = match errors {
        0 => String::new(),
        _ => format!(" {:?}", load.errors),
    };
    format!(
        "{} requests in {:.1} s: offered {:.1}/s, answered {:.1}/s, {errors} errors{kinds}; \
         latency p50 {}, p99 {}, max {}",
        load.requests,
        load.seconds,
        load.offered_rate,
        load.achieved_rate,
        duration(load.latency.p50_seconds),
        duration(load.latency.p99_seconds),
        duration(load.latency.max_seconds),
    )
}

/// How often and how long: one row per lock and way of holding it.
pub(super) fn locks(digest: &Digest) -> String {
    let mut table = table(&[
        "lock",
        "held as",
        "acquired",
        "contended",
        "wait p50",
        "p99",
        "max",
        "hold p50",
        "p99",
        "max",
    ]);
    align_right(&mut table, 2..10);
    for Lock { name, kind, mode, acquisitions, contended_share, wait, hold, .. } in &digest.locks {
        let Spread { p50_seconds, p99_seconds, max_seconds, .. } = wait;
        table.add_row([
            Cell::new(name),
            Cell::new(format!("{kind} {mode}")),
            Cell::new(acquisitions),
            marked(percent(*contended_share), *contended_share),
            Cell::new(duration(*p50_seconds)),
            Cell::new(duration(*p99_seconds)),
            Cell::new(duration(*max_seconds)),
            Cell::new(duration(hold.p50_seconds)),
            Cell::new(duration(hold.p99_seconds)),
            Cell::new(duration(hold.max_seconds)),
        ]);
    }
    table.to_string()
}

/// Who held each lock longest, and why it was waited for.
pub(super) fn holders(digest: &Digest) -> String {
    let mut table = table(&["lock", "held as", "worst holder", "from", "held", "why they waited"]);
    align_right(&mut table, 4..5);
    for Lock { name, kind, mode, worst_holder, causes, .. } in &digest.locks {
        let Some(worst) = worst_holder else { continue };
        let causes = causes.iter().map(|c| format!("{} {}", c.cause, percent(c.share)));
        table.add_row([
            Cell::new(name),
            Cell::new(format!("{kind} {mode}")),
            Cell::new(&worst.owner),
            Cell::new(site(&worst.site)),
            Cell::new(duration(worst.seconds)),
            Cell::new(causes.collect::<Vec<_>>().join(", ")),
        ]);
    }
    table.to_string()
}

/// One row per edge; at most `rows` of them.
pub(super) fn edges(digest: &Digest, rows: usize) -> String {
    if digest.edges.is_empty() {
        return "nobody waited".to_owned();
    }
    let mut table =
        table(&["waiter", "waited for", "held by", "from", "cause", "waits", "waited", "of all"]);
    align_right(&mut table, 5..8);
    for edge in digest.edges.iter().take(rows) {
        table.add_row(edge_row(edge));
    }
    match digest.edges.len().saturating_sub(rows) {
        0 => table.to_string(),
        more => format!("{table}\n and {more} smaller ones"),
    }
}

/// One row per mistake in how locks are used, and place; at most `rows` of them.
pub(super) fn findings(digest: &Digest, rows: usize) -> String {
    if digest.findings.is_empty() {
        return "nothing".to_owned();
    }
    let mut table = table(&["what", "lock", "pool", "by", "at", "has", "from", "times", "waited"]);
    align_right(&mut table, 7..9);
    for finding in digest.findings.iter().take(rows) {
        let waited = Duration::from_nanos(finding.wait_ns).as_secs_f64();
        table.add_row([
            Cell::new(finding.kind),
            Cell::new(&finding.lock),
            Cell::new(&finding.pool),
            Cell::new(&finding.owner),
            Cell::new(site(&finding.site)),
            Cell::new(&finding.holder),
            Cell::new(site(&finding.holder_site)),
            Cell::new(finding.count),
            Cell::new(duration(waited)),
        ]);
    }
    match digest.findings.len().saturating_sub(rows) {
        0 => table.to_string(),
        more => format!("{table}\n and {more} smaller ones"),
    }
}

/// A duration with three significant digits.
pub(super) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s <= 0.0 => return "-".to_owned(),
        s if s < 1e-6 => (s * 1e9, "ns"),
        s if s < 1e-3 => (s * 1e6, "us"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let digits = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

/// The last two parts of a path and the line: enough to find it, short enough for a table.
pub(super) fn site(full: &str) -> String {
    // file:line:column; the path may contain colons itself.
    let mut parts = full.rsplitn(3, ':');
    let (Some(_column), Some(line), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return full.to_owned();
    };
    let from = path.rmatch_indices('/').nth(1).map_or(0, |(at, _)| at + 1);
    format!("{}:{line}", &path[from..])
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_style(TableComponent::HeaderLines, '─');
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

fn align_right(table: &mut Table, columns: Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn edge_row(edge: &Edge) -> Vec<Cell> {
    vec![
        Cell::new(&edge.waiter),
        Cell::new(&edge.lock),
        Cell::new(if edge.holder.is_empty() { UNKNOWN } else { &edge.holder }),
        Cell::new(site(&edge.holder_site)),
        Cell::new(edge.cause),
        Cell::new(edge.waits),
        Cell::new(duration(edge.wait_seconds)),
        marked(percent(edge.share), edge.share),
    ]
}

/// Colours appear on a terminal only, and not where `NO_COLOR` is set.
fn marked(text: String, share: f64) -> Cell {
    let cell = Cell::new(text);
    if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return cell;
    }
    match share {
        share if share >= ALARMING => cell.fg(Color::Red),
        share if share >= NOTABLE => cell.fg(Color::Yellow),
        _ => cell,
    }
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p <= 0.0 => "-".to_owned(),
        p if p < 0.1 => "< 0.1 %".to_owned(),
        p if p < 9.95 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: f64, expected: &str) {
        assert_eq!(duration(seconds), expected);
    }

    #[test]
    fn durations_have_three_digits() {
        check(0.0, "-");
        check(0.000_000_25, "250 ns");
        check(0.000_012_34, "12.3 us");
        check(0.001_234, "1.23 ms");
        check(0.009_999, "10.0 ms");
        check(0.0567, "56.7 ms");
        check(3.456, "3.46 s");
        check(123.4, "123 s");
    }

    #[test]
    fn sites_keep_the_end_of_the_path() {
        assert_eq!(site("examples/orders/src/inventory.rs:120:35"), "src/inventory.rs:120");
        assert_eq!(site("main.rs:7:1"), "main.rs:7");
        assert_eq!(site("unknown"), "unknown");
        assert_eq!(site(""), "");
    }
}
