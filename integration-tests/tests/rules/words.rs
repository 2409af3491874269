//! The series that the cases are made of, and what each alert says, word for word.

use crate::script::Fires;

pub(crate) const WAITED: &str = r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_stage="waiting",lock_holder="reindexer""#;
pub(crate) const PERMIT_HELD: &str = r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit",lock_stage="held",lock_holder="report""#;
pub(crate) const LOCK: &str = r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive""#;
pub(crate) const HELD: &str = r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_stage="held",lock_holder="reindexer""#;
pub(crate) const THIS_LOCK: &[(&str, &str)] =
    &[("job", "orders"), ("instance", "a"), ("lock_name", "inventory")];
pub(crate) const THIS_HOLDER: &[(&str, &str)] = &[
    ("job", "orders"),
    ("instance", "a"),
    ("lock_name", "inventory"),
    ("lock_holder", "reindexer"),
];
pub(crate) const PROCESS: &[(&str, &str)] = &[("job", "orders"), ("instance", "a")];
pub(crate) const COLLECTOR: &str = r#"job="otelcol",instance="c""#;

pub(crate) const SILENT: &[Fires] = &[];

pub(crate) const HELD_TOO_LONG: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_HOLDER,
    summary: "A lock is held for long while somebody waits for it.",
    description: "reindexer in a of orders has held inventory for 600ms while others wait for it.",
    leads: "plock-lock?viewPanel=panel-14&var-job=orders&var-instance=a&var-lock=inventory",
}];

pub(crate) const STUCK: &[Fires] = &[Fires {
    severity: "critical",
    labels: THIS_HOLDER,
    summary: "A task does not get a lock that it waits for.",
    description: "A task in a of orders has waited for inventory for 11s; reindexer holds it.",
    leads: "plock-overview?viewPanel=panel-35&var-job=orders&var-instance=a&var-lock=inventory",
}];

pub(crate) const ROOT: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("instance", "a"), ("lock_holder", "POST /orders")],
    summary: "One holder blocks several tasks and waits for nobody itself.",
    description: "POST /orders in a of orders blocks 3 waits and is not blocked itself.",
    leads: "plock-blame?viewPanel=panel-7&var-job=orders&var-instance=a&var-holder=POST+%2Forders",
}];

pub(crate) const POOL: &str = r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit""#;
pub(crate) const POOL_WAIT: &str =
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

pub(crate) const fn pool_stall(description: &'static str) -> Fires {
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

pub(crate) const LONG_HOLDS: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "A lock was held for long several times.",
    description: "inventory in a of orders was held longer than the limit 4 times in ten minutes.",
    leads: "plock-lock?viewPanel=panel-12&var-job=orders&var-instance=a&var-lock=inventory",
}];

pub(crate) const WAIT: &str =
    r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_cause="holder""#;
macro_rules! wait {
    ($le:literal) => {
        labels!(
            r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_cause="holder""#,
            $le
        )
    };
}
pub(crate) const ACQUIRED: &str =
    r#"lock_name="inventory",lock_kind="mutex",lock_mode="exclusive",lock_outcome="acquired""#;
pub(crate) const POISONED: &str = r#"lock_name="inventory""#;
pub(crate) const ACROSS_AWAIT: &str = r#"lock_name="inventory",lock_finding="guard_across_await""#;
pub(crate) const UNDER_LOCK: &str = r#"lock_name="inventory",lock_finding="pool_under_lock""#;
pub(crate) const SELF_DEADLOCK: &str = r#"lock_deadlock="self",precision="exact""#;

pub(crate) const CONVOY: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "Tasks stand in line for a lock all the time, and most attempts wait.",
    description: "4 tasks on average stand in line for inventory in a of orders, and most attempts wait.",
    leads: "plock-lock?viewPanel=panel-20&var-job=orders&var-instance=a&var-lock=inventory",
}];

pub(crate) const BLOCKED: &str =
    r#"lock_name="inventory",lock_cause="holder",lock_waiter="stock",lock_holder="reindexer""#;

