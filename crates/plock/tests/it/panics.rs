//! The same panics as tokio's: the same words, and where tokio names the caller, the caller.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Once};
use tokio::runtime::Builder;

/// What a panic said, and the file and line it named.
type Said = (String, String, u32);

thread_local! {
    static LAST: RefCell<Option<Said>> = const { RefCell::new(None) };
}

/// What `body` says when it panics. Other tests run at the same time: each thread keeps its own.
fn said(body: impl FnOnce()) -> Option<Said> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let text = info.payload_as_str().unwrap_or_default().to_owned();
            let place = info.location().unwrap();
            let said = (text, place.file().to_owned(), place.line());
            LAST.with(|last| *last.borrow_mut() = Some(said));
            before(info);
        }));
    });
    let caught = panic::catch_unwind(AssertUnwindSafe(body));
    let said = LAST.with(RefCell::take);
    assert_eq!(caught.is_err(), said.is_some());
    said
}

/// Drops what there is to drop.
fn end<T>(_: T) {}

/// Runs the same line with either side's types in scope; they must say the same. With `at caller`,
/// both must name that line.
macro_rules! alike {
    ($name:ident: $body:expr) => {
        #[test]
        fn $name() {
            let (bare, wrapped) = alike!(@both $body);
            assert_eq!(bare.0, wrapped.0);
        }
    };
    ($name:ident at caller: $body:expr) => {
        #[test]
        fn $name() {
            let (bare, wrapped) = alike!(@both $body);
            assert_eq!(bare, wrapped);
            assert_eq!(wrapped.1, file!());
        }
    };
    (@both $body:expr) => {{
        let bare = said(|| {
            #[expect(unused_imports, reason = "each test uses some")]
            use tokio::sync::{Mutex, RwLock, Semaphore, broadcast, mpsc, oneshot};
            end($body);
        });
        let wrapped = said(|| {
            #[expect(unused_imports, reason = "each test uses some")]
            use plock::tokio::sync::{Mutex, RwLock, Semaphore, broadcast, mpsc, oneshot};
            end($body);
        });
        (bare.unwrap(), wrapped.unwrap())
    }};
}

macro_rules! in_runtime {
    ($body:expr) => {
        Builder::new_current_thread().build().unwrap().block_on(async {
            end($body);
        })
    };
}

alike!(mutex_blocking_lock at caller: in_runtime!(Mutex::new(1).blocking_lock()));
alike!(mutex_blocking_lock_owned at caller: in_runtime!(Arc::new(Mutex::new(1)).blocking_lock_owned()));
alike!(rwlock_blocking_read at caller: in_runtime!(RwLock::new(1).blocking_read()));
alike!(rwlock_blocking_write at caller: in_runtime!(RwLock::new(1).blocking_write()));
alike!(channel_without_a_place at caller: mpsc::channel::<u8>(0));
alike!(channel_with_too_many_places: mpsc::channel::<u8>(Semaphore::MAX_PERMITS + 1));
alike!(blocking_send at caller: in_runtime!(mpsc::channel(1).0.blocking_send(1)));
alike!(blocking_recv at caller: in_runtime!(mpsc::channel::<u8>(1).1.blocking_recv()));
alike!(blocking_recv_many at caller: in_runtime!(mpsc::channel::<u8>(1).1.blocking_recv_many(&mut Vec::new(), 1)));
alike!(unbounded_blocking_recv at caller: in_runtime!(mpsc::unbounded_channel::<u8>().1.blocking_recv()));
alike!(unbounded_blocking_recv_many at caller: in_runtime!(mpsc::unbounded_channel::<u8>().1.blocking_recv_many(&mut Vec::new(), 1)));
alike!(oneshot_blocking_recv at caller: in_runtime!(oneshot::channel::<u8>().1.blocking_recv()));
alike!(broadcast_without_a_place at caller: broadcast::channel::<u8>(0));
alike!(broadcast_with_too_many_places at caller: broadcast::channel::<u8>(usize::MAX));
alike!(broadcast_blocking_recv: in_runtime!(broadcast::channel::<u8>(1).1.blocking_recv()));
alike!(semaphore_blocking_acquire at caller: in_runtime!(Semaphore::new(1).blocking_acquire()));
alike!(semaphore_blocking_acquire_many at caller: in_runtime!(Semaphore::new(1).blocking_acquire_many(1)));
alike!(semaphore_blocking_acquire_owned at caller: in_runtime!(Arc::new(Semaphore::new(1)).blocking_acquire_owned()));
alike!(semaphore_blocking_acquire_many_owned at caller: in_runtime!(Arc::new(Semaphore::new(1)).blocking_acquire_many_owned(1)));
alike!(rwlock_without_readers at caller: RwLock::with_max_readers(1, 0));
alike!(rwlock_with_too_many_readers at caller: RwLock::with_max_readers(1, (u32::MAX >> 3) + 1));
alike!(const_rwlock_without_readers: RwLock::const_with_max_readers(1, 0));
alike!(const_rwlock_with_too_many_readers: RwLock::const_with_max_readers(1, (u32::MAX >> 3) + 1));
alike!(semaphore_with_too_many_permits: Semaphore::new(Semaphore::MAX_PERMITS + 1));
alike!(const_semaphore_with_too_many_permits: Semaphore::const_new(Semaphore::MAX_PERMITS + 1));
alike!(too_many_permits_added: Semaphore::new(1).add_permits(Semaphore::MAX_PERMITS));
alike!(permits_of_two_semaphores_merged at caller: {
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    let mut permit = one.try_acquire().unwrap();
    permit.merge(other.try_acquire().unwrap());
});
alike!(owned_permits_of_two_semaphores_merged at caller: {
    let (one, other) = (Arc::new(Semaphore::new(1)), Arc::new(Semaphore::new(1)));
    let mut permit = one.try_acquire_owned().unwrap();
    permit.merge(other.try_acquire_owned().unwrap());
});
alike!(polled_after_it_was_ready: {
    let mutex = Mutex::new(1);
    let mut attempt = tokio_test::task::spawn(mutex.lock());
    drop(tokio_test::assert_ready!(attempt.poll()));
    end(attempt.poll());
});

