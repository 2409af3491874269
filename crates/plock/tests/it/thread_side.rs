// Whatever is compared of the standard library's locks and plock's, beside what the compiler compares.

/// How everything formats, in every state.
pub(super) fn formatted() -> Vec<String> {
    let mut all = Vec::new();
    let mutex = Mutex::new(5);
    all.push(format!("{mutex:?} {mutex:#?}"));
    {
        let guard = mutex.lock().unwrap();
        all.push(format!("{guard:?} {guard} {guard:#?} {guard:>5} {mutex:?} {mutex:#?}"));
        all.push(format!("{:?}", mutex.try_lock()));
    }
    let lock = RwLock::new("text");
    all.push(format!("{lock:?} {lock:#?}"));
    {
        let guard = lock.read().unwrap();
        all.push(format!("{guard:?} {guard} {lock:?} {:?}", lock.try_write()));
    }
    {
        let guard = lock.write().unwrap();
        all.push(format!("{guard:?} {guard} {lock:?} {lock:#?} {:?}", lock.try_read()));
        let guard = RwLockWriteGuard::downgrade(guard);
        all.push(format!("{guard:?} {:?}", lock.try_read()));
    }
    let by_default: (Mutex<u8>, RwLock<Vec<u8>>, Condvar) = Default::default();
    let by_conversion = (Mutex::from(3), RwLock::from('x'));
    all.push(format!("{by_default:?} {by_conversion:?}"));
    poison(&mutex, &lock);
    all.push(format!("{mutex:?} {lock:?} {:?} {:?}", mutex.lock(), mutex.try_lock()));
    all.push(format!("{:?} {:?}", lock.read(), lock.try_write()));
    all
}

fn poison<T, U>(mutex: &Mutex<T>, lock: &RwLock<U>) {
    let panics = || {
        let _guards = (mutex.lock().unwrap(), lock.write().unwrap());
        panic!("on purpose");
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
}

/// Every way to a value, through types without a size too, and what poison does to it.
pub(super) fn values() -> Vec<String> {
    static MUTEX: Mutex<i64> = Mutex::new(1);
    static LOCK: RwLock<i64> = RwLock::new(2);
    static CONDVAR: Condvar = Condvar::new();
    let mut all = vec![format!("{} {}", *MUTEX.lock().unwrap(), *LOCK.read().unwrap())];
    let mut seen = |value: String| all.push(value);
    CONDVAR.notify_one();
    let unsized_mutex: Box<Mutex<[i64]>> = Box::new(Mutex::new([5, 6]));
    unsized_mutex.lock().unwrap()[1] += 10;
    seen(format!("{:?}", &*unsized_mutex.try_lock().unwrap()));
    let unsized_lock: Box<RwLock<dyn std::fmt::Debug + Send + Sync>> = Box::new(RwLock::new("x"));
    seen(format!("{:?}", &*unsized_lock.read().unwrap()));
    seen(format!("{:?}", &*unsized_lock.write().unwrap()));
    let (mut mutex, mut lock) = (Mutex::new(1), RwLock::new(2));
    *mutex.get_mut().unwrap() += 1;
    *lock.get_mut().unwrap() += 1;
    poison(&mutex, &lock);
    seen(format!("{} {}", mutex.is_poisoned(), lock.is_poisoned()));
    seen(format!("{:?} {:?}", mutex.get_mut().is_err(), lock.get_mut().map_err(|it| *it.into_inner())));
    seen(format!("{}", mutex.lock().unwrap_or_else(PoisonError::into_inner)));
    mutex.clear_poison();
    lock.clear_poison();
    seen(format!("{:?} {:?}", mutex.into_inner(), lock.into_inner()));
    all
}

/// What happens around a condition, with time and without.
pub(super) fn conditions() -> Vec<String> {
    const SHORT: std::time::Duration = std::time::Duration::from_millis(1);
    const LONG: std::time::Duration = std::time::Duration::from_secs(60);
    let mut all = Vec::new();
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let (guard, result) = condvar.wait_timeout_while(mutex.lock().unwrap(), SHORT, |_| true).unwrap();
    all.push(format!("{guard} {result:?}"));
    let (guard, result) = condvar.wait_timeout_while(guard, LONG, |_| false).unwrap();
    all.push(format!("{guard} {result:?}"));
    let guard = condvar.wait_while(guard, |value| {
        *value += 1;
        false
    });
    drop(guard.unwrap());
    std::thread::scope(|threads| {
        let taken = mutex.lock().unwrap();
        threads.spawn(|| {
            *mutex.lock().unwrap() = 7;
            condvar.notify_all();
        });
        let guard = condvar.wait_while(taken, |value| *value != 7).unwrap();
        all.push(format!("{guard}"));
        let taken = guard;
        threads.spawn(|| {
            let _guard = mutex.lock();
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _poisons = mutex.try_lock();
                condvar.notify_all();
            }));
            assert!(caught.is_ok());
        });
        drop(taken);
    });
    poison(&mutex, &RwLock::new(()));
    let waited = condvar.wait_timeout(mutex.lock().unwrap_err().into_inner(), SHORT);
    all.push(format!("{:?}", waited.map_err(|it| it.into_inner().1.timed_out()).is_err()));
    all
}

