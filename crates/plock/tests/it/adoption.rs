//! Guards that are handed from one scope to another on purpose.

use plock::Mode;
use plock::tokio::sync::*;
use std::sync::Arc;

fn migrated(name: &str, mode: Mode) -> u64 {
    plock::snapshot().lock(name, mode).unwrap().migrated
}

/// Acquires in one scope and drops in another, twice: with and without adoption in between. Only the
/// guard that was not adopted has migrated.
macro_rules! adopted {
    ($guard:ident in $mode:ident: $make:expr, |$lock:ident| $acquire:expr) => {{
        let name = concat!("adopted_", stringify!($guard));
        let $lock = Arc::new($make(name));
        for (adopt, expected) in [(true, 0), (false, 1)] {
            let ((give, take), (done, until_done)) = (oneshot::channel(), oneshot::channel());
            // Both scopes are alive: the guard of an ended scope belongs to whoever awaited it.
            let giver = plock::scope("giver", async {
                give.send($acquire).ok().unwrap();
                until_done.await.unwrap();
            });
            let taker = plock::scope("taker", async {
                let mut guard = take.await.ok().unwrap();
                if adopt {
                    $guard::adopt(&mut guard);
                }
                drop(guard);
                done.send(()).unwrap();
            });
            tokio::join!(giver, taker);
            assert_eq!(migrated(name, Mode::$mode), expected, "{name} {adopt}");
        }
    }};
}

fn mutex(name: &'static str) -> Mutex<(u8, u8)> {
    Mutex::named(name, (1, 2))
}

fn rwlock(name: &'static str) -> RwLock<(u8, u8)> {
    RwLock::named(name, (1, 2))
}

fn semaphore(name: &'static str) -> Semaphore {
    Semaphore::named(name, 3)
}

#[tokio::test]
async fn an_adopted_guard_has_not_migrated() {
    adopted!(MutexGuard in Exclusive: mutex, |lock| lock.lock().await);
    adopted!(MappedMutexGuard in Exclusive: mutex, |lock| {
        MutexGuard::map(lock.lock().await, |pair| &mut pair.0)
    });
    adopted!(OwnedMutexGuard in Exclusive: mutex, |lock| Arc::clone(&lock).lock_owned().await);
    adopted!(OwnedMappedMutexGuard in Exclusive: mutex, |lock| {
        OwnedMutexGuard::map(Arc::clone(&lock).lock_owned().await, |pair| &mut pair.0)
    });
    adopted!(RwLockReadGuard in Shared: rwlock, |lock| lock.read().await);
    adopted!(OwnedRwLockReadGuard in Shared: rwlock, |lock| Arc::clone(&lock).read_owned().await);
    adopted!(RwLockWriteGuard in Exclusive: rwlock, |lock| lock.write().await);
    adopted!(RwLockMappedWriteGuard in Exclusive: rwlock, |lock| {
        RwLockWriteGuard::into_mapped(lock.write().await)
    });
    adopted!(OwnedRwLockWriteGuard in Exclusive: rwlock, |lock| {
        Arc::clone(&lock).write_owned().await
    });
    adopted!(OwnedRwLockMappedWriteGuard in Exclusive: rwlock, |lock| {
        OwnedRwLockWriteGuard::into_mapped(Arc::clone(&lock).write_owned().await)
    });
    adopted!(SemaphorePermit in Permit: semaphore, |lock| lock.acquire_many(2).await.unwrap());
    adopted!(OwnedSemaphorePermit in Permit: semaphore, |lock| {
        Arc::clone(&lock).acquire_owned().await.unwrap()
    });
}
