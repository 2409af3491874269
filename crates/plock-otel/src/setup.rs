//! One-call set-up: providers, propagators, span observer and subscriber from the standard
//! variables. Everything is checked and built before anything is installed.

use crate::env::Env;
use crate::export::{MetricExporter, SpanExporter, SpanTally};
use crate::guard::Guard;
use crate::settings::{Propagator, Settings};
use crate::tally::TallyProcessor;
use crate::transport::{Closing, random_bits};
use crate::{Error, SpanObserver, encode::SCOPE};
use opentelemetry::metrics::{MeterProvider as _, ObservableGauge};
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use plock_semconv::metrics::BUILD_INFO;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Set by the first set-up that succeeds.
static INSTALLED: OnceLock<()> = OnceLock::new();

/// How the histograms of durations are exported. Both forms of one snapshot agree exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Histograms {
    /// With fixed limits ([`plock_core::CLASSIC_BOUNDS_NS`]): what every receiver understands.
    #[default]
    Classic,
    /// Exponential, scale 3 (9 % wide buckets): native histograms in Prometheus.
    Exponential,
}

/// What [`init`](crate::init) does, with choices. What the environment says goes before what is
/// chosen here, so that an operator has the last word.
///
/// ```
/// use std::time::Duration;
///
/// # fn set_up() -> Result<(), plock_otel::Error> {
/// let _guard = plock_otel::Builder::new()
///     .service_name("orders")
///     .histograms(plock_otel::Histograms::Exponential)
///     .init()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is set up before `init`"]
pub struct Builder {
    service_name: Option<String>,
    attributes: Vec<KeyValue>,
    histograms: Option<Histograms>,
    slow: Option<Duration>,
    no_subscriber: bool,
    tracer_provider: Option<SdkTracerProvider>,
    meter_provider: Option<SdkMeterProvider>,
}

impl Builder {
    /// Nothing chosen: the same as [`init`](crate::init).
    pub fn new() -> Self {
        Self::default()
    }

    /// `service.name`, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` has one.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// One more attribute of the resource, unless `OTEL_RESOURCE_ATTRIBUTES` has that key.
    pub fn resource_attribute(mut self, attribute: KeyValue) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// The form of duration histograms, unless
    /// `OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION` is set.
    pub const fn histograms(mut self, form: Histograms) -> Self {
        self.histograms = Some(form);
        self
    }

    /// Waits and holds from this duration on become child spans (at most the eight longest of a
    /// scope).
    pub const fn slow_threshold(mut self, threshold: Duration) -> Self {
        self.slow = Some(threshold);
        self
    }

    /// Installs no `tracing` subscriber: the application has one, with [`Guard::layer`] in it.
    pub const fn no_subscriber(mut self) -> Self {
        self.no_subscriber = true;
        self
    }

    /// Uses the application's own provider of spans. Its exporter, sampler and shutdown stay the
    /// application's business, and it is not made the global one.
    pub fn tracer_provider(mut self, provider: SdkTracerProvider) -> Self {
        self.tracer_provider = Some(provider);
        self
    }

    /// Uses the application's own provider of metrics, which exports through a
    /// [`MetricExporter`]. Its shutdown stays the application's business, and it is not made the
    /// global one.
    pub fn meter_provider(mut self, provider: SdkMeterProvider) -> Self {
        self.meter_provider = Some(provider);
        self
    }

    /// Sets everything up. Keep the guard until the end of `main`: dropping it sends what is left.
    ///
    /// # Errors
    /// If a variable cannot be meant, a transport is not built in, or plock is set up already.
    /// Nothing is installed then.
    pub fn init(self) -> Result<Guard, Error> {
        let env = |name: &str| std::env::var_os(name);
        let settings = Settings::read(&Env::new(&env))?;
        #[cfg(feature = "tracing")]
        let output = (!self.no_subscriber)
            .then(|| crate::subscriber::Output::read(&Env::new(&env)))
            .transpose()?;
        let guard = if settings.disabled { Guard::default() } else { self.install(settings)? };
        #[cfg(feature = "tracing")]
        if let Some(output) = output {
            output.install(&guard);
        }
        Ok(guard)
    }