/// The order in which a value, its guard and its lock go.
pub(super) fn drops() -> Vec<&'static str> {
    use std::cell::RefCell;
    struct Says<'a>(&'a RefCell<Vec<&'static str>>, &'static str);
    impl Drop for Says<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(self.1);
        }
    }
    let said = RefCell::new(Vec::new());
    {
        let mutex = Mutex::new(Says(&said, "first value"));
        {
            let mut guard = mutex.lock().unwrap();
            *guard = Says(&said, "second value");
            said.borrow_mut().push("replaced");
        }
        said.borrow_mut().push("unlocked");
        drop(mutex.try_lock().unwrap());
        let panics = || {
            let _later = Says(&said, "dropped after the guard");
            let _guard = mutex.lock().unwrap();
            let _sooner = Says(&said, "dropped before the guard");
            panic!("on purpose");
        };
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).is_err());
        said.borrow_mut().push(if mutex.is_poisoned() { "poisoned" } else { "not poisoned" });
    }
    said.into_inner()
}

fn panics<T>(body: impl FnOnce() -> T) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(body()))).is_err()
}

/// What is made once: every way to it, how it formats, and what a panic does to it.
pub(super) fn made_once() -> Vec<String> {
    static ONCE: Once = Once::new();
    static CELL: OnceLock<i64> = OnceLock::new();
    static LAZY: LazyLock<String> = LazyLock::new(|| "lazy".to_owned());
    #[expect(deprecated, reason = "it is there")]
    static OLD: Once = ONCE_INIT;
    let mut all = vec![format!("{ONCE:?} {CELL:?} {LAZY:?} {:#?}", *LAZY)];
    let mut seen = |value: String| all.push(value);
    let mut calls = 0;
    ONCE.call_once(|| calls += 1);
    ONCE.call_once(|| calls += 10);
    ONCE.call_once_force(|_| calls += 100);
    ONCE.wait();
    ONCE.wait_force();
    OLD.call_once(|| calls += 1000);
    seen(format!("{calls} {} {ONCE:?}", ONCE.is_completed()));
    seen(format!("{:?} {:?} {:?}", CELL.get(), CELL.set(1), CELL.set(2)));
    seen(format!("{} {} {CELL:?} {LAZY:?} {LAZY:#?}", CELL.wait(), CELL.get_or_init(|| 3)));

    let mut cell = OnceLock::from(vec![1]);
    cell.get_mut().unwrap().push(2);
    let copy = cell.clone();
    seen(format!("{} {:?} {:?} {:?}", copy == cell, copy != OnceLock::new(), cell.take(), cell.get()));
    seen(format!("{:?} {:?} {:?}", cell.set(vec![5]), cell.into_inner(), OnceLock::<u8>::default()));
    let mut lazy = LazyLock::new(|| 1);
    seen(format!("{:?} {:?}", LazyLock::get_mut(&mut lazy).copied(), LazyLock::get(&lazy)));
    *lazy += 1;
    *LazyLock::force_mut(&mut lazy) += 1;
    seen(format!("{:?} {}", LazyLock::get_mut(&mut lazy).copied(), LazyLock::force(&lazy)));
    let by_default: LazyLock<Vec<u8>> = LazyLock::default();
    seen(format!("{by_default:?} {:?} {by_default:?}", *by_default));

    let (once, cell) = (Once::new(), OnceLock::new());
    let mut broken: LazyLock<u8> = LazyLock::new(|| panic!("on purpose"));
    seen(format!("{} {once:?}", panics(|| once.call_once(|| panic!("on purpose")))));
    seen(format!("{} {}", panics(|| once.call_once(|| ())), panics(|| once.wait())));
    once.call_once_force(|state| seen(format!("{} {state:?}", state.is_poisoned())));
    seen(format!("{} {once:?}", once.is_completed()));
    seen(format!("{} {cell:?}", panics(|| *cell.get_or_init(|| panic!("on purpose")))));
    seen(format!("{} {cell:?}", cell.get_or_init(|| 7)));
    seen(format!("{} {}", panics(|| *broken), panics(|| *broken)));
    seen(format!("{} {broken:?}", panics(|| *LazyLock::force_mut(&mut broken))));
    seen(format!("{:?} {:?}", LazyLock::get_mut(&mut broken).copied(), LazyLock::get(&broken)));

    // While it unwinds already, a call is as good as any.
    let nested = Once::new();
    struct Calls<'a>(&'a Once);
    impl Drop for Calls<'_> {
        fn drop(&mut self) {
            self.0.call_once(|| ());
        }
    }
    seen(format!("{}", panics(|| {
        let _calls = Calls(&nested);
        panic!("on purpose")
    })));
    nested.call_once(|| panic!("it is done"));
    seen(format!("{nested:?} {}", nested.is_completed()));
    all
}
