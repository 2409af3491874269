//! The manifests as kustomize renders them: complete, and in step with the other files and each other.

use std::fs;

use serde_json::Value;

use crate::manifests::{FOLDERS, rendered};
use crate::{shipped, yaml};

/// Every object that the folder gives.
pub(crate) fn objects(folder: &str) -> Vec<Value> {
    rendered(folder).split("\n---\n").map(|it| serde_saphyr::from_str(it).unwrap()).collect()
}

/// The first object of that kind.
pub(crate) fn named<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|it| it["kind"] == kind);
    found.next().unwrap_or_else(|| panic!("no {kind}"))
}

fn pod(objects: &[Value]) -> &Value {
    &named(objects, "DaemonSet")["spec"]["template"]["spec"]
}

#[test]
fn k1_pods_keep_to_more_than_their_profile_asks_for() {
    for folder in FOLDERS.into_iter().filter(|it| it.starts_with("kubernetes")) {
        let objects = objects(folder);
        let profile = &named(&objects, "Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
        let expected = if folder.ends_with("hostport") { "privileged" } else { "restricted" };
        assert_eq!(profile, expected, "{folder}");
        let pods = objects.iter().filter(|it| it["spec"]["template"].is_object());
        for pod in pods.map(|it| &it["spec"]["template"]["spec"]) {
            assert_eq!(pod["automountServiceAccountToken"], false, "{folder}");
            for container in pod["containers"].as_array().unwrap() {
                let name = &container["name"];
                let security = &container["securityContext"];
                assert_eq!(security["readOnlyRootFilesystem"], true, "{folder}: {name}");
                assert!(container["resources"]["limits"]["memory"].is_string(), "{folder}: {name}");
                for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
                    assert!(container[probe].is_object(), "{folder}: {name}: {probe}");
                }
            }
        }
    }
}

#[test]
fn k1_what_is_selected_and_mounted_exists() {
    let objects = objects("kubernetes/prometheus-operator");
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
    let objects = objects("kubernetes/base");
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
    let maps = objects("grafana");
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
