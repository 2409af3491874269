//! PromQL made of the instruments of the name table. A histogram of durations is asked for in both
//! forms at once, `classic or native`: the two sides have equal labels, so a Prometheus that stores
//! both counts nothing twice, and one that stores either gives the same figure.

use plock_semconv::attributes::{LOCK_HOLDER, LOCK_WAITER, UNKNOWN};
use plock_semconv::{Instrument, InstrumentKind, label_name};

/// What all selectors of a page or of the rules have in common.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    matchers: Vec<String>,
    window: String,
}

/// A metric with its matchers, ready to be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    name: String,
    matchers: Vec<String>,
    window: String,
    function: &'static str,
    is_native_too: bool,
}

impl Scope {
    /// A dashboard: follows the chosen job and instance, rates follow the resolution.
    pub(crate) fn board() -> Self {
        let matchers = ["job", "instance"].map(|label| format!("{label}=~\"${label}\""));
        Self { matchers: matchers.to_vec(), window: "$__rate_interval".to_owned() }
    }

    /// Rules: the matchers of the user, if any.
    pub(crate) fn rules(selector: &str, window: &str) -> Self {
        let matchers = (!selector.is_empty()).then(|| selector.to_owned());
        Self { matchers: matchers.into_iter().collect(), window: window.to_owned() }
    }

    /// Also follows the dashboard's variable `variable`.
    pub(crate) fn follow(mut self, key: &str, variable: &str) -> Self {
        self.matchers.push(format!("{}=~\"${variable}\"", label_name(key)));
        self
    }

    /// The same over another window.
    pub(crate) fn over(&self, window: &str) -> Self {
        Self { window: window.to_owned(), ..self.clone() }
    }

    pub(crate) fn of(&self, instrument: &Instrument) -> Metric {
        let is_duration = instrument.kind == InstrumentKind::Histogram && instrument.unit == "s";
        let is_direct = plock_semconv::metrics::ALL.iter().any(|it| it.name == instrument.name);
        Metric {
            is_native_too: is_duration && is_direct,
            ..self.named(&instrument.prometheus_name())
        }
    }

    /// A metric that is not plock's own: recorded by a rule or told by the collector.
    pub(crate) fn named(&self, name: &str) -> Metric {
        Metric {
            name: name.to_owned(),
            matchers: self.matchers.clone(),
            window: self.window.clone(),
            function: "rate",
            is_native_too: false,
        }
    }
}

impl Metric {
    pub(crate) fn is(&self, key: &str, value: &str) -> Self {
        self.matching(key, "=", value)
    }

    pub(crate) fn is_not(&self, key: &str, value: &str) -> Self {
        self.matching(key, "!=", value)
    }

    pub(crate) fn is_one_of(&self, key: &str, values: &[&str]) -> Self {
        self.matching(key, "=~", &values.join("|"))
    }

    fn matching(&self, key: &str, operator: &str, value: &str) -> Self {
        let mut chosen = self.clone();
        chosen.matchers.push(format!("{}{operator}\"{value}\"", label_name(key)));
        chosen
    }

    /// Counts over the window in place of rates per second.
    pub(crate) fn total(&self) -> Self {
        Self { function: "increase", ..self.clone() }
    }

    /// The selector alone: the value now.
    pub(crate) fn now(&self) -> String {
        self.part("", None)
    }

    /// The mean of a recorded figure over `window`.
    pub(crate) fn average(&self, window: &str) -> String {
        format!("avg_over_time({}[{window}])", self.now())
    }

    /// The growth of a counter.
    pub(crate) fn rate(&self) -> String {
        self.growth("", None)
    }

    /// Where a counter of rare events grew within the window, or was above 0 when it began there: what
    /// a process counts before the first look at it is no growth.
    pub(crate) fn happened(&self, keys: &[&str]) -> String {
        let grown = sum(keys, &self.total().rate());
        let now = self.now();
        let begun = sum(keys, &format!("({now} unless {now} offset {})", self.window));
        format!("({grown} > 0) or ({begun} > 0)")
    }

    /// Observations of a histogram.
    pub(crate) fn count(&self, keys: &[&str]) -> String {
        let classic = sum(keys, &self.growth("_count", None));
        self.both(classic, || format!("histogram_count({})", sum(keys, &self.growth("", None))))
    }

    /// Sum of the observations of a histogram.
    pub(crate) fn sum(&self, keys: &[&str]) -> String {
        let classic = sum(keys, &self.growth("_sum", None));
        self.both(classic, || format!("histogram_sum({})", sum(keys, &self.growth("", None))))
    }

    /// Observations above `bound`, a limit of the classic buckets.
    pub(crate) fn above(&self, bound: f64, keys: &[&str]) -> String {
        let below = sum(keys, &self.growth("_bucket", Some(&bound_matcher(bound))));
        let classic = format!("{} - {below}", sum(keys, &self.growth("_count", None)));
        self.both(classic, || {
            let native = sum(keys, &self.growth("", None));
            format!("histogram_count({native}) * histogram_fraction({bound}, +Inf, {native})")
        })
    }

    pub(crate) fn quantile(&self, quantile: f64, keys: &[&str]) -> String {
        let with_bound: Vec<_> = std::iter::once("le").chain(keys.iter().copied()).collect();
        let buckets = sum(&with_bound, &self.growth("_bucket", None));
        self.both(format!("histogram_quantile({quantile}, {buckets})"), || {
            format!("histogram_quantile({quantile}, {})", sum(keys, &self.growth("", None)))
        })
    }

