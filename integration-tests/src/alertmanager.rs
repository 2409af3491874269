//! Alertmanager's HTTP API as far as tests and tools ask it.

use anyhow::Result;
use serde::Deserialize;

use crate::promql::Labels;

/// One alert as Alertmanager has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldAlert {
    /// Its labels, with `alertname` among them.
    pub labels: Labels,
    /// Names it in [`Status::inhibited_by`] of others.
    pub fingerprint: String,
    /// What becomes of it.
    pub status: Status,
}

/// Whether an alert is sent on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Fingerprints of the alerts that say more; none if it is sent on.
    pub inhibited_by: Vec<String>,
}

/// A client of one Alertmanager.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    base: String,
    client: reqwest::Client,
}

impl Alertmanager {
    /// A client of the Alertmanager at `base`, for example `http://127.0.0.1:9093`.
    #[must_use]
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), client: reqwest::Client::new() }
    }

    /// Every alert that goes on.
    ///
    /// # Errors
    ///
    /// If Alertmanager does not answer.
    pub async fn alerts(&self) -> Result<Vec<HeldAlert>> {
        let request = self.client.get(format!("{}/api/v2/alerts", self.base));
        let body = request.send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&body)?)
    }
}
