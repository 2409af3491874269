//! A service under load while its collector is well, absent, silent, slow, or killed and started again:
//! the requests do not notice, memory stays in bounds, and what was lost is counted and told.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of a test fails the test and may print, as the test itself does"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::ensure;
use integration_tests::{Orders, Promql, Stack, Tools, eventually};
use plock_core::{Dropped, Outcome, Snapshot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::interval;

/// Deadline for something that takes a second or two on an idle machine.
const SOON: Duration = Duration::from_secs(60);

/// Length of the load of each run: the same requests at the same moments.
const LOAD: Duration = Duration::from_secs(8);

/// How late a slow collector answers; a request has a second.
const LATE: Duration = Duration::from_millis(400);

/// Runs of which one has to be as fast as without a fault.
const ATTEMPTS: u32 = 3;

/// Room that a queue of spans and the buffers of exports may take: 2,048 spans of some kilobytes.
const ROOM: u64 = 32 << 20;

/// What is wrong with the collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Nobody listens.
    Absent,
    /// Nobody answers.
    Silent,
    /// Answers late, but in time.
    Slow,
    Killed,
}

/// How one run went.
#[derive(Debug)]
struct Run {
    /// Good answers by route, and the others by kind.
    answers: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    p99: Duration,
    /// From the first request to the peak, in bytes.
    growth: u64,
    snapshot: Snapshot,
}

impl Run {
    fn lost(&self) -> u64 {
        self.snapshot.dropped(Dropped::Export)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn collector_absent_silent_slow_or_killed() {
    let tools = tokio::task::spawn_blocking(Tools::ready).await.unwrap().unwrap();
    let mut stack = Stack::builder().start(&tools).await.unwrap();
    let collector = stack.endpoints().otlp_http;
    let mut usual = vec![run(&mut stack, "healthy", &collector, Fault::None).await];
    for (fault, endpoint) in [
        (Fault::Absent, absent().await),
        (Fault::Silent, silent().await),
        (Fault::Slow, slow(&collector).await),
        (Fault::Killed, collector.clone()),
    ] {
        let mut late = Vec::new();
        // Somebody else may take the processor away for a while, but not every time.
        for attempt in 1..=ATTEMPTS {
            let name = format!("{fault:?}-{attempt}");
            let run = run(&mut stack, &name, &endpoint, fault).await;
            if matches!(fault, Fault::Slow | Fault::Killed) {
                arrived(&stack.promql(), &name, &run.snapshot).await;
            }
            match check(fault, &run, &usual) {
                Ok(()) => break,
                Err(error) => late.push(error),
            }
            assert!(attempt < ATTEMPTS, "{fault:?}: {late:#?}");
            let name = format!("healthy-{}", usual.len());
            usual.push(self::run(&mut stack, &name, &collector, Fault::None).await);
        }
    }
}

/// Compares the run under a fault with those without one; an error is about its latency only.
fn check(fault: Fault, run: &Run, usual: &[Run]) -> anyhow::Result<()> {
    for healthy in usual {
        assert_eq!(healthy.lost(), 0);
        assert_eq!(run.answers, healthy.answers, "{fault:?}: other answers");
        assert_eq!(run.errors, healthy.errors, "{fault:?}: other errors");
    }
    let p99 = usual.iter().map(|run| run.p99).max().unwrap();
    let growth = usual.iter().map(|run| run.growth).max().unwrap();
    println!(
        "{fault:?}: p99 {:?}, usually {p99:?}; grew {} MiB, usually {}; lost {} exports",
        run.p99,
        run.growth >> 20,
        growth >> 20,
        run.lost()
    );
    assert!(run.growth <= growth + ROOM, "{fault:?}: grew by {} bytes", run.growth);
    assert!(run.lost() > 0 || fault == Fault::Slow, "{fault:?}: nothing was counted as lost");
    // A request that waits for an export waits up to a second: far above this.
    ensure!(run.p99 <= 2 * p99 + Duration::from_millis(50), "{:?}, usually {p99:?}", run.p99);
    Ok(())
}

/// One run of the service `name`.
async fn run(stack: &mut Stack, name: &str, endpoint: &str, fault: Fault) -> Run {
    let seconds = LOAD.as_secs().to_string();
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1000"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "250"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_SERVICE_NAME", name),
    ];
    let arguments = ["--scenario", "clean", "--seconds", &seconds];
    let log = stack.directory().join(name);
    let orders = Orders::start(&arguments, environment, &log).await.unwrap();
    let (before, _) = orders.process().memory().unwrap();
    let meanwhile = async {
        match fault {
            Fault::None | Fault::Slow => {}
            Fault::Absent | Fault::Silent => loss_is_told(&orders).await,
            Fault::Killed => outage(stack, name, &orders).await,
        }
    };
    let (peak, ()) = tokio::join!(peak_memory(&orders), meanwhile);
    let report = orders.report(LOAD).await.unwrap();
    let load = &report["load"];
    let routes = load["routes"].as_object().unwrap().iter();
    let answers = routes.map(|(route, it)| (route.clone(), it["requests"].as_u64().unwrap()));
    Run {
        answers: answers.collect(),
        errors: serde_json::from_value(load["errors"].clone()).unwrap(),
        p99: Duration::from_secs_f64(load["latency"]["p99_seconds"].as_f64().unwrap()),
        growth: peak - before,
        snapshot: serde_json::from_value(report["snapshot"].clone()).unwrap(),
    }
}

