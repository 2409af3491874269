// Random programs over one lock, polled by hand. After every step the log tells what came of it, who
// has been woken, and what is free: two sides with the same log are the same to their users.

type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

/// Attempts that have been made and not been dropped, each with its number.
struct Attempts<T> {
    next: usize,
    open: Vec<(usize, tokio_test::task::Spawn<Boxed<T>>)>,
}

impl<T> Attempts<T> {
    fn new() -> Self {
        Self { next: 0, open: Vec::new() }
    }

    fn begin(&mut self, future: impl Future<Output = T> + 'static) -> String {
        let number = self.next;
        self.next += 1;
        self.open.push((number, tokio_test::task::spawn(Box::pin(future))));
        format!("begin {number}")
    }

    fn poll(&mut self, random: &mut fastrand::Rng) -> Option<(usize, Option<T>)> {
        if self.open.is_empty() {
            return None;
        }
        let index = random.usize(..self.open.len());
        let number = self.open[index].0;
        match self.open[index].1.poll() {
            std::task::Poll::Ready(output) => {
                drop(self.open.remove(index));
                Some((number, Some(output)))
            }
            std::task::Poll::Pending => Some((number, None)),
        }
    }

    fn give_up(&mut self, random: &mut fastrand::Rng) -> String {
        if self.open.is_empty() {
            return "nobody gives up".to_owned();
        }
        let (number, attempt) = self.open.remove(random.usize(..self.open.len()));
        drop(attempt);
        format!("{number} gives up")
    }

    fn woken(&mut self) -> Vec<usize> {
        let woken = self.open.iter().filter(|(_, attempt)| attempt.is_woken());
        woken.map(|(number, _)| *number).collect()
    }
}

fn any<T>(of: &mut Vec<T>, random: &mut fastrand::Rng) -> Option<T> {
    (!of.is_empty()).then(|| of.remove(random.usize(..of.len())))
}

const STRETCHES: usize = 4;
const STEPS: usize = 160;

