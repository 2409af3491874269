//! `init` in processes of its own: real variables, a real receiver, and what happens without one.
#![cfg(feature = "http-proto")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of a test")]

mod receiver;

use opentelemetry::trace::Tracer;
use opentelemetry::{KeyValue, global};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue as Pair, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1::Resource;
use plock_core::Dropped;
use prost::Message;
use receiver::{Answer, Receiver, nobody};
use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// Spans the service makes.
const SPANS: u64 = 20 + cfg!(feature = "tracing") as u64;

/// The service: sets up, makes a span and a count, and ends. Not a test by itself.
#[test]
#[ignore = "run by the other tests, in processes of its own"]
fn service() {
    let builder = plock_otel::Builder::new().service_name("chosen");
    let builder = builder.resource_attribute(KeyValue::new("tier", "back"));
    let guard = match builder.init() {
        Ok(guard) => guard,
        Err(error) => return println!("error: {error}"),
    };
    assert!(plock_otel::init().is_err_and(|error| error.is_already_installed()) || disabled());
    if std::env::var_os("LINGER").is_some() {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
    let runtime = match std::env::var("RUNTIME").as_deref() {
        Ok("current_thread") => {
            Some(tokio::runtime::Builder::new_current_thread().build().unwrap())
        }
        Ok("multi_thread") => Some(tokio::runtime::Builder::new_multi_thread().build().unwrap()),
        _ => None,
    };
    let work = async {
        for _ in 0..20 {
            global::tracer("app").in_span("request", |_| {});
        }
        #[cfg(feature = "tracing")]
        tracing::info_span!("traced").in_scope(|| {
            tracing::info!("hello");
            tracing::info!(target: "plock_otel", "about the export");
            tracing::debug!("not for a span");
        });
        let counter = global::meter_provider().meter("app").u64_counter("served").build();
        counter.add(5, &[]);
        let begin = Instant::now();
        println!("flushed: {}", guard.force_flush().is_ok());
        println!("shut down: {}", guard.shutdown().is_ok());
        println!("again: {}", guard.shutdown().is_ok() && guard.force_flush().is_ok());
        drop(guard);
        println!("took: {}", begin.elapsed().as_millis());
    };
    match runtime {
        Some(runtime) => runtime.block_on(work),
        None => pollster::block_on(work),
    }
    let snapshot = plock_core::snapshot(false);
    println!("lost spans: {}", snapshot.dropped(Dropped::Spans));
    println!("lost batches: {}", snapshot.dropped(Dropped::Export));
}

fn disabled() -> bool {
    std::env::var("OTEL_SDK_DISABLED").is_ok()
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "service", "--ignored", "--nocapture"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").env("NO_PROXY", "127.0.0.1").envs(variables.iter().copied());
    command
}

fn run(variables: &[(&str, &str)]) -> String {
    let Output { status, stdout, stderr } = command(variables).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && !text.contains("panicked"), "{text}");
    text
}

fn figure(output: &str, name: &str) -> u64 {
    let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {output}")).parse().unwrap()
}

