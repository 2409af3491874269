//! The manifests of the two tiers fit each other and what their configurations count on.

use serde_json::Value;

use crate::kubernetes::{named, objects};

/// The object of that kind and name.
fn of<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let mut found =
        objects.iter().filter(|it| it["kind"] == kind && it["metadata"]["name"] == name);
    found.next().unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn container(set: &Value) -> &Value {
    &set["spec"]["template"]["spec"]["containers"][0]
}

fn variable<'a>(set: &'a Value, name: &str) -> &'a str {
    let variables = container(set)["env"].as_array().unwrap();
    variables.iter().find(|it| it["name"] == name).unwrap()["value"].as_str().unwrap()
}

/// A duration of one unit, as the collector writes it.
fn seconds(duration: &str) -> u64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let unit = [("s", 1), ("m", 60), ("h", 3600)].into_iter().find(|it| it.0 == unit).unwrap().1;
    number.parse::<u64>().unwrap() * unit
}

#[test]
fn agents_find_reach_and_know_the_gateways() {
    let objects = objects("kubernetes/gateway");
    let (agents, gateways) = (named(&objects, "DaemonSet"), named(&objects, "StatefulSet"));
    let service = of(&objects, "Service", "plock-gateway");
    assert_eq!(service["spec"]["clusterIP"], "None", "agents choose by address");
    let found: Value = serde_saphyr::from_str(variable(agents, "GATEWAYS")).unwrap();
    let host = format!(
        "{}.{}",
        service["metadata"]["name"].as_str().unwrap(),
        service["metadata"]["namespace"].as_str().unwrap()
    );
    assert_eq!(found["dns"]["hostname"], host);
    let port = found["dns"]["port"].as_str().unwrap();
    assert_eq!(service["spec"]["ports"][0]["port"].to_string(), port);
    assert_eq!(variable(gateways, "AGENTS"), format!("0.0.0.0:{port}"));

    let labels = |set: &Value| set["spec"]["template"]["metadata"]["labels"].clone();
    let selectors = [
        &service["spec"]["selector"],
        &named(&objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &of(&objects, "NetworkPolicy", "plock-gateway")["spec"]["podSelector"]["matchLabels"],
    ];
    let name = "app.kubernetes.io/name";
    assert!(selectors.iter().all(|it| it[name] == labels(gateways)[name]), "{selectors:?}");
    assert_ne!(labels(agents)[name], labels(gateways)[name]);
    // Each lets the other one through.
    let policy = |tier| of(&objects, "NetworkPolicy", tier)["spec"].clone();
    let allows = |rules: &Value, side: &str, labels: &Value| {
        rules.as_array().unwrap().iter().any(|rule| {
            rule[side][0]["podSelector"]["matchLabels"][name] == labels[name]
                && rule["ports"][0]["port"] == "agents"
        })
    };
    assert!(allows(&policy("plock-collector")["egress"], "to", &labels(gateways)));
    assert!(allows(&policy("plock-gateway")["ingress"], "from", &labels(agents)));
}

#[test]
fn both_tiers_start_with_files_that_they_have() {
    let objects = objects("kubernetes/gateway");
    let map = named(&objects, "ConfigMap");
    let files = map["data"].as_object().unwrap();
    let (agents, gateways) = (named(&objects, "DaemonSet"), named(&objects, "StatefulSet"));
    for set in [agents, gateways] {
        let pod = &set["spec"]["template"]["spec"];
        assert_eq!(pod["volumes"][0]["configMap"]["name"], map["metadata"]["name"]);
        let arguments = container(set)["args"].as_array().unwrap();
        let names = arguments.iter().map(|it| it.as_str().unwrap());
        let names = names.map(|it| it.strip_prefix("--config=/etc/otelcol/").unwrap());
        assert!(names.clone().all(|it| files.contains_key(it)), "{arguments:?}");
        let text: String = names.map(|it| files[it].as_str().unwrap()).collect();
        for variable in container(set)["env"].as_array().unwrap() {
            let name = variable["name"].as_str().unwrap();
            let is_read = text.contains(&format!("${{env:{name}"));
            assert!(is_read || name == "GOMEMLIMIT", "nobody reads {name}");
        }
    }
    for same in ["image", "resources/limits", "securityContext"] {
        let of = |set| container(set).pointer(&format!("/{same}")).unwrap().clone();
        assert_eq!(of(agents), of(gateways), "{same}");
    }
}

/// What SCALING.md says of gateways that come and go.
#[test]
fn a_gateway_leaves_later_than_what_moved_is_forgotten_and_what_is_under_way_is_done() {
    let objects = objects("kubernetes/gateway");
    let files = &named(&objects, "ConfigMap")["data"];
    let parsed =
        |name: &str| -> Value { serde_saphyr::from_str(files[name].as_str().unwrap()).unwrap() };
    let stale = &parsed("gateway.yaml")["processors"]["delta_to_cumulative"]["max_stale"];
    let down = &named(&objects, "HorizontalPodAutoscaler")["spec"]["behavior"]["scaleDown"];
    // Stale sums are looked for once a minute.
    let forgotten = seconds(stale.as_str().unwrap()) + 60;
    assert!(down["stabilizationWindowSeconds"].as_u64().unwrap() > forgotten);
    assert!(down["policies"][0]["periodSeconds"].as_u64().unwrap() > forgotten);
    assert_eq!(down["policies"][0]["value"], 1);

    let pod = &named(&objects, "StatefulSet")["spec"]["template"]["spec"];
    let pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap();
    let config = parsed("config.yaml");
    let wait = config["processors"]["tail_sampling"]["decision_wait"].as_str().unwrap();
    let wait = wait.strip_prefix("${env:DECISION_WAIT:-").unwrap().strip_suffix('}').unwrap();
    // Agents ask for names every five seconds.
    assert!(pause > seconds(wait) + 5, "{pause} s");
    assert!(pod["terminationGracePeriodSeconds"].as_u64().unwrap() > pause + 30);
    let target = &named(&objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"];
    assert_eq!(target["name"], named(&objects, "StatefulSet")["metadata"]["name"]);
    assert!(named(&objects, "StatefulSet")["spec"]["replicas"].is_null(), "the autoscaler's");
}
