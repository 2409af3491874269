//! plock about itself: what it left out, what it costs, whether its figures arrive.

use plock_core::Dropped;
use plock_semconv::attributes::{CLOCK, REASON, VERSION};
use plock_semconv::metrics::{
    BUILD_INFO, TELEMETRY_DROPPED, TELEMETRY_LAST_EXPORT, TELEMETRY_OVERHEAD_TIME,
};

use super::Place;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Stat, Table, TimeSeries};
use crate::grafana::panel::{Draft, ORANGE, panel, unit};
use crate::query::{Scope, max, or_zero, sum};
use crate::{Options, alerts, names};

const UID: &str = "plock-self";

pub(crate) const LEFT_OUT: Place = Place { uid: UID, panel: 6 };
pub(crate) const COST: Place = Place { uid: UID, panel: 7 };
pub(crate) const EXPORT_AGE: Place = Place { uid: UID, panel: 8 };
pub(crate) const VERSIONS: Place = Place { uid: UID, panel: 9 };
pub(crate) const COLLECTOR_QUEUE: Place = Place { uid: UID, panel: 10 };
pub(crate) const COLLECTOR_LOSS: Place = Place { uid: UID, panel: 11 };

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board();
    Board::new(
        UID,
        "plock itself",
        "Whether the other boards can be trusted: what plock left out, what it costs, whether its \
         figures arrive, and whether the collector keeps up.",
        &BUILD_INFO,
    )
    .row("Now", vec![(4, now(&scope, options))])
    .row("In the applications", vec![(8, inside(&scope, options)), (8, vec![versions(&scope)])])
    .row("In the collector", vec![(8, collector(options))])
    .finish()
}

fn now(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let dropped = scope.over("$__range").of(&TELEMETRY_DROPPED).total();
    let folded = dropped.is_one_of(REASON, &alerts::FOLDING.map(Dropped::as_str));
    let cost = scope.of(&TELEMETRY_OVERHEAD_TIME).rate();
    let age = format!("time() - min({})", scope.of(&TELEMETRY_LAST_EXPORT).now());
    let processes = format!("count({})", scope.of(&BUILD_INFO).now());
    vec![
        panel(1, Stat, "Processes")
            .tells(
                &[&BUILD_INFO],
                "Processes that tell plock's figures. As many as run is good; fewer means that \
                 some do not arrive.",
            )
            .ask(or_zero(&processes), ""),
        panel(2, Stat, "Left out")
            .tells(
                &[&TELEMETRY_DROPPED],
                "Records that a limit swallowed in the chosen time. Zero is good: the figures are \
                 complete. The reasons are below.",
            )
            .ask(or_zero(&sum(&[], &dropped.rate())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(3, Stat, "Folded into one name")
            .tells(
                &[&TELEMETRY_DROPPED],
                "Records under the one name that stands for all names over the cap. Zero is good; \
                 otherwise boards by name hide something: name by what is protected, never by an \
                 id.",
            )
            .ask(or_zero(&sum(&[], &folded.rate())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(4, Stat, "Cost, worst process")
            .tells(
                &[&TELEMETRY_OVERHEAD_TIME],
                "Share of one core that recording takes. Below 1 % is good and what plock \
                 promises; above it an extremely hot lock is worth a look.",
            )
            .unit(unit::SHARE)
            .ask(or_zero(&max(&[], &cost)), "")
            .levels(&[(limits.overhead_share, ORANGE)]),
        panel(5, Stat, "Oldest push")
            .tells(
                &[&TELEMETRY_LAST_EXPORT],
                "Time since the last successful push of the process that is furthest behind; zero \
                 where nothing is pushed. Below the interval of the push is good; minutes mean \
                 that the collector is not reached.",
            )
            .unit(unit::SECONDS)
            .ask(or_zero(&age), "")
            .levels(&[(limits.export_age_seconds, ORANGE)]),
    ]
}

fn inside(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let process = ["job", "instance"];
    let age = format!("time() - {}", max(&process, &scope.of(&TELEMETRY_LAST_EXPORT).now()));
    vec![
        panel(6, TimeSeries, "Left out, by reason")
            .tells(
                &[&TELEMETRY_DROPPED],
                "Records per second that plock could not keep, by which limit. Nothing is good; \
                 the table of names says what each reason means.",
            )
            .empty("Nothing was left out")
            .unit(unit::EVENTS)
            .ask(sum(&[REASON], &scope.of(&TELEMETRY_DROPPED).rate()), "{{reason}}")
            .levels(&[(0.0, ORANGE)]),
        panel(7, TimeSeries, "Cost of plock")
            .tells(
                &[&TELEMETRY_OVERHEAD_TIME],
                "Share of one core that recording takes in each process. Below the dashed line is \
                 good.",
            )
            .empty("No processes")
            .unit(unit::SHARE)
            .ask(sum(&process, &scope.of(&TELEMETRY_OVERHEAD_TIME).rate()), "{{job}} {{instance}}")
            .levels(&[(limits.overhead_share, ORANGE)]),
        panel(8, TimeSeries, "Time since the last push")
            .tells(
                &[&TELEMETRY_LAST_EXPORT],
                "Only of processes that push. A low saw is good; a ramp is a process that does not \
                 reach the collector.",
            )
            .empty("Nothing is pushed")
            .unit(unit::SECONDS)
            .ask(age, "{{job}} {{instance}}")
            .levels(&[(limits.export_age_seconds, ORANGE)]),
    ]
}

fn versions(scope: &Scope) -> Draft {
    panel(9, Table, "Versions")
        .tells(
            &[&BUILD_INFO],
            "The version of plock in each process and the clock it reads. One version is good; a \
             process that is missing here does not tell its figures.",
        )
        .empty("No processes")
        .ask(max(&["job", "instance", VERSION, CLOCK], &scope.of(&BUILD_INFO).now()), "")
        .label("job", "Job")
        .label("instance", "Instance")
        .label(VERSION, "Version")
        .label(CLOCK, "Clock")
}

/// One collector serves all jobs: the selection of jobs does not apply to it.
fn collector(options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let all = Scope::rules("", "$__rate_interval");
    let queue = format!(
        "{} / ({} > 0)",
        max(&["instance", names::EXPORTER], names::QUEUE_SIZE),
        max(&["instance", names::EXPORTER], names::QUEUE_CAPACITY)
    );
    let [loss, failed] = alerts::collector_losses(&all);
    vec![
        panel(10, TimeSeries, "Queues of the collector")
            .tells_of(
                &[names::QUEUE_SIZE.to_owned(), names::QUEUE_CAPACITY.to_owned()],
                "How full each queue to a store is. Near zero is good; a ramp is a store that is \
                 away, and above the dashed line data will be lost soon.",
            )
            .empty("No collector")
            .unit(unit::SHARE)
            .most(1.0)
            .ask(queue, "{{instance}} {{exporter}}")
            .levels(&[(limits.collector_queue_share, ORANGE)]),
        panel(11, TimeSeries, "Lost by the collector")
            .tells_of(
                &[names::REFUSED, names::FAILED]
                    .concat()
                    .into_iter()
                    .map(String::from)
                    .collect::<Vec<_>>(),
                "Share of what applications sent that was refused, and of what was to be delivered \
                 that was given up. Nothing is good; refusals ask for memory, failures for the \
                 store.",
            )
            .empty("No collector")
            .unit(unit::SHARE)
            .ask(or_zero(&max(&[], &loss)), "refused")
            .ask(or_zero(&max(&[], &failed)), "not delivered")
            .levels(&[(limits.collector_loss_share, ORANGE)]),
    ]
}
