//! The shipped files as one stack needs them: ports and intervals of its own, JSON in place of YAML,
//! which it is as well.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{Stack, time_lapse};
use crate::repository;

impl Stack {
    /// The shipped configuration, with every receiver calling `url`.
    pub(super) fn write_alertmanager_config(&self, url: &str) -> Result<PathBuf> {
        let mut config = shipped("alertmanager/alertmanager.yml")?;
        for receiver in config["receivers"].as_array_mut().context("receivers")? {
            receiver["webhook_configs"] = json!([{ "url": url }]);
        }
        if let Some(factor) = self.settings.time_lapse {
            time_lapse::route(&mut config["route"], factor)?;
        }
        let file = self.path("alertmanager.yml");
        fs::write(&file, serde_json::to_string_pretty(&config)?)?;
        Ok(file)
    }

    /// The shipped file with this stack's interval, beside target files of its own.
    pub(super) fn write_prometheus_config(&self) -> Result<()> {
        let mut config = shipped("prometheus/prometheus.yml")?;
        config["global"]["scrape_interval"] = json!(self.settings.scrape_interval);
        config["global"]["scrape_timeout"] = json!(self.settings.scrape_interval);
        let jobs = config["scrape_configs"].as_array_mut().context("scrape_configs")?;
        if !self.settings.native_scrapes {
            jobs.iter_mut().for_each(|job| job["scrape_native_histograms"] = json!(false));
        }
        fs::write(self.path("prometheus.yml"), serde_json::to_string_pretty(&config)?)?;
        for file in config["rule_files"].as_array().context("rule_files")? {
            self.write_rules(file.as_str().context("rule file")?)?;
        }

        let mut targets = self.settings.scrape_targets.clone();
        let own = format!("127.0.0.1:{}", self.ports.self_metrics);
        targets.entry("otelcol".to_owned()).or_default().push(own);
        fs::create_dir_all(self.path("targets"))?;
        for job in config["scrape_configs"].as_array().context("scrape_configs")? {
            let name = job["job_name"].as_str().context("job_name")?;
            self.write_targets(job, &targets.remove(name).unwrap_or_default())?;
        }
        ensure!(targets.is_empty(), "prometheus.yml has no job {:?}", targets.keys());
        if self.alertmanager.is_some() {
            let address = format!("127.0.0.1:{}", self.ports.alertmanager);
            self.write_targets(&config["alerting"]["alertmanagers"][0], &[address])?;
        }
        Ok(())
    }

    /// The file in which the configuration looks for the targets of `job`.
    fn write_targets(&self, job: &Value, addresses: &[String]) -> Result<()> {
        let file = job["file_sd_configs"][0]["files"][0].as_str().context("target file")?;
        let group = json!([{ "targets": addresses }]);
        // Prometheus reads a target file as soon as it changes: never a half-written one.
        fs::write(self.path("target.new"), group.to_string())?;
        Ok(fs::rename(self.path("target.new"), self.path(file))?)
    }

    /// The shipped rules, in time-lapse or evaluated as often as this stack scrapes.
    fn write_rules(&self, file: &str) -> Result<()> {
        let mut rules = shipped(&format!("prometheus/{file}"))?;
        if let Some(factor) = self.settings.time_lapse {
            time_lapse::rules(&mut rules, factor)?;
        } else {
            for group in rules["groups"].as_array_mut().context("groups")? {
                group["interval"] = json!(self.settings.scrape_interval);
            }
        }
        fs::write(self.path(file), serde_json::to_string_pretty(&rules)?)?;
        Ok(())
    }
}

fn shipped(path: &str) -> Result<Value> {
    let path = repository().join("otel-collector").join(path);
    let text = fs::read_to_string(&path);
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("{} is not YAML", path.display()))
}
