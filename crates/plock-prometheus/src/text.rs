//! The two text formats. They differ in the header lines, in the exemplars and in the end mark.

use plock_core::{CLASSIC_BOUNDS_NS, Exemplar, Histogram};
use plock_semconv::{DepthHistogram, Family, InstrumentKind, Value, label_name, metrics};
use std::borrow::Cow;
use std::fmt::{Display, Write as _};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

pub(crate) fn encode(families: &[Family<'_>], dialect: Dialect) -> String {
    let mut out = Encoder {
        out: String::with_capacity(64 * 1024),
        dialect,
        bounds: CLASSIC_BOUNDS_NS.map(|ns| (ns, Bound(crate::seconds(ns)).to_string())),
        depth_bounds: metrics::DEPTH_BOUNDS.map(|bound| Bound(crate::number(bound)).to_string()),
    };
    for family in families {
        out.family(family);
    }
    if dialect == Dialect::OpenMetrics {
        out.out.push_str("# EOF\n");
    }
    out.out
}

struct Encoder {
    out: String,
    dialect: Dialect,
    /// The limits of the buckets of durations and depths as they are spelled.
    bounds: [(u64, String); CLASSIC_BOUNDS_NS.len()],
    depth_bounds: [String; metrics::DEPTH_BOUNDS.len()],
}

/// Name and labels of a sample or of the samples of a histogram.
#[derive(Clone, Copy)]
struct Series<'a> {
    name: &'a str,
    labels: &'a str,
}

impl Encoder {
    fn family(&mut self, family: &Family<'_>) {
        let instrument = family.instrument;
        let kind = match instrument.kind {
            InstrumentKind::Counter => "counter",
            InstrumentKind::Histogram => "histogram",
            _ => "gauge",
        };
        let name = &*instrument.prometheus_name();
        match self.dialect {
            Dialect::Text => {
                self.header("HELP", name, &escaped(instrument.help, false));
                self.header("TYPE", name, kind);
            }
            Dialect::OpenMetrics => {
                let name = &*instrument.openmetrics_name();
                self.header("TYPE", name, kind);
                if let Some(unit) = instrument.prometheus_unit() {
                    self.header("UNIT", name, unit);
                }
                self.header("HELP", name, &escaped(instrument.help, true));
            }
        }
        let keys: Vec<String> = instrument.attributes.iter().map(|key| label_name(key)).collect();
        let mut labels = String::new();
        for point in &family.points {
            labels.clear();
            for (key, (_, value)) in keys.iter().zip(point.attributes()) {
                let comma = if labels.is_empty() { "" } else { "," };
                for part in [comma, key, "=\"", &escaped(value, true), "\""] {
                    labels.push_str(part);
                }
            }
            self.point(Series { name, labels: &labels }, &point.value);
        }
    }

    fn header(&mut self, keyword: &str, name: &str, text: &str) {
        self.write(format_args!("# {keyword} {name} {text}\n"));
    }

    fn point(&mut self, series: Series<'_>, value: &Value<'_>) {
        match value {
            Value::Count(n) => self.sample(series, "", n),
            Value::Seconds(v) | Value::Gauge(v) => self.sample(series, "", v),
            Value::Histogram { histogram, exemplar } => {
                self.durations(series, histogram, *exemplar);
            }
            Value::Depth(depth) => self.depths(series, depth),
            _ => {}
        }
    }

    fn durations(
        &mut self,
        series: Series<'_>,
        histogram: &Histogram,
        exemplar: Option<&Exemplar>,
    ) {
        let with_exemplars = self.dialect == Dialect::OpenMetrics;
        let mut exemplar = exemplar.filter(|e| with_exemplars && e.span.is_linkable());
        let (start, count) = (series.bucket(), histogram.count());
        for (at, below) in histogram.classic().into_iter().enumerate() {
            let (ns, bound) = &self.bounds[at];
            bucket(&mut self.out, &start, bound, below, exemplar.take_if(|e| e.ns <= *ns));
        }
        bucket(&mut self.out, &start, INFINITE, count, exemplar);
        self.sample(series, "_sum", &crate::seconds(histogram.sum_ns()));
        self.sample(series, "_count", &count);
    }

    fn depths(&mut self, series: Series<'_>, depth: &DepthHistogram) {
        let start = series.bucket();
        for (bound, below) in self.depth_bounds.iter().zip(depth.cumulative) {
            bucket(&mut self.out, &start, bound, below, None);
        }
        bucket(&mut self.out, &start, INFINITE, depth.count, None);
        self.sample(series, "_sum", &depth.sum);
        self.sample(series, "_count", &depth.count);
    }

    fn sample(&mut self, Series { name, labels }: Series<'_>, suffix: &str, value: &dyn Display) {
        self.out.push_str(name);
        self.out.push_str(suffix);
        if !labels.is_empty() {
            for part in ["{", labels, "}"] {
                self.out.push_str(part);
            }
        }
        self.write(format_args!(" {value}\n"));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(text);
    }
}

impl Series<'_> {
    /// What all buckets of a histogram begin with.
    fn bucket(&self) -> String {
        let Self { name, labels } = self;
        let comma = if labels.is_empty() { "" } else { "," };
        [name, "_bucket{", labels, comma, "le=\""].concat()
    }
}

fn bucket(out: &mut String, start: &str, bound: &str, count: u64, exemplar: Option<&Exemplar>) {
    for part in [start, bound, "\"} "] {
        out.push_str(part);
    }
    // Writing to a string cannot fail.
    let _ = write!(out, "{count}");
    if let Some(Exemplar { ns, unix_ns, span, .. }) = exemplar {
        let (value, s, ns) =
            (crate::seconds(*ns), unix_ns / 1_000_000_000, unix_ns % 1_000_000_000);
        let (trace, span) = (span.trace_id, span.span_id);
        let _ = write!(
            out,
            " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} {value} {s}.{ns:09}"
        );
    }
    out.push('\n');
}

/// Text with its special characters escaped; `quotes` says whether the quote is one of them.
fn escaped(text: &str, quotes: bool) -> Cow<'_, str> {
    let special = |c| matches!(c, b'\\' | b'\n') || (quotes && c == b'"');
    if !text.bytes().any(special) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    Cow::Owned(if quotes { text.replace('"', "\\\"") } else { text })
}

/// The bucket above all bounds.
const INFINITE: &str = "+Inf";

/// A bucket limit in the canonical spelling of OpenMetrics, which is also what Prometheus makes of
/// any other spelling: `1.0`, `0.0005`, `5e-06`.
struct Bound(f64);

impl Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(bound) = self;
        if *bound >= 1e-4 {
            return write!(f, "{bound:?}");
        }
        let shortest = format!("{bound:e}");
        let (digits, exponent) = shortest.split_once("e-").unwrap_or((&shortest, "0"));
        write!(f, "{digits}e-{exponent:0>2}")
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
