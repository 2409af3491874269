//! Readers and writers.

use super::figures::{edges, exclusive, figures};
use super::hand::{Actor, manual, step};
use super::observer::told;
use plock::tokio::sync::RwLock;
use plock::{BlockCause, EndCause, HoldEnd, Mode, inspect};

/// Reads from its first poll to its second.
async fn read(lock: &RwLock<()>) {
    let guard = lock.read().await;
    step().await;
    drop(guard);
}

#[test]
fn writer_drains_readers() {
    let _world = manual();
    let lock = RwLock::named("drained", ());
    let names = ["drained r1", "drained r2", "drained r3"];
    let mut readers = names.map(|name| Actor::new(name, read(&lock)));
    let mut writer = Actor::new("drained writer", async { drop(lock.write().await) });
    for reader in &mut readers {
        assert!(!reader.at(0));
    }
    assert!(!writer.at(5));
    for (reader, at) in readers.iter_mut().zip([10, 20, 30]) {
        assert_eq!(writer.wakes(), 0);
        assert!(reader.at(at));
    }
    assert_eq!(writer.wakes(), 1);
    assert!(writer.at(37));

    let (third, writer) = (told("drained r3"), told("drained writer"));
    let (detail, wait) = writer.wait();
    assert_eq!((detail.ns, wait.queue_ns, wait.claim_ns), (32, 25, 7));
    assert_eq!((wait.block, wait.holders), (BlockCause::HeldByReaders, 3));
    assert_eq!((wait.end, wait.holder_span), (EndCause::Release, Some(third.span)));
    assert_eq!((wait.holder, wait.holder_site), (Some("drained r3"), Some(third.hold().site)));
    assert_eq!(detail.mode, Mode::Exclusive);
    let to_the_last = ("drained writer".to_owned(), "drained r3".to_owned(), 25);
    assert_eq!(edges("drained"), [to_the_last]);
    assert_eq!(figures("drained", Mode::Shared).hold.sum_ns(), 60);
    assert_eq!((exclusive("drained").holders, figures("drained", Mode::Shared).holders), (0, 0));
}

#[test]
fn downgrade() {
    let _world = manual();
    let lock = RwLock::named("downgraded", ());
    let mut writer = Actor::new("downgraded writer", async {
        let guard = lock.write().await;
        step().await;
        let guard = guard.downgrade();
        step().await;
        drop(guard);
    });
    let names = ["downgraded r1", "downgraded r2"];
    let mut readers = names.map(|name| Actor::new(name, read(&lock)));
    assert!(!writer.at(0));
    assert!(!readers[0].at(10));
    assert!(!readers[1].at(20));
    let before = inspect::holds("downgraded");
    assert_eq!((before.len(), before[0].mode, before[0].since_ns), (1, Mode::Exclusive, 0));

    assert!(!writer.at(50));
    assert_eq!(readers.each_ref().map(Actor::wakes), [1, 1], "both at that instant");
    let after = inspect::holds("downgraded");
    assert_eq!((after.len(), after[0].mode, after[0].since_ns), (1, Mode::Shared, 50));
    assert_eq!(after[0].id, before[0].id, "the same hold");
    let (written, shared) = (exclusive("downgraded"), figures("downgraded", Mode::Shared));
    assert_eq!(
        (written.holders, written.hold.count(), written.hold.sum_ns()),
        (0, 1, 50),
        "closed"
    );
    assert_eq!((shared.holders, shared.hold.count()), (1, 0), "open");
    assert_eq!(shared.oldest_hold.unwrap().age_ns, 0);

    for (reader, at) in readers.iter_mut().zip([60, 70]) {
        assert!(!reader.at(at));
    }
    assert_eq!(figures("downgraded", Mode::Shared).holders, 3);
    assert!(writer.at(90));
    for reader in &mut readers {
        assert!(reader.at(100));
    }
    let writer = told("downgraded writer");
    for (name, (queue_ns, claim_ns)) in names.into_iter().zip([(40, 10), (30, 20)]) {
        let reader = told(name);
        let (detail, wait) = reader.wait();
        assert_eq!((detail.mode, wait.queue_ns, wait.claim_ns), (Mode::Shared, queue_ns, claim_ns));
        assert_eq!((wait.block, wait.end), (BlockCause::HeldExclusive, EndCause::Downgrade));
        assert_eq!((wait.holder, wait.holder_span), (Some("downgraded writer"), Some(writer.span)));
    }
    assert_eq!(
        (writer.report.hold_ns, writer.report.acquisitions),
        (90, 1),
        "both segments of one hold"
    );
    let segments: Vec<_> =
        writer.holds().iter().map(|hold| (hold.mode, hold.ns, hold.hold_end)).collect();
    let (downgraded, released) = (Some(HoldEnd::Downgraded), Some(HoldEnd::Released));
    assert_eq!(segments, [(Mode::Exclusive, 50, downgraded), (Mode::Shared, 40, released)]);
    let shared = figures("downgraded", Mode::Shared);
    assert_eq!((shared.holders, shared.hold.sum_ns()), (0, 40 + 40 + 30));
}
