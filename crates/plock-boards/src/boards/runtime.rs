//! Tasks as their scopes see them: polls, wake-ups, what they are idle for, how many there are.

use plock_core::Idle;
use plock_semconv::attributes::{TASK_IDLE, TASK_NAME};
use plock_semconv::metrics::{
    TASK_IDLE_TIME, TASK_POLL_DURATION, TASK_SCHEDULE_DELAY, TASKS as LIVE, TASKS_FINISHED,
    TASKS_SPAWNED,
};

use super::Place;
use crate::Options;
use crate::grafana::Dashboard;
use crate::grafana::board::Board;
use crate::grafana::kind::Kind::{Heatmap, Stacked, Stat, Table, TimeSeries};
use crate::grafana::panel::{Draft, ORANGE, RED, panel, unit};
use crate::query::{Scope, known, or_zero, share, sum};

const UID: &str = "plock-runtime";

pub(crate) const LONG_POLLS: Place = Place { uid: UID, panel: 9 };
pub(crate) const BLOCKED_POLLS: Place = Place { uid: UID, panel: 10 };
pub(crate) const SCHEDULE_DELAY: Place = Place { uid: UID, panel: 12 };
pub(crate) const TASKS: Place = Place { uid: UID, panel: 15 };

pub(crate) fn board(options: &Options) -> Dashboard {
    let scope = Scope::board();
    Board::new(
        UID,
        "Runtime and tasks",
        "Whether tasks get the processor when they want it: how long polls take, how long woken \
         tasks wait for one, what they are idle for, whether they pile up.",
        &LIVE,
    )
    .row("Now", vec![(4, now(&scope, options))])
    .row("Polls", vec![(8, polls(&scope)), (8, long_polls(&scope, options))])
    .row("Scheduling", vec![(8, delays(&scope, options))])
    .row("Tasks", vec![(8, tasks(&scope, options))])
    .details("Idle", vec![(8, idle(&scope)), (9, vec![table(&scope)])])
    .finish()
}

fn now(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let poll = scope.of(&TASK_POLL_DURATION);
    let count = poll.count(&[]);
    let above = |bound| or_zero(&format!("({}) / ({count} > 0)", poll.above(bound, &[])));
    let locked = scope.of(&TASK_IDLE_TIME).is(TASK_IDLE, Idle::Lock.as_str()).rate();
    let idle = sum(&[], &scope.of(&TASK_IDLE_TIME).rate());
    vec![
        panel(1, Stat, "Live tasks")
            .tells(
                &[&LIVE],
                "Scopes that have started and not ended. Level is good; see below whether they \
                 pile up.",
            )
            .ask(or_zero(&sum(&[], &scope.of(&LIVE).now())), "")
            .levels(&[(limits.task_leak_tasks, ORANGE)]),
        panel(2, Stat, "Started")
            .tells(
                &[&TASKS_SPAWNED],
                "Scopes that start per second. Neither good nor bad; with as many ends nothing \
                 piles up.",
            )
            .unit(unit::OPERATIONS)
            .ask(or_zero(&sum(&[], &scope.of(&TASKS_SPAWNED).rate())), ""),
        panel(3, Stat, "Long polls")
            .tells(
                &[&TASK_POLL_DURATION],
                "Share of polls over 10 ms. Below 1 % is good; each of them delays the other tasks \
                 of its worker.",
            )
            .unit(unit::SHARE)
            .ask(above(limits.long_poll_seconds), "")
            .levels(&[(limits.long_poll_share, ORANGE)]),
        panel(4, Stat, "Blocking polls")
            .tells(
                &[&TASK_POLL_DURATION],
                "Share of polls over 50 ms. Zero is good: code that blocks belongs on the blocking \
                 pool.",
            )
            .unit(unit::SHARE)
            .ask(above(limits.blocked_poll_seconds), "")
            .levels(&[(limits.long_poll_share, RED)]),
        panel(5, Stat, "Scheduling delay p99")
            .tells(
                &[&TASK_SCHEDULE_DELAY],
                "99 of 100 woken tasks were polled within this time. Below 5 ms is good; above it \
                 workers are busy or blocked.",
            )
            .unit(unit::SECONDS)
            .ask(or_zero(&scope.of(&TASK_SCHEDULE_DELAY).quantile(0.99, &[])), "")
            .levels(&[
                (limits.schedule_delay_seconds, ORANGE),
                (limits.schedule_stall_seconds, RED),
            ]),
        panel(6, Stat, "Idle for locks")
            .tells(
                &[&TASK_IDLE_TIME],
                "Share of the idle time of tasks that is waiting for locks. Near zero is good; \
                 otherwise the board of who blocks whom knows whose.",
            )
            .unit(unit::SHARE)
            .ask(or_zero(&share(&sum(&[], &locked), &idle)), ""),
    ]
}

