//! The `tracing` side: the layer that turns spans into OpenTelemetry spans, and a subscriber with
//! readable output for applications that have none.

use crate::env::Env;
use crate::{Error, Guard};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// Crates an export goes through. Their events would become part of the next export, and so on.
const EXPORT_PATH: [&str; 7] =
    ["plock_otel", "hyper", "hyper_util", "h2", "tonic", "reqwest", "rustls"];

impl Guard {
    /// The layer that makes OpenTelemetry spans of `tracing` spans, for a subscriber of your own.
    /// It takes spans up to level `DEBUG` and events up to `INFO`, and nothing from the crates that
    /// an export goes through. It does nothing if spans are off.
    ///
    /// ```
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// # fn set_up() -> Result<(), plock_otel::Error> {
    /// let guard = plock_otel::Builder::new().no_subscriber().init()?;
    /// let subscriber = tracing_subscriber::registry().with(guard.layer());
    /// # drop(subscriber);
    /// # Ok(())
    /// # }
    /// ```
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let layer = self.tracer().map(|tracer| {
            // Thread and target say nothing about a request, and each costs one of 128 attributes.
            tracing_opentelemetry::layer()
                .with_threads(false)
                .with_target(false)
                .with_tracer(tracer.clone())
        });
        layer.with_filter(filter_fn(wanted).with_max_level_hint(LevelFilter::DEBUG))
    }
}

/// Request spans of tower-http have level `DEBUG`; events of that level (each statement of a
/// database driver) would fill a span.
fn wanted(metadata: &Metadata<'_>) -> bool {
    let limit = if metadata.is_span() { Level::DEBUG } else { Level::INFO };
    let origin = metadata.target().split("::").next().unwrap_or_default();
    let export = origin.starts_with("opentelemetry") || EXPORT_PATH.contains(&origin);
    *metadata.level() <= limit && !export
}

/// Readable output on standard output, filtered by `RUST_LOG` (default `info`).
pub(crate) struct Output(EnvFilter);

impl Output {
    pub(crate) fn read(env: &Env<'_>) -> Result<Self, Error> {
        let builder = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
        let Some(variable) = env.text(&["RUST_LOG"])? else {
            return Ok(Self(builder.parse_lossy("")));
        };
        let parsed = builder.parse(&variable.value);
        parsed.map(Self).map_err(|error| {
            variable.error(&format!("directives such as `info,my_crate=debug` ({error})"))
        })
    }

    /// Installs it together with the guard's layer, unless the application has a subscriber.
    pub(crate) fn install(self, guard: &Guard) {
        let output = fmt::layer().with_filter(self.0);
        let subscriber = Registry::default().with(guard.layer()).with(output);
        if tracing::subscriber::set_global_default(subscriber).is_err() && guard.tracer().is_some()
        {
            tracing::warn!(
                target: "plock_otel",
                "a tracing subscriber is installed already, so spans are not exported: \
                 call Builder::no_subscriber and add Guard::layer to yours"
            );
        }
    }
}
