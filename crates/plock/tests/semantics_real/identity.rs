//! Who owns a lock that is taken outside any scope: a task where there is one, else the thread.

use super::{one_thread, real, workers};
use plock::tokio::sync::Mutex;
use plock::{Precision, inspect};
use tokio::runtime::Handle;
use tokio::task::{Id, LocalSet, block_in_place, id, spawn_blocking, spawn_local};

/// The owner as recorded: its kind, the number of its task, its scope.
type Owner = (Precision, String, Option<&'static str>);

static LOCK: Mutex<()> = Mutex::const_named("identity", ());

fn owner() -> Owner {
    let held = inspect::holds("identity");
    assert_eq!(held.len(), 1, "one guard at a time: {held:?}");
    let owner = &held[0].owner;
    (owner.precision, owner.task.to_string(), owner.scope)
}

async fn lock() -> Owner {
    let _guard = LOCK.lock().await;
    owner()
}

fn lock_here() -> Owner {
    let _guard = LOCK.blocking_lock();
    owner()
}

fn thread() -> Owner {
    (Precision::Thread, "0".to_owned(), None)
}

fn task(id: Id) -> Owner {
    (Precision::Task, id.to_string(), None)
}

#[test]
fn identity_matrix() {
    let _alone = real();
    for runtime in [one_thread(), workers(2)] {
        assert_eq!(runtime.block_on(lock()), thread(), "block_on");
        let (owner, id) = runtime.block_on(runtime.spawn(async { (lock().await, id()) })).unwrap();
        assert_eq!(owner, task(id), "spawn");
        let blocking = runtime.spawn_blocking(lock_here);
        let id = blocking.id();
        assert_eq!(runtime.block_on(blocking).unwrap(), task(id), "spawn_blocking");
    }

    let (runtime, local) = (one_thread(), LocalSet::new());
    assert_eq!(runtime.block_on(local.run_until(lock())), thread(), "run_until");
    let job = local.spawn_local(async { (lock().await, id()) });
    let (owner, id_of_job) = runtime.block_on(local.run_until(job)).unwrap();
    assert_eq!(owner, task(id_of_job), "spawn_local");

    let runtime = workers(2);
    let nested = runtime.spawn(async {
        let inner = block_in_place(|| Handle::current().block_on(lock()));
        (inner, id())
    });
    let (owner, outer) = runtime.block_on(nested).unwrap();
    assert_eq!(owner, task(outer), "block_on inside block_in_place");
    assert_eq!(std::thread::spawn(lock_here).join().unwrap(), thread(), "thread");

    // A task that happens to be polled inside a scope's poll is not that scope; the scope itself is.
    let (runtime, local) = (one_thread(), LocalSet::new());
    let outer = plock::root(
        "identity scope",
        local.run_until(async {
            let stranger = spawn_local(async { (lock().await, id()) });
            let ((owner, id), own) = (stranger.await.unwrap(), lock().await);
            assert_eq!(owner, task(id), "spawn_local inside a scope");
            own
        }),
    );
    assert_eq!(runtime.block_on(outer), (Precision::Scope, "0".to_owned(), Some("identity scope")));
    let in_task = runtime.spawn(plock::root("identity task", async { (lock().await, id()) }));
    let (owner, id) = runtime.block_on(in_task).unwrap();
    assert_eq!(owner, (Precision::Scope, id.to_string(), Some("identity task")));
    let blocking = runtime.spawn(plock::root("identity blocking", async {
        let job = spawn_blocking(lock_here);
        (job.id(), job.await.unwrap())
    }));
    let (id, owner) = runtime.block_on(blocking).unwrap();
    assert_eq!(owner, task(id), "a blocking job is not the scope that waits for it");
}