pub(crate) const POOL_BLOCKED: &str =
    r#"lock_name="connections",lock_cause="permits",lock_waiter="stock",lock_holder="report""#;
pub(crate) const POOL_ACQUIRED: &str =
    r#"lock_name="connections",lock_kind="semaphore",lock_mode="permit",lock_outcome="acquired""#;

pub(crate) const SURGE: &[Fires] = &[Fires {
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
pub(crate) const WRITE: &str =
    r#"lock_name="catalogue",lock_kind="rwlock",lock_mode="exclusive",lock_cause="holder""#;
pub(crate) const READS: &str =
    r#"lock_name="catalogue",lock_kind="rwlock",lock_mode="shared",lock_outcome="acquired""#;

pub(crate) const STARVED: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("instance", "a"), ("lock_name", "catalogue")],
    summary: "Writers wait long for a lock that readers get.",
    description: "99 of 100 writers that had to wait for catalogue in a of orders waited up to 4.96s while readers got through.",
    leads: "plock-lock?viewPanel=panel-15&var-job=orders&var-instance=a&var-lock=catalogue",
}];

pub(crate) const POISON: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "A lock is poisoned: somebody panicked while holding it.",
    description: "inventory in a of orders was poisoned by 1 panics in ten minutes.",
    leads: "plock-lock?viewPanel=panel-22&var-job=orders&var-instance=a&var-lock=inventory",
}];

pub(crate) const ACROSS: &[Fires] = &[Fires {
    severity: "warning",
    labels: THIS_LOCK,
    summary: "A guard that blocks threads is kept across an await.",
    description: "1 times in ten minutes a guard of inventory in a of orders was alive while its task waited.",
    leads: "plock-lock?viewPanel=panel-23&var-job=orders&var-instance=a&var-lock=inventory",
}];

