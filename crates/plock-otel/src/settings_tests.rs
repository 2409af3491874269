use super::{Propagator, Settings};
use crate::env::Env;
use crate::target::Protocol;
use crate::{Error, Histograms};
use opentelemetry_sdk::metrics::Temporality;
use std::ffi::OsString;
use std::time::Duration;

/// Reads a table of variables.
pub(crate) fn read(variables: &[(&str, &str)]) -> Result<Settings, Error> {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Settings::read(&Env::new(&lookup))
}

#[test]
fn nothing_set_means_the_defaults_of_the_specification() {
    let settings = read(&[]).unwrap();
    assert!(!settings.disabled);
    assert_eq!(settings.service_name, None);
    assert_eq!(settings.metric_interval, Duration::from_secs(60));
    assert_eq!(settings.temporality, Temporality::Cumulative);
    assert_eq!(settings.histograms, None);
    assert_eq!(settings.propagators, [Propagator::TraceContext, Propagator::Baggage]);
    assert_eq!(format!("{:?}", settings.sampler), "ParentBased(AlwaysOn)");
    assert_eq!((settings.batch.queue, settings.batch.size), (2048, 512));
    let traces = settings.traces.unwrap();
    assert_eq!(traces.url, "http://localhost:4318/v1/traces");
    assert_eq!((traces.protocol, traces.gzip), (Protocol::HttpProtobuf, false));
    assert_eq!(traces.timeout, Duration::from_secs(10));
    assert_eq!(settings.metrics.unwrap().url, "http://localhost:4318/v1/metrics");
}

#[test]
fn empty_counts_as_unset() {
    let settings = read(&[("OTEL_SERVICE_NAME", ""), ("OTEL_TRACES_SAMPLER", " ")]).unwrap();
    assert_eq!(settings.service_name, None);
    assert_eq!(format!("{:?}", settings.sampler), "ParentBased(AlwaysOn)");
}

#[test]
fn the_general_endpoint_is_a_base_and_the_signals_own_is_complete() {
    let cases = [
        ("http://c:1", "http://c:1/v1/metrics"),
        ("http://c:1/", "http://c:1/v1/metrics"),
        ("http://c/otlp", "http://c/otlp/v1/metrics"),
        ("http://[::1]:1", "http://[::1]:1/v1/metrics"),
    ];
    for (base, url) in cases {
        let settings = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", base)]).unwrap();
        assert_eq!(settings.metrics.unwrap().url, url);
    }
    let both = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://m:2/push"),
    ]);
    let both = both.unwrap();
    assert_eq!(both.metrics.unwrap().url, "http://m:2/push");
    assert_eq!(both.traces.unwrap().url, "http://c:1/v1/traces");
}

#[test]
fn the_signals_own_variables_go_first() {
    let settings = read(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "700"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "2000"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20x%3D,b = 2"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "t=1"),
    ]);
    let settings = settings.unwrap();
    let (traces, metrics) = (settings.traces.unwrap(), settings.metrics.unwrap());
    assert_eq!(traces.timeout, Duration::from_millis(700));
    assert_eq!(metrics.timeout, Duration::from_secs(2), "the shorter limit holds");
    assert_eq!(metrics.headers["authorization"], "Bearer x=");
    assert_eq!(metrics.headers["b"], "2");
    assert_eq!(traces.headers.len(), 1);
    assert_eq!(traces.headers["t"], "1");
    assert!(!format!("{metrics:?}").contains("Bearer"), "credentials stay out of debug output");
}

#[test]
fn values_are_taken_in_any_case_and_resources_are_decoded() {
    let settings = read(&[
        ("OTEL_SDK_DISABLED", "TRUE"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_PROPAGATORS", "baggage,baggage,none"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "BASE2_EXPONENTIAL_BUCKET_HISTOGRAM",
        ),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=from%20list,zone=a"),
    ]);
    let settings = settings.unwrap();
    assert!(settings.disabled);
    assert!(settings.traces.is_none() && settings.metrics.is_some());
    assert_eq!(
        format!("{:?}", settings.sampler),
        "ParentBased(TraceIdRatioBased(0.25))",
        "the argument reaches the sampler"
    );
    assert_eq!(settings.propagators, [Propagator::Baggage]);
    assert_eq!(settings.metric_interval, Duration::from_millis(500));
    assert_eq!((settings.batch.queue, settings.batch.size), (100, 100));
    assert_eq!(settings.histograms, Some(Histograms::Exponential));
    assert_eq!(settings.temporality, Temporality::Delta);
    assert_eq!(settings.service_name.as_deref(), Some("from list"));
    assert_eq!(settings.resource, [("zone".to_owned(), "a".to_owned())]);

    let named = [("OTEL_SERVICE_NAME", "n"), ("OTEL_RESOURCE_ATTRIBUTES", "service.name=r")];
    assert_eq!(read(&named).unwrap().service_name.as_deref(), Some("n"));
}

