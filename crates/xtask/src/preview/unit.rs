//! Grafana's units, as far as the boards use them: how a number reads, and what an axis counts in.

use anyhow::{Result, bail};
use serde::Serialize;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    Seconds,
    /// Of one, shown as per cent.
    Share,
    /// Per second, of what is named.
    Rate(&'static str),
}

/// What the labels of an axis count in: `value / size`, followed by `suffix`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Axis {
    size: f64,
    suffix: String,
}

#[derive(Clone, Copy, Debug)]
struct Scale {
    size: f64,
    suffix: &'static str,
}

const TIMES: [Scale; 7] = [
    Scale { size: 1e-9, suffix: " ns" },
    Scale { size: 1e-6, suffix: " µs" },
    Scale { size: 1e-3, suffix: " ms" },
    Scale { size: 1.0, suffix: " s" },
    Scale { size: 60.0, suffix: " min" },
    Scale { size: 3600.0, suffix: " h" },
    Scale { size: 86_400.0, suffix: " d" },
];

const COUNTS: [Scale; 4] = [
    Scale { size: 1.0, suffix: "" },
    Scale { size: 1e3, suffix: " K" },
    Scale { size: 1e6, suffix: " Mil" },
    Scale { size: 1e9, suffix: " Bil" },
];

impl Unit {
    /// The unit that Grafana calls `name`.
    pub(super) fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "short" => Self::Count,
            "s" => Self::Seconds,
            "percentunit" => Self::Share,
            "ops" => Self::Rate(" ops/s"),
            "reqps" => Self::Rate(" req/s"),
            "cps" => Self::Rate(" c/s"),
            other => bail!("the preview does not know the unit `{other}`"),
        })
    }

    /// The number as a reader sees it: three digits and the unit.
    pub(super) fn text(self, value: f64) -> String {
        if value.is_nan() {
            return "NaN".to_owned();
        }
        if value.is_infinite() {
            return if value > 0.0 { "∞".to_owned() } else { "-∞".to_owned() };
        }
        let Scale { size, suffix } = self.scale(value);
        format!("{}{suffix}{}", digits(value / size), self.per_second())
    }

    /// What an axis up to `most` counts in.
    pub(super) fn axis(self, most: f64) -> Axis {
        // Thousands read well as they are next to hundreds.
        let fits = if matches!(self, Self::Count | Self::Rate(_)) { most / 10.0 } else { most };
        let Scale { size, suffix } = self.scale(fits);
        Axis { size, suffix: format!("{suffix}{}", self.per_second()) }
    }

    const fn per_second(self) -> &'static str {
        if let Self::Rate(what) = self { what } else { "" }
    }

    /// What a number of that size is told in.
    fn scale(self, most: f64) -> Scale {
        let scales: &[Scale] = match self {
            Self::Share => return Scale { size: 0.01, suffix: "%" },
            Self::Seconds => &TIMES,
            Self::Count | Self::Rate(_) => &COUNTS,
        };
        // Nothing is not a nanosecond, and the smallest scale takes what is below it.
        let base = if self == Self::Seconds { TIMES[3] } else { COUNTS[0] };
        if most == 0.0 {
            return base;
        }
        let fits = scales.iter().rfind(|scale| most.abs() >= scale.size * 0.999_5);
        *fits.unwrap_or(&scales[0])
    }
}

/// Three significant digits without zeros at the end, and never fewer than all before the point.
fn digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    // As many decimals as make three digits: 0 for 123, 2 for 1.23, 4 for 0.0123.
    let decimals = (0..9).find(|it| value.abs() * 10_f64.powi(*it) >= 99.95).unwrap_or(9);
    let text = format!("{value:.*}", usize::try_from(decimals).unwrap_or_default());
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(unit: &str, value: f64, text: &str) {
        assert_eq!(Unit::named(unit).unwrap().text(value), text);
    }

    #[test]
    fn seconds_are_told_in_what_fits() {
        check("s", 0.0012, "1.2 ms");
        check("s", 0.000_000_045, "45 ns");
        check("s", 0.000_000_000_5, "0.5 ns");
        check("s", 0.999_9, "1 s");
        check("s", 12.345, "12.3 s");
        check("s", 90.0, "1.5 min");
        check("s", 7200.0, "2 h");
        check("s", 259_200.0, "3 d");
        check("s", 0.0, "0 s");
        check("s", f64::INFINITY, "∞");
        check("s", f64::NAN, "NaN");
    }

    #[test]
    fn counts_and_shares_keep_three_digits() {
        check("short", 0.012_34, "0.0123");
        check("short", 1234.0, "1.23 K");
        check("short", 999.0, "999");
        check("short", 100.0, "100");
        check("percentunit", 0.4567, "45.7%");
        check("percentunit", 1.0, "100%");
        check("ops", 1530.0, "1.53 K ops/s");
        check("reqps", 149.6, "150 req/s");
        check("cps", 0.5, "0.5 c/s");
    }

    #[test]
    fn an_unknown_unit_is_an_error() {
        let error = Unit::named("furlong").unwrap_err();
        assert_eq!(error.to_string(), "the preview does not know the unit `furlong`");
    }

    #[test]
    fn an_axis_counts_in_what_fits_its_top() {
        let check = |unit: Unit, most: f64, size: f64, suffix: &str| {
            assert_eq!(unit.axis(most), Axis { size, suffix: suffix.to_owned() });
        };
        check(Unit::Seconds, 0.025, 1e-3, " ms");
        check(Unit::Seconds, 0.0, 1.0, " s");
        check(Unit::Share, 0.5, 0.01, "%");
        check(Unit::Count, 9_000.0, 1.0, "");
        check(Unit::Rate(" ops/s"), 12_000.0, 1e3, " K ops/s");
    }
}
