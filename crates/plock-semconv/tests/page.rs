//! `TELEMETRY.md` is the table, written out for people. `UPDATE_EXPECT=1 cargo test` rewrites it.

use expect_test::expect_file;
use plock_core::{
    BlockCause, CLASSIC_BOUNDS_NS, Cause, Dropped, EndCause, FindingKind, Idle, Kind, Mode,
    Outcome, Precision,
};
use plock_semconv::spans::{self, SpanAttribute, SpanValue};
use plock_semconv::{Instrument, InstrumentKind, attributes, derived, label_name, metrics};

#[test]
fn the_page_is_the_table() {
    let page =
        [INTRODUCTION, &direct(), &labels(), &scopes(), &children(), &collected()].join("\n");
    expect_file!["../TELEMETRY.md"].assert_eq(&page);
}

const INTRODUCTION: &str = "\
# Telemetry of plock

Generated from the table in `plock-semconv`; a test keeps the two equal.

Durations are double seconds on every wire. In OpenTelemetry names are dotted and the unit is
metadata; in Prometheus `.` is `_` and the unit and `_total` are suffixes. A push over OTLP and a
scrape give the same series, labels and values.
";

fn direct() -> String {
    let bounds = CLASSIC_BOUNDS_NS.map(|ns| (ns as f64 / 1e9).to_string());
    format!(
        "\
## Metrics
Recorded by plock itself: exact, never sampled, cumulative since the process started.

{}
- Durations are exponential histograms of scale 3 (native histograms in Prometheus, buckets 9 %
  wide) or classic ones with the bounds {} s. Both come from the same counts and agree.
- `{}` has the bounds {:?}.
- The slowest wait and the longest hold since the last collection are exemplars, with `trace_id`
  and `span_id`.
- Metrics marked *transient* have a series only while there is something to report.
",
        table(metrics::ALL),
        bounds.join(", "),
        metrics::NESTING_DEPTH.name,
        metrics::DEPTH_BOUNDS,
    )
}

fn table(instruments: &[&Instrument]) -> String {
    let mut out =
        "| metric | in Prometheus | kind, unit | labels | what it says |\n|---|---|---|---|---|\n"
            .to_owned();
    for instrument in instruments {
        let kind = match instrument.kind {
            InstrumentKind::Counter => "counter",
            InstrumentKind::Gauge => "gauge",
            _ => "histogram",
        };
        let unit = if instrument.unit.is_empty() {
            String::new()
        } else {
            format!(", {}", instrument.unit)
        };
        let transient = if instrument.transient { " (*transient*)" } else { "" };
        let labels: Vec<_> =
            instrument.attributes.iter().map(|key| format!("`{}`", label_name(key))).collect();
        let (name, prometheus) = (instrument.name, instrument.prometheus_name());
        out += &format!(
            "| `{name}` | `{prometheus}` | {kind}{unit} | {} | {}{transient} |\n",
            labels.join(" "),
            instrument.help,
        );
    }
    out
}

fn labels() -> String {
    let mut out = "\
## Label values
Never a trace, span, task or thread id, an address or a line number. Names are capped; what is over
the cap is `__overflow__` and counted in `plock_telemetry_dropped_total`.

| attribute | values |
|---|---|
"
    .to_owned();
    let mut row = |key: &str, values: &str| out += &format!("| `{key}` | {values} |\n");
    let closed =
        |values: Vec<&str>| values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(" ");
    row(attributes::LOCK_NAME, "the registered name, or the place of the declaration");
    row(attributes::LOCK_KIND, &closed(Kind::ALL.iter().map(|v| v.as_str()).collect()));
    row(attributes::LOCK_MODE, &closed(Mode::ALL.iter().map(|v| v.as_str()).collect()));
    row(attributes::LOCK_OUTCOME, &closed(Outcome::ALL.iter().map(|v| v.as_str()).collect()));
    row(attributes::LOCK_CAUSE, &closed(Cause::ALL.iter().map(|v| v.as_str()).collect()));
    row(attributes::LOCK_STAGE, &closed(vec![attributes::STAGE_HELD, attributes::STAGE_WAITING]));
    row(attributes::LOCK_HOLDER, "a scope's name, or the module that acquired; `unknown`");
    row(attributes::LOCK_WAITER, "the same");
    row(attributes::LOCK_DEADLOCK, &closed(vec![attributes::DEADLOCK_SELF]));
    let has_metric = [FindingKind::SelfDeadlock, FindingKind::Poisoned];
    let others = FindingKind::ALL.iter().filter(|kind| !has_metric.contains(kind));
    row(attributes::LOCK_FINDING, &closed(others.map(|kind| kind.as_str()).collect()));
    row(attributes::PRECISION, &closed(vec![attributes::PRECISION_EXACT]));
    row(attributes::TASK_NAME, "a scope's name");
    row(attributes::TASK_IDLE, &closed(Idle::ALL.iter().map(|v| v.as_str()).collect()));
    row(attributes::POOL_NAME, "the registered name");
    row(attributes::REASON, &closed(Dropped::ALL.iter().map(|v| v.as_str()).collect()));
    out
}

fn scopes() -> String {
    format!(
        "\
## Attributes of a scope's span
Written once, when the scope ends.

{}",
        attribute_table(spans::SCOPE_ATTRIBUTES)
    )
}

fn children() -> String {
    let values =
        |values: Vec<&str>| values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(" ");
    format!(
        "\
## Child spans `{}` and `{}`
One for each of the longest waits and holds over the threshold, with its true start and end. A wait
also has `{}` and `{}`, and a link with `{}` = `{}` to the span that released the lock to it.

{}
- `{}`: {}
- `{}`: {}
- `{}`: {}
",
        spans::WAIT_SPAN,
        spans::HOLD_SPAN,
        spans::BLOCKING_CAUSE,
        spans::BLOCKER_SITE,
        spans::LINK_ROLE,
        spans::LINK_ROLE_HOLDER,
        attribute_table(spans::CHILD_ATTRIBUTES),
        spans::BLOCKING_CAUSE,
        values(BlockCause::ALL.iter().map(|v| v.as_str()).collect()),
        spans::END_CAUSE,
        values(EndCause::ALL.iter().map(|v| v.as_str()).collect()),
        spans::PRECISION,
        values(Precision::ALL.iter().map(|v| v.as_str()).collect()),
    )
}

fn attribute_table(all: &[SpanAttribute]) -> String {
    let mut out = "| attribute | value | what it says |\n|---|---|---|\n".to_owned();
    for attribute in all {
        let value = match attribute.value {
            SpanValue::Int => "int",
            SpanValue::Seconds => "double, s",
            _ => "string",
        };
        out += &format!("| `{}` | {value} | {} |\n", attribute.key, attribute.help);
    }
    out
}

fn collected() -> String {
    format!(
        "\
## Metrics a collector derives from these spans
They follow the sampling of traces, hence their different names: for totals and alerts use the
metrics above.

{}",
        table(derived::ALL)
    )
}