fn polls(scope: &Scope) -> Vec<Draft> {
    let poll = scope.of(&TASK_POLL_DURATION);
    vec![
        panel(7, Heatmap, "Polls")
            .tells(
                &[&TASK_POLL_DURATION],
                "All polls by duration. A band below 1 ms is good; anything above 10 ms holds a \
                 worker that long.",
            )
            .empty("No polls")
            .unit(unit::SECONDS)
            .ask(poll.buckets(), "{{le}}"),
        panel(8, TimeSeries, "Poll p99 by task")
            .tells(
                &[&TASK_POLL_DURATION],
                "99 of 100 polls of each task took at most this long. Below 10 ms is good; a task \
                 above it computes or blocks between two awaits.",
            )
            .empty("No polls")
            .unit(unit::SECONDS)
            .ask(poll.quantile(0.99, &[TASK_NAME]), "{{task_name}}"),
    ]
}

fn long_polls(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let poll = scope.of(&TASK_POLL_DURATION);
    let by = [TASK_NAME];
    let above = |bound| format!("({}) / ({} > 0)", poll.above(bound, &by), poll.count(&by));
    vec![
        panel(9, TimeSeries, "Share of long polls by task")
            .tells(
                &[&TASK_POLL_DURATION],
                "Share of polls over 10 ms. Below the dashed line is good; split the work of the \
                 task above it, or yield.",
            )
            .empty("No polls")
            .unit(unit::SHARE)
            .ask(above(limits.long_poll_seconds), "{{task_name}}")
            .levels(&[(limits.long_poll_share, ORANGE)]),
        panel(10, TimeSeries, "Share of blocking polls by task")
            .tells(
                &[&TASK_POLL_DURATION],
                "Share of polls over 50 ms. Below the dashed line is good; move the task's \
                 blocking calls to the blocking pool.",
            )
            .empty("No polls")
            .unit(unit::SHARE)
            .ask(above(limits.blocked_poll_seconds), "{{task_name}}")
            .levels(&[(limits.long_poll_share, RED)]),
        panel(11, Stacked, "Workers kept, by task")
            .tells(
                &[&TASK_POLL_DURATION],
                "Seconds per second spent in polls: how many workers each task keeps busy. Below \
                 the number of workers in all is good.",
            )
            .empty("No polls")
            .ask(poll.sum(&by), "{{task_name}}"),
    ]
}

