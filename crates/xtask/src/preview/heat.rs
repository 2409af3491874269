//! Distributions over time, from histograms of either form.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use integration_tests::dashboards::Panel;
use integration_tests::promql::Series;

use super::answer::{Answer, Window};
use super::page::{Drawing, Heat};
use super::series::points;
use super::unit::Unit;

/// More rows than this are not told apart: neighbours are added up.
const ROWS: usize = 40;

/// How many per second, by time and upper limit of the bucket.
type Cells = BTreeMap<(usize, Limit), f64>;

/// The upper limit of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit(f64);

impl Eq for Limit {}

impl PartialOrd for Limit {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Limit {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

pub(super) fn drawing(
    panel: &Panel,
    answers: &[Answer<'_>],
    window: &Window,
) -> Result<Option<Drawing>> {
    let options = panel.options.as_ref().context("no options")?;
    ensure!(options["calculate"] == false, "the preview does not make buckets of plain values");
    let unit = Unit::named(options["yAxis"]["unit"].as_str().context("an axis without unit")?)?;
    let rate = Unit::named(options["cellValues"]["unit"].as_str().context("cells without unit")?)?;
    let least = options["filterValues"]["le"].as_f64().context("no least value")?;
    let mut cells = Cells::new();
    for answer in answers {
        add_classic(answer.series()?, window, &mut cells)?;
        add_native(answer.series()?, window, &mut cells)?;
    }
    cells.retain(|_, count| *count > least);
    let limits = limits(&cells);
    let row = |value: f64| limits.partition_point(|it| it.0 < value).min(limits.len() - 1);
    let mut rows: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for ((time, limit), count) in &cells {
        *rows.entry((*time, row(limit.0))).or_default() += count;
    }
    let most = rows.values().copied().fold(0.0, f64::max);
    if limits.is_empty() {
        return Ok(None);
    }
    let points = answers.iter().flat_map(|answer| points(&answer.exemplars, window));
    let points = points
        .filter_map(|(time, value)| Some((window.index(time / 1000.0)?, row(value))))
        .collect();
    Ok(Some(Drawing::Heat(Heat {
        buckets: limits.iter().map(|it| unit.text(it.0)).collect(),
        cells: rows.iter().map(|((time, row), count)| (*time, *row, *count)).collect(),
        most,
        most_text: rate.text(most),
        points,
    })))
}

/// Classic buckets have the limit as a label and count everything below it.
fn add_classic(series: &[Series], window: &Window, cells: &mut Cells) -> Result<()> {
    let mut cumulative: BTreeMap<(usize, Limit), f64> = BTreeMap::new();
    for one in series.iter().filter(|it| !it.floats.is_empty()) {
        let limit = one.labels.get("le").context("a distribution without the label `le`")?;
        let limit = Limit(limit.parse()?);
        for (time, count) in &one.floats {
            if let Some(index) = window.index(*time) {
                cumulative.insert((index, limit), *count);
            }
        }
    }
    let mut below = (usize::MAX, 0.0);
    for ((time, limit), count) in cumulative {
        let smaller = if below.0 == time { below.1 } else { 0.0 };
        *cells.entry((time, limit)).or_default() += count - smaller;
        below = (time, count);
    }
    Ok(())
}

fn add_native(series: &[Series], window: &Window, cells: &mut Cells) -> Result<()> {
    for (time, histogram) in series.iter().flat_map(|it| &it.histograms) {
        let Some(index) = window.index(*time) else { continue };
        for (_, _, upper, count) in &histogram.buckets {
            *cells.entry((index, Limit(upper.parse()?))).or_default() += count.parse::<f64>()?;
        }
    }
    Ok(())
}

/// The limits of the rows, from the lowest to the highest that has something in it.
fn limits(cells: &Cells) -> Vec<Limit> {
    let mut limits: Vec<_> = cells.keys().map(|(_, limit)| *limit).collect();
    limits.sort_unstable();
    limits.dedup();
    let each = limits.len().div_ceil(ROWS).max(1);
    limits.chunks(each).filter_map(|chunk| chunk.last().copied()).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use integration_tests::promql::{Histogram, Labels};

    use super::*;

    const WINDOW: Window =
        Window { end: 101.0, length: Duration::from_secs(1), step: Duration::from_secs(1) };

    #[test]
    fn classic_buckets_are_what_each_has_more_than_the_one_below() {
        let bucket = |limit: &str, first: f64, second: f64| Series {
            labels: Labels::from([("le".to_owned(), limit.to_owned())]),
            floats: vec![(100.0, first), (101.0, second)],
            histograms: Vec::new(),
        };
        let mut cells = Cells::new();
        // In the order of texts, as Prometheus answers.
        let series = [bucket("+Inf", 6.0, 9.0), bucket("0.1", 1.0, 2.0), bucket("1", 4.0, 2.0)];
        add_classic(&series, &WINDOW, &mut cells).unwrap();
        let cells: Vec<_> = cells.iter().map(|((time, le), it)| (*time, le.0, *it)).collect();
        let inf = f64::INFINITY;
        let expected = [(0, 0.1, 1.0), (0, 1.0, 3.0), (0, inf, 2.0)];
        assert_eq!(cells[..3], expected);
        assert_eq!(cells[3..], [(1, 0.1, 2.0), (1, 1.0, 0.0), (1, inf, 7.0)]);
    }

    #[test]
    fn native_buckets_are_taken_as_they_are() {
        let text = |it: &str| it.to_owned();
        let buckets =
            vec![(0, text("0.5"), text("1"), text("3")), (0, text("1"), text("2"), text("4"))];
        let histogram = Histogram { count: 7.0, sum: 9.0, buckets };
        let series = Series {
            labels: Labels::new(),
            floats: Vec::new(),
            histograms: vec![(101.0, histogram)],
        };
        let mut cells = Cells::new();
        add_native(&[series], &WINDOW, &mut cells).unwrap();
        assert_eq!(cells, Cells::from([((1, Limit(1.0)), 3.0), ((1, Limit(2.0)), 4.0)]));
    }

    #[test]
    fn rows_that_are_too_many_become_fewer_and_none_is_lost() {
        let cells: Cells = (0_u32..100).map(|it| ((0, Limit(f64::from(it))), 1.0)).collect();
        let limits = limits(&cells);
        assert_eq!((limits.len(), limits[0].0, limits.last().unwrap().0), (34, 2.0, 99.0));
    }
}