/// The most memory the service had, looked at until it ends.
async fn peak_memory(orders: &Orders) -> u64 {
    let mut look = interval(Duration::from_millis(50));
    let mut peak = 0;
    while let Ok((_, highest)) = orders.process().memory() {
        peak = highest;
        look.tick().await;
    }
    peak
}

/// The collector is killed once it has something of the service, and started again once the
/// service tells that something is lost.
async fn outage(stack: &mut Stack, name: &str, orders: &Orders) {
    let promql = stack.promql();
    let query = format!("sum(plock_acquisitions_total{{job='{name}'}}) > 0");
    eventually(SOON, || promql.number(&query)).await.unwrap();
    stack.kill_collector().unwrap();
    loss_is_told(orders).await;
    stack.start_collector().await.unwrap();
}

/// On the scrape of the service itself, for which no collector is needed.
async fn loss_is_told(orders: &Orders) {
    let told = eventually(SOON, async || {
        let scrape = orders.scrape().await?;
        let mark = format!("plock_telemetry_dropped_total{{reason=\"{}\"}} ", Dropped::Export);
        let lost = scrape.lines().find_map(|line| line.strip_prefix(&mark));
        ensure!(lost.is_some_and(|lost| lost != "0"), "lost: {lost:?}");
        Ok(())
    });
    told.await.unwrap();
}

/// The address of nobody: a port that was free a moment ago refuses connections.
async fn absent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The address of somebody who accepts connections and never answers.
async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    address
}

/// The address of somebody who passes everything on to `collector`, and its answers late.
async fn slow(collector: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let collector = collector.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&collector).await.unwrap();
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let answers = async {
                    let mut answer = vec![0; 4096];
                    while let Ok(length @ 1..) = from_server.read(&mut answer).await {
                        tokio::time::sleep(LATE).await;
                        to_client.write_all(&answer[..length]).await?;
                    }
                    to_client.shutdown().await
                };
                let requests = async {
                    tokio::io::copy(&mut from_client, &mut to_server).await?;
                    to_server.shutdown().await
                };
                // A connection that breaks is the sender's to notice.
                drop(tokio::try_join!(requests, answers));
            });
        }
    });
    address
}

/// The collector has the totals, whatever was lost on the way: the series are complete and went on
/// without a reset.
async fn arrived(promql: &Promql, job: &str, last: &Snapshot) {
    for series in last.locks.iter().filter(|series| series.outcome(Outcome::Acquired) > 0) {
        let labels = format!(
            "job='{job}',lock_name='{}',lock_kind='{}',lock_mode='{}'",
            series.name, series.kind, series.mode
        );
        let acquired = format!("plock_acquisitions_total{{{labels},lock_outcome='acquired'}}");
        let held = format!("plock_hold_duration_seconds_count{{{labels}}}");
        for (query, expected) in
            [(&acquired, series.outcome(Outcome::Acquired)), (&held, series.hold.count())]
        {
            let number = eventually(SOON, async || {
                let number = promql.number(query).await?;
                ensure!(number == expected as f64, "{query}: {number}, not {expected}");
                Ok(())
            });
            number.await.unwrap();
            assert_eq!(promql.number(&format!("resets({query}[10m])")).await.unwrap(), 0.0);
        }
    }
    let lost = format!("plock_telemetry_dropped_total{{job='{job}',reason='{}'}}", Dropped::Export);
    let lost = promql.number(&lost).await.unwrap();
    assert_eq!(lost, last.dropped(Dropped::Export) as f64);
}
