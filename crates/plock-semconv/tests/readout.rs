//! A snapshot under its names: what is there from the start, what is summed, what is left out.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of a test")]

use plock_core::{Cause, Dropped, Histogram, Idle, Kind, LockSeries, Mode, Outcome, Snapshot};
use plock_semconv::{Family, Instrument, Value, families, metrics};
use serde_json::{Value as Json, from_value, json};

fn lock(name: &str, kind: Kind, mode: Mode, change: impl FnOnce(&mut Json)) -> LockSeries {
    let mut lock = json!({
        "name": name, "kind": kind, "mode": mode, "declared": "src/main.rs:1:1",
        "outcomes": [0, 0, 0, 0, 0, 0], "wait": vec![Histogram::default(); Cause::COUNT],
        "claim_delay_ns": 0, "hold": Histogram::default(), "hold_suspended_ns": 0,
        "depth": [0, 0, 0, 0, 0, 0, 0, 0, 0], "depth_sum": 0, "migrated": 0, "waiters": 0, "holders": 0,
        "oldest_hold": null, "oldest_wait": null, "worst_hold": null, "worst_wait": null,
        "hold_exemplar": null, "wait_exemplars": []
    });
    change(&mut lock);
    from_value(lock).unwrap()
}

fn snapshot(change: impl FnOnce(&mut Snapshot)) -> Snapshot {
    let mut snapshot = Snapshot::default();
    change(&mut snapshot);
    snapshot
}

