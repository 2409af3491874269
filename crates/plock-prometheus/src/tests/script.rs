//! Snapshots made to order.

use plock_core::{
    Cause, Dropped, Exemplar, Histogram, Idle, Kind, LockSeries, Mode, ScopeSeries, Snapshot,
    SpanRef,
};
use serde_json::{from_value, json};

pub(crate) fn lock(name: &str, kind: Kind, mode: Mode) -> LockSeries {
    let mut lock = LockSeries::default();
    (lock.name, lock.kind, lock.mode) = (name.to_owned(), kind, mode);
    lock
}

pub(crate) fn scope(name: &str) -> ScopeSeries {
    let mut scope = ScopeSeries::default();
    scope.name = name.to_owned();
    scope
}

pub(crate) fn exemplar(ns: u64, span: SpanRef) -> Exemplar {
    let mut exemplar = Exemplar::default();
    (exemplar.ns, exemplar.unix_ns, exemplar.span) = (ns, 1_700_000_123_456_789_012, span);
    exemplar
}

/// A little of everything: every kind of value, a label that needs escaping, exemplars in a middle
/// and in the last bucket, one that must not be shown.
pub(crate) fn scripted() -> Snapshot {
    const MS: u64 = 1_000_000;
    let span = SpanRef::new(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, 0xb7ad_6b71_6920_3331, true);

    let mut orders = lock("orders", Kind::Mutex, Mode::Exclusive);
    orders.outcomes = [7, 1, 2, 0, 0, 0];
    orders.wait[Cause::Holder as usize] = Histogram::of(&[3, 300 * MS, 300 * MS + 1, 12_000 * MS]);
    orders.wait[Cause::Queue as usize] = Histogram::of(&[2_000 * MS]);
    orders.wait_exemplars = vec![
        (Cause::Holder, exemplar(12_000 * MS, span)),
        (Cause::Queue, exemplar(2_000 * MS, SpanRef::new(1, 2, false))),
    ];
    orders.hold = Histogram::of(&[40_000, 60_000, 300 * MS, 500 * MS]);
    orders.hold_exemplar = Some(exemplar(500 * MS, span));
    orders.hold_suspended_ns = 799 * MS;
    orders.depth = [4, 2, 0, 0, 1, 0, 0, 0, 0];
    orders.depth_sum = 4 + 2 * 2 + 5;
    orders.waiters = 2;
    orders.holders = 1;
    let open = json!({"age_ns": 2_500 * MS, "owner": "reindex", "site": "a.rs:1:1", "holder": ""});
    orders.oldest_hold = from_value(open).unwrap();
    let open =
        json!({"age_ns": 250 * MS, "owner": "checkout", "site": "a.rs:2:1", "holder": "reindex"});
    orders.oldest_wait = from_value(open).unwrap();

    let mut checkout = scope("checkout");
    (checkout.started, checkout.finished) = (9, 7);
    checkout.poll = Histogram::of(&[1_500, 1_500, 8 * MS]);
    checkout.schedule_delay = Histogram::of(&[25_000]);
    checkout.idle_ns[Idle::Lock as usize] = 12_600 * MS;

    let mut snapshot = Snapshot::default();
    snapshot.unix_ns = 1_700_000_200_000_000_000;
    snapshot.start_unix_ns = 1_700_000_000_250_000_000;
    snapshot.clock = "tsc".to_owned();
    snapshot.locks = vec![orders, lock("a \"b\"\\c\nd", Kind::Semaphore, Mode::Permit)];
    snapshot.edges = from_value(json!([{
        "lock": "orders", "cause": "holder", "waiter": "checkout", "holder": "reindex",
        "holder_site": "a.rs:1:1", "waits": 4, "wait_ns": 12_600 * MS + 4
    }]))
    .unwrap();
    snapshot.open_edges = from_value(json!([{
        "lock": "orders", "waiter": "checkout", "holder": "reindex", "waits": 2, "oldest_ns": 250 * MS
    }]))
    .unwrap();
    snapshot.findings = from_value(json!([{
        "kind": "poisoned", "lock": "orders", "owner": "checkout", "site": "a.rs:2:1", "holder": "",
        "holder_site": "", "count": 3
    }, {
        "kind": "self_deadlock", "lock": "orders", "owner": "reindex", "site": "a.rs:3:1",
        "holder": "reindex", "holder_site": "a.rs:1:1", "count": 1
    }, {
        "kind": "pool_under_lock", "lock": "orders", "pool": "connections", "owner": "checkout",
        "site": "a.rs:4:1", "holder": "checkout", "holder_site": "a.rs:3:1", "count": 2,
        "wait_ns": 750 * MS
    }]))
    .unwrap();
    snapshot.scopes = vec![checkout];
    snapshot.dropped = vec![(Dropped::Links, 1)];
    snapshot.overhead_ns = 1_234_567;
    snapshot
}