fn text(pairs: &[Pair], key: &str) -> Option<String> {
    let pair = pairs.iter().find(|pair| pair.key == key)?;
    match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn assert_resource(resource: &Option<Resource>) {
    let pairs = &resource.as_ref().unwrap().attributes;
    assert_eq!(text(pairs, "service.name").as_deref(), Some("orders"));
    assert_eq!(text(pairs, "tier").as_deref(), Some("front"));
    let instance = text(pairs, "service.instance.id").unwrap();
    assert_eq!(instance.len(), 36);
    assert_eq!(&instance[14..15], "4", "a version 4 UUID: {instance}");
}

#[test]
fn one_call_delivers_spans_and_metrics_whatever_the_runtime() {
    for runtime in ["none", "current_thread", "multi_thread"] {
        let receiver = Receiver::start([]);
        let output = run(&[
            ("RUNTIME", runtime),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url),
            ("OTEL_SERVICE_NAME", "orders"),
            ("OTEL_RESOURCE_ATTRIBUTES", "tier=front"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop"),
        ]);
        for step in ["flushed", "shut down", "again"] {
            assert!(output.contains(&format!("{step}: true")), "{output}");
        }
        assert_eq!((figure(&output, "lost spans"), figure(&output, "lost batches")), (0, 0));
        let requests = receiver.requests();
        assert!(requests.iter().all(|request| request.headers["x-tenant"] == "shop"));
        let traces: Vec<_> = requests
            .iter()
            .filter(|request| request.path == "/v1/traces")
            .map(|request| ExportTraceServiceRequest::decode(&*request.body).unwrap())
            .collect();
        let spans: Vec<_> = traces
            .iter()
            .flat_map(|request| &request.resource_spans)
            .inspect(|of| assert_resource(&of.resource))
            .flat_map(|of| &of.scope_spans)
            .flat_map(|of| &of.spans)
            .collect();
        assert_eq!(spans.iter().filter(|span| span.name == "request").count(), 20);
        #[cfg(feature = "tracing")]
        {
            let traced: Vec<_> = spans.iter().filter(|span| span.name == "traced").collect();
            assert_eq!(traced.len(), 1, "the subscriber is installed");
            let events: Vec<_> = traced[0].events.iter().map(|event| &*event.name).collect();
            assert_eq!(events, ["hello"], "an export does not feed itself");
            assert!(output.contains("hello") && output.contains("about the export"), "{output}");
        }

        let metrics: Vec<_> = requests
            .iter()
            .filter(|request| request.path == "/v1/metrics")
            .map(|request| ExportMetricsServiceRequest::decode(&*request.body).unwrap())
            .collect();
        assert_eq!(metrics.len(), 2, "one request each for the flush and the shutdown");
        let resource = &metrics[0].resource_metrics[0];
        assert_resource(&resource.resource);
        let scopes: Vec<_> =
            resource.scope_metrics.iter().map(|s| &*s.scope.as_ref().unwrap().name).collect();
        assert_eq!(scopes, ["app", "plock"], "the application's own and plock's, once each");
        let app = &resource.scope_metrics[0].metrics[0];
        let Some(Data::Sum(served)) = &app.data else { panic!("{app:?}") };
        assert_eq!(app.name, "served");
        assert_eq!(served.data_points.len(), 1);
        let own = &resource.scope_metrics[1].metrics;
        let names: Vec<_> = own.iter().map(|metric| &*metric.name).collect();
        for name in ["plock.build_info", "plock.telemetry.dropped"] {
            assert_eq!(names.iter().filter(|n| **n == name).count(), 1, "{names:?}");
        }
        assert!(!names.contains(&"plock.telemetry.last_export"), "there was none before");
        let later = &metrics[1].resource_metrics[0].scope_metrics[1].metrics;
        assert!(later.iter().any(|metric| metric.name == "plock.telemetry.last_export"));
    }
}

#[test]
fn disabled_means_no_telemetry_and_no_error() {
    let receiver = Receiver::start([]);
    let output =
        run(&[("OTEL_SDK_DISABLED", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url)]);
    assert!(output.contains("shut down: true"), "{output}");
    assert_eq!(receiver.requests().len(), 0);
}

#[test]
fn either_signal_can_be_switched_off() {
    for (off, path) in
        [("OTEL_METRICS_EXPORTER", "/v1/traces"), ("OTEL_TRACES_EXPORTER", "/v1/metrics")]
    {
        let receiver = Receiver::start([]);
        let mut variables = vec![(off, "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &*receiver.url)];
        variables.push(("OTEL_SDK_DISABLED", "false"));
        run(&variables);
        let paths: Vec<_> = receiver.requests().into_iter().map(|request| request.path).collect();
        assert!(!paths.is_empty() && paths.iter().all(|p| p == path), "{off}: {paths:?}");
    }
}

#[test]
fn bad_values_are_errors_before_anything_happens() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost"),
        ("OTEL_TRACES_SAMPLER", "maybe"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "soon"),
    ] {
        let output = run(&[(name, value)]);
        assert!(output.contains(&format!("error: {name} is `{value}`, expected ")), "{output}");
    }
}

#[cfg(feature = "tracing")]
#[test]
fn a_bad_log_filter_is_an_error_too() {
    let output = run(&[("RUST_LOG", "info,=,=")]);
    assert!(output.contains("error: RUST_LOG is `info,=,=`, expected "), "{output}");
}

#[test]
fn an_absent_receiver_costs_its_budget_and_is_counted() {
    let output =
        run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &nobody()), ("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]);
    assert!(output.contains("flushed: false"), "{output}");
    assert!(output.contains("again: true"), "{output}");
    assert!(figure(&output, "took") < 10_000);
    assert_eq!(figure(&output, "lost spans"), SPANS);
    assert_eq!(figure(&output, "lost batches"), 2, "of the flush and the shutdown");
    #[cfg(feature = "tracing")]
    assert_eq!(output.matches("export of metrics fails").count(), 1, "said once: {output}");
}

#[test]
fn a_receiver_that_never_answers_costs_its_budget() {
    let receiver = Receiver::start(vec![Answer::Hang; 10]);
    let output = run(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "400"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4"),
        ("RUNTIME", "current_thread"),
    ]);
    assert!(figure(&output, "took") < 15_000);
    // Whether a span was dropped at the full queue or lost in a batch: each counts once.
    assert_eq!(figure(&output, "lost spans"), SPANS, "{output}");
    assert_eq!(figure(&output, "lost batches"), 2, "{output}");
}

#[test]
fn what_a_receiver_refuses_is_counted() {
    // Without spans, so that the script meets the flush and the shutdown.
    let refused = [Answer::Status(400, None), Answer::Rejected(3)];
    let receiver = Receiver::start(refused);
    let output =
        run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url), ("OTEL_TRACES_EXPORTER", "none")]);
    assert!(output.contains("flushed: false") && output.contains("shut down: true"), "{output}");
    assert_eq!(figure(&output, "lost batches"), 2, "one request refused, one in part");
}

#[test]
fn metrics_are_sent_periodically_without_anybody_asking() {
    let receiver = Receiver::start([]);
    let mut service = command(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url),
        ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
        ("LINGER", "until the input ends"),
    ]);
    let mut service = service.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let requests = receiver.wait_for(|requests| requests.len() >= 3);
    assert!(requests.iter().all(|request| request.path == "/v1/metrics"));
    drop(service.stdin.take());
    assert!(service.wait().unwrap().success());
}
