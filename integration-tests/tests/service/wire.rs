//! From a lock to Prometheus and the trace store: what a service measured is what arrives there, on
//! every path, series by series and span by span.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use integration_tests::{Process, Promql, Stack, TraceStore, eventually};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use plock::{Cause, LockSeries, Mode, Outcome, Snapshot};
use plock_semconv::spans;

use crate::script::{ROUNDS, SCRAPE, SNAPSHOT, WAIT, sum};
use crate::series::{Form, ensure_equal, expected, seconds, stored};
use crate::{SOON, start, this_program};

#[tokio::test(flavor = "multi_thread")]
async fn wire_classic() {
    wire(Form::Classic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wire_native() {
    wire(Form::Native).await;
}

async fn wire(form: Form) {
    let store = TraceStore::start().unwrap();
    let builder =
        Stack::builder().trace_store(store.address()).collector_env("KEEP_PERCENT", "100");
    let (builder, aggregation) = match form {
        Form::Classic => (builder.classic_scrapes(), "explicit_bucket_histogram"),
        Form::Native => (builder, "base2_exponential_bucket_histogram"),
    };
    let mut stack = start(builder).await;
    let mut command = this_program("script::scripted");
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", stack.endpoints().otlp_http)
        .env("OTEL_SERVICE_NAME", "wire")
        .env("OTEL_METRIC_EXPORT_INTERVAL", "250")
        .env("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", aggregation);
    let mut service = Process::spawn(&mut command, &stack.directory().join("service.log")).unwrap();
    let scrape = service.told(SCRAPE, SOON).await.unwrap();
    stack.scrape("plock", &scrape).unwrap();
    let snapshot = service.told(SNAPSHOT, SOON).await.unwrap();
    let snapshot: Snapshot = serde_json::from_str(&snapshot).unwrap();

    the_library_counted_the_script(&snapshot);
    let promql = stack.promql();
    // Pushed under the name of the service, scraped under the name of the job.
    for job in ["wire", "plock"] {
        let expected = expected(&snapshot, form);
        assert!(expected.len() > 100, "{expected:#?}");
        let equal =
            eventually(SOON, async || ensure_equal(&expected, &stored(&promql, job).await?));
        equal.await.with_context(|| format!("job {job}")).unwrap();
        // Not only equal: the mistakes of the script are there.
        for (name, labels) in [("deadlocks", ""), ("poisoned", ",lock_name='ledger'")] {
            let counted = format!("plock_{name}_total{{job='{job}'{labels}}}");
            let counted = promql.number(&counted).await.unwrap();
            assert!((counted - 1.0).abs() < 1e-9, "{name}: {counted}");
        }
        let overhead = format!("plock_telemetry_overhead_time_seconds_total{{job='{job}'}}");
        let overhead = promql.number(&overhead).await.unwrap();
        assert!(overhead > 0.0, "{overhead}");
    }
    derived_from_spans(&promql, &snapshot).await;
    traces(&store, &snapshot).await;
}

fn the_library_counted_the_script(snapshot: &Snapshot) {
    let lock = |name, mode| snapshot.lock(name, mode).unwrap();
    let inventory = lock("inventory", Mode::Exclusive);
    // Holder, first and second of each round, the hindrance, nested, quiet.
    assert_eq!(inventory.outcome(Outcome::Acquired), 3 * ROUNDS + 3);
    assert_eq!(inventory.outcome(Outcome::Abandoned), 1);
    assert_eq!(inventory.outcome(Outcome::WouldBlock), 1);
    assert_eq!(waits(inventory, Cause::Holder), 2 * ROUNDS + 1);
    assert_eq!(inventory.contentions(), 2 * ROUNDS + 1);
    assert!(
        inventory.wait_total().sum_ns() >= (ROUNDS + 1) * u64::try_from(WAIT.as_nanos()).unwrap()
    );
    let (readers, writers) = (lock("catalogue", Mode::Shared), lock("catalogue", Mode::Exclusive));
    assert_eq!(readers.outcome(Outcome::Acquired), 4);
    assert_eq!((waits(readers, Cause::WriterPending), readers.contentions()), (1, 1));
    assert_eq!(writers.outcome(Outcome::Acquired), 2);
    assert_eq!((waits(writers, Cause::Holder), writers.contentions()), (1, 1));
    let worker = lock("worker", Mode::Permit);
    assert_eq!(worker.outcome(Outcome::Acquired), 3);
    assert_eq!((waits(worker, Cause::Permits), worker.contentions()), (1, 1));
    for series in &snapshot.locks {
        assert_eq!((series.waiters, series.holders), (0, 0), "{series:#?}");
    }
}

fn waits(series: &LockSeries, cause: Cause) -> u64 {
    series.wait[cause as usize].count()
}

/// The metrics that the collector makes of the totals on the spans, against the library's figures.
async fn derived_from_spans(promql: &Promql, snapshot: &Snapshot) {
    let total = |figure: fn(&LockSeries) -> u64| {
        let nested = |name| sum(snapshot, name, figure);
        let names = ["inventory", "catalogue", "worker", "ledger", "till"];
        names.into_iter().map(nested).sum::<u64>()
    };
    let wait = total(|series| series.wait_total().sum_ns());
    let hold = total(|series| series.hold.sum_ns());
    let acquired = total(|series| series.outcome(Outcome::Acquired));
    let by_lock = |name: &str| sum(snapshot, name, |series| series.wait_total().sum_ns());
    let contended = |name: &str| sum(snapshot, name, LockSeries::contentions);
    let cases = [
        ("sum(plock_request_acquisitions_total{job='wire'})".to_owned(), acquired as f64),
        ("sum(plock_request_wait_time_seconds_sum{job='wire'})".to_owned(), seconds(wait)),
        ("sum(plock_request_hold_time_seconds_sum{job='wire'})".to_owned(), seconds(hold)),
        (slow("sum", "lock_phase='hold'"), seconds(hold)),
        (slow("count", "lock_phase='hold'"), acquired as f64),
    ];
    let waits = [
        ("inventory", "holder", contended("inventory"), by_lock("inventory")),
        ("worker", "permits", contended("worker"), by_lock("worker")),
    ]
    .into_iter()
    .chain([("holder", Mode::Exclusive), ("writer_pending", Mode::Shared)].map(
        |(cause, mode)| {
            let series = snapshot.lock("catalogue", mode).unwrap();
            ("catalogue", cause, series.contentions(), series.wait_total().sum_ns())
        },
    ));
    let waits = waits.flat_map(|(lock, cause, count, ns)| {
        let labels = format!("lock_name='{lock}',lock_blocking_cause='{cause}'");
        let phase = format!("{labels},lock_phase='wait'");
        let requests = format!("sum(plock_request_wait_time_seconds_sum{{job='wire',{labels}}})");
        [
            (slow("count", &phase), count as f64),
            (slow("sum", &phase), seconds(ns)),
            (requests, seconds(ns)),
        ]
    });
    for (query, expected) in cases.into_iter().chain(waits) {
        let number = eventually(SOON, async || {
            let number = promql.number(&query).await?;
            // The collector adds doubles up in an order of its own.
            ensure!((number - expected).abs() < 1e-9, "{query}: {number}, not {expected}");
            Ok(())
        });
        number.await.unwrap();
    }
}

fn slow(part: &str, labels: &str) -> String {
    format!("sum(plock_slow_lock_duration_seconds_{part}{{job='wire',{labels}}})")
}

/// Every wait is a span below its request, as long as the library says, and leads to the holder.
async fn traces(store: &TraceStore, snapshot: &Snapshot) {
    let waits: u64 = snapshot.locks.iter().map(LockSeries::contentions).sum();
    let spans = eventually(SOON, async || {
        let spans = store.spans();
        let found = spans.iter().filter(|span| span.name == spans::WAIT_SPAN).count() as u64;
        ensure!(found == waits, "{found} of {waits} waits are stored");
        Ok(spans)
    });
    let spans = spans.await.unwrap();
    let named = |name: &str| {
        let mut found = spans.iter().filter(|span| span.name == name);
        found.next().unwrap_or_else(|| panic!("no span `{name}`"))
    };

    let rounds = (1..=ROUNDS).map(|round| format!("inventory {round}"));
    let queues = rounds.chain(["catalogue".to_owned()]);
    let mut culprits: BTreeMap<String, String> = BTreeMap::new();
    for queue in queues {
        culprits.insert(format!("{queue} first"), format!("{queue} holder"));
        culprits.insert(format!("{queue} second"), format!("{queue} first"));
    }
    culprits.insert("worker first".to_owned(), "worker holder".to_owned());
    for (victim, culprit) in &culprits {
        let (victim, culprit) = (named(victim), named(culprit));
        let wait = spans
            .iter()
            .find(|span| span.name == spans::WAIT_SPAN && span.parent_span_id == victim.span_id);
        let wait = wait.unwrap_or_else(|| panic!("`{}` has no wait", victim.name));
        assert_eq!(wait.trace_id, victim.trace_id);
        assert_ne!(victim.trace_id, culprit.trace_id, "requests are traces of their own");
        let links: Vec<_> = wait.links.iter().map(|it| (&it.trace_id, &it.span_id)).collect();
        assert_eq!(links, [(&culprit.trace_id, &culprit.span_id)], "of `{}`", victim.name);
        assert!(wait.start_time_unix_nano >= victim.start_time_unix_nano);
        assert!(wait.end_time_unix_nano <= victim.end_time_unix_nano);
    }

    for name in ["inventory", "catalogue", "worker"] {
        let of_lock = |span: &&Span| text(span, spans::NAME) == Some(name);
        let length = |phase: &str| -> u64 {
            let spans = spans.iter().filter(|span| span.name == phase).filter(of_lock);
            spans.map(|span| span.end_time_unix_nano - span.start_time_unix_nano).sum()
        };
        let waited = sum(snapshot, name, |series| series.wait_total().sum_ns());
        assert_eq!(length(spans::WAIT_SPAN), waited, "waits for {name}");
        assert_eq!(length(spans::HOLD_SPAN), sum(snapshot, name, |it| it.hold.sum_ns()), "{name}");
    }
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let pair = span.attributes.iter().find(|pair| pair.key == key)?;
    match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
