//! The shipped files against the types and schemas that their readers publish. Each check is also held
//! against mistakes that it has to find.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test, as the test itself does"
)]

mod compose;
mod gateway;
mod grafana;
mod kubernetes;
mod manifests;
mod scaling;

use std::fs;
use std::path::{Path, PathBuf};

use integration_tests::repository;
use serde_json::Value;

fn shipped(path: &str) -> PathBuf {
    repository().join("otel-collector").join(path)
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
