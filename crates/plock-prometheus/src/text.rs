//! The two text formats. They differ in the header lines, in the exemplars and in the end mark.

use plock_core::{CLASSIC_BOUNDS_NS, Exemplar, Histogram};
use plock_semconv::{DepthHistogram, Family, InstrumentKind, Point, Value, label_name, metrics};
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
    let mut out = Encoder { out: String::with_capacity(64 * 1024), dialect };
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
}

impl Encoder {
    fn family(&mut self, family: &Family<'_>) {
        let instrument = family.instrument;
        let kind = match instrument.kind {
            InstrumentKind::Counter => "counter",
            InstrumentKind::Histogram => "histogram",
            _ => "gauge",
        };
        let series = instrument.prometheus_name();
        match self.dialect {
            Dialect::Text => {
                self.header("HELP", &series, &Escaped(instrument.help, false));
                self.header("TYPE", &series, &kind);
            }
            Dialect::OpenMetrics => {
                let name = instrument.openmetrics_name();
                self.header("TYPE", &name, &kind);
                if let Some(unit) = instrument.prometheus_unit() {
                    self.header("UNIT", &name, &unit);
                }
                self.header("HELP", &name, &Escaped(instrument.help, true));
            }
        }
        for point in &family.points {
            self.point(&series, point);
        }
    }

    fn header(&mut self, keyword: &str, name: &str, text: &dyn Display) {
        self.write(format_args!("# {keyword} {name} {text}\n"));
    }

    fn point(&mut self, series: &str, point: &Point<'_>) {
        let mut labels = String::new();
        for (key, value) in point.attributes() {
            let comma = if labels.is_empty() { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(labels, "{comma}{}=\"{}\"", label_name(key), Escaped(value, true));
        }
        match &point.value {
            Value::Count(n) => self.sample(series, "", &labels, n),
            Value::Seconds(v) | Value::Gauge(v) => self.sample(series, "", &labels, v),
            Value::Histogram { histogram, exemplar } => {
                self.durations(series, &labels, histogram, *exemplar);
            }
            Value::Depth(depth) => self.depths(series, &labels, depth),
            _ => {}
        }
    }

    fn durations(
        &mut self,
        series: &str,
        labels: &str,
        histogram: &Histogram,
        exemplar: Option<&Exemplar>,
    ) {
        let with_exemplars = self.dialect == Dialect::OpenMetrics;
        let mut exemplar = exemplar.filter(|e| with_exemplars && e.span.is_linkable());
        let bounds = CLASSIC_BOUNDS_NS.map(|ns| (ns, Bound(crate::seconds(ns))));
        for ((ns, bound), count) in bounds.iter().zip(histogram.classic()) {
            self.bucket(series, labels, bound, count, exemplar.take_if(|e| e.ns <= *ns));
        }
        self.bucket(series, labels, &Bound(f64::INFINITY), histogram.count(), exemplar);
        self.sample(series, "_sum", labels, &crate::seconds(histogram.sum_ns()));
        self.sample(series, "_count", labels, &histogram.count());
    }

    fn depths(&mut self, series: &str, labels: &str, depth: &DepthHistogram) {
        for (bound, count) in metrics::DEPTH_BOUNDS.iter().zip(depth.cumulative) {
            self.bucket(series, labels, &Bound(crate::number(*bound)), count, None);
        }
        self.bucket(series, labels, &Bound(f64::INFINITY), depth.count, None);
        self.sample(series, "_sum", labels, &depth.sum);
        self.sample(series, "_count", labels, &depth.count);
    }

    fn bucket(
        &mut self,
        series: &str,
        labels: &str,
        bound: &Bound,
        count: u64,
        exemplar: Option<&Exemplar>,
    ) {
        let comma = if labels.is_empty() { "" } else { "," };
        self.write(format_args!("{series}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}"));
        if let Some(Exemplar { ns, unix_ns, span, .. }) = exemplar {
            let (value, s, ns) =
                (crate::seconds(*ns), unix_ns / 1_000_000_000, unix_ns % 1_000_000_000);
            let (trace, span) = (span.trace_id, span.span_id);
            self.write(format_args!(
                " # {{trace_id=\"{trace:032x}\",span_id=\"{span:016x}\"}} {value} {s}.{ns:09}"
            ));
        }
        self.out.push('\n');
    }

    fn sample(&mut self, series: &str, suffix: &str, labels: &str, value: &dyn Display) {
        if labels.is_empty() {
            self.write(format_args!("{series}{suffix} {value}\n"));
        } else {
            self.write(format_args!("{series}{suffix}{{{labels}}} {value}\n"));
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(text);
    }
}

/// Text with its special characters escaped; the flag says whether the quote is one of them.
struct Escaped<'a>(&'a str, bool);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(text, quotes) = self;
        let mut rest = *text;
        while let Some(at) = rest.find(|c| matches!(c, '\\' | '\n') || (*quotes && c == '"')) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'\\' => "\\\\",
                b'\n' => "\\n",
                _ => "\\\"",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// A bucket limit in the canonical spelling of OpenMetrics, which is also what Prometheus makes of
/// any other spelling: `1.0`, `0.0005`, `5e-06`, `+Inf`.
struct Bound(f64);

impl Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(bound) = self;
        if bound.is_infinite() {
            return f.write_str("+Inf");
        }
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
