//! What a user gets wrong: variables are refused with their name and value before anything starts,
//! names are bounded and counted, and no acquisition is lost over it.

use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use integration_tests::{Process, Stack, example, wait_for};
use plock::tokio::sync::{Mutex, Semaphore};
use plock_core::{Dropped, MAX_NAME, OVERFLOW, Outcome, Snapshot};

use crate::script::{SCRAPE, SNAPSHOT, sum};
use crate::series::{Form, ensure_equal, expected, stored};
use crate::{SOON, quiet, start, this_program};

/// More names than anybody should have.
const NAMES: u64 = 100_000;

async fn axum_minimal() -> Command {
    let program = tokio::task::spawn_blocking(|| example("axum-minimal")).await.unwrap().unwrap();
    let mut command = Command::new(program);
    quiet(&mut command);
    command.env("ADDRESS", "127.0.0.1:0");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_that_cannot_be_meant_ends_the_service_with_its_name_and_value() {
    let directory = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "not a url"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://127.0.0.1:4318"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:99999"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_PROPAGATORS", "b4"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "-1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1s"),
        ("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "linear"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sideways"),
        ("OTEL_SDK_DISABLED", "perhaps"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let log = directory.path().join("log");
        let mut command = axum_minimal().await;
        let mut process = Process::spawn(command.env(name, value), &log).unwrap();
        let status = process.ended(SOON).await.unwrap_or_else(|_| panic!("{name}={value} served"));
        let output = process.output().unwrap();
        assert_eq!(status.code(), Some(1), "{name}={value}: {output}");
        assert!(output.contains(name) && output.contains(value), "{name}={value}: {output}");
        assert!(output.contains("expected"), "{name}={value}: {output}");
        assert!(!output.contains("panicked"), "{name}={value}: {output}");
        std::fs::remove_file(log).unwrap();
    }
}

/// Makes locks with all kinds of names and acquires each of them once.
#[tokio::test]
#[ignore = "a service of its own, started by the other tests"]
async fn misnamed() {
    let scrape = plock::prometheus::serve("127.0.0.1:0").unwrap();
    println!("\n{SCRAPE}{}", scrape.local_addr());
    for name in 0..NAMES {
        drop(Mutex::named(format!("user-{name}").leak(), ()).lock().await);
    }
    // By now even these fold into what stands for everything beyond the cap.
    for name in ["", "twice", "twice", "é".repeat(40).leak()] {
        drop(Mutex::named(name, ()).lock().await);
    }
    drop(Semaphore::named("twice", 1).acquire().await.unwrap());
    println!("\n{SNAPSHOT}{}", serde_json::to_string(&plock::snapshot()).unwrap());
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_names_are_folded_and_counted_and_nothing_is_lost() {
    let mut stack = start(Stack::builder()).await;
    let mut command = this_program("bad_input::misnamed");
    let log = stack.directory().join("service.log");
    let mut service = Process::spawn(&mut command, &log).unwrap();
    stack.scrape("plock", &service.told(SCRAPE, SOON).await.unwrap()).unwrap();
    let snapshot = service.told(SNAPSHOT, SOON).await.unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();

    let acquired = |name| sum(&snapshot, name, |series| series.outcome(Outcome::Acquired));
    let all: u64 = snapshot.locks.iter().map(|series| series.outcome(Outcome::Acquired)).sum();
    assert_eq!(all, NAMES + 5);
    let folded = acquired(OVERFLOW);
    assert_eq!(snapshot.dropped(Dropped::Classes), folded, "one acquisition each");
    let own = snapshot.locks.iter().filter(|series| series.name != OVERFLOW).count() as u64;
    assert_eq!(own + folded, NAMES + 5, "each name has a series of its own or is folded");
    assert!(own > 500, "{own}");
    assert_eq!(acquired("user-0"), 1);
    assert_eq!(snapshot.dropped(Dropped::NameEmpty), 1);
    assert_eq!(snapshot.dropped(Dropped::NameLength), 1);

    // The same in Prometheus, series by series, and as a user would ask.
    let promql = stack.promql();
    let expected = expected(&snapshot, Form::Native);
    let equal = integration_tests::eventually(SOON, async || {
        ensure_equal(&expected, &stored(&promql, "plock").await?)
    });
    equal.await.unwrap();
    for (query, expected) in [
        ("sum(plock_acquisitions_total{lock_outcome='acquired'})", NAMES + 5),
        ("sum(plock_acquisitions_total{lock_name='__overflow__'})", folded),
        ("sum(plock_telemetry_dropped_total{reason='class_limit'})", folded),
    ] {
        wait_for(SOON, expected as f64, || promql.number(query)).await.unwrap();
    }
}

/// Makes locks whose names are wrong one by one; there is room for all of them.
#[tokio::test]
#[ignore = "a service of its own, started by the other tests"]
async fn misspelled() {
    let long = "é".repeat(40).leak();
    drop(Mutex::named("", ()).lock().await);
    drop(Mutex::named(long, ()).lock().await);
    let twice = [Mutex::named("twice", ()), Mutex::named("twice", ())];
    let guards = (twice[0].lock().await, twice[1].lock().await);
    drop(guards);
    drop(Semaphore::named("twice", 1).acquire().await.unwrap());
    println!("\n{SNAPSHOT}{}", serde_json::to_string(&plock::snapshot()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_a_long_and_a_repeated_name_are_replaced_cut_and_shared() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = this_program("bad_input::misspelled");
    let mut service = Process::spawn(&mut command, &directory.path().join("log")).unwrap();
    let snapshot = service.told(SNAPSHOT, SOON).await.unwrap();
    assert!(service.ended(Duration::from_secs(60)).await.unwrap().success());
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();

    let acquired = |name: &str| sum(&snapshot, name, |series| series.outcome(Outcome::Acquired));
    assert_eq!(acquired(""), 0);
    assert_eq!(acquired("integration_tests::service::bad_input"), 1);
    // 64 bytes, at the end of a character.
    assert_eq!(acquired(&"é".repeat(MAX_NAME / 2)), 1);
    // Two mutexes share one series, a semaphore has one beside it.
    assert_eq!(acquired("twice"), 3);
    assert_eq!(snapshot.locks.iter().filter(|series| series.name == "twice").count(), 2);
    for reason in [Dropped::NameEmpty, Dropped::NameLength, Dropped::NameConflict] {
        assert_eq!(snapshot.dropped(reason), 1, "{reason}");
    }
    assert_eq!(snapshot.dropped(Dropped::Classes), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_nobody_takes_are_counted_on_the_scrape() {
    const VISITS: u64 = 20;
    let directory = tempfile::tempdir().unwrap();
    let mut command = axum_minimal().await;
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("OTEL_METRICS_EXPORTER", "none");
    // It takes the address that it is told and tells none: one that nobody has just now.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    command.env("ADDRESS", address.to_string());
    let _service = Process::spawn(&mut command, &directory.path().join("log")).unwrap();
    let client = reqwest::Client::new();
    let visit = || client.post(format!("http://{address}/visits")).send();
    integration_tests::eventually(SOON, async || Ok(visit().await?)).await.unwrap();
    for _ in 1..VISITS {
        assert!(visit().await.unwrap().status().is_success());
    }
    let lost = format!("plock_telemetry_dropped_total{{reason=\"{}\"}} ", Dropped::Spans);
    let told = integration_tests::eventually(SOON, async || {
        let scrape = reqwest::get(format!("http://{address}/metrics")).await?.text().await?;
        let lost = scrape.lines().find_map(|line| line.strip_prefix(&lost)).map(str::to_owned);
        let lost: u64 = lost.unwrap_or_default().parse()?;
        // The span of each request, and one for its hold of 20 ms.
        ensure!(lost == 2 * VISITS, "{lost} spans lost");
        Ok(())
    });
    told.await.unwrap();
}