pub(crate) const WHILE_HOLDING: &[Fires] = &[Fires {
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

pub(crate) const DEADLOCK: &[Fires] = &[Fires {
    severity: "critical",
    labels: &[("job", "orders"), ("instance", "a"), ("lock_deadlock", "self")],
    summary: "A thread waits for a lock that it has itself.",
    description: "1 times in ten minutes a thread of a of orders began to wait for itself (deadlock: self).",
    leads: "plock-blame?viewPanel=panel-14&var-job=orders&var-instance=a",
}];

pub(crate) const TASK: &str = r#"task_name="export""#;
macro_rules! task {
    ($le:literal) => {
        labels!(r#"task_name="export""#, $le)
    };
}
pub(crate) const THIS_TASK: &[(&str, &str)] =
    &[("job", "orders"), ("instance", "a"), ("task_name", "export")];

pub(crate) const LONG_POLLS: Fires = Fires {
    severity: "warning",
    labels: THIS_TASK,
    summary: "A task keeps its worker for long in single polls.",
    description: "2% of the polls of export in a of orders take longer than 10 ms.",
    leads: "plock-runtime?viewPanel=panel-9&var-job=orders&var-instance=a",
};
pub(crate) const BLOCKED_POLLS: Fires = Fires {
    severity: "critical",
    description: "2% of the polls of export in a of orders take longer than 50 ms.",
    leads: "plock-runtime?viewPanel=panel-10&var-job=orders&var-instance=a",
    ..LONG_POLLS
};

pub(crate) const fn delayed(severity: &'static str, description: &'static str) -> Fires {
    Fires {
        severity,
        labels: PROCESS,
        summary: "Woken tasks wait long until a worker polls them.",
        description,
        leads: "plock-runtime?viewPanel=panel-12&var-job=orders&var-instance=a",
    }
}

pub(crate) const LEAK: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders"), ("task_name", "export")],
    summary: "Tasks of one name become more and more.",
    description: "11k tasks export of orders are alive, and their number only rises.",
    leads: "plock-runtime?viewPanel=panel-15&var-job=orders",
}];

pub(crate) const fn burn(
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

pub(crate) const HOUR: Fires = burn(
    "critical",
    &[("job", "orders"), ("window", "1h")],
    "2% of the attempts of orders waited longer than 10 ms in the last 1h, more than 14.4 times the budget.",
);
pub(crate) const SIX_HOURS: Fires = burn(
    "critical",
    &[("job", "orders"), ("window", "6h")],
    "1% of the attempts of orders waited longer than 10 ms in the last 6h, more than 6 times the budget.",
);
pub(crate) const SIX_HOURS_AFTER: Fires = Fires {
    description: "2% of the attempts of orders waited longer than 10 ms in the last 6h, more than 6 times the budget.",
    ..SIX_HOURS
};
pub(crate) const DAY: Fires = burn(
    "warning",
    &[("job", "orders"), ("window", "1d")],
    "0.5% of the attempts of orders waited longer than 10 ms in the last 1d, more than 3 times the budget.",
);
pub(crate) const THREE_DAYS: Fires = burn(
    "warning",
    &[("job", "orders"), ("window", "3d")],
    "0.2% of the attempts of orders waited longer than 10 ms in the last 3d, more than 1 times the budget.",
);

pub(crate) const fn telemetry(
    summary: &'static str,
    description: &'static str,
    leads: &'static str,
) -> Fires {
    Fires { severity: "warning", labels: PROCESS, summary, description, leads }
}

pub(crate) const FOLDED: &[Fires] = &[telemetry(
    "Names over the cap share one series.",
    "60 records of a of orders went under the name of all names over the cap in 15 minutes: boards by name hide something.",
    "plock-self?viewPanel=panel-6&var-job=orders&var-instance=a",
)];
pub(crate) const SPANS: &[Fires] = &[telemetry(
    "Spans could not be delivered.",
    "60 spans of a of orders were lost in 15 minutes: figures from spans are too low, and some links lead nowhere.",
    "plock-self?viewPanel=panel-6&var-job=orders&var-instance=a",
)];
pub(crate) const EXPORT: &[Fires] = &[telemetry(
    "A process cannot push its metrics.",
    "a of orders has pushed nothing for 5m 0s.",
    "plock-self?viewPanel=panel-8&var-job=orders&var-instance=a",
)];
pub(crate) const TELEMETRY_SILENT: &[Fires] = &[telemetry(
    "A process that is scraped tells nothing of plock any more.",
    "a of orders answers scrapes, without plock's metrics; the job had them an hour ago.",
    "plock-self?viewPanel=panel-9&var-job=orders&var-instance=a",
)];
pub(crate) const SERVICE_SILENT: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "orders")],
    summary: "No process of a service tells anything of plock any more.",
    description: "orders told plock's metrics an hour ago and does not now.",
    leads: "plock-self?viewPanel=panel-9&var-job=orders",
}];
pub(crate) const OVERHEAD: &[Fires] = &[telemetry(
    "Recording takes more of a core than plock promises.",
    "plock takes 2% of a core in a of orders.",
    "plock-self?viewPanel=panel-7&var-job=orders&var-instance=a",
)];
pub(crate) const DROPPING: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "otelcol"), ("instance", "c")],
    summary: "The collector loses data.",
    description: "The collector c refuses or gives up 2% of the data.",
    leads: "plock-self?viewPanel=panel-11",
}];
pub(crate) const QUEUE: &[Fires] = &[Fires {
    severity: "warning",
    labels: &[("job", "otelcol"), ("instance", "c"), ("exporter", "store")],
    summary: "A queue of the collector is nearly full.",
    description: "The queue of store in the collector c is 90% full.",
    leads: "plock-self?viewPanel=panel-10",
}];
pub(crate) const WATCHDOG: &[Fires] = &[Fires {
    severity: "info",
    labels: &[],
    summary: "Alerts work: this one always fires.",
    description: "Prometheus evaluates plock's alerts. Whoever expects this alert notices when it does not come.",
    leads: "plock-self?viewPanel=panel-9",
}];