fn delays(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let delay = scope.of(&TASK_SCHEDULE_DELAY);
    vec![
        panel(12, TimeSeries, "Scheduling delay p99 by instance")
            .tells(
                &[&TASK_SCHEDULE_DELAY],
                "99 of 100 woken tasks were polled within this time. Below the first dashed line \
                 is good; all instances at once is load, one alone is blocking code.",
            )
            .empty("No wake-ups")
            .unit(unit::SECONDS)
            .ask(delay.quantile(0.99, &["job", "instance"]), "{{job}} {{instance}}")
            .levels(&[
                (limits.schedule_delay_seconds, ORANGE),
                (limits.schedule_stall_seconds, RED),
            ]),
        panel(13, Heatmap, "Scheduling delays")
            .tells(
                &[&TASK_SCHEDULE_DELAY],
                "All wake-ups by the time to the next poll. A low band is good; a second one at \
                 the length of long polls is what they cost the others.",
            )
            .empty("No wake-ups")
            .unit(unit::SECONDS)
            .ask(delay.buckets(), "{{le}}"),
        panel(14, TimeSeries, "Scheduling delay p99 by task")
            .tells(
                &[&TASK_SCHEDULE_DELAY],
                "The same by task. Alike is good; one task above the others is often one that is \
                 spawned in bursts.",
            )
            .empty("No wake-ups")
            .unit(unit::SECONDS)
            .ask(delay.quantile(0.99, &[TASK_NAME]), "{{task_name}}"),
    ]
}

fn tasks(scope: &Scope, options: &Options) -> Vec<Draft> {
    let limits = &options.thresholds;
    let by = [TASK_NAME];
    vec![
        panel(15, TimeSeries, "Live tasks by name")
            .tells(
                &[&LIVE],
                "Scopes that have started and not ended. Level or up and down is good; a floor \
                 that only rises is a leak: tasks that never end.",
            )
            .empty("No tasks")
            .ask(sum(&by, &scope.of(&LIVE).now()), "{{task_name}}")
            .levels(&[(limits.task_leak_tasks, ORANGE)]),
        panel(16, TimeSeries, "Starts and ends")
            .tells(
                &[&TASKS_SPAWNED, &TASKS_FINISHED],
                "Scopes per second that start and that end. The two lines on each other is good; \
                 starts above ends for long pile up.",
            )
            .empty("No tasks")
            .unit(unit::OPERATIONS)
            .ask(sum(&[], &scope.of(&TASKS_SPAWNED).rate()), "start")
            .ask(sum(&[], &scope.of(&TASKS_FINISHED).rate()), "end"),
    ]
}

fn idle(scope: &Scope) -> Vec<Draft> {
    let idle = scope.of(&TASK_IDLE_TIME);
    let locked = idle.is(TASK_IDLE, Idle::Lock.as_str()).rate();
    vec![
        panel(17, Stacked, "Idle by reason")
            .tells(
                &[&TASK_IDLE_TIME],
                "What tasks wait for while they are not woken, as tasks on average. Mostly io, \
                 timer and other is good; lock and permit are what plock is about.",
            )
            .empty("No idle tasks")
            .ask(sum(&[TASK_IDLE], &idle.rate()), "{{task_idle}}"),
        panel(18, TimeSeries, "Idle for locks, by task")
            .tells(
                &[&TASK_IDLE_TIME],
                "Which tasks wait for locks, as tasks on average. Near zero is good; the top line \
                 is the first victim.",
            )
            .empty("No idle tasks")
            .ask(sum(&[TASK_NAME], &locked), "{{task_name}}"),
    ]
}

fn table(scope: &Scope) -> Draft {
    let by = [TASK_NAME];
    panel(19, Table, "Tasks by name")
        .tells(
            &[&LIVE, &TASK_POLL_DURATION, &TASK_SCHEDULE_DELAY, &TASK_IDLE_TIME],
            "Every task with how many live, its polls and its delay. Small numbers in the last \
             three columns are good; sort by any of them to find who keeps workers.",
        )
        .empty("No tasks")
        .ask(sum(&by, &scope.of(&LIVE).now()), "")
        .ask(scope.of(&TASK_POLL_DURATION).sum(&by), "")
        .ask(known(&scope.of(&TASK_POLL_DURATION).quantile(0.99, &by)), "")
        .ask(known(&scope.of(&TASK_SCHEDULE_DELAY).quantile(0.99, &by)), "")
        .label(TASK_NAME, "Task")
        .value("Live", unit::COUNT)
        .value("Workers kept", unit::COUNT)
        .value("Poll p99", unit::SECONDS)
        .value("Delay p99", unit::SECONDS)
}
