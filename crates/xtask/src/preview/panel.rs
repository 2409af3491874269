//! From a panel of the shipped JSON and its answers to what the page draws. A type, unit, setting or
//! transformation that is not known here is an error: nothing is left out in silence.

use anyhow::{Context, Result, bail, ensure};
use integration_tests::dashboards::Panel;

use super::answer::{Answer, Window};
use super::look::Look;
use super::page::{Bar, Drawing, Named};
use super::{graph, heat, series, table};

/// What a panel, or the head of a row, shows.
pub(super) fn drawing(panel: &Panel, answers: &[Answer<'_>], window: &Window) -> Result<Drawing> {
    if panel.kind == "row" {
        return Ok(Drawing::Row { closed: panel.collapsed == Some(true) });
    }
    let drawn = drawn(panel, answers, window);
    drawn.with_context(|| format!("panel `{}`", panel.title))
}

fn drawn(panel: &Panel, answers: &[Answer<'_>], window: &Window) -> Result<Drawing> {
    let look = Look::of(panel)?;
    let drawing = match panel.kind.as_str() {
        "stat" => stat(panel, &look, answers),
        "bargauge" => bars(panel, &look, answers),
        "table" => table::drawing(panel, &look, answers),
        "timeseries" => series::lines(panel, &look, answers, window),
        "state-timeline" => series::lanes(&look, answers, window),
        "heatmap" => heat::drawing(panel, answers, window),
        "nodeGraph" => graph::drawing(panel, answers),
        other => bail!("the preview does not know the panel type `{other}`"),
    };
    let nothing = || Drawing::Nothing { text: look.defaults.no_value.clone() };
    Ok(drawing?.unwrap_or_else(nothing))
}

fn stat(panel: &Panel, look: &Look<'_>, answers: &[Answer<'_>]) -> Result<Option<Drawing>> {
    let values: Vec<_> =
        newest(panel, look, answers)?.into_iter().map(|(named, _)| named).collect();
    Ok((!values.is_empty()).then_some(Drawing::Stat { values }))
}

fn bars(panel: &Panel, look: &Look<'_>, answers: &[Answer<'_>]) -> Result<Option<Drawing>> {
    let values = newest(panel, look, answers)?;
    let most = values.iter().map(|it| it.1).fold(0.0, f64::max);
    let bar = |(value, number)| Bar { value, share: if most > 0.0 { number / most } else { 0.0 } };
    let bars: Vec<_> = values.into_iter().map(bar).collect();
    Ok((!bars.is_empty()).then_some(Drawing::Bars { bars }))
}

