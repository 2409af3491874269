//! Every query that is shipped for people to read, run against a live Prometheus that holds every
//! metric of the name table: panels, annotations, variables, and the examples of the mapping page.

use std::time::Duration;

use integration_tests::Stack;
use integration_tests::dashboards::{Substitution, shipped};
use integration_tests::otlp::{Figures, Sender, child_span, root_span};
use integration_tests::panels::{self, Reasons};
use opentelemetry::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use plock_boards::bucket_bounds;
use plock_semconv::{Instrument, InstrumentKind, metrics};
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::{SOON, mapping, start};

/// How an instance writes its histograms.
#[derive(Clone, Copy, PartialEq)]
enum Histograms {
    Classic,
    Native,
}

/// A service that keeps sending every metric and some requests until it is dropped.
struct Application(JoinHandle<()>);

impl Application {
    fn start(stack: &Stack, instance: &str, histograms: Histograms) -> Self {
        let sender = Sender::http(&stack.endpoints().otlp_http, "orders", instance);
        let series: Vec<_> = metrics::ALL.iter().flat_map(|it| series(it)).collect();
        Self(tokio::spawn(async move {
            let mut pace = interval(Duration::from_millis(250));
            for tick in 1_u32.. {
                pace.tick().await;
                let trace = request(if tick % 2 == 0 { 2 } else { 5 });
                let points = series.iter().map(|(instrument, figures)| {
                    point(instrument, figures, tick, histograms, &trace)
                });
                // Pushes that fail show as missing data, which is what the test looks for.
                drop(sender.metrics(points.collect()).await);
                drop(sender.spans(vec![slow(&trace), trace]).await);
            }
        }))
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One series per value of each attribute that the queries tell apart.
fn series(instrument: &'static Instrument) -> Vec<(&'static Instrument, Figures)> {
    let values = |key: &str| -> &[&'static str] {
        match key {
            "lock.name" => &["inventory", "catalogue"],
            "lock.stage" => &["held", "waiting"],
            "lock.kind" => &["mutex", "semaphore"],
            "lock.mode" => &["exclusive", "shared"],
            "lock.outcome" => &["acquired", "abandoned"],
            "lock.holder" => &["reindexer", "orders"],
            "lock.waiter" => &["orders", "stock"],
            "task.idle" => &["lock", "io"],
            "reason" => &["class_limit", "span_lost"],
            _ => &["any"],
        }
    };
    let mut combinations = vec![Vec::new()];
    for key in instrument.attributes {
        let extend = |known: &Vec<KeyValue>| {
            let one = |value: &&'static str| {
                let mut known = known.clone();
                known.push(KeyValue::new(*key, *value));
                known
            };
            values(key).iter().map(one).collect::<Vec<_>>()
        };
        combinations = combinations.iter().flat_map(extend).collect();
    }
    let figures = |attributes| Figures::new(instrument.name, instrument.unit, attributes);
    combinations.into_iter().map(|attributes| (instrument, figures(attributes))).collect()
}

fn point(
    instrument: &Instrument,
    series: &Figures,
    tick: u32,
    form: Histograms,
    trace: &Span,
) -> Metric {
    let values: Vec<f64> = (0..tick).map(|it| 0.05 * f64::from(1 + it % 10)).collect();
    // Depths are whole numbers with bounds of their own: never native.
    let native = form == Histograms::Native && *instrument != metrics::NESTING_DEPTH;
    match instrument.kind {
        InstrumentKind::Counter => series.counter(f64::from(tick)),
        InstrumentKind::Histogram if native => series.exponential(&values, Some(trace)),
        InstrumentKind::Histogram => series.histogram(&bucket_bounds(), &values, Some(trace)),
        _ => series.gauge(1.0),
    }
}

fn request(depth: i64) -> Span {
    let totals = vec![
        KeyValue::new("lock.acquisitions", 3),
        KeyValue::new("lock.contentions", 1),
        KeyValue::new("lock.wait.time", 0.2),
        KeyValue::new("lock.hold.time", 0.1),
        KeyValue::new("lock.nesting.max", depth),
        KeyValue::new("lock.worst.name", "inventory"),
        KeyValue::new("lock.blocking.cause", "holder"),
    ];
    root_span("GET /orders", Duration::from_millis(400), totals)
}

fn slow(parent: &Span) -> Span {
    let attributes = vec![
        KeyValue::new("lock.name", "inventory"),
        KeyValue::new("lock.mode", "exclusive"),
        KeyValue::new("lock.phase", "wait"),
        KeyValue::new("lock.nesting.depth", 1),
        KeyValue::new("lock.blocking.cause", "held_exclusive"),
    ];
    child_span(parent, "lock wait", Duration::from_millis(200), attributes)
}

/// What has to be answered, and has nothing to show here.
const EMPTY: Reasons<'static> = &[
    ("Firing alerts", "nothing goes on for as long as an alert waits"),
    ("Alerts of the objective", "nothing goes on for as long as an alert waits"),
    ("Lost by the collector", "the collector tells of failures only after the first"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_every_panel_and_page_gives_data() {
    let stack = start(Stack::builder()).await;
    let classic = Application::start(&stack, "classic", Histograms::Classic);
    let native = Application::start(&stack, "native", Histograms::Native);
    let promql = stack.promql();
    for (_, board) in shipped().unwrap() {
        for instance in ["classic", "native", ".+"] {
            let selection = Substitution::everything(&board, "1m").select("instance", instance);
            let points = panels::give_data(&promql, &board, &selection, EMPTY, SOON).await;
            points.unwrap_or_else(|error| panic!("{instance}: {error:#}"));
        }
    }
    for heading in ["### Figures", "### Labels"] {
        for example in mapping::table(heading) {
            panels::gives_data(&promql, &example.query, SOON).await.unwrap();
        }
    }
    drop((classic, native));
}
