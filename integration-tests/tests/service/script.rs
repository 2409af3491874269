//! The service of the wire test, run in a process of its own: requests that get in each other's way
//! as scripted, by holding a lock until the others are seen to queue, never by sleeping.

use std::any::Any;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::ensure;
use integration_tests::eventually;
use plock::parking_lot::Named as _;
use plock::tokio::sync::{Mutex, RwLock, Semaphore};
use plock::{LockSeries, PlockExt, Snapshot};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::SOON;

/// What the service says: where to scrape it, and its figures at the end of the script.
pub(crate) const SCRAPE: &str = "@scrape ";
pub(crate) const SNAPSHOT: &str = "@snapshot ";

/// How long the first in the queue has waited at least before it gets the lock.
pub(crate) const WAIT: Duration = Duration::from_millis(20);

/// Holder, first and second of the queue, this many times.
pub(crate) const ROUNDS: u64 = 3;

static INVENTORY: Mutex<u32> = Mutex::const_named("inventory", 0);
static CATALOGUE: RwLock<u32> = RwLock::const_named("catalogue", 0);
static WORKER: Semaphore = Semaphore::const_named("worker", 1);
static LEDGER: LazyLock<plock::std::sync::Mutex<u32>> =
    LazyLock::new(|| plock::std::sync::Mutex::named("ledger", 0));
static TILL: LazyLock<plock::parking_lot::Mutex<u32>> =
    LazyLock::new(|| plock::parking_lot::Mutex::named("till", 0));

/// One request: the name of its span, and the lock it takes.
struct Request {
    span: String,
    acquire: Pin<Box<dyn Future<Output = Guard> + Send>>,
}

type Guard = Box<dyn Any + Send>;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a service of its own, started by the other tests"]
async fn scripted() {
    // Every wait and every hold becomes a span.
    let telemetry = plock::otel::Builder::new().slow_threshold(Duration::ZERO).init().unwrap();
    let scrape = plock::prometheus::serve("127.0.0.1:0").unwrap();
    println!("\n{SCRAPE}{}", scrape.local_addr());

    for round in 1..=ROUNDS {
        let order = |who: &str| mutex(&format!("inventory {round} {who}"));
        contend("inventory", order("holder"), vec![order("first"), order("second")]).await;
    }
    let read = |who: &str| read(&format!("catalogue {who}"));
    let queue = vec![write("catalogue first"), read("second")];
    contend("catalogue", read("holder"), queue).await;
    contend("worker", permit("worker holder"), vec![permit("worker first")]).await;
    give_up().await;
    quiet().await;
    mistakes().await;

    let flushed = tokio::task::spawn_blocking(move || {
        telemetry.force_flush().unwrap();
        telemetry
    });
    let _telemetry = flushed.await.unwrap();
    println!("\n{SNAPSHOT}{}", serde_json::to_string(&plock::snapshot()).unwrap());
    // To be scraped, until the test ends this process.
    std::future::pending::<()>().await;
}

/// `holder` has the lock until all of `queue` stand behind it, one after the other, and the first
/// has waited long enough.
async fn contend(lock: &'static str, holder: Request, queue: Vec<Request>) {
    let (release, task) = hold(holder).await;
    let mut waiting = Vec::new();
    for (ahead, request) in queue.into_iter().enumerate() {
        waiting.push(spawn(request.span, async { drop(request.acquire.await) }));
        until(|now| sum(now, lock, |series| series.waiters) == ahead as u64 + 1).await;
    }
    until(|now| oldest_wait(now, lock) >= WAIT).await;
    release.send(()).unwrap();
    task.await.unwrap();
    for request in waiting {
        request.await.unwrap();
    }
}

/// One request queues and is dropped there, another does not even queue.
async fn give_up() {
    let (release, task) = hold(mutex("inventory hindrance")).await;
    let request = mutex("inventory given up");
    let waiting = spawn(request.span, async { drop(request.acquire.await) });
    until(|now| oldest_wait(now, "inventory") >= WAIT).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let refused = spawn("inventory refused".to_owned(), async { INVENTORY.try_lock().is_err() });
    assert!(refused.await.unwrap());
    release.send(()).unwrap();
    task.await.unwrap();
}

/// Nobody waits: two locks at once, then each of them alone.
async fn quiet() {
    spawn("nested".to_owned(), async {
        let inventory = INVENTORY.lock().await;
        let catalogue = CATALOGUE.read().await;
        assert_eq!(*inventory, *catalogue);
    })
    .await
    .unwrap();
    for request in [mutex("quiet"), read("quiet"), write("quiet"), permit("quiet")] {
        spawn(request.span, async { drop(request.acquire.await) }).await.unwrap();
    }
}

/// A panic under a lock, and a thread that asks for what it has, with a limit to its patience.
async fn mistakes() {
    spawn("mistakes".to_owned(), async {
        let panicked = catch_unwind(|| {
            let _ledger = LEDGER.lock();
            panic!("under a lock");
        });
        assert!(panicked.is_err() && LEDGER.is_poisoned());
        let _till = TILL.lock();
        assert!(TILL.try_lock_for(WAIT).is_none());
    })
    .await
    .unwrap();
}

/// Starts `request`; it has its lock when this returns and keeps it until told otherwise.
async fn hold(request: Request) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (release, released) = oneshot::channel();
    let (holds, held) = oneshot::channel();
    let task = spawn(request.span, async {
        let guard = request.acquire.await;
        holds.send(()).unwrap();
        released.await.unwrap();
        drop(guard);
    });
    held.await.unwrap();
    (release, task)
}

/// A request as its own task, trace and scope.
fn spawn<T: Send + 'static>(
    span: String,
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let scope = work.plock_scope("request");
    tokio::spawn(scope.instrument(tracing::info_span!("request", otel.name = span)))
}

fn request(span: &str, acquire: impl Future<Output = Guard> + Send + 'static) -> Request {
    Request { span: span.to_owned(), acquire: Box::pin(acquire) }
}

fn mutex(span: &str) -> Request {
    request(span, async { Box::new(INVENTORY.lock().await) as Guard })
}

fn read(span: &str) -> Request {
    request(span, async { Box::new(CATALOGUE.read().await) as Guard })
}

fn write(span: &str) -> Request {
    request(span, async { Box::new(CATALOGUE.write().await) as Guard })
}

fn permit(span: &str) -> Request {
    request(span, async { Box::new(WORKER.acquire().await.unwrap()) as Guard })
}

async fn until(so: impl Fn(&Snapshot) -> bool) {
    let reached = eventually(SOON, async || {
        let now = plock::snapshot();
        ensure!(so(&now), "{now:#?}");
        Ok(())
    });
    reached.await.unwrap();
}

/// The sum of `figure` over the modes of the lock `name`.
pub(crate) fn sum(snapshot: &Snapshot, name: &str, figure: impl Fn(&LockSeries) -> u64) -> u64 {
    snapshot.locks.iter().filter(|series| series.name == name).map(figure).sum()
}

fn oldest_wait(snapshot: &Snapshot, name: &str) -> Duration {
    let age = |series: &LockSeries| series.oldest_wait.as_ref().map(|wait| wait.age_ns);
    let ages = snapshot.locks.iter().filter(|series| series.name == name).filter_map(age);
    Duration::from_nanos(ages.max().unwrap_or(0))
}
