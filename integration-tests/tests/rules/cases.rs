//! What happens in each case, with the exact words of the alert.

use crate::script::{Case, Fires};

const WAITED: &str = r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_stage="waiting",lock_holder="reindexer""#;
const PERMIT_HELD: &str = r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit",lock_stage="held",lock_holder="report""#;
const LOCK: &str = r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive""#;
const HELD: &str = r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_stage="held",lock_holder="reindexer""#;
const THIS_LOCK: &[(&str, &str)] =
    &[("job", "orders"), ("instance", "a"), ("lock_name", "inventory")];
const THIS_HOLDER: &[(&str, &str)] = &[
    ("job", "orders"),
    ("instance", "a"),
    ("lock_name", "inventory"),
    ("lock_holder", "reindexer"),
];
const PROCESS: &[(&str, &str)] = &[("job", "orders"), ("instance", "a")];
const COLLECTOR: &str = r#"job="otelcol",instance="c""#;

/// A line of the table below.
const fn case(
    alert: &'static str,
    name: &'static str,
    series: &'static [(&'static str, &'static str, &'static str)],
    at: &'static str,
    fires: &'static [Fires],
) -> Case {
    Case { alert, name, step: "15s", series, at, fires }
}

/// The same with a value a minute.
const fn slow(
    alert: &'static str,
    name: &'static str,
    series: &'static [(&'static str, &'static str, &'static str)],
    at: &'static str,
    fires: &'static [Fires],
) -> Case {
    Case { alert, name, step: "1m", series, at, fires }
}

const SILENT: &[Fires] = &[];

const HELD_TOO_LONG: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_HOLDER,
    summary: "A lock is held for long while somebody waits for it.",
    description: "reindexer in a of orders has held inventory for 600ms while others wait for it.",
    leads: "plock-lock?viewPanel=panel-14&var-job=orders&var-instance=a&var-lock=inventory",
}];

const STUCK: &[Fires] = &[Fires {
    severity: "critical",
    labels: THIS_HOLDER,
    summary: "A task does not get a lock that it waits for.",
    description: "A task in a of orders has waited for inventory for 11s; reindexer holds it.",
    leads: "plock-overview?viewPanel=panel-35&var-job=orders&var-instance=a&var-lock=inventory",
}];

const ROOT: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("instance", "a"), ("lock_holder", "POST /orders")],
    summary: "One holder blocks several tasks and waits for nobody itself.",
    description: "POST /orders in a of orders blocks 3 waits and is not blocked itself.",
    leads: "plock-blame?viewPanel=panel-7&var-job=orders&var-instance=a&var-holder=POST+%2Forders",
}];

const POOL: &str = r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit""#;
const POOL_WAIT: &str =
    r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit",lock_cause="permits""#;

macro_rules! labels {
    ($base:literal, $le:literal) => {
        concat!($base, ",le=\"", $le, "\"")
    };
}

macro_rules! pool {
    ($le:literal) => {
        labels!(
            r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit",lock_cause="permits""#,
            $le
        )
    };
}

const fn pool_stall(description: &'static str) -> Fires {
    Fires {
        severity: "critical",
        labels: &[("job", "orders"), ("instance", "a"), ("lock_name", "connections")],
        summary: "Callers wait long for a permit of a pool.",
        description,
        leads: "plock-pools?viewPanel=panel-5&var-job=orders&var-instance=a&var-lock=connections",
    }
}

macro_rules! permit {
    ($le:literal) => {
        labels!(r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit""#, $le)
    };
}

macro_rules! hold {
    ($le:literal) => {
        labels!(r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive""#, $le)
    };
}

const LONG_HOLDS: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "A lock was held for long several times.",
    description: "inventory in a of orders was held longer than the limit 4 times in ten minutes.",
    leads: "plock-lock?viewPanel=panel-12&var-job=orders&var-instance=a&var-lock=inventory",
}];

const WAIT: &str =
    r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_cause="holder""#;
macro_rules! wait {
    ($le:literal) => {
        labels!(
            r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_cause="holder""#,
            $le
        )
    };
}
const ACQUIRED: &str =
    r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_outcome="acquired""#;
