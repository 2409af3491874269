//! Time-lapse: rules and Alertmanager as they are shipped, with every duration in them divided by one
//! factor, so that an hour of alerting passes in minutes. Thresholds stay what they are.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// Divides what is in the groups of a rule file: intervals, delays, windows, offsets.
pub(super) fn rules(file: &mut Value, factor: u32) -> Result<()> {
    for group in file["groups"].as_array_mut().context("groups")? {
        shorten(&mut group["interval"], factor)?;
        for rule in group["rules"].as_array_mut().context("rules")? {
            let expr = expression(rule["expr"].as_str().context("expr")?, factor)?;
            rule["expr"] = json!(expr);
            for key in ["for", "keep_firing_for"] {
                if let Some(duration) = rule.get_mut(key) {
                    shorten(duration, factor)?;
                }
            }
        }
    }
    Ok(())
}

/// Divides how long a route of Alertmanager waits and when it repeats itself, and those below it.
pub(super) fn route(route: &mut Value, factor: u32) -> Result<()> {
    for key in ["group_wait", "group_interval", "repeat_interval"] {
        if let Some(duration) = route.get_mut(key) {
            shorten(duration, factor)?;
        }
    }
    let below = route.get_mut("routes").and_then(Value::as_array_mut);
    below.into_iter().flatten().try_for_each(|route| self::route(route, factor))
}

fn shorten(duration: &mut Value, factor: u32) -> Result<()> {
    *duration = json!(divided(duration.as_str().context("no duration")?, factor)?);
    Ok(())
}

/// Durations stand in brackets, two of them in a subquery, and after `offset`.
fn expression(expr: &str, factor: u32) -> Result<String> {
    let mut shortened = String::new();
    let mut rest = expr;
    let marks = ["[", "offset "];
    while let Some((at, mark)) =
        marks.iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min()
    {
        let (before, after) = rest.split_at(at + mark.len());
        let end = after.find(|it: char| !it.is_ascii_alphanumeric() && it != ':');
        let (durations, tail) = after.split_at(end.unwrap_or(after.len()));
        let divided: Result<Vec<_>> = durations.split(':').map(|it| divided(it, factor)).collect();
        shortened.push_str(before);
        shortened.push_str(&divided?.join(":"));
        rest = tail;
    }
    Ok(shortened + rest)
}

/// A duration of one unit in Prometheus' notation (`30s`, `10m`, `3h`, `1d`), divided.
pub(super) fn divided(duration: &str, factor: u32) -> Result<String> {
    let unit = duration.trim_start_matches(|it: char| it.is_ascii_digit());
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => bail!("`{duration}` is no duration of one unit"),
    };
    let number = duration.trim_end_matches(unit).parse::<u64>();
    let number = number.with_context(|| format!("`{duration}` is no duration"))?;
    Ok(format!("{}ms", (number * milliseconds / u64::from(factor)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_of_an_expression_is_divided_and_nothing_else() {
        let expr = "min_over_time(sum by (job) (a:rate5m{le=\"0.5\"})[10m:1m]) > 1.2 * \
                    rate(b_total[1d] offset 1h)";
        let expected = "min_over_time(sum by (job) (a:rate5m{le=\"0.5\"})[20000ms:2000ms]) > 1.2 * \
                        rate(b_total[2880000ms] offset 120000ms)";
        assert_eq!(expression(expr, 30).unwrap(), expected);
        assert!(expression("rate(a[$__rate_interval])", 30).is_err());
    }

    #[test]
    fn rules_and_routes_are_divided_whole() {
        let rule = json!({"alert": "A", "expr": "a > 5", "for": "30s", "keep_firing_for": "10m"});
        let mut file = json!({"groups": [{"name": "g", "interval": "15s", "rules": [rule]}]});
        rules(&mut file, 10).unwrap();
        let group = &file["groups"][0];
        assert_eq!(group["interval"], "1500ms");
        let expected =
            json!({"alert": "A", "expr": "a > 5", "for": "3000ms", "keep_firing_for": "60000ms"});
        assert_eq!(group["rules"][0], expected);

        let mut tree = json!({"group_wait": "30s", "routes": [{"repeat_interval": "1m"}]});
        route(&mut tree, 10).unwrap();
        let expected = json!({"group_wait": "3000ms", "routes": [{"repeat_interval": "6000ms"}]});
        assert_eq!(tree, expected);
    }
}
