//! Runs the queries of a panel as the panel says: at one moment, or over the whole range.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use integration_tests::Promql;
use integration_tests::dashboards::{Dashboard, Panel, Substitution, Target};
use integration_tests::promql::{ExemplarSeries, Labels, Sample, Series};

use super::look;
use super::page::Mark;

/// The range that is drawn, in Unix seconds, with a value every `step`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) end: f64,
    pub(super) length: Duration,
    pub(super) step: Duration,
}

/// What Prometheus said to one query.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) target: &'a Target,
    pub(super) data: Data,
    /// Points that lead to traces.
    pub(super) exemplars: Vec<ExemplarSeries>,
}

#[derive(Debug)]
pub(super) enum Data {
    Now(Vec<Sample>),
    Over(Vec<Series>),
}

impl Window {
    pub(super) fn start(&self) -> f64 {
        self.end - self.length.as_secs_f64()
    }

    /// Which of the values drawn is that of `time`; none outside the range.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small positive number"
    )]
    pub(super) fn index(&self, time: f64) -> Option<usize> {
        let index = ((time - self.start()) / self.step.as_secs_f64()).round();
        (index >= 0.0 && index < self.count() as f64).then_some(index as usize)
    }

    pub(super) fn count(&self) -> usize {
        let steps = self.length.as_millis() / self.step.as_millis().max(1);
        usize::try_from(steps).unwrap_or_default() + 1
    }

    /// When each of the values drawn is, in milliseconds.
    pub(super) fn times(&self) -> Vec<f64> {
        let time = |index| (self.start() + index as f64 * self.step.as_secs_f64()) * 1000.0;
        (0..self.count()).map(time).collect()
    }
}

impl Answer<'_> {
    pub(super) fn samples(&self) -> Result<&[Sample]> {
        match &self.data {
            Data::Now(samples) => Ok(samples),
            Data::Over(_) => {
                bail!("`{}` asks for a range, the panel shows one moment", self.name())
            }
        }
    }

    pub(super) fn series(&self) -> Result<&[Series]> {
        match &self.data {
            Data::Over(series) => Ok(series),
            Data::Now(_) => bail!("`{}` asks for one moment, the panel shows a range", self.name()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.target.ref_id
    }

    /// What the legend calls a series.
    pub(super) fn legend(&self, labels: &Labels) -> String {
        legend(&self.target.legend_format, labels)
    }
}

/// `template` with every `{{label}}` replaced.
fn legend(template: &str, labels: &Labels) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        text.push_str(labels.get(name.trim()).map_or("", String::as_str));
        text.push_str(rest);
    }
    text
}

/// The answers to all queries of a panel.
pub(super) async fn ask<'a>(
    promql: &Promql,
    panel: &'a Panel,
    values: &Substitution,
    window: &Window,
) -> Result<Vec<Answer<'a>>> {
    let mut answers = Vec::new();
    for target in &panel.targets {
        let query = values.expand(&target.expr)?;
        let data = match (target.instant, target.range) {
            (true, false) => Data::Now(promql.instant(&query).await?),
            (false, true) => Data::Over(promql.range(&query, window.length, window.step).await?),
            _ => bail!("`{}` asks for one moment and a range at once", target.ref_id),
        };
        let exemplars = match target.exemplar {
            true => promql.exemplars(&query, window.length).await?,
            false => Vec::new(),
        };
        answers.push(Answer { target, data, exemplars });
    }
    Ok(answers)
}

/// Where the board's marks begin.
pub(super) async fn marks(
    promql: &Promql,
    board: &Dashboard,
    values: &Substitution,
    window: &Window,
) -> Result<Vec<Mark>> {
    let mut marks = Vec::new();
    for annotation in &board.annotations.list {
        let color = look::named(&annotation.icon_color)?;
        let query = values.expand(&annotation.target.expr)?;
        let series = promql.range(&query, window.length, window.step).await;
        for series in series.with_context(|| annotation.name.clone())? {
            let text = legend(&annotation.title_format, &series.labels);
            let mut before = None;
            for (time, _) in series.floats {
                // A mark is where the values begin, not each of them.
                let is_begin = before.is_none_or(|it| time - it > 1.5 * window.step.as_secs_f64());
                if is_begin {
                    marks.push(Mark { time: time * 1000.0, color, text: text.clone() });
                }
                before = Some(time);
            }
        }
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_takes_its_labels_and_leaves_out_what_is_missing() {
        let labels = Labels::from([("a".to_owned(), "x".to_owned())]);
        assert_eq!(legend("{{a}} by {{ a }}, {{b}}.", &labels), "x by x, .");
        assert_eq!(legend("total", &labels), "total");
    }

    #[test]
    fn a_time_is_found_in_its_window_and_nowhere_else() {
        let second = Duration::from_secs(1);
        let window = Window { end: 100.0, length: 10 * second, step: second };
        assert_eq!((window.start(), window.count()), (90.0, 11));
        assert_eq!(window.index(90.0), Some(0));
        assert_eq!(window.index(99.9), Some(10));
        assert_eq!(window.index(89.0), None);
        assert_eq!(window.index(101.0), None);
        assert_eq!(window.times()[10], 100_000.0);
    }
}
