//! Who blocks whom: the root first, then everybody behind it, now and before.

use plock_core::HANDED_OVER;
use plock_semconv::attributes::{
    LOCK_CAUSE, LOCK_HOLDER, LOCK_NAME, LOCK_STAGE, LOCK_WAITER, STAGE_HELD,
};
use plock_semconv::label_name;
use plock_semconv::metrics::{self, BLOCK_EDGES, BLOCKED_TIME, HELD, WAITERS};
use serde_json::json;

use super::Place;
use crate::Options;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{BarGauge, NodeGraph, Stacked, Stat, StateTimeline, Table};
use crate::grafana::link::BLAME_BOARD;
use crate::grafana::link::Leads::{Holder, Lock};
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, labels, max, named_holders, or_zero, roots, sum};

/// The roots and how many tasks are behind each, over time.
pub(crate) const ROOTS: Place = Place { uid: BLAME_BOARD, panel: 7 };
/// Threads that wait for themselves.
pub(crate) const DEADLOCKS: Place = Place { uid: BLAME_BOARD, panel: 14 };

const PROCESS: [&str; 2] = ["job", "instance"];

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board().follow(LOCK_NAME, "lock").follow(LOCK_HOLDER, "holder");
    Board::new(
        BLAME_BOARD,
        "Who blocks whom",
        "The root of each chain of waiting tasks, its victims and what it costs them. Exact: each \
         wait is charged to whoever occupied the lock meanwhile.",
        &BLOCKED_TIME,
    )
    .choose_locks(&BLOCKED_TIME)
    .choose_holders()
    .row("Now", vec![(4, now(&scope, options)), (7, vec![root_table(&scope)])])
    .row("By cost", vec![(12, vec![graph(&scope), costs(&scope)])])
    .row("Before", vec![(8, vec![timeline(&scope, options)]), (8, over_time(&scope))])
    .details("Every pair", vec![(10, vec![matrix(&scope)]), (9, vec![pairs(&scope)])])
    .finish()
}

/// The roots with the number of waits behind each.
fn root(scope: &Scope) -> String {
    roots(&named_holders(&scope.of(&BLOCK_EDGES)), &Scope::board().of(&BLOCK_EDGES))
}

