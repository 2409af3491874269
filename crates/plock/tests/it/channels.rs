// Random programs over one channel or one cell, as those over locks: two sides with the same log are the
// same to their users.

pub(super) fn channel_program(seed: u64, stretch: super::Stretch<'_>) -> Vec<String> {
    enum Got {
        Sent(Result<(), mpsc::error::SendError<u32>>),
        Place(Result<mpsc::OwnedPermit<u32>, mpsc::error::SendError<()>>),
    }
    let mut random = fastrand::Rng::with_seed(seed);
    let (sender, mut receiver) = mpsc::channel::<u32>(3);
    let mut receiving = tokio_test::task::spawn(());
    let (mut attempts, mut places, mut log) = (Attempts::new(), Vec::new(), Vec::new());
    let mut next = 0;
    for round in 0..STRETCHES {
        stretch(&mut || {
            for _ in 0..STEPS {
                next += 1;
                let (own, message) = (sender.clone(), next);
                let step = match random.u32(..1000) {
                    0..150 => attempts.begin(async move { Got::Sent(own.send(message).await) }),
                    150..250 => attempts.begin(async { Got::Place(own.reserve_owned().await) }),
                    250..500 => match attempts.poll(&mut random) {
                        Some((number, Some(Got::Place(Ok(place))))) => {
                            places.push(place);
                            format!("{number} has a place")
                        }
                        Some((number, Some(Got::Place(Err(error))))) => {
                            format!("{number} fails: {error}")
                        }
                        Some((number, Some(Got::Sent(sent)))) => format!("{number} sends {sent:?}"),
                        Some((number, None)) => format!("{number} waits"),
                        None => "nobody polls".to_owned(),
                    },
                    500..560 => attempts.give_up(&mut random),
                    560..650 => match any(&mut places, &mut random) {
                        Some(place) if random.bool() => {
                            drop(place.send(message));
                            "the place is used".to_owned()
                        }
                        Some(place) => {
                            drop(place);
                            "the place is given back".to_owned()
                        }
                        None => "no place".to_owned(),
                    },
                    650..720 => format!("try {:?}", sender.try_send(message)),
                    720..760 => match sender.try_reserve_many(random.usize(..4)) {
                        Ok(mut many) => {
                            let used = many.next().map(|place| place.send(message));
                            format!("many: {used:?}, {} left", many.len())
                        }
                        Err(error) => format!("many: {error:?}"),
                    },
                    760..900 => {
                        let poll = receiving.enter(|cx, _| receiver.poll_recv(cx));
                        format!("receive {poll:?}")
                    }
                    900..950 => {
                        let mut many = Vec::new();
                        let limit = random.usize(..4);
                        let poll =
                            receiving.enter(|cx, _| receiver.poll_recv_many(cx, &mut many, limit));
                        format!("receive many {poll:?} {many:?}")
                    }
                    950..999 => format!("try to receive {:?}", receiver.try_recv()),
                    _ if round + 1 == STRETCHES => {
                        receiver.close();
                        "close".to_owned()
                    }
                    _ => "not yet closed".to_owned(),
                };
                let (free, kept) = (sender.capacity(), receiver.len());
                let woken = (attempts.woken(), receiving.is_woken());
                log.push(format!("{step}; woken {woken:?}; {free} free, {kept} kept"));
            }
        });
        log.push(format!("pause; woken {:?}", attempts.woken()));
    }
    log
}

pub(super) fn once_cell_program(seed: u64, stretch: super::Stretch<'_>) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut log = Vec::new();
    for round in 0..STRETCHES {
        let cell = std::sync::Arc::new(OnceCell::new());
        let go = std::sync::Arc::new(Notify::new());
        let mut attempts = Attempts::new();
        stretch(&mut || {
            for _ in 0..STEPS {
                let (own, go) = (std::sync::Arc::clone(&cell), std::sync::Arc::clone(&go));
                let result = random.u32(..9);
                let step = match random.u32(..100) {
                    0..30 => attempts.begin(async move {
                        let made = own.get_or_try_init(async || {
                            go.notified().await;
                            if result > 0 { Err(result) } else { Ok(result) }
                        });
                        made.await.copied()
                    }),
                    30..70 => match attempts.poll(&mut random) {
                        Some((number, Some(made))) => format!("{number} has {made:?}"),
                        Some((number, None)) => format!("{number} waits"),
                        None => "nobody polls".to_owned(),
                    },
                    70..80 => attempts.give_up(&mut random),
                    80..97 => {
                        go.notify_one();
                        "go".to_owned()
                    }
                    _ if round % 2 == 1 => format!("set {:?}", cell.set(result)),
                    _ => "not set".to_owned(),
                };
                log.push(format!("{step}; woken {:?}; {cell:?}", attempts.woken()));
            }
        });
        log.push(format!("pause; woken {:?}", attempts.woken()));
    }
    log
}