    fn install(self, settings: Settings) -> Result<Guard, Error> {
        if INSTALLED.get().is_some() {
            return Err(Error::installed());
        }
        let resource = self.resource(&settings);
        let closing = Arc::<Closing>::default();

        let own_tracer_provider = match (&self.tracer_provider, &settings.traces) {
            (None, Some(target)) => {
                let tally = Arc::<SpanTally>::default();
                let exporter = SpanExporter::new(target.clone(), closing.clone(), tally.clone())?;
                let config = BatchConfigBuilder::default()
                    .with_max_queue_size(settings.batch.queue)
                    .with_max_export_batch_size(settings.batch.size)
                    .with_scheduled_delay(settings.batch.delay);
                let queue =
                    BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
                let capacity = (settings.batch.queue + settings.batch.size) as u64;
                let processor = TallyProcessor::new(queue, tally, capacity);
                let provider = SdkTracerProvider::builder()
                    .with_span_processor(processor)
                    .with_sampler(settings.sampler.clone())
                    .with_resource(resource.clone());
                Some(provider.build())
            }
            _ => None,
        };
        let own_meter_provider = match (&self.meter_provider, &settings.metrics) {
            (None, Some(target)) => {
                let form = settings.histograms.or(self.histograms).unwrap_or_default();
                let exporter = MetricExporter::new(
                    target.clone(),
                    form,
                    settings.temporality,
                    closing.clone(),
                )?;
                let reader = PeriodicReader::builder(exporter)
                    .with_interval(settings.metric_interval)
                    .build();
                let provider =
                    SdkMeterProvider::builder().with_reader(reader).with_resource(resource);
                Some(provider.build())
            }
            _ => None,
        };

        let tracer = self.tracer_provider.as_ref().or(own_tracer_provider.as_ref());
        let tracer = tracer.map(|provider| provider.tracer(SCOPE));
        INSTALLED.set(()).map_err(|()| Error::installed())?;
        if let Some(tracer) = &tracer {
            let observer = SpanObserver::with_tracer(tracer.clone());
            plock_core::set_observer(Box::new(observer)).map_err(|_| Error::installed())?;
        }
        if let Some(slow) = self.slow {
            plock_core::set_slow_threshold(slow);
        }
        plock_core::calibrate(); // at most 10 ms, and from here on every stamp is cheap
        if let Some(meters) = self.meter_provider.as_ref().or(own_meter_provider.as_ref()) {
            keep_exporting(meters);
        }
        if let Some(provider) = &own_tracer_provider {
            global::set_tracer_provider(provider.clone());
            global::set_text_map_propagator(propagator(&settings.propagators));
        }
        if let Some(provider) = &own_meter_provider {
            global::set_meter_provider(provider.clone());
        }
        Ok(Guard::new(own_tracer_provider, own_meter_provider, tracer, closing))
    }

    /// The environment first, then what was chosen, then defaults.
    fn resource(&self, settings: &Settings) -> Resource {
        let mut builder = Resource::builder()
            .with_attribute(KeyValue::new("service.instance.id", instance_id()))
            .with_attributes(self.attributes.iter().cloned());
        if let Some(name) = settings.service_name.as_ref().or(self.service_name.as_ref()) {
            builder = builder.with_service_name(name.clone());
        }
        let listed = settings.resource.iter().cloned();
        builder.with_attributes(listed.map(|(key, value)| KeyValue::new(key, value))).build()
    }
}

/// A version 4 UUID, as the semantic conventions recommend.
fn instance_id() -> String {
    let bits = u128::from(random_bits()) << 64 | u128::from(random_bits());
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xffff,
        bits >> 48 & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

/// The SDK does not call an exporter while there is nothing to export: one instrument that always
/// has a value.
fn keep_exporting(provider: &SdkMeterProvider) {
    let meter = provider.meter(SCOPE);
    let gauge = meter.u64_observable_gauge(BUILD_INFO.name).with_description(BUILD_INFO.help);
    // The provider keeps the callback; the instrument itself is only a handle.
    let _: ObservableGauge<u64> = gauge.with_callback(|o| o.observe(1, &[])).build();
}

fn propagator(wanted: &[Propagator]) -> TextMapCompositePropagator {
    let one = |propagator: &Propagator| -> Box<dyn TextMapPropagator + Send + Sync> {
        match propagator {
            Propagator::TraceContext => Box::new(TraceContextPropagator::new()),
            Propagator::Baggage => Box::new(BaggagePropagator::new()),
        }
    };
    TextMapCompositePropagator::new(wanted.iter().map(one).collect())
}
