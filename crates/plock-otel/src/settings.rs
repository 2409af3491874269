//! Everything the standard `OTEL_*` variables say about a process, checked. The SDK ignores what it
//! cannot read; here it is an error, because a sampler or queue that is silently the default costs
//! somebody an afternoon.

use crate::env::Env;
use crate::target::{Signal, Target};
use crate::{Error, Histograms};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::trace::Sampler;
use std::time::Duration;

/// What was set; `None` and empty stand for the defaults.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `OTEL_SDK_DISABLED`: the rest is checked all the same.
    pub(crate) disabled: bool,
    pub(crate) service_name: Option<String>,
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) propagators: Vec<Propagator>,
    pub(crate) sampler: Sampler,
    pub(crate) batch: Batch,
    /// `None` if `OTEL_TRACES_EXPORTER` is `none`.
    pub(crate) traces: Option<Target>,
    /// `None` if `OTEL_METRICS_EXPORTER` is `none`.
    pub(crate) metrics: Option<Target>,
    pub(crate) metric_interval: Duration,
    pub(crate) histograms: Option<Histograms>,
    pub(crate) temporality: Temporality,
}

/// Limits of the queue of ended spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) queue: usize,
    pub(crate) size: usize,
    pub(crate) delay: Duration,
}

/// How trace context travels between services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagator {
    TraceContext,
    Baggage,
}

impl Settings {
    pub(crate) fn read(env: &Env<'_>) -> Result<Self, Error> {
        let resource = env.text(&["OTEL_RESOURCE_ATTRIBUTES"])?;
        let mut resource = resource.map_or(Ok(Vec::new()), |variable| variable.pairs())?;
        let named = env.text(&["OTEL_SERVICE_NAME"])?.map(|variable| variable.value);
        let listed = resource.iter().rposition(|(key, _)| key == "service.name");
        let listed = listed.map(|at| resource.remove(at).1);
        for limit in ["ATTRIBUTE", "EVENT", "LINK"] {
            // The SDK applies them; here they are only checked.
            let name = format!("OTEL_SPAN_{limit}_COUNT_LIMIT");
            env.number::<u32>(&name, "a whole number", |_| true)?;
        }
        let metrics = exporter(env, Signal::Metrics)?;
        let export_timeout = env.millis(&["OTEL_METRIC_EXPORT_TIMEOUT"])?;
        Ok(Self {
            disabled: env
                .choice(&["OTEL_SDK_DISABLED"], &[("true", true), ("false", false)])?
                .unwrap_or(false),
            service_name: named.or(listed),
            resource,
            propagators: propagators(env)?,
            sampler: sampler(env)?,
            batch: batch(env)?,
            traces: exporter(env, Signal::Traces)?,
            metrics: metrics.map(|target| match export_timeout {
                Some(limit) => Target { timeout: target.timeout.min(limit), ..target },
                None => target,
            }),
            metric_interval: env
                .millis(&["OTEL_METRIC_EXPORT_INTERVAL"])?
                .unwrap_or(Duration::from_mins(1)),
            histograms: env.choice(
                &["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"],
                &[
                    ("explicit_bucket_histogram", Histograms::Classic),
                    ("base2_exponential_bucket_histogram", Histograms::Exponential),
                ],
            )?,
            temporality: env
                .choice(
                    &["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"],
                    &[
                        ("cumulative", Temporality::Cumulative),
                        ("delta", Temporality::Delta),
                        ("lowmemory", Temporality::LowMemory),
                    ],
                )?
                .unwrap_or(Temporality::Cumulative),
        })
    }
}

/// The target of a signal, unless its exporter is `none`. The target is checked in any case.
fn exporter(env: &Env<'_>, signal: Signal) -> Result<Option<Target>, Error> {
    let variable = format!("OTEL_{}_EXPORTER", signal.name());
    let wanted = env.choice(&[&variable], &[("otlp", true), ("none", false)])?.unwrap_or(true);
    let target = Target::read(env, signal)?;
    Ok(wanted.then_some(target))
}

fn sampler(env: &Env<'_>) -> Result<Sampler, Error> {
    let ratio = env.number("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", |ratio: &f64| {
        (0.0..=1.0).contains(ratio)
    })?;
    let ratio = Sampler::TraceIdRatioBased(ratio.unwrap_or(1.0));
    let by_parent = |root: &Sampler| Sampler::ParentBased(Box::new(root.clone()));
    let allowed = [
        ("always_on", Sampler::AlwaysOn),
        ("always_off", Sampler::AlwaysOff),
        ("traceidratio", ratio.clone()),
        ("parentbased_always_on", by_parent(&Sampler::AlwaysOn)),
        ("parentbased_always_off", by_parent(&Sampler::AlwaysOff)),
        ("parentbased_traceidratio", by_parent(&ratio)),
    ];
    let chosen = env.choice(&["OTEL_TRACES_SAMPLER"], &allowed)?;
    Ok(chosen.unwrap_or_else(|| by_parent(&Sampler::AlwaysOn)))
}

fn propagators(env: &Env<'_>) -> Result<Vec<Propagator>, Error> {
    let Some(variable) = env.text(&["OTEL_PROPAGATORS"])? else {
        return Ok(vec![Propagator::TraceContext, Propagator::Baggage]);
    };
    let allowed = [
        ("tracecontext", Some(Propagator::TraceContext)),
        ("baggage", Some(Propagator::Baggage)),
        ("none", None),
    ];
    let mut chosen = Vec::new();
    for value in variable.value.split(',').map(str::trim) {
        let one = crate::env::Variable { name: variable.name.clone(), value: value.into() };
        if let Some(propagator) = one.choose(&allowed)?
            && !chosen.contains(&propagator)
        {
            chosen.push(propagator);
        }
    }
    Ok(chosen)
}

fn batch(env: &Env<'_>) -> Result<Batch, Error> {
    const COUNT: &str = "a whole number above 0";
    let count = |name: &str, default: usize| {
        env.number(name, COUNT, |n: &usize| *n > 0).map(|n| n.unwrap_or(default))
    };
    let queue = count("OTEL_BSP_MAX_QUEUE_SIZE", 2048)?;
    let size = count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", queue.min(512))?;
    if size > queue {
        let expected = format!("at most the queue size, {queue}");
        return Err(Error::variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", &size.to_string(), expected));
    }
    let delay = env.millis(&["OTEL_BSP_SCHEDULE_DELAY"])?.unwrap_or(Duration::from_secs(5));
    // The SDK's thread-based processor has no use for it: each export has its own time limit.
    env.millis(&["OTEL_BSP_EXPORT_TIMEOUT"])?;
    Ok(Batch { queue, size, delay })
}

#[cfg(test)]
#[path = "settings_tests.rs"]
pub(crate) mod tests;