    /// All observations by bucket. Here `or` would mix the forms where both are stored.
    pub(crate) fn buckets(&self) -> String {
        let classic = sum(&["le"], &self.growth("_bucket", None));
        if !self.is_native_too {
            return classic;
        }
        let native = sum(&[], &self.growth("", None));
        format!("({classic} unless on () {native}) or {native}")
    }

    fn both(&self, classic: String, native: impl FnOnce() -> String) -> String {
        if self.is_native_too { format!("({classic} or {})", native()) } else { classic }
    }

    fn growth(&self, suffix: &str, extra: Option<&str>) -> String {
        format!("{}({}[{}])", self.function, self.part(suffix, extra), self.window)
    }

    fn part(&self, suffix: &str, extra: Option<&str>) -> String {
        let matchers: Vec<_> = self.matchers.iter().map(String::as_str).chain(extra).collect();
        if matchers.is_empty() {
            return format!("{}{suffix}", self.name);
        }
        format!("{}{suffix}{{{}}}", self.name, matchers.join(", "))
    }
}

/// `sum by (keys) (vector)`.
pub(crate) fn sum(keys: &[&str], vector: &str) -> String {
    aggregate("sum", keys, vector)
}

/// `max by (keys) (vector)`.
pub(crate) fn max(keys: &[&str], vector: &str) -> String {
    aggregate("max", keys, vector)
}

fn aggregate(operator: &str, keys: &[&str], vector: &str) -> String {
    if keys.is_empty() {
        return format!("{operator}({vector})");
    }
    format!("{operator} by ({}) ({vector})", labels(keys))
}

/// Labels of attribute keys, as in `on (…)`.
pub(crate) fn labels(keys: &[&str]) -> String {
    keys.iter().map(|key| label_name(key)).collect::<Vec<_>>().join(", ")
}

/// `part / whole` where there is a whole: no division by zero.
pub(crate) fn share(part: &str, whole: &str) -> String {
    format!("{part} / ({whole} > 0)")
}

/// Of the open waits `edges` those whose holder has a name.
pub(crate) fn named_holders(edges: &Metric) -> String {
    edges.is_not(LOCK_HOLDER, UNKNOWN).now()
}

/// What blocks others and is not blocked itself: the open waits `chosen`, summed by holder, unless
/// the holder waits in any of `all`. The instance stays in, or equal names in two processes cancel
/// each other.
pub(crate) fn roots(chosen: &str, all: &Metric) -> String {
    let holders = ["job", "instance", LOCK_HOLDER];
    let waiters = ["job", "instance", LOCK_WAITER];
    format!(
        "({} unless on ({}) label_replace({}, \"{}\", \"$1\", \"{}\", \"(.*)\"))",
        sum(&holders, chosen),
        labels(&holders),
        sum(&waiters, &all.now()),
        label_name(LOCK_HOLDER),
        label_name(LOCK_WAITER),
    )
}

/// Only where there is a number: a quantile of no observations is none, and a table would show it.
pub(crate) fn known(figure: &str) -> String {
    format!("{figure} >= 0")
}

/// 0 where nothing is found: a healthy service has no series to show.
pub(crate) fn or_zero(query: &str) -> String {
    format!("{query} or vector(0)")
}

/// A whole number is `1` when pushed and `1.0` when scraped.
fn bound_matcher(bound: f64) -> String {
    if bound.fract() == 0.0 { format!("le=~\"{bound}(.0)?\"") } else { format!("le=\"{bound}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plock_semconv::attributes::LOCK_NAME;
    use plock_semconv::{derived, metrics};

    #[test]
    fn durations_are_asked_for_in_both_forms() {
        let wait = Scope::rules("", "5m").of(&metrics::WAIT_DURATION);
        assert_eq!(
            wait.count(&[LOCK_NAME]),
            "(sum by (lock_name) (rate(plock_wait_duration_seconds_count[5m])) or \
             histogram_count(sum by (lock_name) (rate(plock_wait_duration_seconds[5m]))))"
        );
        assert_eq!(
            wait.total().above(0.5, &[]),
            "(sum(increase(plock_wait_duration_seconds_count[5m])) - \
             sum(increase(plock_wait_duration_seconds_bucket{le=\"0.5\"}[5m])) or \
             histogram_count(sum(increase(plock_wait_duration_seconds[5m]))) * \
             histogram_fraction(0.5, +Inf, sum(increase(plock_wait_duration_seconds[5m]))))"
        );
    }

    #[test]
    fn what_is_never_native_is_asked_for_in_one_form() {
        let scope = Scope::rules("a=\"b\"", "5m");
        for instrument in [&metrics::NESTING_DEPTH, &derived::REQUEST_WAIT_TIME] {
            let name = instrument.prometheus_name();
            let expected = format!("sum(rate({name}_count{{a=\"b\"}}[5m]))");
            assert_eq!(scope.of(instrument).count(&[]), expected);
        }
    }

    #[test]
    fn the_bound_of_a_whole_number_has_two_spellings() {
        let above = Scope::rules("", "5m").of(&metrics::NESTING_DEPTH).above(1.0, &[]);
        assert!(above.contains("le=~\"1(.0)?\""), "{above}");
    }
}