/// The same for the standard library's types.
macro_rules! alike_std {
    ($name:ident: $body:expr) => {
        #[test]
        fn $name() {
            let bare = said(|| {
                #[expect(unused_imports, reason = "each test uses some")]
                use std::sync::{LazyLock, Once, OnceLock};
                end($body);
            });
            let wrapped = said(|| {
                #[expect(unused_imports, reason = "each test uses some")]
                use plock::std::sync::{LazyLock, Once, OnceLock};
                end($body);
            });
            let (bare, wrapped) = (bare.unwrap(), wrapped.unwrap());
            assert_eq!(bare.0, wrapped.0);
            // Where the standard library names the caller.
            if bare.1 == file!() {
                assert_eq!(bare, wrapped);
            }
        }
    };
}

/// Has it panic before the panic that is compared.
fn broken_by<T>(body: impl FnOnce() -> T) {
    assert!(panic::catch_unwind(AssertUnwindSafe(|| end(body()))).is_err());
}

alike_std!(a_call_that_is_poisoned: {
    let once = Once::new();
    broken_by(|| once.call_once(|| panic!("on purpose")));
    once.call_once(|| ());
});
alike_std!(waiting_for_a_call_that_is_poisoned: {
    let once = Once::new();
    broken_by(|| once.call_once(|| panic!("on purpose")));
    once.wait();
});
alike_std!(a_lazy_value_that_is_poisoned: {
    let lazy: LazyLock<u8> = LazyLock::new(|| panic!("on purpose"));
    broken_by(|| *lazy);
    *lazy
});
alike_std!(a_lazy_value_that_is_poisoned_to_change_it: {
    let mut lazy: LazyLock<u8> = LazyLock::new(|| panic!("on purpose"));
    broken_by(|| *lazy);
    *lazy = 1;
});
alike_std!(what_a_maker_says: *OnceLock::new().get_or_init(|| -> u8 { panic!("on purpose") }));

#[test]
fn the_greatest_number_of_readers_is_tokios() {
    let most = u32::MAX >> 3;
    end(tokio::sync::RwLock::with_max_readers((), most));
    let lock = plock::tokio::sync::RwLock::with_max_readers((), most);
    drop(lock.try_write().unwrap());
    // By default too: a writer leaves room for nobody.
    let lock = plock::tokio::sync::RwLock::new(());
    let writer = lock.try_write().unwrap();
    assert!(lock.try_read().is_err());
    drop(writer);
    assert!(lock.try_read().is_ok());
}

/// A future that is polled once too often must not take the lock with it.
#[test]
fn a_poll_after_ready_takes_nothing() {
    let semaphore = plock::tokio::sync::Semaphore::new(2);
    let mut attempt = tokio_test::task::spawn(semaphore.acquire());
    drop(tokio_test::assert_ready!(attempt.poll()).unwrap());
    assert!(said(|| drop(attempt.poll())).is_some());
    assert_eq!(semaphore.available_permits(), 2);
}

/// The permit of a refused merge is given back, as tokio does.
#[test]
fn a_refused_merge_gives_back() {
    let (one, other) =
        (plock::tokio::sync::Semaphore::new(1), plock::tokio::sync::Semaphore::new(1));
    let mut permit = one.try_acquire().unwrap();
    let refused = other.try_acquire().unwrap();
    assert!(said(|| permit.merge(refused)).is_some());
    assert_eq!((one.available_permits(), other.available_permits()), (0, 1));
    assert_eq!(permit.num_permits(), 1);
}
