//! The compose file: read as `docker compose` does, complete in itself, and in step with what it mounts.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use integration_tests::{Checkers, example, repository};
use serde_json::Value;

use crate::{shipped, yaml};

/// Whether the loader of `docker compose` takes `text`, and what it makes of it or says.
fn loaded(text: &str) -> Result<Value, String> {
    let checkers = Checkers::ready().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("compose.yaml");
    fs::write(&file, text).unwrap();
    let output = Command::new(checkers.compose)
        .args(["-format", "json", "-no-path-resolution"])
        .arg(&file)
        .env("COMPOSE_PROFILES", "demo")
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8(output.stderr).unwrap());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

fn text() -> String {
    fs::read_to_string(shipped("compose.yaml")).unwrap()
}

fn services() -> Vec<(String, Value)> {
    let services = loaded(&text()).unwrap()["services"].clone();
    services.as_object().unwrap().clone().into_iter().collect()
}

fn service(name: &str) -> Value {
    services().into_iter().find(|it| it.0 == name).unwrap().1
}

#[test]
fn k2_the_loader_of_docker_compose_takes_the_file_and_finds_mistakes() {
    let all = ["alertmanager", "collector", "grafana", "orders", "probe", "prometheus", "tempo"];
    assert_eq!(services().iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), all);
    let mistakes = [
        ("retries:", "retriez:", "'retriez' not allowed"),
        ("condition: service_healthy", "condition: service_healhty", "must be one of"),
        ("cap_drop: [ALL]", "cap_drop: ALL", "must be a array"),
        ("restart: unless-stopped", "restart: 1", "must be a string"),
    ];
    for (right, wrong, expected) in mistakes {
        assert!(text().contains(right), "{right}");
        let said = loaded(&text().replace(right, wrong)).unwrap_err();
        assert!(said.contains(expected), "{wrong}: {said}");
    }
}

#[test]
fn k2_every_service_tells_whether_it_is_healthy_and_waits_for_what_it_needs() {
    let services = services();
    let of = |name: &str| &services.iter().find(|it| it.0 == name).unwrap().1;
    let probe = of("probe")["healthcheck"]["test"][1].as_str().unwrap();
    for (name, service) in &services {
        let is_probed = probe.contains(&format!("http://{name}:"));
        assert!(service["healthcheck"]["test"].is_array() || is_probed, "{name}");
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let tells = of(needed)["healthcheck"].is_object();
            let expected = if tells { "service_healthy" } else { "service_started" };
            assert_eq!(how["condition"], expected, "{name} needs {needed}");
        }
    }
    assert_eq!(of("probe")["image"], of("prometheus")["image"], "no image more");
    // Where the probe asks is where they answer.
    let health = of("collector")["environment"]["HEALTH"].as_str().unwrap();
    let port = health.rsplit_once(':').unwrap().1;
    assert!(probe.contains(&format!("http://collector:{port}/")), "{probe}");
    let port = &yaml(&shipped("tempo/tempo.yaml"))["server"]["http_listen_port"];
    assert!(probe.contains(&format!("http://tempo:{port}/ready")), "{probe}");
}

#[test]
fn k2_volumes_variables_and_addresses_have_two_ends() {
    let file = yaml(&shipped("compose.yaml"));
    let named: BTreeSet<_> =
        file["volumes"].as_object().unwrap().keys().map(String::as_str).collect();
    let mounts = |service: &Value| service["volumes"].as_array().cloned().unwrap_or_default();
    let services = file["services"].as_object().unwrap();
    let mounts: Vec<_> = services.values().flat_map(mounts).collect();
    let sources = mounts.iter().map(|it| it.as_str().unwrap().split_once(':').unwrap().0);
    let used: BTreeSet<_> = sources.filter(|it| !it.starts_with('.')).collect();
    assert_eq!(used, named);

    let config = fs::read_to_string(shipped("config.yaml")).unwrap();
    for (name, value) in services["collector"]["environment"].as_object().unwrap() {
        assert!(config.contains(&format!("${{env:{name}:-")), "config.yaml does not read {name}");
        let host = value.as_str().unwrap().trim_start_matches("http://").split(':').next().unwrap();
        let is_here = host == "0.0.0.0" || host.starts_with('/') || services.contains_key(host);
        assert!(is_here, "{name}: {value}");
    }
    let sources = yaml(&shipped("grafana/provisioning/datasources/plock.yaml"));
    for source in sources["datasources"].as_array().unwrap() {
        let url = source["url"].as_str().unwrap().strip_prefix("http://").unwrap();
        assert!(services.contains_key(url.split_once(':').unwrap().0), "{url}");
    }
    let provider = yaml(&shipped("grafana/provisioning/dashboards/plock.yaml"));
    let folder = provider["providers"][0]["options"]["path"].as_str().unwrap();
    let home =
        services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].clone();
    let home = home.as_str().unwrap().strip_prefix(folder).unwrap().to_owned();
    assert!(shipped("grafana/dashboards").join(home.trim_start_matches('/')).exists(), "{home}");
    let mounted = format!("./grafana/dashboards:{folder}:ro");
    assert!(mounts.iter().any(|it| *it == mounted), "{mounted}");
    for target in fs::read_dir(shipped("prometheus/targets-compose")).unwrap() {
        for host in yaml(&target.unwrap().path())[0]["targets"].as_array().unwrap() {
            let host = host.as_str().unwrap().split_once(':').unwrap().0;
            assert!(services.contains_key(host) || host == "host.docker.internal", "{host}");
        }
    }
}

/// The service under load with the very arguments of its container, but for a second only.
#[test]
fn k2_the_service_under_load_starts_as_the_file_says() {
    let orders = service("orders");
    let arguments: Vec<_> =
        orders["command"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    let port = arguments[arguments.iter().position(|it| *it == "--port").unwrap() + 1];
    // Here another process may have it: any port will do.
    let free = arguments.iter().map(|it| if *it == port { "0" } else { it });
    let output = Command::new(example("orders").unwrap())
        .args(free)
        .args(["--seconds", "1"])
        .env("OTEL_TRACES_EXPORTER", "none")
        .env("OTEL_METRICS_EXPORTER", "none")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    let check = orders["healthcheck"]["test"].as_array().unwrap().last().unwrap();
    assert!(check.as_str().unwrap().ends_with(&format!("/{port}")), "{check}");
    assert_eq!(orders["ports"][0]["target"].to_string(), port);

    let endpoint = orders["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"].as_str().unwrap();
    let listens = service("collector")["environment"]["OTLP_HTTP"].as_str().unwrap().to_owned();
    assert_eq!(endpoint, format!("http://collector:{}", listens.rsplit_once(':').unwrap().1));
}

#[test]
fn k2_the_service_under_load_is_built_with_the_toolchain_of_the_workspace() {
    let orders = service("orders");
    let file = orders["build"]["dockerfile"].as_str().unwrap();
    let file = fs::read_to_string(repository().join(file)).unwrap();
    let manifest = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let field = |key: &str| {
        let line = manifest.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
        line.unwrap().trim_end_matches('"').to_owned()
    };
    assert!(file.contains(&format!("FROM rust:{}.", field("rust-version"))), "{file}");
    assert_eq!(orders["image"], format!("plock-orders:{}", field("version")));
}
