//! The manifests as kustomize renders them: complete, in step with the other files, and within the
//! profile `restricted` of Pod Security.

use std::fs;
use std::process::Command;

use integration_tests::Tools;
use serde_json::{Value, json};

use crate::{shipped, yaml};

/// Every object that the folder gives.
fn rendered(folder: &str) -> Vec<Value> {
    let tools = Tools::ready().unwrap();
    let folder = shipped(folder);
    let output = Command::new(tools.kustomize).arg("build").arg(&folder).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", folder.display());
    let text = String::from_utf8(output.stdout).unwrap();
    text.split("\n---\n").map(|it| serde_saphyr::from_str(it).unwrap()).collect()
}

fn named<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|it| it["kind"] == kind);
    found.next().unwrap_or_else(|| panic!("no {kind}"))
}

/// What the profile `restricted` forbids, as far as a pod can break it.
fn breaches(pod: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut demand = |what: &str, holds: bool| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    for host in ["hostNetwork", "hostPID", "hostIPC"] {
        demand(host, pod[host].is_null() || pod[host] == false);
    }
    let security = &pod["securityContext"];
    demand("runAsNonRoot", security["runAsNonRoot"] == true && security["runAsUser"] != 0);
    demand("seccompProfile", security["seccompProfile"]["type"] == "RuntimeDefault");
    let allowed = ["configMap", "emptyDir", "secret", "projected", "downwardAPI"];
    for volume in pod["volumes"].as_array().into_iter().flatten() {
        demand("volumes", allowed.iter().any(|kind| volume.get(kind).is_some()));
    }
    for container in pod["containers"].as_array().into_iter().flatten() {
        let security = &container["securityContext"];
        demand("allowPrivilegeEscalation", security["allowPrivilegeEscalation"] == false);
        demand("capabilities", security["capabilities"]["drop"] == json!(["ALL"]));
        demand("privileged", security["privileged"].is_null());
        let ports = container["ports"].as_array().into_iter().flatten();
        demand("hostPort", ports.filter(|port| !port["hostPort"].is_null()).count() == 0);
        // Beyond the profile.
        demand("readOnlyRootFilesystem", security["readOnlyRootFilesystem"] == true);
        demand("limits", container["resources"]["limits"]["memory"].is_string());
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            demand(probe, container[probe].is_object());
        }
    }
    found
}

fn pod(objects: &[Value]) -> &Value {
    &named(objects, "DaemonSet")["spec"]["template"]["spec"]
}

#[test]
fn k1_the_collector_keeps_to_the_restricted_profile() {
    for folder in ["kubernetes/base", "kubernetes/prometheus-operator"] {
        let objects = rendered(folder);
        assert_eq!(breaches(pod(&objects)), Vec::<String>::new(), "{folder}");
        let profile = "pod-security.kubernetes.io/enforce";
        assert_eq!(named(&objects, "Namespace")["metadata"]["labels"][profile], "restricted");
    }
    // Host ports are what the profile forbids, and the namespace says so.
    let objects = rendered("kubernetes/hostport");
    assert_eq!(breaches(pod(&objects)), ["hostPort"]);
    let labels = &named(&objects, "Namespace")["metadata"]["labels"];
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "privileged");
}

#[test]
fn k1_what_is_selected_and_mounted_exists() {
    let objects = rendered("kubernetes/prometheus-operator");
    let set = named(&objects, "DaemonSet");
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    for selector in [
        &set["spec"]["selector"]["matchLabels"],
        &named(&objects, "Service")["spec"]["selector"],
        &named(&objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        &named(&objects, "PodMonitor")["spec"]["selector"]["matchLabels"],
    ] {
        for (key, value) in selector.as_object().unwrap() {
            assert_eq!(&labels[key], value);
        }
    }
    let mounted = &pod(&objects)["volumes"][0]["configMap"]["name"];
    assert_eq!(mounted, &named(&objects, "ConfigMap")["metadata"]["name"]);
    assert!(objects.iter().any(|it| it["kind"] == "PrometheusRule"));
}

#[test]
fn k1_manifests_are_in_step_with_the_other_files() {
    let objects = rendered("kubernetes/base");
    let config = fs::read_to_string(shipped("config.yaml")).unwrap();
    let mounted = named(&objects, "ConfigMap")["data"]["config.yaml"].as_str().unwrap();
    assert_eq!(mounted.trim_end(), config.trim_end(), "run `cargo xtask boards`");
    let container = &pod(&objects)["containers"][0];
    let compose = yaml(&shipped("compose.yaml"));
    assert_eq!(container["image"], compose["services"]["collector"]["image"]);
    for variable in container["env"].as_array().unwrap() {
        let name = variable["name"].as_str().unwrap();
        let is_read = config.contains(&format!("${{env:{name}:"));
        assert!(is_read || name == "GOMEMLIMIT", "config.yaml does not read {name}");
    }
    let limit = yaml(&shipped("config.yaml"))["processors"]["memory_limiter"]["limit_mib"].clone();
    let limits = [&container["env"], &container["resources"]["limits"]["memory"]];
    assert_eq!(limit, 512);
    let soft = limits[0].as_array().unwrap().iter().find(|it| it["name"] == "GOMEMLIMIT");
    assert_eq!(soft.unwrap()["value"], "640MiB", "above the limiter");
    assert_eq!(limits[1], "768Mi", "above the soft limit");
}

#[test]
fn k1_every_dashboard_is_a_config_map_that_fits() {
    let maps = rendered("grafana");
    let boards = fs::read_dir(shipped("grafana/dashboards")).unwrap();
    let mut boards: Vec<_> =
        boards.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    boards.sort();
    let mut mapped = Vec::new();
    for map in &maps {
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        for (name, text) in map["data"].as_object().unwrap() {
            // Client-side apply copies it into an annotation, which takes 256 KiB.
            assert!(text.as_str().unwrap().len() < 200_000, "{name}");
            mapped.push(name.clone());
        }
    }
    mapped.sort();
    assert_eq!(mapped, boards);
}
