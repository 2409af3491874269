//! Alerts about plock and the collector: whether all the others can be trusted.

use plock_core::Dropped;
use plock_semconv::attributes::REASON;
use plock_semconv::metrics::{
    BUILD_INFO, TELEMETRY_DROPPED, TELEMETRY_LAST_EXPORT, TELEMETRY_OVERHEAD_TIME,
};

use super::{Alert, Severity};
use crate::boards::{self, Place};
use crate::query::{Scope, max, sum};
use crate::{Options, names};

/// Reasons that hide figures behind the name of all names over the cap.
pub(crate) const FOLDING: [Dropped; 3] = [Dropped::Classes, Dropped::Names, Dropped::Edges];

const PROCESS: [&str; 2] = ["job", "instance"];
const THIS_PROCESS: &[(&str, &str)] = &[("job", "job"), ("instance", "instance")];

pub(super) fn all(options: &Options) -> Vec<Alert> {
    let mut alerts = vec![
        left_out(
            options,
            "PlockNamesFolded",
            &FOLDING,
            "Names over the cap share one series.",
            "{{ $value | printf \"%.0f\" }} records of {{ $labels.instance }} of {{ $labels.job }} \
             went under the name of all names over the cap in 15 minutes: boards by name hide \
             something.",
        ),
        left_out(
            options,
            "PlockSpansLost",
            &[Dropped::Spans],
            "Spans could not be delivered.",
            "{{ $value | printf \"%.0f\" }} spans of {{ $labels.instance }} of {{ $labels.job }} \
             were lost in 15 minutes: figures from spans are too low, and some links lead nowhere.",
        ),
    ];
    alerts.extend(arrival(options));
    alerts.extend(collector(options));
    alerts
}

fn alert(name: &'static str, place: Place, expr: String) -> Alert {
    Alert {
        name,
        severity: Severity::Warning,
        expr,
        wait: None,
        keep: None,
        summary: "",
        description: String::new(),
        because: "",
        drawn: None,
        options: &[],
        window: None,
        place,
        variables: THIS_PROCESS,
    }
}

fn left_out(
    options: &Options,
    name: &'static str,
    reasons: &[Dropped],
    summary: &'static str,
    description: &str,
) -> Alert {
    let reasons: Vec<_> = reasons.iter().map(|reason| reason.as_str()).collect();
    let dropped = Scope::rules(&options.selector, "15m").of(&TELEMETRY_DROPPED).total();
    let lost = sum(&PROCESS, &dropped.is_one_of(REASON, &reasons).rate());
    Alert {
        wait: Some("10m"),
        keep: Some("1h"),
        summary,
        description: description.to_owned(),
        because: "These limits are never met in normal use: a single record says that a figure is \
            incomplete. Ten minutes leave out a start.",
        ..alert(name, boards::LEFT_OUT, format!("{lost} > 0"))
    }
}

fn arrival(options: &Options) -> Vec<Alert> {
    let limits = &options.thresholds;
    let scope = Scope::rules(&options.selector, "5m");
    let info = scope.of(&BUILD_INFO).now();
    let before = format!("group by (job) ({info} offset 1h)");
    let pushed = max(&PROCESS, &scope.of(&TELEMETRY_LAST_EXPORT).now());
    let overhead = sum(&PROCESS, &scope.of(&TELEMETRY_OVERHEAD_TIME).rate());
    let up = scope.named("up").now();
    vec![
        Alert {
            // A push that fails leaves its last value for five minutes only.
            wait: Some("2m"),
            keep: Some("15m"),
            summary: "A process cannot push its metrics.",
            description: "{{ $labels.instance }} of {{ $labels.job }} has pushed nothing for {{ \
                $value | humanizeDuration }}."
                .to_owned(),
            because: "Two minutes are four missed pushes at the shortest usual interval.",
            drawn: Some(limits.export_age_seconds),
            options: &["export_age_seconds"],
            ..alert(
                "PlockExportFailing",
                boards::EXPORT_AGE,
                format!("time() - {pushed} > {}", limits.export_age_seconds),
            )
        },
        Alert {
            wait: Some("5m"),
            summary: "A process that is scraped tells nothing of plock any more.",
            description:
                "{{ $labels.instance }} of {{ $labels.job }} answers scrapes, without plock's \
                 metrics; the job had them an hour ago."
                    .to_owned(),
            because: "The application lives and its instrumentation does not; five minutes are \
                twenty scrapes at 15 s.",
            ..alert(
                "PlockTelemetrySilent",
                boards::VERSIONS,
                format!("({up} == 1 unless on (job, instance) {info}) and on (job) {before}"),
            )
        },
        Alert {
            wait: Some("5m"),
            summary: "No process of a service tells anything of plock any more.",
            description: "{{ $labels.job }} told plock's metrics an hour ago and does not now."
                .to_owned(),
            because: "One process may end at any time, all of a job may not; five minutes leave \
                out a restart.",
            variables: &[("job", "job")],
            ..alert(
                "PlockServiceSilent",
                boards::VERSIONS,
                format!("{before} unless on (job) group by (job) ({info})"),
            )
        },
        Alert {
            wait: Some("10m"),
            keep: Some("5m"),
            summary: "Recording takes more of a core than plock promises.",
            description: "plock takes {{ $value | humanizePercentage }} of a core in {{ \
                $labels.instance }} of {{ $labels.job }}."
                .to_owned(),
            because: "One percent of a core is what plock promises to stay below.",
            drawn: Some(limits.overhead_share),
            options: &["overhead_share"],
            ..alert(
                "PlockOverheadHigh",
                boards::COST,
                format!("{overhead} > {}", limits.overhead_share),
            )
        },
    ]
}

