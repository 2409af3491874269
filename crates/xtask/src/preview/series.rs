//! Series over time: as lines with a legend, and as lanes of states.

use anyhow::{Context, Result, bail};
use integration_tests::dashboards::Panel;
use integration_tests::promql::{ExemplarSeries, Series};

use super::answer::{Answer, Window};
use super::look::{Look, PALETTE};
use super::page::{Drawing, Lane, Line, Lines, Span, State};

/// What a legend tells of each series.
#[derive(Clone, Copy, Debug)]
enum Calculation {
    Max,
    Last,
}

/// Lines over time, the highest first.
pub(super) fn lines(
    panel: &Panel,
    look: &Look<'_>,
    answers: &[Answer<'_>],
    window: &Window,
) -> Result<Option<Drawing>> {
    let options = panel.options.as_ref().context("no options")?;
    let calculations = options["legend"]["calcs"].as_array().context("a legend without figures")?;
    let calculations = calculations.iter().map(|it| Calculation::named(it.as_str().unwrap_or("")));
    let calculations = calculations.collect::<Result<Vec<_>>>()?;
    let mut series: Vec<Line> = Vec::new();
    for answer in answers {
        for one in answer.series()? {
            let values = aligned(one, window);
            let figure = |it: &Calculation| it.of(&values).map(|value| look.unit.text(value));
            let calculated = calculations.iter().map(|it| figure(it).unwrap_or_default()).collect();
            let color = PALETTE[series.len() % PALETTE.len()];
            series.push(Line { name: answer.legend(&one.labels), color, values, calculated });
        }
    }
    series.retain(|line| line.values.iter().any(Option::is_some));
    let most = |line: &Line| Calculation::Max.of(&line.values).unwrap_or_default();
    series.sort_by(|a, b| most(b).total_cmp(&most(a)));
    let custom = &look.defaults.custom;
    let stacked = custom["stacking"]["mode"] == "normal";
    let top = if stacked { top_of_stack(&series) } else { series.first().map_or(0.0, most) };
    let levels = match custom["thresholdsStyle"]["mode"].as_str() {
        Some("off") => Vec::new(),
        Some("dashed") => look.levels.iter().filter(|it| it.value.is_some()).cloned().collect(),
        other => bail!("the preview does not know thresholds drawn as {other:?}"),
    };
    let (min, max) = (look.defaults.min, look.defaults.max);
    let points: Vec<_> =
        answers.iter().flat_map(|answer| points(&answer.exemplars, window)).collect();
    let top = points.iter().map(|it| it.1).fold(top, f64::max);
    let is_empty = series.is_empty();
    let lines = Lines {
        series,
        calculations: calculations.iter().map(|it| it.title()).collect(),
        axis: look.unit.axis(max.unwrap_or(top)),
        min,
        max,
        stacked,
        levels,
        points,
    };
    Ok((!is_empty).then_some(Drawing::Lines(lines)))
}

/// The states of each series; neighbours on the same level of the thresholds are one state.
pub(super) fn lanes(
    look: &Look<'_>,
    answers: &[Answer<'_>],
    window: &Window,
) -> Result<Option<Drawing>> {
    let states: Vec<_> = (0..look.levels.len()).map(|level| state(look, level)).collect();
    let mut lanes = Vec::new();
    for answer in answers {
        for one in answer.series()? {
            let levels = aligned(one, window);
            let levels: Vec<_> = levels.iter().map(|it| it.map(|it| look.level(it))).collect();
            let spans = spans(&levels, &states);
            if !spans.is_empty() {
                lanes.push(Lane { name: answer.legend(&one.labels), spans });
            }
        }
    }
    Ok((!lanes.is_empty()).then_some(Drawing::Lanes { lanes, states }))
}

fn spans(levels: &[Option<usize>], states: &[State]) -> Vec<Span> {
    let count = levels.len() as f64;
    let mut spans = Vec::new();
    let mut from = 0;
    for chunk in levels.chunk_by(|a, b| a == b) {
        let to = from + chunk.len();
        if let Some(level) = chunk[0] {
            let (from, to) = (from as f64 / count, to as f64 / count);
            spans.push(Span { from, to, state: states[level].clone() });
        }
        from = to;
    }
    spans
}

/// What a level is called: by its limits.
fn state(look: &Look<'_>, level: usize) -> State {
    let limit = |level: usize| look.levels.get(level)?.value.map(|it| look.unit.text(it));
    let text = match (limit(level), limit(level + 1)) {
        (None, None) => "-∞+".to_owned(),
        (None, Some(below)) => format!("< {below}"),
        (Some(from), None) => format!("{from}+"),
        (Some(from), Some(below)) => format!("{from} - {below}"),
    };
    State { text, color: look.levels[level].color }
}

/// One value for each time of the window; not a number is none.
fn aligned(series: &Series, window: &Window) -> Vec<Option<f64>> {
    let mut values = vec![None; window.count()];
    for (time, value) in &series.floats {
        if let Some(index) = window.index(*time) {
            values[index] = Some(*value).filter(|it| it.is_finite());
        }
    }
    values
}

/// Time in milliseconds and value of the points of the window.
pub(super) fn points<'a>(
    exemplars: &'a [ExemplarSeries],
    window: &'a Window,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let all = exemplars.iter().flat_map(|series| &series.exemplars);
    let within = all.filter(|point| window.index(point.timestamp).is_some());
    within.map(|point| (point.timestamp * 1000.0, point.value))
}

fn top_of_stack(series: &[Line]) -> f64 {
    let count = series.iter().map(|line| line.values.len()).max().unwrap_or_default();
    let sum = |index: usize| series.iter().filter_map(|line| line.values[index]).sum();
    (0..count).map(sum).fold(0.0, f64::max)
}

impl Calculation {
    fn named(name: &str) -> Result<Self> {
        match name {
            "max" => Ok(Self::Max),
            "lastNotNull" => Ok(Self::Last),
            other => bail!("the preview does not know the figure `{other}` of a legend"),
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Max => "Max",
            Self::Last => "Last",
        }
    }

    fn of(self, values: &[Option<f64>]) -> Option<f64> {
        let mut values = values.iter().copied().flatten();
        match self {
            Self::Max => values.reduce(f64::max),
            Self::Last => values.next_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_level_are_one_span_and_gaps_stay() {
        let states = ["low", "high"].map(|it| State { text: it.to_owned(), color: "" });
        let spans = spans(&[Some(0), Some(0), None, Some(1)], &states);
        let expected = [
            Span { from: 0.0, to: 0.5, state: states[0].clone() },
            Span { from: 0.75, to: 1.0, state: states[1].clone() },
        ];
        assert_eq!(spans, expected);
    }

    #[test]
    fn figures_of_a_legend_leave_out_gaps() {
        let values = [None, Some(3.0), Some(1.0), None];
        assert_eq!(Calculation::Max.of(&values), Some(3.0));
        assert_eq!(Calculation::Last.of(&values), Some(1.0));
        assert_eq!(Calculation::Max.of(&[None]), None);
        assert!(Calculation::named("mean").is_err());
    }
}
