//! The shipped files are valid and fit each other.

use std::fs;
use std::process::Command;

use integration_tests::{Tools, repository};
use serde_json::Value;

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(repository().join("otel-collector").join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn accepts(command: &mut Command) {
    let output = command.current_dir(repository().join("otel-collector")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_collector_accepts_its_configuration() {
    let tools = Tools::ready().unwrap();
    accepts(Command::new(tools.collector).args(["validate", "--config", "config.yaml"]));
}

#[test]
fn prometheus_accepts_its_configuration() {
    let tools = Tools::ready().unwrap();
    accepts(Command::new(tools.promtool).args(["check", "config", "prometheus/prometheus.yml"]));
}

#[test]
fn samples_are_accepted_as_long_as_they_are_retried() {
    let window = &yaml("prometheus/prometheus.yml")["storage"]["tsdb"]["out_of_order_time_window"];
    let config = yaml("config.yaml");
    let retry = &config["exporters"]["otlp_http/prometheus"]["retry_on_failure"];
    assert!(window.is_string());
    assert_eq!(window, &retry["max_elapsed_time"]);
}

#[test]
fn compose_runs_the_versions_that_are_tested_here() {
    let tools = Tools::ready().unwrap();
    let services = yaml("compose.yaml")["services"].clone();
    let image = |service: &str| services[service]["image"].as_str().unwrap().to_owned();
    let version = tools.collector_version.trim_start_matches('v');
    assert_eq!(image("collector"), format!("otel/opentelemetry-collector-contrib:{version}"));
    // The Go module v0.314.0 is release 3.14.0.
    let module = tools.prometheus_version.trim_start_matches("v0.");
    let (major, rest) = module.split_at(1);
    assert_eq!(image("prometheus"), format!("prom/prometheus:v{major}.{rest}"));
    let version = &tools.alertmanager_version;
    assert_eq!(image("alertmanager"), format!("prom/alertmanager:{version}"));
    for flag in ["--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"] {
        let command = services["prometheus"]["command"].as_array().unwrap();
        assert!(command.iter().any(|it| it == flag), "{flag}");
    }
}

#[test]
fn every_image_is_pinned_and_every_port_is_local() {
    let services = yaml("compose.yaml")["services"].clone();
    for (name, service) in services.as_object().unwrap() {
        let (_, tag) = service["image"].as_str().unwrap().split_once(':').unwrap();
        assert!(tag.contains('.') && tag != "latest", "{name}: {tag}");
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port}");
        }
    }
}

#[test]
fn every_mounted_file_exists_and_every_data_source_is_known() {
    let services = yaml("compose.yaml")["services"].clone();
    let directory = repository().join("otel-collector");
    for service in services.as_object().unwrap().values() {
        let mounts = service["volumes"].as_array().into_iter().flatten();
        for mount in mounts.filter_map(Value::as_str).filter(|it| it.starts_with("./")) {
            let (host, _) = mount.split_once(':').unwrap();
            assert!(directory.join(host).exists(), "{host}");
        }
    }
    let sources = yaml("grafana/provisioning/datasources/plock.yaml")["datasources"].clone();
    let uids: Vec<_> = sources.as_array().unwrap().iter().map(|it| it["uid"].clone()).collect();
    assert_eq!(uids, ["prometheus", "tempo"]);
    let exemplars = &sources[0]["jsonData"]["exemplarTraceIdDestinations"][0];
    assert_eq!(exemplars["datasourceUid"], "tempo");
    assert_eq!(exemplars["name"], "trace_id");
}

#[test]
fn every_component_is_used_and_every_use_is_defined() {
    let config = yaml("config.yaml");
    let keys = |section: &str| -> Vec<String> {
        config[section].as_object().unwrap().keys().cloned().collect()
    };
    let mut used: Vec<String> = Vec::new();
    for pipeline in config["service"]["pipelines"].as_object().unwrap().values() {
        for list in ["receivers", "processors", "exporters"] {
            let names = pipeline[list].as_array().into_iter().flatten();
            used.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        }
        let first = &pipeline["processors"][0];
        if pipeline["receivers"][0] == "otlp" {
            assert_eq!(first, "memory_limiter", "only a sender can be told to come back");
        }
    }
    let sections = ["receivers", "processors", "exporters", "connectors"];
    let defined: Vec<_> = sections.into_iter().flat_map(keys).collect();
    for name in &defined {
        assert!(used.contains(name), "{name} is never used");
    }
    for name in &used {
        assert!(defined.contains(name), "{name} is not defined");
    }
}
