//! Real pools, whose connections are made and given back as they do it, at moments of the manual clock.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

#[expect(dead_code, reason = "shared with the tests of locks")]
#[path = "../semantics/figures.rs"]
mod figures;
#[expect(dead_code, reason = "shared with the tests of locks")]
#[path = "../semantics/hand.rs"]
mod hand;
#[expect(dead_code, reason = "shared with the tests of locks")]
#[path = "../semantics/observer.rs"]
mod observer;

mod nested_waits;

use figures::{depths, edges, figures};
use observer::told;
use plock::pool::{bb8, deadpool, sqlx};
use plock::tokio::sync::Mutex;
use plock::{Cause, EndCause, Idle, Kind, LockSeries, Mode, Outcome, PlockExt, manual};
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::yield_now;

fn connections(name: &str) -> LockSeries {
    figures(name, Mode::Permit)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Makes numbers, at once.
#[derive(Debug)]
struct Numbers;

impl ::deadpool::managed::Manager for Numbers {
    type Type = u8;
    type Error = Infallible;

    async fn create(&self) -> Result<u8, Infallible> {
        Ok(7)
    }

    async fn recycle(
        &self,
        _: &mut u8,
        _: &::deadpool::managed::Metrics,
    ) -> ::deadpool::managed::RecycleResult<Infallible> {
        Ok(())
    }
}

impl ::bb8::ManageConnection for Numbers {
    type Connection = u8;
    type Error = Infallible;

    async fn connect(&self) -> Result<u8, Infallible> {
        Ok(7)
    }

    async fn is_valid(&self, _: &mut u8) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut u8) -> bool {
        false
    }
}

fn of_deadpool(name: &'static str) -> deadpool::Pool<Numbers> {
    let pool = ::deadpool::managed::Pool::builder(Numbers).max_size(1).build().unwrap();
    deadpool::Pool::named(name, pool)
}

