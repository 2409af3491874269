// Whatever is compared beside random programs.

/// How everything formats, in every state.
pub(super) fn formatted() -> Vec<String> {
    let mut all = Vec::new();
    let mutex = std::sync::Arc::new(Mutex::new(5));
    all.push(format!("{mutex:?} {mutex:#?}"));
    {
        let guard = mutex.try_lock().unwrap();
        all.push(format!("{guard:?} {guard} {guard:#?} {guard:>5} {mutex:?} {mutex:#?}"));
        let guard = MutexGuard::map(guard, |value| value);
        all.push(format!("{guard:?} {guard} {guard:03}"));
    }
    {
        let guard = std::sync::Arc::clone(&mutex).try_lock_owned().unwrap();
        all.push(format!("{guard:?} {guard} {:?}", OwnedMutexGuard::mutex(&guard)));
        let guard = OwnedMutexGuard::map(guard, |value| value);
        all.push(format!("{guard:?} {guard}"));
    }
    let lock = std::sync::Arc::new(RwLock::new("text"));
    all.push(format!("{lock:?} {lock:#?}"));
    {
        let guard = lock.try_read().unwrap();
        all.push(format!("{guard:?} {guard} {lock:?}"));
        let guard = RwLockReadGuard::map(guard, |value| value);
        all.push(format!("{guard:?} {guard}"));
    }
    {
        let guard = std::sync::Arc::clone(&lock).try_read_owned().unwrap();
        all.push(format!("{guard:?} {guard} {:?}", OwnedRwLockReadGuard::rwlock(&guard)));
    }
    {
        let guard = lock.try_write().unwrap();
        all.push(format!("{guard:?} {guard} {lock:?} {lock:#?}"));
        let guard = RwLockWriteGuard::into_mapped(guard);
        all.push(format!("{guard:?} {guard}"));
    }
    {
        let guard = std::sync::Arc::clone(&lock).try_write_owned().unwrap();
        all.push(format!("{guard:?} {guard} {:?}", OwnedRwLockWriteGuard::rwlock(&guard)));
        let guard = OwnedRwLockWriteGuard::into_mapped(guard);
        all.push(format!("{guard:?} {guard} {:?}", OwnedRwLockMappedWriteGuard::rwlock(&guard)));
    }
    let semaphore = std::sync::Arc::new(Semaphore::new(4));
    let permit = semaphore.try_acquire_many(3).unwrap();
    all.push(format!(
        "{semaphore:?} {semaphore:#?} {permit:?} {permit:#?} {:?}",
        permit.semaphore()
    ));
    let owned = std::sync::Arc::clone(&semaphore).try_acquire_owned().unwrap();
    all.push(format!("{owned:?} {owned:#?} {:?}", owned.semaphore()));
    semaphore.close();
    all.push(format!("{:?} {:?}", semaphore.try_acquire(), mutex.try_lock().map(|it| *it)));
    let by_default: (Mutex<u8>, RwLock<Vec<u8>>) = Default::default();
    let by_conversion = (Mutex::from(3), RwLock::from('x'));
    all.push(format!("{by_default:?} {by_conversion:?}"));
    all
}

/// Every way to a value, through types without a size too.
pub(super) fn values() -> Vec<i64> {
    static MUTEX: Mutex<i64> = Mutex::const_new(1);
    static LOCK: RwLock<i64> = RwLock::const_with_max_readers(2, 7);
    static OPEN: RwLock<i64> = RwLock::const_new(3);
    static SEMAPHORE: Semaphore = Semaphore::const_new(4);
    let mut all =
        vec![*MUTEX.try_lock().unwrap(), *LOCK.try_read().unwrap(), *OPEN.try_write().unwrap()];
    all.push(i64::try_from(SEMAPHORE.available_permits()).unwrap());
    let unsized_mutex: Box<Mutex<[i64]>> = Box::new(Mutex::new([5, 6]));
    {
        let slice = unsized_mutex.try_lock().unwrap();
        let one = MutexGuard::try_map(slice, |slice| slice.get_mut(1)).unwrap();
        let mut one = MappedMutexGuard::map(one, |value| value);
        *one += 10;
        all.push(*one);
        all.push(*MappedMutexGuard::try_map(one, |_| None::<&mut i64>).unwrap_err());
    }
    all.extend(unsized_mutex.try_lock().unwrap().iter());
    let unsized_lock: std::sync::Arc<RwLock<[i64]>> = std::sync::Arc::new(RwLock::new([7, 8]));
    {
        let write = std::sync::Arc::clone(&unsized_lock).try_write_owned().unwrap();
        let part = OwnedRwLockWriteGuard::map(write, |slice| &mut slice[1..]);
        let mut part =
            OwnedRwLockMappedWriteGuard::try_map(part, |slice| slice.last_mut()).unwrap();
        *part += 10;
    }
    {
        let read = std::sync::Arc::clone(&unsized_lock).try_read_owned().unwrap();
        let read = OwnedRwLockReadGuard::try_map(read, |slice| slice.get(5)).unwrap_err();
        all.extend(read.iter());
        let narrow = OwnedRwLockReadGuard::map(read, |slice| &slice[0]);
        all.push(*narrow + OwnedRwLockReadGuard::rwlock(&narrow).try_read().unwrap()[1]);
    }
    let mut lock = RwLock::new((9, 10));
    {
        let write = lock.try_write().unwrap();
        let write = RwLockWriteGuard::try_map(write, |_| None::<&mut i64>).unwrap_err();
        let read = RwLockWriteGuard::try_downgrade_map(write, |pair| Some(&pair.0)).unwrap();
        all.push(*read + lock.try_read().unwrap().1);
        all.push(*RwLockReadGuard::try_map(read, |_| None::<&i64>).unwrap_err());
    }
    all.push(*RwLockWriteGuard::downgrade_map(lock.try_write().unwrap(), |pair| &pair.1));
    {
        let part = RwLockWriteGuard::map(lock.try_write().unwrap(), |pair| &mut pair.0);
        let part = RwLockMappedWriteGuard::map(part, |value| value);
        *RwLockMappedWriteGuard::try_map(part, |value| Some(value)).unwrap() += 1;
    }
    lock.get_mut().1 += 1;
    let pair = lock.into_inner();
    all.extend([pair.0, pair.1]);
    let mut mutex = Mutex::new(11);
    *mutex.get_mut() += 1;
    {
        let guard = mutex.try_lock().unwrap();
        all.push(i64::from(MutexGuard::mutex(&guard).try_lock().is_err()));
    }
    all.push(mutex.into_inner());
    all
}

/// The order in which tasks that came one after the other get a lock that was taken.
pub(super) async fn served() -> Vec<usize> {
    let mutex = std::sync::Arc::new(Mutex::new(Vec::new()));
    let first = std::sync::Arc::clone(&mutex).lock_owned().await;
    let mut tasks = Vec::new();
    for number in 0..40 {
        let mut attempt = Box::pin(std::sync::Arc::clone(&mutex).lock_owned());
        // Queued before the next one begins.
        let mut queued = |cx: &mut std::task::Context<'_>| attempt.as_mut().poll(cx).is_pending();
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(queued(cx))).await);
        tasks.push(tokio::spawn(async move { attempt.await.push(number) }));
    }
    drop(first);
    for task in tasks {
        task.await.unwrap();
    }
    mutex.lock().await.clone()
}
