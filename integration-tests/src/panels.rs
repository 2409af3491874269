//! Runs the queries of a dashboard against a live Prometheus, as Grafana would: panels, the points in
//! them that lead to traces, annotations and the choices of variables.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::dashboards::{Dashboard, Substitution, Target, Variable};
use crate::promql::{ExemplarSeries, Sample};
use crate::{Promql, eventually};

/// In queries of panels that shall show 0 rather than nothing, or 1.
const FALLBACKS: [&str; 2] = [" or vector(0)", " or vector(1)"];

/// Panels that cannot show anything in a test, by title, each with the reason.
pub type Reasons<'a> = &'a [(&'a str, &'a str)];

/// The points of one panel that lead to traces.
#[derive(Debug)]
pub struct Points {
    /// Title of the panel.
    pub panel: String,
    /// The query whose series have them.
    pub query: String,
    /// At least one series with at least one point.
    pub series: Vec<ExemplarSeries>,
}

/// Waits until every query of `board` gives data with the labels that its legend names, and every
/// panel that asks for points that lead to traces gets some: these are returned.
///
/// A fallback to 0 would hide that a query finds nothing, so it is left out. Panels in `empty` have
/// to be answered without an error, but not with data.
///
/// # Errors
///
/// If a query is refused, or gives nothing within `deadline`: all of them, with their panels.
pub async fn give_data(
    promql: &Promql,
    board: &Dashboard,
    selection: &Substitution,
    empty: Reasons<'_>,
    deadline: Duration,
) -> Result<Vec<Points>> {
    let mut pending = Vec::new();
    for panel in board.panels() {
        let is_empty = empty.iter().any(|(title, _)| *title == panel.title);
        for target in &panel.targets {
            let query = selection.expand(&target.expr)?;
            if is_empty {
                promql.instant(&query).await.with_context(|| panel.title.clone())?;
                continue;
            }
            pending.push((panel, target, without_fallback(&query)));
        }
    }
    // All of them in turns, so that the error tells all that give nothing.
    let asked = pending.clone();
    eventually(deadline, async || {
        let mut missing = Vec::new();
        for (panel, target, query) in &asked {
            let samples = promql.instant(query).await.with_context(|| panel.title.clone())?;
            if let Err(error) = is_shown(&samples, &target.legend_format) {
                missing.push(format!("{} / {}: {error}: {query}", board.uid, panel.title));
            }
        }
        ensure!(missing.is_empty(), "{}", missing.join("\n"));
        Ok(())
    })
    .await?;
    let mut points = Vec::new();
    for (panel, target, query) in pending {
        let series = exemplars(promql, target, &query, deadline).await;
        if let Some(series) = series.with_context(|| panel.title.clone())? {
            points.push(Points { panel: panel.title.clone(), query, series });
        }
    }
    for query in board.annotations() {
        promql.instant(&selection.expand(query)?).await?;
    }
    for variable in board.variables().iter().filter(|variable| variable.kind == "query") {
        let choices = choices(promql, variable, selection).await?;
        ensure!(!choices.is_empty(), "${} has no choices", variable.name);
    }
    Ok(points)
}

fn without_fallback(query: &str) -> String {
    let cut = |query: String, fallback: &&str| query.replace(*fallback, "");
    FALLBACKS.iter().fold(query.to_owned(), cut)
}

/// Whether there is a number, and all series have the labels of the legend. Not a number is no data
/// for a reader.
fn is_shown(samples: &[Sample], legend: &str) -> Result<()> {
    ensure!(samples.iter().any(|sample| !sample.number().is_nan()), "no data");
    let names = legend.split("{{").skip(1).filter_map(|it| it.split("}}").next());
    // A native histogram has its limits inside.
    for name in names.filter(|name| *name != "le") {
        let has_it = samples.iter().all(|sample| sample.labels.contains_key(name));
        ensure!(has_it, "the legend names {name}, which a series has not");
    }
    Ok(())
}

/// Waits until `query` gives data; not a number is no data for a reader.
///
/// # Errors
///
/// If it is refused, or gives nothing within `deadline`.
pub async fn gives_data(promql: &Promql, query: &str, deadline: Duration) -> Result<()> {
    eventually(deadline, async || {
        let samples = promql.instant(query).await?;
        let real = samples.iter().filter(|sample| !sample.number().is_nan()).count();
        ensure!(real > 0, "no data: {query}");
        Ok(())
    })
    .await
}

async fn exemplars(
    promql: &Promql,
    target: &Target,
    query: &str,
    deadline: Duration,
) -> Result<Option<Vec<ExemplarSeries>>> {
    if !target.exemplar {
        return Ok(None);
    }
    // As Grafana does: the whole query, from which Prometheus takes the series.
    let found = eventually(deadline, async || {
        let series = promql.exemplars(query, Duration::from_secs(60)).await?;
        ensure!(!series.is_empty(), "no point leads to a trace: {query}");
        Ok(series)
    });
    found.await.map(Some)
}

/// The values that `label_values(selector, label)` offers.
async fn choices(
    promql: &Promql,
    variable: &Variable,
    selection: &Substitution,
) -> Result<Vec<String>> {
    let query = variable.query["query"].as_str().context("a variable without a query")?;
    let query = selection.expand(query)?;
    let inner = query.strip_prefix("label_values(").and_then(|it| it.strip_suffix(')'));
    let (selector, label) = inner.and_then(|it| it.rsplit_once(", ")).context("label_values")?;
    promql.label_values(label, selector).await
}