/// Variable, a value it must not have, and what the error has to mention.
const BAD: &[(&str, &str, &str)] = &[
    ("OTEL_SDK_DISABLED", "yes", "one of true, false"),
    ("OTEL_TRACES_EXPORTER", "jaeger", "one of otlp, none"),
    ("OTEL_METRICS_EXPORTER", "prometheus", "one of otlp, none"),
    ("OTEL_TRACES_SAMPLER", "sometimes", "always_on"),
    ("OTEL_TRACES_SAMPLER_ARG", "1.5", "0 to 1"),
    ("OTEL_TRACES_SAMPLER_ARG", "NaN", "0 to 1"),
    ("OTEL_PROPAGATORS", "b3", "tracecontext, baggage, none"),
    ("OTEL_RESOURCE_ATTRIBUTES", "a", "key=value"),
    ("OTEL_RESOURCE_ATTRIBUTES", "=1", "key=value"),
    ("OTEL_RESOURCE_ATTRIBUTES", "a=%FF", "percent-encoded"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:99999", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:0", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://h", "http://"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a b", "http://"),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "::", "http://"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf, grpc"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "udp", "http/protobuf, grpc"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "above 0"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "gzip, none"),
    ("OTEL_EXPORTER_OTLP_INSECURE", "1", "true, false"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "secret", "key=value"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=secret", "HTTP"),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem", "unset"),
    ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "none", "base2_exponential"),
    ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "deltas", "cumulative, delta"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "-1", "milliseconds"),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "x", "milliseconds"),
    ("OTEL_BSP_SCHEDULE_DELAY", "5s", "milliseconds"),
    ("OTEL_BSP_EXPORT_TIMEOUT", "never", "milliseconds"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "above 0"),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "at most the queue size, 2048"),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", "whole number"),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1.5", "whole number"),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", "-3", "whole number"),
];

#[test]
fn a_bad_value_is_an_error_that_names_variable_value_and_what_is_allowed() {
    for (name, value, expected) in BAD {
        let error = read(&[(name, value)]).expect_err(&format!("{name}={value}"));
        assert_eq!(error.name(), Some(*name));
        let text = error.to_string();
        assert!(text.starts_with(name), "{text}");
        assert!(text.contains(expected), "{name}={value}: {text}");
        let secret = name.contains("HEADERS") || name.contains("RESOURCE");
        assert_eq!(text.contains(&format!("`{value}`")), !secret, "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStringExt;
    let lookup = |name: &str| (name == "OTEL_SERVICE_NAME").then(|| OsString::from_vec(vec![0xff]));
    let error = Settings::read(&Env::new(&lookup)).expect_err("not Unicode");
    assert_eq!(error.name(), Some("OTEL_SERVICE_NAME"));
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_without_the_feature_names_the_feature() {
    let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h")]).expect_err("no TLS");
    assert!(error.to_string().contains("feature `tls`"), "{error}");
}

#[cfg(not(feature = "grpc"))]
#[test]
fn grpc_without_the_feature_names_the_feature() {
    let error = read(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).expect_err("no gRPC");
    assert!(error.to_string().contains("feature `grpc`"), "{error}");
}

#[cfg(all(feature = "grpc", feature = "tls"))]
#[test]
fn a_grpc_endpoint_without_scheme_is_secure_unless_said_otherwise() {
    let base = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:1")];
    assert_eq!(read(&base).unwrap().traces.unwrap().url, "https://h:1");
    let insecure = [base[0], base[1], ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true")];
    let settings = read(&insecure).unwrap();
    assert_eq!(settings.traces.unwrap().url, "http://h:1");
    assert_eq!(settings.metrics.unwrap().url, "https://h:1");
}