const POISONED: &str = r#"lock_name="inventory""#;
const ACROSS_AWAIT: &str = r#"lock_name="inventory",lock_finding="guard_across_await""#;
const UNDER_LOCK: &str = r#"lock_name="inventory",lock_finding="pool_under_lock""#;
const SELF_DEADLOCK: &str = r#"lock_deadlock="self",precision="exact""#;

const CONVOY: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "Tasks stand in line for a lock all the time, and most attempts wait.",
    description: "4 tasks on average stand in line for inventory in a of orders, and most attempts wait.",
    leads: "plock-lock?viewPanel=panel-20&var-job=orders&var-instance=a&var-lock=inventory",
}];

const BLOCKED: &str =
    r#"lock_name="inventory",lock_cause="holder",lock_waiter="stock",lock_holder="reindexer""#;

const POOL_BLOCKED: &str =
    r#"lock_name="connections",lock_cause="permits",lock_waiter="stock",lock_holder="report""#;
const POOL_ACQUIRED: &str =
    r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit",lock_outcome="acquired""#;

const SURGE: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("lock_name", "inventory")],
    summary: "Tasks wait for a lock much more than during the last day.",
    description: "1 tasks on average wait for inventory of orders, several times the mean of the last day.",
    leads: "plock-lock?viewPanel=panel-20&var-job=orders&var-lock=inventory",
}];

macro_rules! write {
    ($le:literal) => {
        labels!(
            r#"lock_name="catalogue",lock_kind="rwlock",lock_mode="exclusive",lock_cause="holder""#,
            $le
        )
    };
}
const WRITE: &str =
    r#"lock_name="catalogue",lock_kind="rwlock",lock_mode="exclusive",lock_cause="holder""#;
const READS: &str =
    r#"lock_name="catalogue",lock_kind="rwlock",lock_mode="shared",lock_outcome="acquired""#;

const STARVED: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("instance", "a"), ("lock_name", "catalogue")],
    summary: "Writers wait long for a lock that readers get.",
    description: "99 of 100 writers that had to wait for catalogue in a of orders waited up to 4.96s while readers got through.",
    leads: "plock-lock?viewPanel=panel-15&var-job=orders&var-instance=a&var-lock=catalogue",
}];

const POISON: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "A lock is poisoned: somebody panicked while holding it.",
    description: "inventory in a of orders was poisoned by 1 panics in ten minutes.",
    leads: "plock-lock?viewPanel=panel-22&var-job=orders&var-instance=a&var-lock=inventory",
}];

const ACROSS: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "A guard that blocks threads is kept across an await.",
    description: "1 times in ten minutes a guard of inventory in a of orders was alive while its task waited.",
    leads: "plock-lock?viewPanel=panel-23&var-job=orders&var-instance=a&var-lock=inventory",
}];

const WHILE_HOLDING: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[
        ("job", "orders"),
        ("instance", "a"),
        ("lock_name", "inventory"),
        ("lock_finding", "pool_under_lock"),
    ],
    summary: "Tasks wait for a pool or a lock with something in hand that others need.",
    description: "0.10 tasks on average in a of orders wait with a lock or a connection in hand; the lock is inventory (pool_under_lock).",
    leads: "plock-pools?viewPanel=panel-12&var-job=orders&var-instance=a",
}];

const DEADLOCK: &[Fires] = &[Fires {
    severity: "critical",
    labels: &[("job", "orders"), ("instance", "a"), ("lock_deadlock", "self")],
    summary: "A thread waits for a lock that it has itself.",
    description: "1 times in ten minutes a thread of a of orders began to wait for itself (deadlock: self).",
    leads: "plock-blame?viewPanel=panel-14&var-job=orders&var-instance=a",
}];

const TASK: &str = r#"task_name="export""#;
macro_rules! task {
    ($le:literal) => {
        labels!(r#"task_name="export""#, $le)
    };
}
const THIS_TASK: &[(&str, &str)] = &[("job", "orders"), ("instance", "a"), ("task_name", "export")];

const LONG_POLLS: Fires = Fires {
    severity: "warning",
    labels: THIS_TASK,
    summary: "A task keeps its worker for long in single polls.",
    description: "2% of the polls of export in a of orders take longer than 10 ms.",
    leads: "plock-runtime?viewPanel=panel-9&var-job=orders&var-instance=a",
};
const BLOCKED_POLLS: Fires = Fires {
    severity: "critical",
    description: "2% of the polls of export in a of orders take longer than 50 ms.",
    leads: "plock-runtime?viewPanel=panel-10&var-job=orders&var-instance=a",
    ..LONG_POLLS
};

const fn delayed(severity: &'static str, description: &'static str) -> Fires {
    Fires {
        severity,
        labels: PROCESS,
        summary: "Woken tasks wait long until a worker polls them.",
        description,
        leads: "plock-runtime?viewPanel=panel-12&var-job=orders&var-instance=a",
    }
}

const LEAK: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("task_name", "export")],
    summary: "Tasks of one name become more and more.",
    description: "11k tasks export of orders are alive, and their number only rises.",
    leads: "plock-runtime?viewPanel=panel-15&var-job=orders",
}];

