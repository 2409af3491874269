//! Runs the queries of a dashboard against a live Prometheus, as Grafana would: panels, the points in
//! them that lead to traces, annotations and the choices of variables.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::dashboards::{Dashboard, Substitution, Target, Variable};
use crate::promql::ExemplarSeries;
use crate::{Promql, eventually};

/// In queries of panels that shall show 0 rather than nothing.
const FALLBACK: &str = " or vector(0)";

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

/// Waits until every query of `board` gives data, and every panel that asks for points that lead to
/// traces gets some: these are returned.
///
/// A fallback to 0 would hide that a query finds nothing, so it is left out, except in panels whose
/// title is in `zeros`: there 0 is what the service at hand has to show.
///
/// # Errors
///
/// If a query is refused, or gives nothing within `deadline`.
pub async fn give_data(
    promql: &Promql,
    board: &Dashboard,
    selection: &Substitution,
    zeros: &[&str],
    deadline: Duration,
) -> Result<Vec<Points>> {
    let mut points = Vec::new();
    for panel in board.panels() {
        for target in &panel.targets {
            let mut query = selection.expand(&target.expr)?;
            if !zeros.contains(&panel.title.as_str()) {
                query = query.replace(FALLBACK, "");
            }
            gives_data(promql, &query, deadline).await.with_context(|| panel.title.clone())?;
            if let Some(series) = exemplars(promql, target, &query, deadline).await? {
                points.push(Points { panel: panel.title.clone(), query, series });
            }
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
