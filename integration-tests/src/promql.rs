//! Prometheus' HTTP API as far as tests and tools ask it: instant and range queries, exemplars and
//! label values, with typed answers. An error of Prometheus is an error here.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Labels of one series, with `__name__` among them.
pub type Labels = BTreeMap<String, String>;

/// A client of one Prometheus.
#[derive(Debug, Clone)]
pub struct Promql {
    base: String,
    client: reqwest::Client,
    now: Option<f64>,
}

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "RawSample")]
pub struct Sample {
    /// Labels of the series.
    pub labels: Labels,
    /// Its value at the time of the query.
    pub value: Value,
}

/// What one sample holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A plain number.
    Float(f64),
    /// A native histogram.
    Histogram(Histogram),
}

/// A native histogram as the API shows it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Histogram {
    /// Number of observations.
    #[serde(deserialize_with = "number")]
    pub count: f64,
    /// Sum of observations.
    #[serde(deserialize_with = "number")]
    pub sum: f64,
    /// Boundary rule, lower bound, upper bound and count of each bucket, as Prometheus prints them.
    #[serde(default)]
    pub buckets: Vec<(u8, String, String, String)>,
}

/// One series over time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "RawSeries")]
pub struct Series {
    /// Labels of the series.
    pub labels: Labels,
    /// Unix time in seconds and value, oldest first; empty for native histograms.
    pub floats: Vec<(f64, f64)>,
    /// Unix time in seconds and native histogram, oldest first.
    pub histograms: Vec<(f64, Histogram)>,
}

/// The exemplars of one series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ExemplarSeries {
    /// Labels of the series.
    #[serde(rename = "seriesLabels")]
    pub labels: Labels,
    /// Its exemplars, oldest first.
    pub exemplars: Vec<Exemplar>,
}

/// One observation that points at a trace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Exemplar {
    /// Usually `trace_id` and `span_id`.
    pub labels: Labels,
    /// The observed value.
    #[serde(deserialize_with = "number")]
    pub value: f64,
    /// Unix time in seconds.
    pub timestamp: f64,
}

impl Sample {
    /// The number, or the count of observations of a native histogram.
    #[must_use]
    pub fn number(&self) -> f64 {
        match &self.value {
            Value::Float(value) => *value,
            Value::Histogram(histogram) => histogram.count,
        }
    }
}