const fn burn(
    severity: &'static str,
    labels: &'static [(&'static str, &'static str)],
    description: &'static str,
) -> Fires {
    Fires {
        severity,
        labels,
        summary: "Too many attempts to acquire a lock wait longer than the objective allows.",
        description,
        leads: "plock-slo?viewPanel=panel-6&var-job=orders",
    }
}

const HOUR: Fires = burn(
    "critical",
    &[("job", "orders"), ("window", "1h")],
    "2% of the attempts of orders waited longer than 10 ms in the last 1h, more than 14.4 times the budget.",
);
const SIX_HOURS: Fires = burn(
    "critical",
    &[("job", "orders"), ("window", "6h")],
    "1% of the attempts of orders waited longer than 10 ms in the last 6h, more than 6 times the budget.",
);
const SIX_HOURS_AFTER: Fires = Fires {
    description: "2% of the attempts of orders waited longer than 10 ms in the last 6h, more than 6 times the budget.",
    ..SIX_HOURS
};
const DAY: Fires = burn(
    "warning",
    &[("job", "orders"), ("window", "1d")],
    "0.5% of the attempts of orders waited longer than 10 ms in the last 1d, more than 3 times the budget.",
);
const THREE_DAYS: Fires = burn(
    "warning",
    &[("job", "orders"), ("window", "3d")],
    "0.2% of the attempts of orders waited longer than 10 ms in the last 3d, more than 1 times the budget.",
);

const fn telemetry(summary: &'static str, description: &'static str, leads: &'static str) -> Fires {
    Fires { severity: "warning", labels: PROCESS, summary, description, leads }
}

const FOLDED: &[Fires] = &[telemetry(
    "Names over the cap share one series.",
    "60 records of a of orders went under the name of all names over the cap in 15 minutes: boards by name hide something.",
    "plock-self?viewPanel=panel-6&var-job=orders&var-instance=a",
)];
const SPANS: &[Fires] = &[telemetry(
    "Spans could not be delivered.",
    "60 spans of a of orders were lost in 15 minutes: figures from spans are too low, and some links lead nowhere.",
    "plock-self?viewPanel=panel-6&var-job=orders&var-instance=a",
)];
const EXPORT: &[Fires] = &[telemetry(
    "A process cannot push its metrics.",
    "a of orders has pushed nothing for 5m 0s.",
    "plock-self?viewPanel=panel-8&var-job=orders&var-instance=a",
)];
const TELEMETRY_SILENT: &[Fires] = &[telemetry(
    "A process that is scraped tells nothing of plock any more.",
    "a of orders answers scrapes, without plock's metrics; the job had them an hour ago.",
    "plock-self?viewPanel=panel-9&var-job=orders&var-instance=a",
)];
const SERVICE_SILENT: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders")],
    summary: "No process of a service tells anything of plock any more.",
    description: "orders told plock's metrics an hour ago and does not now.",
    leads: "plock-self?viewPanel=panel-9&var-job=orders",
}];
const OVERHEAD: &[Fires] = &[telemetry(
    "Recording takes more of a core than plock promises.",
    "plock takes 2% of a core in a of orders.",
    "plock-self?viewPanel=panel-7&var-job=orders&var-instance=a",
)];
const DROPPING: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "otelcol"), ("instance", "c")],
    summary: "The collector loses data.",
    description: "The collector c refuses or gives up 2% of the data.",
    leads: "plock-self?viewPanel=panel-11",
}];
const QUEUE: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "otelcol"), ("instance", "c"), ("exporter", "store")],
    summary: "A queue of the collector is nearly full.",
    description: "The queue of store in the collector c is 90% full.",
    leads: "plock-self?viewPanel=panel-10",
}];
const WATCHDOG: &[Fires] = &[Fires {
    severity: "info",
    labels: &[],
    summary: "Alerts work: this one always fires.",
    description: "Prometheus evaluates plock's alerts. Whoever expects this alert notices when it does not come.",
    leads: "plock-self?viewPanel=panel-9",
}];

