//! What one metric is: name, unit, kind, help and labels, and how its OpenTelemetry name becomes
//! the Prometheus name.

/// One metric of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Instrument {
    /// OpenTelemetry name: dotted, without unit.
    pub name: &'static str,
    /// UCUM unit: `s`, a count such as `{lock}`, or empty.
    pub unit: &'static str,
    /// One sentence for the reader of a dashboard; ends without a full stop.
    pub help: &'static str,
    /// What kind of figure it is.
    pub kind: InstrumentKind,
    /// Attribute keys of its points, in the order the points have them.
    pub attributes: &'static [&'static str],
    /// Points vanish when what they describe is over. A push exporter has to say so (OTLP: one last
    /// point flagged "no recorded value"), or the last value lingers for the look-back time.
    pub transient: bool,
}

/// The kinds of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstrumentKind {
    /// Never falls; cumulative since process start.
    Counter,
    /// The present value.
    Gauge,
    /// A distribution; cumulative since process start.
    Histogram,
}

impl Instrument {
    /// The Prometheus name: of the series for a counter or gauge, and of the family for a
    /// histogram (its series add `_bucket`, `_sum` and `_count`).
    ///
    /// ```
    /// use plock_semconv::metrics;
    /// assert_eq!(metrics::BLOCKED_TIME.prometheus_name(), "plock_blocked_time_seconds_total");
    /// ```
    #[must_use]
    pub fn prometheus_name(&self) -> String {
        let family = self.openmetrics_name();
        match self.kind {
            InstrumentKind::Counter => family + "_total",
            InstrumentKind::Gauge | InstrumentKind::Histogram => family,
        }
    }

    /// The name of the family in the OpenMetrics format, where a counter's `_total` belongs to the
    /// series only.
    ///
    /// ```
    /// use plock_semconv::metrics;
    /// assert_eq!(metrics::BLOCKED_TIME.openmetrics_name(), "plock_blocked_time_seconds");
    /// ```
    #[must_use]
    pub fn openmetrics_name(&self) -> String {
        let separator = |c: char| !c.is_ascii_alphanumeric() && c != ':';
        let is_counter = self.kind == InstrumentKind::Counter;
        let mut words: Vec<&str> =
            self.name.split(separator).filter(|word| !word.is_empty()).collect();
        words.retain(|word| !(is_counter && *word == "total"));
        if let Some(unit) = self.prometheus_unit().filter(|unit| !words.contains(unit)) {
            words.push(unit);
        }
        words.join("_")
    }

    /// The unit as Prometheus spells it, `None` for counts and for figures without a unit.
    #[must_use]
    pub fn prometheus_unit(&self) -> Option<&'static str> {
        match self.unit {
            "s" => Some("seconds"),
            "By" => Some("bytes"),
            "1" if self.kind == InstrumentKind::Gauge => Some("ratio"),
            _ => None,
        }
    }
}

/// The Prometheus label for an attribute key: everything but letters, digits and `_` becomes `_`.
///
/// ```
/// assert_eq!(plock_semconv::label_name("lock.blocking.cause"), "lock_blocking_cause");
/// ```
#[must_use]
pub fn label_name(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(name: &'static str, unit: &'static str, kind: InstrumentKind) -> String {
        let (help, attributes, transient) = ("", &[][..], false);
        Instrument { name, unit, help, kind, attributes, transient }.prometheus_name()
    }

    #[test]
    fn the_translation_follows_the_otlp_rules() {
        use InstrumentKind::{Counter, Gauge, Histogram};
        assert_eq!(translated("a.b", "s", Gauge), "a_b_seconds");
        assert_eq!(translated("a.b", "By", Gauge), "a_b_bytes");
        assert_eq!(translated("a.b", "s", Counter), "a_b_seconds_total");
        assert_eq!(translated("a.b", "{thing}", Counter), "a_b_total", "braces are a comment");
        assert_eq!(translated("a.b", "1", Gauge), "a_b_ratio");
        assert_eq!(translated("a.b", "1", Counter), "a_b_total", "a ratio is never a counter");
        assert_eq!(translated("a.seconds", "s", Histogram), "a_seconds", "the unit is named once");
        assert_eq!(translated("a.seconds.b", "s", Histogram), "a_seconds_b", "wherever it stands");
        assert_eq!(translated("a.total.b", "", Counter), "a_b_total", "_total moves to the end");
        assert_eq!(translated("a..b_-c", "", Gauge), "a_b_c", "separators collapse");
    }
}