/// One line per point: values of the attributes, then the value.
fn lines(snapshot: &Snapshot, instrument: &Instrument) -> Vec<String> {
    let all = families(snapshot);
    let points =
        all.iter().filter(|f| f.instrument == instrument).flat_map(|f: &Family<'_>| &f.points);
    let line = points.map(|point| {
        let keys: Vec<_> = point.attributes().map(|(key, _)| key).collect();
        assert_eq!(keys, instrument.attributes, "keys of {} in table order", instrument.name);
        let labels: Vec<_> = point.attributes().map(|(_, value)| value).collect();
        let value = match &point.value {
            Value::Count(n) => n.to_string(),
            Value::Seconds(s) => format!("{s}s"),
            Value::Gauge(v) => v.to_string(),
            Value::Histogram { histogram, .. } => format!("n={}", histogram.count()),
            Value::Depth(d) => format!("{:?} n={} sum={}", d.cumulative, d.count, d.sum),
            other => panic!("no test for {other:?}"),
        };
        format!("{} {value}", labels.join(",")).trim_start().to_owned()
    });
    line.collect()
}

#[test]
fn a_registered_lock_has_its_series_from_the_start() {
    let snapshot = snapshot(|s| {
        s.locks = vec![
            lock("orders", Kind::Mutex, Mode::Exclusive, |_| {}),
            lock("catalogue", Kind::Rwlock, Mode::Shared, |_| {}),
            lock("workers", Kind::Semaphore, Mode::Permit, |_| {}),
        ];
    });
    let acquisitions = lines(&snapshot, &metrics::ACQUISITIONS);
    assert_eq!(acquisitions.len(), 3 * Outcome::COUNT);
    assert_eq!(acquisitions[0], "orders,mutex,exclusive,acquired 0");
    assert_eq!(
        lines(&snapshot, &metrics::WAIT_DURATION),
        [
            "orders,mutex,exclusive,holder n=0",
            "catalogue,rwlock,shared,holder n=0",
            "catalogue,rwlock,shared,writer_pending n=0",
            "workers,semaphore,permit,holder n=0",
            "workers,semaphore,permit,permits n=0",
        ]
    );
    for instrument in
        [metrics::HOLD_DURATION, metrics::HOLD_SUSPENDED_TIME, metrics::WAITERS, metrics::HOLDERS]
    {
        assert_eq!(lines(&snapshot, &instrument).len(), 3, "{}", instrument.name);
    }
    assert_eq!(
        lines(&snapshot, &metrics::NESTING_DEPTH),
        ["catalogue", "orders", "workers"]
            .map(|name| format!("{name} [0, 0, 0, 0, 0, 0] n=0 sum=0"))
    );
    assert_eq!(lines(&snapshot, &metrics::HELD), [""; 0]);
}

#[test]
fn a_pool_has_its_own_series_and_those_of_a_lock() {
    let pool = json!({"name": "database", "acquire": Histogram::of(&[5, 6]), "size": 4});
    let snapshot = snapshot(|s| {
        s.pools = vec![from_value(pool).unwrap()];
        s.locks = vec![
            lock("database", Kind::Pool, Mode::Permit, |lock| {
                (lock["holders"], lock["waiters"]) = (json!(3), json!(1));
            }),
            lock("workers", Kind::Semaphore, Mode::Permit, |_| {}),
        ];
    });
    assert_eq!(lines(&snapshot, &metrics::POOL_ACQUIRE_DURATION), ["database n=2"]);
    assert_eq!(lines(&snapshot, &metrics::POOL_SIZE), ["database 4"]);
    assert_eq!(lines(&snapshot, &metrics::POOL_IN_USE), ["database 3"]);
    assert_eq!(lines(&snapshot, &metrics::POOL_WAITERS), ["database 1"]);
    assert_eq!(
        lines(&snapshot, &metrics::HOLDERS),
        ["database,pool,permit 3", "workers,semaphore,permit 0"]
    );
}

#[test]
fn a_cause_that_occurred_gets_its_own_series() {
    let snapshot = snapshot(|s| {
        s.locks = vec![lock("orders", Kind::Mutex, Mode::Exclusive, |lock| {
            lock["wait"][Cause::Scheduler as usize] = json!(Histogram::of(&[5, 6]));
        })];
    });
    assert_eq!(
        lines(&snapshot, &metrics::WAIT_DURATION),
        ["orders,mutex,exclusive,holder n=0", "orders,mutex,exclusive,scheduler n=2"]
    );
}

#[test]
fn exemplars_go_to_the_cause_they_belong_to() {
    let exemplar = |ns: u64| json!({"ns": ns, "unix_ns": 1, "span": {"trace_id": format!("{:032x}", 1), "span_id": format!("{:016x}", 2), "sampled": true}});
    let snapshot = snapshot(|s| {
        s.locks = vec![lock("orders", Kind::Mutex, Mode::Exclusive, |lock| {
            lock["wait_exemplars"] = json!([["queue", exemplar(7)], ["holder", exemplar(8)]]);
            lock["wait"][Cause::Queue as usize] = json!(Histogram::of(&[7]));
            lock["hold_exemplar"] = exemplar(9);
        })];
    });
    let found: Vec<_> = families(&snapshot)
        .iter()
        .flat_map(|family| &family.points)
        .filter_map(|point| match point.value {
            Value::Histogram { exemplar: Some(exemplar), .. } => {
                let cause = point.attributes().find(|(key, _)| *key == "lock.cause");
                Some((cause.map_or("", |(_, cause)| cause).to_owned(), exemplar.ns))
            }
            _ => None,
        })
        .collect();
    assert_eq!(found, [("holder".to_owned(), 8), ("queue".to_owned(), 7), (String::new(), 9)]);
}

#[test]
fn nesting_depth_is_merged_over_the_modes_of_a_lock() {
    let snapshot = snapshot(|s| {
        s.locks = vec![
            lock("catalogue", Kind::Rwlock, Mode::Exclusive, |lock| {
                lock["depth"] = json!([1, 1, 0, 0, 1, 0, 0, 0, 0]);
                lock["depth_sum"] = json!(1 + 2 + 5);
            }),
            lock("catalogue", Kind::Rwlock, Mode::Shared, |lock| {
                lock["depth"] = json!([0, 0, 1, 1, 0, 1, 1, 1, 1]);
                lock["depth_sum"] = json!(3 + 4 + 6 + 7 + 8 + 12);
            }),
        ];
    });
    assert_eq!(
        lines(&snapshot, &metrics::NESTING_DEPTH),
        ["catalogue [1, 2, 3, 4, 6, 8] n=9 sum=48"]
    );
}

#[test]
fn blame_is_summed_over_what_is_not_a_label() {
    let edge = |cause: Cause, waiter: &str, holder: &str, site: &str, waits: u64, wait_ns: u64| {
        from_value(json!({
            "lock": "orders", "cause": cause, "waiter": waiter, "holder": holder,
            "holder_site": site, "waits": waits, "wait_ns": wait_ns
        }))
        .unwrap()
    };
    let open = |waiter: &str, holder: &str, waits: u64| {
        from_value(json!({"lock": "orders", "waiter": waiter, "holder": holder, "waits": waits, "oldest_ns": 5})).unwrap()
    };
    let snapshot = snapshot(|s| {
        s.edges = vec![
            edge(Cause::Holder, "checkout", "reindex", "a.rs:1:1", 3, 1_500_000_000),
            edge(Cause::Holder, "checkout", "reindex", "a.rs:2:1", 1, 500_000_000),
            edge(Cause::Holder, "browse", "reindex", "a.rs:2:1", 2, 250_000_000),
            edge(Cause::Queue, "browse", "", "", 1, 1),
        ];
        s.open_edges =
            vec![open("browse", "", 2), open("browse", "unknown", 3), open("browse", "reindex", 1)];
    });
    assert_eq!(
        lines(&snapshot, &metrics::BLOCKED),
        ["orders,holder,reindex 6", "orders,queue,unknown 1"]
    );
    assert_eq!(
        lines(&snapshot, &metrics::BLOCKED_TIME),
        [
            "orders,holder,browse,reindex 0.25s",
            "orders,holder,checkout,reindex 2s",
            "orders,queue,browse,unknown 0.000000001s"
        ]
    );
    assert_eq!(
        lines(&snapshot, &metrics::BLOCK_EDGES),
        ["orders,browse,reindex 1", "orders,browse,unknown 5"]
    );
}

#[test]
fn findings_are_counted_by_lock_without_places_and_from_the_start() {
    let finding = |kind: &str, lock: &str, owner: &str, count: u64| {
        from_value(json!({
            "kind": kind, "lock": lock, "owner": owner, "site": "a.rs:1:1", "holder": "",
            "holder_site": "", "count": count
        }))
        .unwrap()
    };
    let mut snapshot = snapshot(|s| {
        s.locks = vec![
            lock("catalogue", Kind::Rwlock, Mode::Exclusive, |_| {}),
            lock("catalogue", Kind::Rwlock, Mode::Shared, |_| {}),
            lock("orders", Kind::Mutex, Mode::Exclusive, |_| {}),
            lock("workers", Kind::Semaphore, Mode::Permit, |_| {}),
        ];
    });
    assert_eq!(lines(&snapshot, &metrics::DEADLOCKS), ["self,exact 0"]);
    assert_eq!(lines(&snapshot, &metrics::POISONED), ["catalogue 0", "orders 0"]);

    snapshot.findings = vec![
        finding("self_deadlock", "orders", "checkout", 2),
        finding("self_deadlock", "catalogue", "checkout", 1),
        finding("poisoned", "orders", "checkout", 4),
        finding("poisoned", "orders", "browse", 8),
        finding("guard_across_await", "orders", "browse", 16),
    ];
    assert_eq!(lines(&snapshot, &metrics::DEADLOCKS), ["self,exact 3"]);
    assert_eq!(lines(&snapshot, &metrics::POISONED), ["catalogue 0", "orders 12"]);
    assert_eq!(
        lines(&snapshot, &metrics::FINDINGS),
        ["catalogue,guard_across_await 0", "orders,guard_across_await 16"]
    );
    assert!(lines(&snapshot, &metrics::FINDINGS_TIME).is_empty(), "there is no pool");
}

#[test]
fn waits_with_something_in_hand_are_counted_and_timed_where_there_is_a_pool() {
    let finding = |kind: &str, lock: &str, site: &str, wait_ns: u64| {
        from_value(json!({
            "kind": kind, "lock": lock, "pool": "connections", "owner": "checkout", "site": site,
            "holder": "checkout", "holder_site": "a.rs:1:1", "count": 2, "wait_ns": wait_ns
        }))
        .unwrap()
    };
    let mut snapshot = snapshot(|s| {
        s.locks = vec![
            lock("orders", Kind::Mutex, Mode::Exclusive, |_| {}),
            lock("connections", Kind::Pool, Mode::Permit, |_| {}),
            lock("workers", Kind::Semaphore, Mode::Permit, |_| {}),
        ];
        s.pools = vec![
            from_value(json!({
                "name": "connections", "acquire": Histogram::default(), "size": 1
            }))
            .unwrap(),
        ];
    });
    snapshot.findings = vec![
        finding("pool_under_lock", "orders", "a.rs:2:1", 1_500_000_000),
        finding("pool_under_lock", "orders", "a.rs:3:1", 500_000_000),
        finding("pool_under_pool", "connections", "a.rs:4:1", 0),
    ];
    let of_orders = ["guard_across_await 0", "pool_under_lock 4", "lock_under_pool 0"];
    let of_orders = of_orders.map(|line| format!("orders,{line}"));
    let counted: Vec<_> =
        std::iter::once("connections,pool_under_pool 2".to_owned()).chain(of_orders).collect();
    assert_eq!(lines(&snapshot, &metrics::FINDINGS), counted);
    assert_eq!(
        lines(&snapshot, &metrics::FINDINGS_TIME),
        [
            "connections,pool_under_pool 0s",
            "orders,pool_under_lock 2s",
            "orders,lock_under_pool 0s"
        ]
    );
}

#[test]
fn open_holds_and_waits_name_the_holder() {
    let open = |owner: &str, holder: &str, age: u64| json!({"age_ns": age, "owner": owner, "site": "a.rs:1:1", "holder": holder});
    let snapshot = snapshot(|s| {
        s.locks = vec![lock("orders", Kind::Mutex, Mode::Exclusive, |lock| {
            lock["waiters"] = json!(4);
            lock["holders"] = json!(1);
            lock["oldest_hold"] = open("reindex", "", 3_500_000_000);
            lock["oldest_wait"] = open("checkout", "reindex", 2_000_000_000);
        })];
    });
    assert_eq!(
        lines(&snapshot, &metrics::HELD),
        ["orders,mutex,exclusive,held,reindex 3.5", "orders,mutex,exclusive,waiting,reindex 2"]
    );
    assert_eq!(lines(&snapshot, &metrics::WAITERS), ["orders,mutex,exclusive 4"]);
    assert_eq!(lines(&snapshot, &metrics::HOLDERS), ["orders,mutex,exclusive 1"]);
}

#[test]
fn scopes_are_tasks() {
    let mut idle = [0; Idle::COUNT];
    idle[Idle::Timer as usize] = 2_000_000_000;
    let snapshot = snapshot(|s| {
        s.scopes = vec![
            from_value(json!({
                "name": "checkout", "started": 5, "finished": 3, "cancelled": 1, "panicked": 1,
                "poll": Histogram::of(&[1, 2, 3]), "schedule_delay": Histogram::of(&[4]),
                "spawn_delay_ns": 0, "idle_ns": idle
            }))
            .unwrap(),
        ];
    });
    assert_eq!(lines(&snapshot, &metrics::TASKS), ["checkout 2"]);
    assert_eq!(lines(&snapshot, &metrics::TASKS_SPAWNED), ["checkout 5"]);
    assert_eq!(lines(&snapshot, &metrics::TASKS_FINISHED), ["checkout 3"]);
    assert_eq!(lines(&snapshot, &metrics::TASK_POLL_DURATION), ["checkout n=3"]);
    assert_eq!(lines(&snapshot, &metrics::TASK_SCHEDULE_DELAY), ["checkout n=1"]);
    let idle = lines(&snapshot, &metrics::TASK_IDLE_TIME);
    assert_eq!(idle.len(), Idle::COUNT);
    assert!(idle.contains(&"checkout,timer 2s".to_owned()), "{idle:?}");
}

#[test]
fn every_reason_for_a_loss_is_there_always() {
    let snapshot = snapshot(|s| s.dropped = vec![(Dropped::Links, 3)]);
    let dropped = lines(&snapshot, &metrics::TELEMETRY_DROPPED);
    assert_eq!(dropped.len(), Dropped::COUNT);
    assert!(dropped.contains(&"link_missing 3".to_owned()));
    assert!(dropped.contains(&"edge_limit 0".to_owned()));
    let build = lines(&snapshot, &metrics::BUILD_INFO);
    assert_eq!(build, [format!("{},unknown 1", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn families_come_in_table_order_without_empty_ones() {
    let snapshot =
        snapshot(|s| s.locks = vec![lock("orders", Kind::Mutex, Mode::Exclusive, |_| {})]);
    let place =
        |family: &Family<'_>| metrics::ALL.iter().position(|i| *i == family.instrument).unwrap();
    let places: Vec<_> = families(&snapshot).iter().map(place).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
    assert!(families(&snapshot).iter().all(|family| !family.points.is_empty()));
}
