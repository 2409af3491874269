//! The shipped files against the types and schemas that their readers publish. Each check is also held
//! against mistakes that it has to find.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails the test, as the test itself does"
)]

mod grafana;

use std::path::PathBuf;

use integration_tests::repository;

fn shipped(path: &str) -> PathBuf {
    repository().join("otel-collector").join(path)
}