/// The newest value of each series, as text and as a number.
fn newest(panel: &Panel, look: &Look<'_>, answers: &[Answer<'_>]) -> Result<Vec<(Named, f64)>> {
    let reduce = &panel.options.as_ref().context("no options")?["reduceOptions"]["calcs"];
    ensure!(*reduce == serde_json::json!(["lastNotNull"]), "values reduced by {reduce}");
    let mut values = Vec::new();
    for answer in answers {
        for sample in answer.samples()? {
            let number = sample.number();
            // Not a number counts as no value.
            if number.is_nan() {
                continue;
            }
            let name = answer.legend(&sample.labels);
            let (text, color) = (look.unit.text(number), look.color(number));
            values.push((Named { name, text, color }, number));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use integration_tests::dashboards::{Substitution, Target, shipped};
    use integration_tests::promql::{Labels, Sample, Series, Value};
    use serde_json::json;

    use super::super::answer::Data;
    use super::*;

    const WINDOW: Window =
        Window { end: 1_000_010.0, length: Duration::from_secs(10), step: Duration::from_secs(1) };

    /// Two series with all labels that any board names.
    fn answer<'a>(target: &'a Target, values: &[f64]) -> Answer<'a> {
        let names = ["lock_holder", "lock_waiter", "lock_name", "id", "source", "target", "color"];
        let labels = |nth: usize| -> Labels {
            let plain = names.iter().map(|name| ((*name).to_owned(), format!("{name} {nth}")));
            plain.chain([("le".to_owned(), format!("0.{}", nth + 1))]).collect()
        };
        let data = if target.instant {
            let sample = |(nth, value): (usize, &f64)| Sample {
                labels: labels(nth),
                value: Value::Float(*value),
            };
            Data::Now(values.iter().enumerate().map(sample).collect())
        } else {
            let floats = |value: &f64| vec![(1_000_003.0, *value), (1_000_004.0, *value)];
            let series = |(nth, value): (usize, &f64)| Series {
                labels: labels(nth),
                floats: floats(value),
                histograms: Vec::new(),
            };
            Data::Over(values.iter().enumerate().map(series).collect())
        };
        Answer { target, data, exemplars: Vec::new() }
    }

    #[test]
    fn every_panel_of_every_shipped_board_is_drawn_and_without_data_says_so() {
        for (path, board) in shipped().unwrap() {
            for panel in board.panels() {
                let answers = |values: &[f64]| -> Vec<_> {
                    panel.targets.iter().map(|target| answer(target, values)).collect()
                };
                let name = format!("{}: {}", path.display(), panel.title);
                let full = drawing(panel, &answers(&[1.0, 2.0]), &WINDOW);
                let full = full.unwrap_or_else(|error| panic!("{name}: {error:#}"));
                assert!(!matches!(full, Drawing::Nothing { .. }), "{name} stays empty");
                let text = match drawing(panel, &answers(&[]), &WINDOW).unwrap() {
                    Drawing::Nothing { text } => text,
                    other => panic!("{name} without data is {other:?}"),
                };
                assert_ne!(text, "", "{name} does not say what no data means");
            }
        }
    }

    #[test]
    fn every_query_of_every_shipped_board_has_a_value_for_its_variables() {
        for (path, board) in shipped().unwrap() {
            let values = Substitution::everything(&board, "15s");
            for expression in board
                .panels()
                .flat_map(|it| &it.targets)
                .map(|it| it.expr.as_str())
                .chain(board.annotations())
            {
                let expanded = values.expand(expression);
                let expanded = expanded.unwrap_or_else(|it| panic!("{}: {it:#}", path.display()));
                assert!(!expanded.contains("$job"), "{expanded}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_an_error_that_names_the_panel() {
        let (_, board) = shipped().unwrap().remove(0);
        let stat = board.panels().find(|it| it.kind == "stat").unwrap();
        let check = |change: fn(&mut Panel), message: &str| {
            let mut panel = stat.clone();
            panel.title = "T".to_owned();
            change(&mut panel);
            let error = drawing(&panel, &[], &WINDOW).unwrap_err();
            assert_eq!(format!("{error:#}"), format!("panel `T`: {message}"));
        };
        check(
            |panel| panel.kind = "piechart".to_owned(),
            "the preview does not know the panel type `piechart`",
        );
        check(
            |panel| panel.field_config.as_mut().unwrap().defaults.unit = "furlong".to_owned(),
            "the preview does not know the unit `furlong`",
        );
        check(
            |panel| panel.options.as_mut().unwrap()["reduceOptions"]["calcs"] = json!(["mean"]),
            "values reduced by [\"mean\"]",
        );
    }

    #[test]
    fn a_stat_has_the_colour_of_its_level_and_leaves_out_what_is_no_number() {
        let (_, board) = shipped().unwrap().remove(0);
        let mut panel = board.panels().find(|it| it.kind == "stat").unwrap().clone();
        let defaults = &mut panel.field_config.as_mut().unwrap().defaults;
        defaults.unit = "s".to_owned();
        defaults.thresholds.steps = serde_json::from_value(json!([
            {"color": "blue", "value": null}, {"color": "orange", "value": 0.5},
            {"color": "red", "value": 1.0},
        ]))
        .unwrap();
        let answers = [answer(&panel.targets[0], &[0.25, 0.5, f64::NAN, 3.0])];
        let Drawing::Stat { values } = drawing(&panel, &answers, &WINDOW).unwrap() else {
            panic!("not a stat");
        };
        let seen: Vec<_> = values.iter().map(|it| (it.text.as_str(), it.color)).collect();
        assert_eq!(seen, [("250 ms", "#5794f2"), ("500 ms", "#ff9830"), ("3 s", "#f2495c")]);
    }
}