/// Two tasks want the one connection there is: the user from 0 to 50, the waiter from 10 on.
fn two_want_it<C, E: Debug>(
    name: &'static str,
    [user, waiter]: [&'static str; 2],
    end: EndCause,
    get: impl AsyncFn() -> Result<C, E> + Clone + 'static,
) {
    let asks = Arc::new(Notify::new());
    let uses = {
        let (get, asks) = (get.clone(), Arc::clone(&asks));
        async move {
            let connection = get().await.unwrap();
            manual::set(10);
            asks.notify_one();
            while connections(name).waiters == 0 {
                yield_now().await;
            }
            manual::set(50);
            drop(connection);
        }
    };
    let waits = async move {
        asks.notified().await;
        drop(get().await.unwrap());
    };
    let tasks = tokio::task::LocalSet::new();
    let uses = tasks.spawn_local(plock::root(user, uses));
    let waits = tasks.spawn_local(plock::root(waiter, waits));
    runtime().block_on(tasks.run_until(async {
        uses.await.unwrap();
        waits.await.unwrap();
    }));

    let snapshot = plock::snapshot();
    let pool = snapshot.pool(name).unwrap();
    assert_eq!((pool.acquire.count(), pool.acquire.sum_ns(), pool.size), (2, 40, 1));
    let seen = connections(name);
    assert_eq!((seen.kind, seen.outcome(Outcome::Acquired)), (Kind::Pool, 2));
    assert_eq!((seen.hold.count(), seen.hold.sum_ns()), (2, 50));
    assert_eq!((seen.waiters, seen.holders), (0, 0));
    assert_eq!(seen.wait[Cause::Permits as usize].count(), 1);
    assert_eq!(seen.wait_total().sum_ns(), 40);
    assert_eq!(edges(name), [(waiter.into(), user.into(), 40)]);
    let told = told(waiter);
    let (_, wait) = told.wait();
    assert_eq!((wait.queue_ns, wait.end, wait.holder), (40, end, Some(user)));
    let idle = snapshot.scope(waiter).unwrap().idle_ns;
    assert_eq!(idle[Idle::Pool as usize], 40);
    // Before that it may have waited for the user's word.
    assert_eq!(told.report.idle_ns, 40 + idle[Idle::Other as usize]);
}

#[test]
fn a_connection_of_deadpool() {
    let _world = hand::manual();
    let pool = of_deadpool("deadpool");
    let asked = pool.clone();
    let get = async move || asked.get().await;
    two_want_it("deadpool", ["deadpool user", "deadpool waiter"], EndCause::Release, get);
}

#[test]
fn a_connection_of_bb8() {
    let _world = hand::manual();
    let pool = runtime()
        .block_on(async { ::bb8::Pool::builder().max_size(1).build(Numbers).await.unwrap() });
    let pool = bb8::Pool::named("bb8", pool);
    let asked = pool.clone();
    let get = async move || asked.get_owned().await;
    two_want_it("bb8", ["bb8 user", "bb8 waiter"], EndCause::Release, get);
}

#[test]
fn a_connection_of_sqlx() {
    let _world = hand::manual();
    let pool = of_sqlx("sqlx");
    let asked = pool.clone();
    let get = async move || asked.acquire().await;
    // The connection is handed over by a task of the pool.
    two_want_it("sqlx", ["sqlx user", "sqlx waiter"], EndCause::External, get);
}

fn of_sqlx(name: &'static str) -> sqlx::Pool<::sqlx::Sqlite> {
    let runtime = runtime();
    let _context = runtime.enter();
    let options = ::sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    sqlx::Pool::named(name, options.connect_lazy("sqlite::memory:").unwrap())
}

#[test]
fn a_transaction_uses_its_connection_until_it_ends() {
    let _world = hand::manual();
    let pool = of_sqlx("transaction");
    runtime().block_on(async {
        let mut transaction = pool.begin().await.unwrap();
        let (one,): (i64,) =
            ::sqlx::query_as("select 1").fetch_one(&mut **transaction).await.unwrap();
        assert_eq!((one, connections("transaction").holders), (1, 1));
        manual::set(20);
        transaction.commit().await.unwrap();
        assert_eq!(connections("transaction").holders, 0);
        pool.begin().await.unwrap().rollback().await.unwrap();
    });
    let seen = connections("transaction");
    assert_eq!((seen.hold.count(), seen.hold.sum_ns()), (2, 20));
}

/// The two habits that shrink a pool: both show in the nesting depth.
#[test]
fn locks_and_connections_nest_in_each_other() {
    let _world = hand::manual();
    let pool = of_deadpool("nesting pool");
    let lock = Mutex::named("nesting lock", ());
    let outer = async {
        let _guard = lock.lock().await;
        drop(pool.get().await.unwrap());
    };
    let inner = async {
        let _connection = pool.get().await.unwrap();
        drop(lock.lock().await);
    };
    runtime().block_on(async {
        outer.plock_scope("pool while holding a lock").await;
        inner.plock_scope("lock while using a connection").await;
    });
    assert_eq!(depths(&connections("nesting pool")), [1, 2]);
    assert_eq!(depths(&figures("nesting lock", Mode::Exclusive)), [1, 2]);
}

#[test]
fn what_comes_to_nothing_is_counted() {
    let _world = hand::manual();
    let pool = of_deadpool("refusing");
    runtime().block_on(async {
        let used = pool.get().await.unwrap();
        let now = ::deadpool::managed::Timeouts::wait_millis(0);
        assert!(pool.timeout_get(&now).await.is_err());
        let mut given_up = Box::pin(pool.get());
        assert!(futures_util::poll!(&mut given_up).is_pending());
        drop(given_up);
        assert_eq!(used.into_inner().to_string(), "7");
    });
    pool.close();
    assert!(runtime().block_on(pool.get()).is_err());
    let seen = connections("refusing");
    let outcomes = [Outcome::Acquired, Outcome::Timeout, Outcome::Abandoned, Outcome::Closed];
    assert_eq!(outcomes.map(|outcome| seen.outcome(outcome)), [1, 1, 1, 1]);
    assert_eq!((seen.holders, seen.waiters), (0, 0));
    assert_eq!(plock::snapshot().pool("refusing").unwrap().acquire.count(), 1);
}
