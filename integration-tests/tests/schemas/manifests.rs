//! Rendered manifests under the schemas of two versions of Kubernetes, and their pods under the profile
//! `restricted` of Pod Security, by the checks of the API server itself.

use std::io::Write;
use std::process::{Command, Stdio};

use integration_tests::{Checkers, Tools};

use crate::shipped;

/// What users apply.
pub(crate) const FOLDERS: [&str; 5] = [
    "kubernetes/base",
    "kubernetes/gateway",
    "kubernetes/hostport",
    "kubernetes/prometheus-operator",
    "grafana",
];

/// An older version of Kubernetes and the newest one whose schemas there are.
const VERSIONS: [&str; 2] = ["1.35", "1.37"];

/// Everything that the folder gives.
pub(crate) fn rendered(folder: &str) -> String {
    let tools = Tools::ready().unwrap();
    let folder = shipped(folder);
    let output = Command::new(tools.kustomize).arg("build").arg(&folder).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", folder.display());
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the checker is content with `manifests`, and what it says.
fn told(command: &mut Command, manifests: &str) -> (bool, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifests.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(told).unwrap())
}

fn schema(version: &str, manifests: &str) -> (bool, String) {
    let checkers = Checkers::ready().unwrap();
    let mut command = Command::new("python3");
    command.arg(shipped("tools/kubernetes/check.py")).arg(version).arg(checkers.definitions);
    told(command.env("PYTHONPATH", checkers.kubernetes), manifests)
}

fn pod_security(manifests: &str) -> (bool, String) {
    let checkers = Checkers::ready().unwrap();
    told(Command::new(checkers.pod_security).args(VERSIONS), manifests)
}

#[test]
fn k1_every_manifest_has_the_schema_of_both_versions() {
    for folder in FOLDERS {
        let manifests = rendered(folder);
        let count = manifests.split("\n---\n").count();
        for version in VERSIONS {
            let expected = (true, format!("{count} manifests checked\n"));
            assert_eq!(schema(version, &manifests), expected, "{folder}, {version}");
        }
    }
}

#[test]
fn k1_the_schemas_find_every_kind_of_mistake() {
    let gateway = rendered("kubernetes/gateway");
    let operator = rendered("kubernetes/prometheus-operator");
    #[rustfmt::skip]
    let mistakes = [
        (&gateway, "capabilities:", "capabilites:", "StatefulSet plock-gateway: spec.template.spec.containers.0.securityContext: Additional properties are not allowed ('capabilites' was unexpected)"),
        (&gateway, "minReplicas: 2", "minReplicas: two", "HorizontalPodAutoscaler plock-gateway: spec.minReplicas: 'two' is not of type 'integer'"),
        (&gateway, "        - --config=/etc/otelcol/gateway.yaml", "        - 7", "containers.0.args.1: 7 is not of type 'string'"),
        (&gateway, "  serviceName: plock-gateway", "  serviceNames: plock-gateway", "'serviceNames' was unexpected"),
        (&gateway, "apiVersion: policy/v1", "apiVersion: policy/v1beta1", "Couldn't find schema for kind PodDisruptionBudget"),
        (&operator, "port: self", "prot: self", "PodMonitor plock-collector: spec.podMetricsEndpoints.0: Additional properties are not allowed ('prot' was unexpected)"),
        (&operator, "interval: 15s", "interval: soon", "'soon' does not match"),
        (&operator, "keep_firing_for:", "keep_firing:", "PrometheusRule plock: spec.groups"),
    ];
    let versions = VERSIONS.into_iter().cycle();
    for ((manifests, right, wrong, expected), version) in mistakes.into_iter().zip(versions) {
        assert!(manifests.contains(right), "{right}");
        let (content, said) = schema(version, &manifests.replace(right, wrong));
        assert!(!content && said.contains(expected), "{version}, {wrong}: {said}");
    }
}

#[test]
fn k1_every_pod_keeps_to_the_restricted_profile_of_both_versions() {
    for (folder, pods) in
        [("kubernetes/base", 1), ("kubernetes/prometheus-operator", 1), ("kubernetes/gateway", 2)]
    {
        let expected = (true, format!("{pods} pods checked\n"));
        assert_eq!(pod_security(&rendered(folder)), expected, "{folder}");
    }
    // Host ports are what the profile forbids, and nothing else is broken for them.
    let (content, said) = pod_security(&rendered("kubernetes/hostport"));
    let breaches: Vec<_> = said.lines().filter(|line| line.contains("plock-collector")).collect();
    assert!(!content && breaches.len() == VERSIONS.len(), "{said}");
    assert!(breaches.iter().all(|line| line.contains(": hostPort: ")), "{said}");
}

#[test]
fn k1_the_profile_finds_every_kind_of_breach() {
    let manifests = rendered("kubernetes/gateway");
    #[rustfmt::skip]
    let breaches = [
        ("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation != false"),
        ("            - ALL", "            - CHOWN", "unrestricted capabilities"),
        ("type: RuntimeDefault", "type: Unconfined", "seccompProfile"),
        ("runAsNonRoot: true", "runAsNonRoot: false", "runAsNonRoot != true"),
        ("runAsUser: 10001", "runAsUser: 0", "runAsUser=0"),
        ("readOnlyRootFilesystem: true", "privileged: true", "privileged"),
        ("terminationGracePeriodSeconds:", "hostNetwork: true\n      terminationGracePeriodSeconds:", "host namespaces"),
        ("emptyDir:\n          sizeLimit: 1Gi", "hostPath:\n          path: /var", "restricted volume types"),
    ];
    for (right, wrong, expected) in breaches {
        assert!(manifests.contains(right), "{right}");
        let (content, said) = pod_security(&manifests.replace(right, wrong));
        assert!(!content && said.contains(expected), "{wrong}: {said}");
        assert!(VERSIONS.iter().all(|version| said.contains(version)), "{wrong}: {said}");
    }
}