#[rustfmt::skip]
pub(crate) const CASES: &[Case] = &[
    case("PlockHeldTooLong", "0.6 s with a waiter", &[("plock_held_seconds", HELD, "0.6x20"), ("plock_waiters", LOCK, "1x20")], "1m", HELD_TOO_LONG),
    case("PlockHeldTooLong", "just below", &[("plock_held_seconds", HELD, "0.49x20"), ("plock_waiters", LOCK, "1x20")], "1m", SILENT),
    case("PlockHeldTooLong", "nobody waits", &[("plock_held_seconds", HELD, "0.6x20"), ("plock_waiters", LOCK, "0x20")], "1m", SILENT),
    case("PlockHeldTooLong", "one scrape only", &[("plock_held_seconds", HELD, "0.1 0.6 0.1x20"), ("plock_waiters", LOCK, "1x20")], "30s", SILENT),

    case("PlockHeldTooLong", "a permit is kept while it is used", &[("plock_held_seconds", PERMIT_HELD, "5x20"), ("plock_waiters", POOL, "1x20")], "1m", SILENT),

    case("PlockLockStuck", "11 s", &[("plock_held_seconds", WAITED, "11x20")], "1m", STUCK),
    case("PlockLockStuck", "just below", &[("plock_held_seconds", WAITED, "9.9x20")], "1m", SILENT),
    case("PlockLockStuck", "held long, and nobody waits as long", &[("plock_held_seconds", HELD, "60x20"), ("plock_held_seconds", WAITED, "0.1x20")], "1m", SILENT),

    case("PlockRootBlocker", "three victims", &[
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "2x20"),
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="report",lock_holder="POST /orders""#, "1x20"), ("plock_waiters", LOCK, "3x20")], "1m", ROOT),
    case("PlockRootBlocker", "in one process, while another of the same name waits elsewhere", &[
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "3x20"),
        ("plock_block_edges", r#"job="orders",instance="b",lock_name="inventory",lock_waiter="POST /orders",lock_holder="report""#, "1x20"),
        ("plock_waiters", LOCK, "3x20")], "1m", ROOT),
    case("PlockRootBlocker", "two victims", &[("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "2x20"), ("plock_waiters", LOCK, "2x20")], "1m", SILENT),
    case("PlockRootBlocker", "it waits itself", &[
        ("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="POST /orders""#, "3x20"),
        ("plock_block_edges", r#"lock_name="catalogue",lock_waiter="POST /orders",lock_holder="report""#, "1x20"), ("plock_waiters", LOCK, "3x20")], "1m", SILENT),
    case("PlockRootBlocker", "nobody knows who holds", &[("plock_block_edges", r#"lock_name="inventory",lock_waiter="stock",lock_holder="unknown""#, "3x20"), ("plock_waiters", LOCK, "3x20")], "1m", SILENT),
    case("PlockRootBlocker", "one of those who have a permit", &[
        ("plock_block_edges", r#"lock_name="connections",lock_waiter="stock",lock_holder="report""#, "3x20"), ("plock_waiters", POOL, "3x20")], "1m", SILENT),

    case("PlockPoolStall", "slow waits and a line, classic", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0+1x60"),
        ("plock_wait_duration_seconds_bucket", pool!("0.5"), "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"),
        ("plock_waiters", POOL, "3x60")], "10m", &[pool_stall("99 of 100 callers that had to wait for connections in a of orders waited up to 497.8ms, and more are in line.")]),
    case("PlockPoolStall", "slow waits and a line, native", &[
        ("plock_wait_duration_seconds", POOL_WAIT, "{{schema:0 sum:0 count:0 buckets:[0]}}+{{schema:0 sum:7.5 count:10 buckets:[10]}}x60"),
        ("plock_waiters", POOL, "3x60")], "10m", &[pool_stall("99 of 100 callers that had to wait for connections in a of orders waited up to 993.1ms, and more are in line.")]),
    case("PlockPoolStall", "both forms stored", &[
        ("plock_wait_duration_seconds", POOL_WAIT, "{{schema:0 sum:0 count:0 buckets:[0]}}+{{schema:0 sum:7.5 count:10 buckets:[10]}}x60"),
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0+1x60"),
        ("plock_wait_duration_seconds_bucket", pool!("0.5"), "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"),
        ("plock_waiters", POOL, "3x60")], "10m", &[pool_stall("99 of 100 callers that had to wait for connections in a of orders waited up to 497.8ms, and more are in line.")]),
    case("PlockPoolStall", "nobody in line", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0+1x60"),
        ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"), ("plock_waiters", POOL, "0x60")], "10m", SILENT),
    case("PlockPoolStall", "quick waits", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+10x60"), ("plock_wait_duration_seconds_bucket", pool!("0.1"), "0+10x60"),
        ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+10x60"), ("plock_waiters", POOL, "3x60")], "10m", SILENT),
    case("PlockPoolStall", "too few to tell", &[
        ("plock_wait_duration_seconds_count", POOL_WAIT, "0+0.9x60"), ("plock_wait_duration_seconds_bucket", pool!("0.3"), "0x60"),
        ("plock_wait_duration_seconds_bucket", pool!("0.5"), "0+0.9x60"), ("plock_wait_duration_seconds_bucket", pool!("+Inf"), "0+0.9x60"),
        ("plock_waiters", POOL, "3x60")], "10m", SILENT),

    case("PlockLongHolds", "four of forty, classic", &[("plock_hold_duration_seconds_count", LOCK, "0+1x80"), ("plock_hold_duration_seconds_bucket", hold!("0.5"), "0+0.9x80")], "15m", LONG_HOLDS),
    case("PlockLongHolds", "four of forty, native", &[("plock_hold_duration_seconds", LOCK, "{{schema:0 sum:0 count:0 buckets:[0 0]}}+{{schema:0 sum:1 count:1 offset:-1 buckets:[0.9 0.1]}}x80")], "15m", LONG_HOLDS),
    case("PlockLongHolds", "four of forty, both forms stored and counted once", &[
        ("plock_hold_duration_seconds_count", LOCK, "0+1x80"), ("plock_hold_duration_seconds_bucket", hold!("0.5"), "0+0.9x80"),
        ("plock_hold_duration_seconds", LOCK, "{{schema:0 sum:0 count:0 buckets:[0 0]}}+{{schema:0 sum:1 count:1 offset:-1 buckets:[0.9 0.1]}}x80")], "15m", LONG_HOLDS),
    case("PlockLongHolds", "permits are kept while they are used", &[("plock_hold_duration_seconds_count", POOL, "0+1x80"), ("plock_hold_duration_seconds_bucket", permit!("0.5"), "0x80")], "15m", SILENT),
    case("PlockLongHolds", "fewer", &[("plock_hold_duration_seconds_count", LOCK, "0+1x80"), ("plock_hold_duration_seconds_bucket", hold!("0.5"), "0+0.93x80")], "15m", SILENT),

    case("PlockConvoy", "four in line, 60 % wait", &[("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", WAIT, "0+6x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", CONVOY),
    case("PlockConvoy", "held for two thirds of the time only, hand-overs take the rest", &[
        ("plock_hold_duration_seconds_sum", LOCK, "0+10x100"), ("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"),
        ("plock_wait_duration_seconds_count", WAIT, "0+9x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", CONVOY),
    case("PlockConvoy", "fewer than three in line", &[("plock_blocked_time_seconds_total", BLOCKED, "0+44x100"), ("plock_wait_duration_seconds_count", WAIT, "0+6x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", SILENT),
    case("PlockConvoy", "few wait, and long", &[("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", WAIT, "0+4x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "20m", SILENT),
    case("PlockConvoy", "permits are waited for as long as the work takes", &[("plock_blocked_time_seconds_total", POOL_BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", POOL_WAIT, "0+6x100"), ("plock_acquisitions_total", POOL_ACQUIRED, "0+10x100")], "20m", SILENT),
    case("PlockConvoy", "too short", &[("plock_blocked_time_seconds_total", BLOCKED, "0+60x100"), ("plock_wait_duration_seconds_count", WAIT, "0+6x100"), ("plock_acquisitions_total", ACQUIRED, "0+10x100")], "9m", SILENT),

    slow("PlockContentionSurge", "ten times the mean", &[("plock_blocked_time_seconds_total", BLOCKED, "0+6x180 1140+60x60")], "210m", SURGE),
    slow("PlockContentionSurge", "three times the mean", &[("plock_blocked_time_seconds_total", BLOCKED, "0+6x180 1098+18x60")], "210m", SILENT),
    slow("PlockContentionSurge", "much more than nothing is still nothing", &[("plock_blocked_time_seconds_total", BLOCKED, "0+0.06x180 19.8+9x60")], "210m", SILENT),

    case("PlockWriterStarved", "writers wait seconds", &[
        ("plock_wait_duration_seconds_count", WRITE, "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("1"), "0x120"),
        ("plock_wait_duration_seconds_bucket", write!("5"), "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("+Inf"), "0+2x120"),
        ("plock_acquisitions_total", READS, "0+50x120")], "20m", STARVED),
    case("PlockWriterStarved", "nobody reads", &[
        ("plock_wait_duration_seconds_count", WRITE, "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("1"), "0x120"),
        ("plock_wait_duration_seconds_bucket", write!("5"), "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("+Inf"), "0+2x120"),
        ("plock_acquisitions_total", READS, "50x120")], "20m", SILENT),
    case("PlockWriterStarved", "writers wait little", &[
        ("plock_wait_duration_seconds_count", WRITE, "0+2x120"), ("plock_wait_duration_seconds_bucket", write!("1"), "0+2x120"),
        ("plock_wait_duration_seconds_bucket", write!("+Inf"), "0+2x120"), ("plock_acquisitions_total", READS, "0+50x120")], "20m", SILENT),

    case("PlockDeadlockDetected", "the first one, at once", &[("plock_deadlocks_total", SELF_DEADLOCK, "0x40 1x40")], "10m15s", DEADLOCK),
    case("PlockDeadlockDetected", "one before the first look", &[("plock_deadlocks_total", SELF_DEADLOCK, "_x20 1x40")], "5m15s", DEADLOCK),
    case("PlockDeadlockDetected", "an hour and more ago", &[("plock_deadlocks_total", SELF_DEADLOCK, "_x2 1x360")], "80m", SILENT),
    case("PlockDeadlockDetected", "none", &[("plock_deadlocks_total", SELF_DEADLOCK, "0x80")], "12m", SILENT),

    case("PlockLockPoisoned", "one panic", &[("plock_poisoned_total", POISONED, "0x40 1x40")], "12m", POISON),
    case("PlockLockPoisoned", "one before the first look", &[("plock_poisoned_total", POISONED, "_x20 1x40")], "7m", POISON),
    case("PlockLockPoisoned", "none", &[("plock_poisoned_total", POISONED, "0x80")], "12m", SILENT),

    case("PlockGuardAcrossAwait", "one guard", &[("plock_findings_total", ACROSS_AWAIT, "0x40 1x40")], "12m", ACROSS),
    case("PlockGuardAcrossAwait", "one before the first look", &[("plock_findings_total", ACROSS_AWAIT, "_x20 1x40")], "7m", ACROSS),
    case("PlockGuardAcrossAwait", "another mistake", &[("plock_findings_total", ACROSS_AWAIT, "0x80"), ("plock_findings_total", UNDER_LOCK, "0x40 1x40")], "12m", SILENT),

    case("PlockWaitWhileHolding", "a tenth of a task", &[("plock_findings_time_seconds_total", UNDER_LOCK, "0+1.5x120")], "20m", WHILE_HOLDING),
    case("PlockWaitWhileHolding", "a twenty-fifth of a task", &[("plock_findings_time_seconds_total", UNDER_LOCK, "0+0.6x120")], "20m", SILENT),
    case("PlockWaitWhileHolding", "for four minutes", &[("plock_findings_time_seconds_total", UNDER_LOCK, "0+1.5x120")], "4m", SILENT),

    case("PlockLongPolls", "2 % over 10 ms", &[("plock_task_poll_duration_seconds_count", TASK, "0+100x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0+98x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0+100x120")], "25m", &[LONG_POLLS]),
    case("PlockLongPolls", "2 % over 50 ms", &[("plock_task_poll_duration_seconds_count", TASK, "0+100x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0+98x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0+98x120")], "25m", &[LONG_POLLS, BLOCKED_POLLS]),
    case("PlockLongPolls", "half a percent", &[("plock_task_poll_duration_seconds_count", TASK, "0+100x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0+99.5x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0+100x120")], "25m", SILENT),
    case("PlockLongPolls", "too few polls", &[("plock_task_poll_duration_seconds_count", TASK, "0+0.4x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.01"), "0x120"), ("plock_task_poll_duration_seconds_bucket", task!("0.05"), "0x120")], "25m", SILENT),

    case("PlockSchedulingDelayHigh", "10 ms", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.005"), "0x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.01"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "25m",
        &[delayed("warning", "99 of 100 woken tasks in a of orders are polled within 9.95ms only.")]),
    case("PlockSchedulingDelayHigh", "300 ms", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.1"), "0x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.3"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "25m",
        &[delayed("warning", "99 of 100 woken tasks in a of orders are polled within 298ms only."), delayed("critical", "99 of 100 woken tasks in a of orders are polled within 298ms only.")]),
    case("PlockSchedulingDelayHigh", "4 ms", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.005"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "25m", SILENT),
    case("PlockSchedulingDelayHigh", "for five minutes", &[("plock_task_schedule_delay_seconds_count", TASK, "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.1"), "0x120"), ("plock_task_schedule_delay_seconds_bucket", task!("0.3"), "0+10x120"), ("plock_task_schedule_delay_seconds_bucket", task!("+Inf"), "0+10x120")], "5m", SILENT),

    slow("PlockTaskLeak", "a hundred more a minute", &[("plock_tasks", TASK, "1000+100x120")], "100m", LEAK),
    slow("PlockTaskLeak", "a burst", &[("plock_tasks", TASK, "1000x60 9000x8 1000x60")], "66m", SILENT),
    slow("PlockTaskLeak", "many but level", &[("plock_tasks", TASK, "6000x120")], "100m", SILENT),
    slow("PlockTaskLeak", "growth of a few", &[("plock_tasks", TASK, "100+30x120")], "100m", SILENT),

    slow("PlockSLOBurn", "2 % for ten minutes", &[("plock_acquisitions_total", ACQUIRED, "0+1000x30"), ("plock_wait_duration_seconds_count", WAIT, "0+40x30"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+20x30")], "10m", &[HOUR]),
    slow("PlockSLOBurn", "1 % for half an hour", &[("plock_acquisitions_total", ACQUIRED, "0+1000x60"), ("plock_wait_duration_seconds_count", WAIT, "0+40x60"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+30x60")], "30m", &[SIX_HOURS]),
    slow("PlockSLOBurn", "half a percent for two hours", &[("plock_acquisitions_total", ACQUIRED, "0+1000x150"), ("plock_wait_duration_seconds_count", WAIT, "0+40x150"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+35x150")], "120m", &[DAY]),
    slow("PlockSLOBurn", "0.2 % for four hours", &[("plock_acquisitions_total", ACQUIRED, "0+1000x260"), ("plock_wait_duration_seconds_count", WAIT, "0+40x260"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+38x260")], "240m", &[THREE_DAYS]),
    slow("PlockSLOBurn", "within the objective for four hours", &[("plock_acquisitions_total", ACQUIRED, "0+1000x260"), ("plock_wait_duration_seconds_count", WAIT, "0+40x260"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+39.5x260")], "240m", SILENT),
    slow("PlockSLOBurn", "over for the shortest window, not for the next", &[("plock_acquisitions_total", ACQUIRED, "0+1000x60"), ("plock_wait_duration_seconds_count", WAIT, "0+60x60"), ("plock_wait_duration_seconds_bucket", wait!("0.01"), "0+20x10 260+60x50")], "21m", &[SIX_HOURS_AFTER]),

    case("PlockNamesFolded", "four a minute", &[("plock_telemetry_dropped_total", r#"reason="class_limit""#, "0+1x120")], "25m", FOLDED),
    case("PlockNamesFolded", "another reason", &[("plock_telemetry_dropped_total", r#"reason="detail_limit""#, "0+1x120")], "25m", SILENT),

    case("PlockSpansLost", "four a minute", &[("plock_telemetry_dropped_total", r#"reason="span_lost""#, "0+1x120")], "25m", SPANS),
    case("PlockSpansLost", "another reason", &[("plock_telemetry_dropped_total", r#"reason="link_missing""#, "0+1x120")], "25m", SILENT),

    case("PlockExportFailing", "nothing for five minutes", &[("plock_telemetry_last_export_seconds", "", "60x40")], "6m", EXPORT),
    case("PlockExportFailing", "pushes every 15 s", &[("plock_telemetry_last_export_seconds", "", "0+15x40")], "6m", SILENT),
    case("PlockExportFailing", "one missed push", &[("plock_telemetry_last_export_seconds", "", "0+15x20 300x4 375+15x20")], "6m", SILENT),

    slow("PlockTelemetrySilent", "the metrics stop, the scrapes do not", &[("up", "", "1x120"), ("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50")], "85m", TELEMETRY_SILENT),
    slow("PlockTelemetrySilent", "the process is down", &[("up", "", "1x70 0x50"), ("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50")], "85m", SILENT),
    slow("PlockTelemetrySilent", "a job that never had plock", &[("up", r#"job="proxy",instance="p""#, "1x120"), ("plock_build_info", r#"version="1",clock="tsc""#, "1x120")], "85m", SILENT),

    slow("PlockServiceSilent", "all processes stop", &[("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50")], "85m", SERVICE_SILENT),
    slow("PlockServiceSilent", "one of two stops", &[("plock_build_info", r#"version="1",clock="tsc""#, "1x70 _x50"), ("plock_build_info", r#"job="orders",instance="b",version="1",clock="tsc""#, "1x120")], "85m", SILENT),

    case("PlockOverheadHigh", "2 % of a core", &[("plock_telemetry_overhead_time_seconds_total", "", "0+0.3x100")], "20m", OVERHEAD),
    case("PlockOverheadHigh", "0.7 % of a core", &[("plock_telemetry_overhead_time_seconds_total", "", "0+0.1x100")], "20m", SILENT),

    case("PlockCollectorDropping", "refuses 2 %", &[("otelcol_receiver_refused_metric_points", COLLECTOR, "0+2x120"), ("otelcol_receiver_accepted_metric_points", COLLECTOR, "0+98x120")], "25m", DROPPING),
    case("PlockCollectorDropping", "gives 2 % up", &[("otelcol_exporter_send_failed_spans", COLLECTOR, "0+2x120"), ("otelcol_exporter_sent_spans", COLLECTOR, "0+98x120")], "25m", DROPPING),
    case("PlockCollectorDropping", "gives 2 % of the spans up, and no metric", &[("otelcol_exporter_send_failed_spans", COLLECTOR, "0+2x120"), ("otelcol_exporter_sent_spans", COLLECTOR, "0+98x120"), ("otelcol_exporter_send_failed_metric_points", COLLECTOR, "0x120"), ("otelcol_exporter_sent_metric_points", COLLECTOR, "0+98x120")], "25m", DROPPING),
    case("PlockCollectorDropping", "half a percent", &[("otelcol_receiver_refused_metric_points", COLLECTOR, "0+0.5x120"), ("otelcol_receiver_accepted_metric_points", COLLECTOR, "0+99.5x120")], "25m", SILENT),
    case("PlockCollectorDropping", "nothing arrives, nothing is refused", &[("otelcol_receiver_refused_metric_points", COLLECTOR, "0x120"), ("otelcol_receiver_accepted_metric_points", COLLECTOR, "0x120")], "25m", SILENT),

    case("PlockCollectorQueueFull", "90 %", &[("otelcol_exporter_queue_size", r#"job="otelcol",instance="c",exporter="store""#, "900x40"), ("otelcol_exporter_queue_capacity", r#"job="otelcol",instance="c",exporter="store""#, "1000x40")], "8m", QUEUE),
    case("PlockCollectorQueueFull", "half", &[("otelcol_exporter_queue_size", r#"job="otelcol",instance="c",exporter="store""#, "500x40"), ("otelcol_exporter_queue_capacity", r#"job="otelcol",instance="c",exporter="store""#, "1000x40")], "8m", SILENT),

    case("PlockWatchdog", "nothing at all", &[("up", "", "1x4")], "30s", WATCHDOG),
];