pub(super) fn mutex_program(seed: u64, stretch: super::Stretch<'_>) -> Vec<String> {
    enum Guard {
        All(OwnedMutexGuard<(u64, u64)>),
        Part(OwnedMappedMutexGuard<(u64, u64), u64>),
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let mutex = std::sync::Arc::new(Mutex::new((0, 0)));
    let (mut attempts, mut guards, mut log) = (Attempts::new(), Vec::new(), Vec::new());
    for _ in 0..STRETCHES {
        stretch(&mut || {
            for _ in 0..STEPS {
                let step = match random.u32(..100) {
                    0..20 => attempts.begin(std::sync::Arc::clone(&mutex).lock_owned()),
                    20..60 => match attempts.poll(&mut random) {
                        Some((number, Some(mut guard))) => {
                            guard.0 += 1;
                            let step = format!("{number} locks, {guard:?}");
                            guards.push(Guard::All(guard));
                            step
                        }
                        Some((number, None)) => format!("{number} waits"),
                        None => "nobody polls".to_owned(),
                    },
                    60..67 => attempts.give_up(&mut random),
                    67..85 => match guards.pop() {
                        Some(Guard::All(guard)) => format!("unlock {guard:?}"),
                        Some(Guard::Part(guard)) => format!("unlock part {guard:?}"),
                        None => "nothing to unlock".to_owned(),
                    },
                    85..92 => match guards.pop() {
                        Some(Guard::All(guard)) if random.bool() => {
                            let part = OwnedMutexGuard::map(guard, |value| &mut value.1);
                            let step = format!("part {part:?}");
                            guards.push(Guard::Part(part));
                            step
                        }
                        Some(Guard::All(guard)) => {
                            let none = OwnedMutexGuard::try_map(guard, |_| None::<&mut u64>);
                            guards.push(Guard::All(none.unwrap_err()));
                            "no such part".to_owned()
                        }
                        Some(Guard::Part(mut part)) => {
                            *part += 1;
                            guards.push(Guard::Part(part));
                            "part counts".to_owned()
                        }
                        None => "nothing to narrow".to_owned(),
                    },
                    _ => match std::sync::Arc::clone(&mutex).try_lock_owned() {
                        Ok(guard) => {
                            guards.push(Guard::All(guard));
                            "try locks".to_owned()
                        }
                        Err(error) => format!("try: {error} {error:?}"),
                    },
                };
                log.push(format!("{step}; woken {:?}; {mutex:?}", attempts.woken()));
            }
        });
        log.push(format!("pause; woken {:?}", attempts.woken()));
    }
    log
}

pub(super) fn rwlock_program(seed: u64, stretch: super::Stretch<'_>) -> Vec<String> {
    enum Guard {
        Read(OwnedRwLockReadGuard<(u64, u64)>),
        ReadPart(OwnedRwLockReadGuard<(u64, u64), u64>),
        Write(OwnedRwLockWriteGuard<(u64, u64)>),
        WritePart(OwnedRwLockMappedWriteGuard<(u64, u64), u64>),
    }
    fn seen(guard: &Guard) -> String {
        match guard {
            Guard::Read(guard) => format!("read {guard:?}"),
            Guard::ReadPart(guard) => format!("read part {guard:?}"),
            Guard::Write(guard) => format!("write {guard:?}"),
            Guard::WritePart(guard) => format!("write part {guard:?}"),
        }
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let lock = std::sync::Arc::new(RwLock::with_max_readers((0, 0), 3));
    let (mut attempts, mut guards, mut log) = (Attempts::new(), Vec::new(), Vec::new());
    for _ in 0..STRETCHES {
        stretch(&mut || {
            for _ in 0..STEPS {
                let own = std::sync::Arc::clone(&lock);
                let step = match random.u32(..100) {
                    0..12 => attempts.begin(async { Guard::Read(own.read_owned().await) }),
                    12..20 => attempts.begin(async { Guard::Write(own.write_owned().await) }),
                    20..60 => match attempts.poll(&mut random) {
                        Some((number, Some(mut guard))) => {
                            if let Guard::Write(guard) = &mut guard {
                                guard.0 += 1;
                            }
                            let step = format!("{number} has {}", seen(&guard));
                            guards.push(guard);
                            step
                        }
                        Some((number, None)) => format!("{number} waits"),
                        None => "nobody polls".to_owned(),
                    },
                    60..67 => attempts.give_up(&mut random),
                    67..82 => match any(&mut guards, &mut random) {
                        Some(guard) => format!("unlock {}", seen(&guard)),
                        None => "nothing to unlock".to_owned(),
                    },
                    82..92 => match any(&mut guards, &mut random) {
                        Some(guard) => {
                            let guard = match guard {
                                Guard::Read(guard) => {
                                    Guard::ReadPart(OwnedRwLockReadGuard::map(guard, |value| {
                                        &value.1
                                    }))
                                }
                                Guard::Write(guard) => match random.u32(..4) {
                                    0 => Guard::Read(guard.downgrade()),
                                    1 => Guard::ReadPart(OwnedRwLockWriteGuard::downgrade_map(
                                        guard,
                                        |value| &value.1,
                                    )),
                                    2 => Guard::Write(
                                        OwnedRwLockWriteGuard::try_downgrade_map(guard, |_| {
                                            None::<&u64>
                                        })
                                        .unwrap_err(),
                                    ),
                                    _ => Guard::WritePart(OwnedRwLockWriteGuard::map(
                                        guard,
                                        |value| &mut value.1,
                                    )),
                                },
                                Guard::WritePart(mut part) => {
                                    *part += 1;
                                    Guard::WritePart(part)
                                }
                                part @ Guard::ReadPart(_) => part,
                            };
                            let step = format!("becomes {}", seen(&guard));
                            guards.push(guard);
                            step
                        }
                        None => "nothing to change".to_owned(),
                    },
                    92..97 => match own.try_read_owned() {
                        Ok(guard) => {
                            guards.push(Guard::Read(guard));
                            "try reads".to_owned()
                        }
                        Err(error) => format!("try: {error}"),
                    },
                    _ => match own.try_write_owned() {
                        Ok(guard) => {
                            guards.push(Guard::Write(guard));
                            "try writes".to_owned()
                        }
                        Err(error) => format!("try: {error}"),
                    },
                };
                log.push(format!("{step}; woken {:?}; {lock:?}", attempts.woken()));
            }
        });
        log.push(format!("pause; woken {:?}", attempts.woken()));
    }
    log
}

pub(super) fn semaphore_program(seed: u64, stretch: super::Stretch<'_>) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let semaphore = std::sync::Arc::new(Semaphore::new(3));
    let (mut attempts, mut permits, mut log) = (Attempts::new(), Vec::new(), Vec::new());
    for round in 0..STRETCHES {
        stretch(&mut || {
            for _ in 0..STEPS {
                let own = std::sync::Arc::clone(&semaphore);
                let step = match random.u32(..1000) {
                    0..200 => attempts.begin(own.acquire_many_owned(random.u32(..5))),
                    200..600 => match attempts.poll(&mut random) {
                        Some((number, Some(Ok(permit)))) => {
                            let step = format!("{number} has {permit:?}");
                            permits.push(permit);
                            step
                        }
                        Some((number, Some(Err(error)))) => format!("{number} fails: {error}"),
                        Some((number, None)) => format!("{number} waits"),
                        None => "nobody polls".to_owned(),
                    },
                    600..670 => attempts.give_up(&mut random),
                    670..820 => match any(&mut permits, &mut random) {
                        Some(permit) => format!("back {}", permit.num_permits()),
                        None => "nothing to give back".to_owned(),
                    },
                    820..860 => match permits.last_mut() {
                        Some(permit) => {
                            let part = permit.split(random.usize(..4));
                            let step =
                                format!("split {:?}", part.as_ref().map(|it| it.num_permits()));
                            permits.extend(part);
                            step
                        }
                        None => "nothing to split".to_owned(),
                    },
                    860..890 => match (permits.pop(), permits.last_mut()) {
                        (Some(one), Some(other)) => {
                            other.merge(one);
                            format!("merged {}", other.num_permits())
                        }
                        (one, _) => {
                            permits.extend(one);
                            "nothing to merge".to_owned()
                        }
                    },
                    890..900 => match any(&mut permits, &mut random) {
                        Some(permit) => {
                            permit.forget();
                            "forget".to_owned()
                        }
                        None => "nothing to forget".to_owned(),
                    },
                    900..940 => {
                        semaphore.add_permits(random.usize(..3));
                        "add".to_owned()
                    }
                    940..960 => format!("forgot {}", semaphore.forget_permits(random.usize(..3))),
                    960..999 => match own.try_acquire_many_owned(random.u32(..4)) {
                        Ok(permit) => {
                            let step = format!("try has {}", permit.num_permits());
                            permits.push(permit);
                            step
                        }
                        Err(error) => format!("try: {error} {error:?}"),
                    },
                    _ if round + 1 == STRETCHES => {
                        semaphore.close();
                        "close".to_owned()
                    }
                    _ => "not yet closed".to_owned(),
                };
                let closed = semaphore.is_closed();
                log.push(format!("{step}; woken {:?}; {semaphore:?} {closed}", attempts.woken()));
            }
        });
        log.push(format!("pause; woken {:?}", attempts.woken()));
    }
    log
}