fn now(scope: &Scope, options: &Options) -> Vec<Draft> {
    let waiters = Scope::board().follow(LOCK_NAME, "lock").of(&WAITERS).now();
    // Of no lock and no holder: the findings of the process name both.
    let deadlocks = Scope::board().over("$__range").of(&metrics::DEADLOCKS).total().rate();
    vec![
        panel(1, Stat, "Roots now")
            .tells(
                &[&BLOCK_EDGES],
                "Holders that block others and do not wait themselves. Zero is good; they are the \
                 ones to free.",
            )
            .ask(or_zero(&format!("count({})", root(scope))), "")
            .levels(&[(1.0, ORANGE)]),
        panel(2, Stat, "Most behind one root")
            .tells(
                &[&BLOCK_EDGES],
                "Waits behind the worst root. Zero is good; three and more are a convoy.",
            )
            .ask(or_zero(&format!("max({})", root(scope))), "")
            .levels(&[(options.thresholds.root_victims, RED)]),
        panel(3, Stat, "Waiting now")
            .tells(
                &[&WAITERS],
                "Attempts queued at this moment, whoever they wait for. Zero is good.",
            )
            .ask(or_zero(&sum(&[], &waiters)), "")
            .levels(&[(1.0, ORANGE)]),
        panel(4, Stat, "Tasks waiting, on average")
            .tells(
                &[&BLOCKED_TIME],
                "Waiting seconds per second that the chosen holders are charged with. Near zero is \
                 good; the bars below say whose they are.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&BLOCKED_TIME).rate())), "")
            .levels(&[(1.0, ORANGE)]),
        panel(14, Stat, "Deadlocks")
            .tells(
                &[&metrics::DEADLOCKS],
                "Threads that began to wait for a lock which they had themselves, in the chosen \
                 time. Zero is good; such a thread never goes on: the findings in the report of the \
                 process say where.",
            )
            .ask(or_zero(&sum(&[], &deadlocks)), "")
            .levels(&[(1.0, RED)]),
    ]
}

/// Arrows of the graph, and what the least of them costs: a task that waits a hundredth of the time.
const ARROWS: usize = 10;
const LEAST: f64 = 0.01;

fn root_table(scope: &Scope) -> Draft {
    let by: Vec<_> = PROCESS.into_iter().chain([LOCK_HOLDER]).collect();
    let only = |figure: String| format!("{figure} and on ({}) {}", labels(&by), root(scope));
    panel(5, Table, "Root blockers now")
        .tells(
            &[&BLOCK_EDGES, &HELD, &BLOCKED_TIME],
            "Each root with the waits behind it, the age of its oldest hold and the waiting it is \
             charged with. Empty is good. Begin with the first row: freeing it frees the others.",
        )
        .empty("Nobody blocks anybody")
        .ask(root(scope), "")
        .ask(only(max(&by, &scope.of(&HELD).is(LOCK_STAGE, STAGE_HELD).now())), "")
        .ask(only(sum(&by, &scope.of(&BLOCKED_TIME).rate())), "")
        .label(LOCK_HOLDER, "Holder")
        .label("job", "Job")
        .label("instance", "Instance")
        .value("Waits behind it", unit::COUNT)
        .value("Held for", unit::SECONDS)
        .value("Tasks waiting, on average", unit::COUNT)
}

/// Nodes and edges are two answers; the graph knows them by their fields.
fn graph(scope: &Scope) -> Draft {
    let (waiter, holder) = (label_name(LOCK_WAITER), label_name(LOCK_HOLDER));
    // Nobody can be freed from the time of a hand-over.
    let cost = scope.of(&BLOCKED_TIME).is_not(LOCK_HOLDER, HANDED_OVER).rate();
    let named = |of: &str, vector: &str| {
        format!("label_replace({vector}, \"id\", \"$1\", \"{of}\", \"(.*)\")")
    };
    // More arrows cannot be told apart, and dear ones among cheap ones; the table below has them all.
    let pairs = sum(&[LOCK_WAITER, LOCK_HOLDER], &cost);
    let dearest = format!("topk({ARROWS}, {pairs} > {LEAST})");
    let holders = sum(&["id"], &named(&holder, &dearest));
    let waiters = sum(&["id"], &named(&waiter, &dearest));
    let mark = |vector: &str, role: &str, color: &str| {
        // A node is shown by its title, not by its id.
        let title = format!("label_replace({vector}, \"title\", \"$1\", \"id\", \"(.*)\")");
        let subtitle = format!("label_replace({title}, \"subtitle\", \"{role}\", \"\", \"\")");
        format!("label_replace({subtitle}, \"color\", \"{color}\", \"\", \"\")")
    };
    let top = mark(&format!("({holders} unless on (id) {waiters})"), "root", RED);
    let middle = mark(&format!("({holders} and on (id) {waiters})"), "both", ORANGE);
    let leaf =
        mark(&format!("(0 * {waiters} unless on (id) {holders})"), "waits", "cornflowerblue");
    let nodes = format!("{top} or {middle} or {leaf}");
    let joined = format!("label_join({dearest}, \"id\", \" -> \", \"{waiter}\", \"{holder}\")");
    let edges = [("source", &waiter), ("target", &holder)].into_iter().fold(
        joined,
        |vector, (field, label)| {
            format!("label_replace({vector}, \"{field}\", \"$1\", \"{label}\", \"(.*)\")")
        },
    );
    let renamed = |name: &str| {
        let titles = json!({(format!("Value #{name}")): "mainstat", "Value": "mainstat"});
        json!({"excludeByName": {"Time": true}, "indexByName": {}, "renameByName": titles})
    };
    panel(6, NodeGraph, "Who waits for whom")
        .tells(
            &[&BLOCKED_TIME],
            "The ten dearest pairs above 0.01: an arrow goes from who waits to who holds, with the \
             tasks that waited on average; a node has what these arrows charge it with. Few small \
             numbers are good. Begin at a node marked root: no arrow goes on from it.",
        )
        .empty("Nobody waited")
        .ask_as("nodes", nodes)
        .ask_as("edges", edges)
        .transform("organize", Some("nodes"), renamed("nodes"))
        .transform("organize", Some("edges"), renamed("edges"))
        .wide(14)
}

fn costs(scope: &Scope) -> Draft {
    let cost = sum(&[LOCK_HOLDER], &scope.of(&BLOCKED_TIME).rate());
    panel(8, BarGauge, "Holders by cost to others")
        .tells(
            &[&BLOCKED_TIME],
            "The ten holders whose victims waited most, as tasks waiting on average. Short bars \
             are good; the first bar is where a shorter hold helps most.",
        )
        .empty("Nobody waited")
        .ask(format!("topk(10, {cost})"), "{{lock_holder}}")
        .leads(&[Holder])
}

fn timeline(scope: &Scope, options: &Options) -> Draft {
    panel(7, StateTimeline, "Roots over time")
        .tells(
            &[&BLOCK_EDGES],
            "One lane per root with the waits behind it at each scrape: the history of incidents \
             that are over. Gaps are good; the same lane again and again is one habit to change.",
        )
        .empty("Nobody blocked anybody")
        .ask(root(scope), "{{lock_holder}} in {{instance}}")
        .levels(&[(options.thresholds.root_victims, RED)])
        .leads(&[Holder])
}

fn over_time(scope: &Scope) -> Vec<Draft> {
    let cost = scope.of(&BLOCKED_TIME).rate();
    vec![
        panel(9, Stacked, "Cost by holder")
            .tells(
                &[&BLOCKED_TIME],
                "Tasks waiting on average, by who is charged with it. Flat and low is good; a \
                 colour that grows is the holder to look at.",
            )
            .empty("Nobody waited")
            .ask(sum(&[LOCK_HOLDER], &cost), "{{lock_holder}}")
            .leads(&[Holder]),
        panel(10, Stacked, "Cost by victim")
            .tells(
                &[&BLOCKED_TIME],
                "The same by who waited: whom it hurts. Even and low is good; one victim alone is \
                 often a request that can avoid the lock.",
            )
            .empty("Nobody waited")
            .ask(sum(&[LOCK_WAITER], &cost), "{{lock_waiter}}"),
        panel(11, Stacked, "Cost by lock")
            .tells(
                &[&BLOCKED_TIME],
                "The same by lock. Low is good; one lock that has it all can be split, many that \
                 share it are one holder's habit.",
            )
            .empty("Nobody waited")
            .ask(sum(&[LOCK_NAME], &cost), "{{lock_name}}")
            .leads(&[Lock]),
    ]
}

fn matrix(scope: &Scope) -> Draft {
    let pairs = sum(&[LOCK_WAITER, LOCK_HOLDER], &scope.of(&BLOCKED_TIME).rate());
    let corner = format!("{}\\{}", label_name(LOCK_WAITER), label_name(LOCK_HOLDER));
    panel(12, Table, "Waiters by holders")
        .tells(
            &[&BLOCKED_TIME],
            "Tasks waiting on average: a row for who waited, a column for who held. Empty cells \
             are good; a full column is a holder that blocks everybody, a full row a victim of \
             everybody.",
        )
        .empty("Nobody waited")
        .ask(pairs, "")
        .transform(
            "groupingToMatrix",
            None,
            json!({
                "columnField": label_name(LOCK_HOLDER), "emptyValue": "empty",
                "rowField": label_name(LOCK_WAITER), "valueField": "Value",
            }),
        )
        .transform(
            "organize",
            None,
            json!({
                "excludeByName": {}, "indexByName": {}, "renameByName": {corner: "Waiter \\ holder"},
            }),
        )
}

fn pairs(scope: &Scope) -> Draft {
    let by = [LOCK_WAITER, LOCK_NAME, LOCK_HOLDER, LOCK_CAUSE];
    panel(13, Table, "Every pair by cost")
        .tells(
            &[&BLOCKED_TIME],
            "Who waited for which lock because of whom and why, by cost. Nothing here is good; the \
             cause says whether to shorten a hold, enlarge a pool or unload the runtime.",
        )
        .empty("Nobody waited")
        .ask(format!("topk(50, {})", sum(&by, &scope.of(&BLOCKED_TIME).rate())), "")
        .label(LOCK_WAITER, "Waiter")
        .label(LOCK_NAME, "Lock")
        .label(LOCK_HOLDER, "Holder")
        .label(LOCK_CAUSE, "Cause")
        .value("Tasks waiting, on average", unit::COUNT)
}