impl Promql {
    /// A client of the Prometheus at `base`, for example `http://127.0.0.1:9090`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { base, client: reqwest::Client::new(), now: None }
    }

    /// The same, for which it stays `now` (Unix time in seconds): answers to several queries are of
    /// one moment.
    #[must_use]
    pub fn at(&self, now: f64) -> Self {
        Self { now: Some(now), ..self.clone() }
    }

    /// The instant vector of `query` now; a scalar is a vector of one sample without labels.
    ///
    /// # Errors
    ///
    /// If Prometheus does not answer or refuses the query.
    pub async fn instant(&self, query: &str) -> Result<Vec<Sample>> {
        match self.evaluate(query).await? {
            Answer::Vector(samples) => Ok(samples),
            Answer::Scalar((_, number)) => {
                let value = Value::Float(number.parse()?);
                Ok(vec![Sample { labels: Labels::new(), value }])
            }
            Answer::Matrix(_) => bail!("`{query}` gives a range vector: use `samples`"),
        }
    }

    /// The one number that `query` gives now.
    ///
    /// # Errors
    ///
    /// As [`Self::instant`], and if the answer has not exactly one series.
    pub async fn number(&self, query: &str) -> Result<f64> {
        let samples = self.instant(query).await?;
        ensure!(samples.len() == 1, "`{query}` gives {} series: {samples:?}", samples.len());
        Ok(samples[0].number())
    }

    /// The stored samples of a range selector, for example `plock_held_seconds[5m]`.
    ///
    /// # Errors
    ///
    /// As [`Self::instant`], and if `selector` is not a range vector.
    pub async fn samples(&self, selector: &str) -> Result<Vec<Series>> {
        match self.evaluate(selector).await? {
            Answer::Matrix(series) => Ok(series),
            other => bail!("`{selector}` is not a range vector: {other:?}"),
        }
    }

    /// `query` evaluated every `step` over the last `window`.
    ///
    /// # Errors
    ///
    /// If Prometheus does not answer or refuses the query.
    pub async fn range(
        &self,
        query: &str,
        window: Duration,
        step: Duration,
    ) -> Result<Vec<Series>> {
        let end = self.now()?;
        let start = end - window.as_secs_f64();
        let parameters = [
            ("query", query),
            ("start", &start.to_string()),
            ("end", &end.to_string()),
            ("step", &step.as_secs_f64().to_string()),
        ];
        match self.call("query_range", &parameters).await? {
            Answer::Matrix(series) => Ok(series),
            other => bail!("a range query gave {other:?}"),
        }
    }

    /// The exemplars of the last `window` for the series that `query` selects.
    ///
    /// # Errors
    ///
    /// If Prometheus does not answer or refuses the query.
    pub async fn exemplars(&self, query: &str, window: Duration) -> Result<Vec<ExemplarSeries>> {
        let end = self.now()?;
        let start = (end - window.as_secs_f64()).to_string();
        let end = (end + 60.0).to_string();
        self.call("query_exemplars", &[("query", query), ("start", &start), ("end", &end)]).await
    }

    /// The values of `label` among the series that `selector` matches.
    ///
    /// # Errors
    ///
    /// If Prometheus does not answer or refuses the selector.
    pub async fn label_values(&self, label: &str, selector: &str) -> Result<Vec<String>> {
        self.call(&format!("label/{label}/values"), &[("match[]", selector)]).await
    }

    async fn evaluate(&self, query: &str) -> Result<Answer> {
        match self.now {
            Some(now) => self.call("query", &[("query", query), ("time", &now.to_string())]).await,
            None => self.call("query", &[("query", query)]).await,
        }
    }

    fn now(&self) -> Result<f64> {
        match self.now {
            Some(now) => Ok(now),
            None => Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64()),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<T> {
        let request = self.client.get(format!("{}/api/v1/{path}", self.base)).query(parameters);
        let body = request.send().await?.bytes().await?;
        let reply: Reply<T> = serde_json::from_slice(&body)
            .with_context(|| format!("unexpected answer: {}", String::from_utf8_lossy(&body)))?;
        match reply {
            Reply::Success { data } => Ok(data),
            Reply::Error { error } => Err(anyhow!("{error}").context(format!("{parameters:?}"))),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Reply<T> {
    Success { data: T },
    Error { error: String },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Answer {
    Vector(Vec<Sample>),
    Matrix(Vec<Series>),
    Scalar((f64, String)),
}

#[derive(Deserialize)]
struct RawSample {
    metric: Labels,
    value: Option<Number>,
    histogram: Option<(f64, Histogram)>,
}

impl From<RawSample> for Sample {
    fn from(raw: RawSample) -> Self {
        let value = match raw.histogram {
            Some((_, histogram)) => Value::Histogram(histogram),
            None => Value::Float(raw.value.map_or(f64::NAN, |it| it.1)),
        };
        Self { labels: raw.metric, value }
    }
}

#[derive(Deserialize)]
struct RawSeries {
    metric: Labels,
    #[serde(default)]
    values: Vec<Number>,
    #[serde(default)]
    histograms: Vec<(f64, Histogram)>,
}

impl From<RawSeries> for Series {
    fn from(raw: RawSeries) -> Self {
        let floats = raw.values.into_iter().map(|Number(time, value)| (time, value)).collect();
        Self { labels: raw.metric, floats, histograms: raw.histograms }
    }
}

/// A time and a number; the API writes numbers as strings because JSON has no infinity.
#[derive(Deserialize)]
struct Number(f64, #[serde(deserialize_with = "number")] f64);

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Answer {
        match serde_json::from_str(json).unwrap() {
            Reply::Success { data } => data,
            Reply::Error { error } => panic!("{error}"),
        }
    }

    #[test]
    fn reads_floats_and_native_histograms() {
        let json = r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"a":"b"},"value":[1.5,"+Inf"]},
            {"metric":{},"histogram":[1.5,{"count":"3","sum":"0.5","buckets":[[0,"1","2","3"]]}]}]}}"#;
        let Answer::Vector(samples) = answer(json) else { panic!("not a vector") };
        assert_eq!(samples[0].value, Value::Float(f64::INFINITY));
        assert_eq!(samples[0].labels["a"], "b");
        let Value::Histogram(histogram) = &samples[1].value else { panic!("not a histogram") };
        assert_eq!((histogram.count, histogram.sum, histogram.buckets.len()), (3.0, 0.5, 1));
    }

    #[test]
    fn reads_series_over_time() {
        let json = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[1,"2"],[2,"4"]]}]}}"#;
        let Answer::Matrix(series) = answer(json) else { panic!("not a matrix") };
        assert_eq!(series[0].floats, [(1.0, 2.0), (2.0, 4.0)]);
    }
}