/// Share of what was sent to the collector that it refused, and of what it was to deliver that it
/// gave up; the worse of metrics and spans.
pub(crate) fn collector_losses(scope: &Scope) -> [String; 2] {
    let rate = |name: &str| sum(&PROCESS, &scope.named(name).rate());
    let share = |[lost, lost_spans]: [&str; 2], [kept, kept_spans]: [&str; 2]| {
        // What was lost may have no counterpart: a collector that refuses everything accepts nothing.
        let one = |lost: &str, kept: &str| {
            format!("{0} / (({1} or 0 * {0}) + {0} > 0)", rate(lost), rate(kept))
        };
        // A label of their own, or `or` would drop the spans wherever there are metrics.
        let marked = |signal: &str, share: String| {
            format!("label_replace({share}, \"signal\", \"{signal}\", \"\", \"\")")
        };
        let (metrics, spans) = (one(lost, kept), one(lost_spans, kept_spans));
        let both = [marked("metrics", metrics), marked("spans", spans)].join(" or ");
        format!("max by (job, instance) ({both})")
    };
    [share(names::REFUSED, names::ACCEPTED), share(names::FAILED, names::SENT)]
}

fn collector(options: &Options) -> Vec<Alert> {
    let limits = &options.thresholds;
    let [refused, failed] = collector_losses(&Scope::rules("", "10m"));
    let limit = limits.collector_loss_share;
    let by = ["job", "instance", names::EXPORTER];
    let full = format!(
        "{} / ({} > 0) > {}",
        max(&by, names::QUEUE_SIZE),
        max(&by, names::QUEUE_CAPACITY),
        limits.collector_queue_share
    );
    vec![
        Alert {
            wait: Some("10m"),
            keep: Some("5m"),
            summary: "The collector loses data.",
            description: "The collector {{ $labels.instance }} refuses or gives up {{ $value | \
                humanizePercentage }} of the data."
                .to_owned(),
            because: "A share, not any loss: a restart of a store loses a little, one percent for \
                ten minutes is a store that is away or too little memory.",
            drawn: Some(limit),
            options: &["collector_loss_share"],
            variables: &[],
            ..alert(
                "PlockCollectorDropping",
                boards::COLLECTOR_LOSS,
                format!("{refused} > {limit} or {failed} > {limit}"),
            )
        },
        Alert {
            wait: Some("5m"),
            keep: Some("5m"),
            summary: "A queue of the collector is nearly full.",
            description:
                "The queue of {{ $labels.exporter }} in the collector {{ $labels.instance }} is {{ \
                 $value | humanizePercentage }} full."
                    .to_owned(),
            because: "At 80 % there is still time before data is lost.",
            drawn: Some(limits.collector_queue_share),
            options: &["collector_queue_share"],
            variables: &[],
            ..alert("PlockCollectorQueueFull", boards::COLLECTOR_QUEUE, full)
        },
        Alert {
            severity: Severity::Info,
            summary: "Alerts work: this one always fires.",
            description:
                "Prometheus evaluates plock's alerts. Whoever expects this alert notices when it \
                 does not come."
                    .to_owned(),
            because: "It has no condition: the way of alerts is broken when it is silent.",
            variables: &[],
            ..alert("PlockWatchdog", boards::VERSIONS, "vector(1)".to_owned())
        },
    ]
}
