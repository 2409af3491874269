//! What one step does to the world and to the model of it.

use super::*;

fn is_writer(access: Access) -> bool {
    access == Access::Write
}

impl World {
    #[expect(clippy::too_many_lines, reason = "one arm per operation")]
    pub(super) fn act(self: &Rc<Self>, op: &Op, inside: u64) {
        let pick = |ids: Vec<Id>, number: usize| (!ids.is_empty()).then(|| ids[number % ids.len()]);
        let guard = |number: usize, fits: fn(&Guard) -> bool| {
            let fitting =
                self.guards.borrow().iter().filter(|(_, g)| fits(g)).map(|(id, _)| *id).collect();
            pick(fitting, number)
        };
        let attempt =
            |number: usize| pick(self.attempts.borrow().keys().copied().collect(), number);
        let permit: fn(&Guard) -> bool = |guard| matches!(guard, Guard::Permit(_));
        match *op {
            Op::Root => {
                if self.scopes.borrow().len() < SCOPES.len() {
                    self.open(None);
                }
            }
            Op::Branch { of } => {
                if self.scopes.borrow().len() < SCOPES.len() {
                    let parent = match self.owner(of) {
                        Owner::Scope(id) => Some(id),
                        _ => None,
                    };
                    self.open(parent);
                }
            }
            Op::End { scope, completed } => {
                if let Owner::Scope(id) = self.owner(scope) {
                    self.end(id, completed);
                }
            }
            Op::Acquire { lock, access, at } => {
                let (lock, at) = (lock % LOCKS.len(), self.owner(at));
                let access = match (LOCKS[lock].1, access) {
                    (Access::Write, n) if n % 3 > 0 => Access::Read,
                    (Access::Permits(_), _) if [CHANNEL, POOL].contains(&LOCKS[lock].0) => {
                        Access::Permits(1)
                    }
                    (Access::Permits(_), n) => Access::Permits([1, 2, 3][n % 3]),
                    (whole, _) => whole,
                };
                if LOCKS[lock].0 == POOL && self.model.borrow().is_granted(lock) {
                    return; // it says that the connection is free: who asks now is not said to wait
                }
                if let Lock::Thread(thread_lock) = self.locks[lock] {
                    if access == Access::Read && self.model.borrow().queued(lock).any(is_writer) {
                        return; // whether readers go before a writer is up to the lock
                    }
                    return self.try_acquire((lock, thread_lock), access, at, inside);
                }
                self.under(at, move |world| {
                    manual::advance(inside);
                    let (id, gets) = world.model.borrow_mut().acquire(lock, access, at, now());
                    assert_eq!(world.poll(id, world.attempt(lock, access)), gets, "{access:?}");
                });
            }
            Op::Wait { lock, access, around } => {
                let lock = [4, 5, 6, 7][lock % 4];
                let Lock::Thread(thread_lock) = self.locks[lock] else { panic!("it blocks") };
                let access = match LOCKS[lock].1 {
                    Access::Write if !access.is_multiple_of(2) => Access::Read,
                    whole => whole,
                };
                let model = self.model.borrow();
                let is_lost = model.forgotten.iter().any(|held| held.lock == lock);
                if is_lost || model.queued(lock).any(|other| is_writer(other) != is_writer(access))
                {
                    return;
                }
                drop(model);
                manual::advance(inside);
                self.send_worker(lock, thread_lock, access, around);
            }
            Op::Poll { attempt: number, at } => {
                let Some(id) = attempt(number) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    manual::advance(inside);
                    let gets = world.model.borrow_mut().poll(id, at, now());
                    let attempt = world.attempts.borrow_mut().remove(&id).expect("waits");
                    assert_eq!(world.poll(id, attempt), gets, "as the fair queue says");
                });
            }
            Op::Cancel { attempt: number, at } => {
                let Some(id) = attempt(number) else { return };
                let cells = inspect::cells().1;
                self.under(self.owner(at), move |world| {
                    world.model.borrow_mut().cancel(id, now());
                    let attempt = world.attempts.borrow_mut().remove(&id);
                    drop(attempt);
                });
                assert_eq!(inspect::cells().1, cells, "P7: cancelling changes no cell");
            }
            Op::Drop { guard: number, at } => {
                let Some(id) = guard(number, |_| true) else { return };
                self.release(id, self.owner(at));
            }
            Op::Adopt { guard: number, at } => {
                let adopts: fn(&Guard) -> bool = |guard| {
                    let stays = matches!(guard, Guard::Place(_) | Guard::Connection { .. });
                    !stays && !matches!(guard, Guard::Thread(_) | Guard::Worker(_))
                };
                let Some(id) = guard(number, adopts) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    world.model.borrow_mut().adopt(id, at);
                    match world.guards.borrow_mut().get_mut(&id).expect("held") {
                        Guard::Mutex { _guard } => OwnedMutexGuard::adopt(_guard),
                        Guard::Write(guard) => OwnedRwLockWriteGuard::adopt(guard),
                        Guard::Read { guard } => OwnedRwLockReadGuard::adopt(guard),
                        Guard::Permit(permit) => OwnedSemaphorePermit::adopt(permit),
                        _ => panic!("stays where it is"),
                    }
                });
            }
            Op::Forget { guard: number } => {
                let Some(id) = guard(number, |it| !matches!(it, Guard::Worker(_))) else { return };
                let lock = self.model.borrow().held[&id].lock;
                if matches!(self.locks[lock], Lock::Thread(_))
                    && self.model.borrow().is_queued_for(lock)
                {
                    return; // that thread would never end
                }
                self.model.borrow_mut().forget_guard(id);
                #[expect(clippy::mem_forget, reason = "the case under test")]
                std::mem::forget(self.guards.borrow_mut().remove(&id));
            }
            Op::Downgrade { guard: number, at } => {
                let writes: fn(&Guard) -> bool = |guard| match guard {
                    Guard::Thread(guard) => guard.is_write(),
                    Guard::Worker(worker) => worker.access == Access::Write,
                    other => matches!(other, Guard::Write(_)),
                };
                let Some(id) = guard(number, writes) else { return };
                let lock = self.model.borrow().held[&id].lock;
                let slept = matches!(self.guards.borrow().get(&id), Some(Guard::Worker(_)));
                if slept && matches!(self.locks[lock], Lock::Thread(ThreadLock::StdRw(_))) {
                    return; // whoever slept for std's lock keeps readers out, whether or not one writes
                }
                self.under(self.owner(at), move |world| {
                    world.model.borrow_mut().downgrade(id, now());
                    let guard = world.guards.borrow_mut().remove(&id);
                    let guard = match guard {
                        Some(Guard::Write(guard)) => Guard::Read { guard: guard.downgrade() },
                        Some(Guard::Thread(guard)) => Guard::Thread(guard.downgrade()),
                        Some(Guard::Worker(mut worker)) => {
                            world.downgrade_worker(id, &mut worker);
                            Guard::Worker(worker)
                        }
                        other => panic!("{other:?} does not write"),
                    };
                    world.guards.borrow_mut().insert(id, guard);
                });
                self.let_in(lock);
            }
            Op::Split { guard: number, at } => {
                let Some(id) = guard(number, permit) else { return };
                let at = self.owner(at);
                if self.model.borrow().held[&id].access.need() < 2 {
                    return;
                }
                self.under(at, move |world| {
                    let split = world.model.borrow_mut().split(id, at);
                    let mut guards = world.guards.borrow_mut();
                    let Some(Guard::Permit(permit)) = guards.get_mut(&id) else {
                        panic!("a permit")
                    };
                    let permit = permit.split(1).expect("two or more");
                    guards.insert(split, Guard::Permit(permit));
                });
            }
            Op::Merge { guard: number, other, at } => {
                let (Some(into), Some(other)) = (guard(number, permit), guard(other, permit))
                else {
                    return;
                };
                if into == other {
                    return;
                }
                let at = self.owner(at);
                self.under(at, move |world| {
                    world.model.borrow_mut().merge(into, other, at, now());
                    let mut guards = world.guards.borrow_mut();
                    let Some(Guard::Permit(other)) = guards.remove(&other) else {
                        panic!("a permit")
                    };
                    let Some(Guard::Permit(into)) = guards.get_mut(&into) else {
                        panic!("a permit")
                    };
                    into.merge(other);
                });
            }
            Op::ForgetPermits { guard: number, at } => {
                let Some(id) = guard(number, permit) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    let lost = world.model.borrow().held[&id].access.need();
                    world.added.set(world.added.get().wrapping_sub(lost));
                    world.model.borrow_mut().forget_permits(id, at, now());
                    let guard = world.guards.borrow_mut().remove(&id);
                    let Some(Guard::Permit(permit)) = guard else { panic!("a permit") };
                    permit.forget();
                });
            }
            Op::Send { guard: number, at } => {
                let place: fn(&Guard) -> bool = |guard| matches!(guard, Guard::Place(_));
                let Some(id) = guard(number, place) else { return };
                let at = self.owner(at);
                self.under(at, move |world| {
                    let lock = world.model.borrow().held[&id].lock;
                    let Lock::Channel(_, receiver) = &world.locks[lock] else {
                        panic!("a channel")
                    };
                    let guard = world.guards.borrow_mut().remove(&id);
                    let Some(Guard::Place(place)) = guard else { panic!("a place") };
                    world.model.borrow_mut().forget_permits(id, at, now());
                    drop(place.send(()));
                    world.model.borrow_mut().give_back(lock, 1, now());
                    receiver.borrow_mut().try_recv().expect("the message");
                });
            }
            Op::AddPermits { n } => {
                let lock = LOCKS.len() - 1;
                self.added.set(self.added.get().wrapping_add(n));
                self.model.borrow_mut().give_back(lock, n, now());
                self.semaphore().add_permits(n as usize);
            }
        }
    }

    /// A lock of this thread: had now or not at all, as the model says.
    fn try_acquire(
        self: &Rc<Self>,
        (id, lock): (Id, ThreadLock),
        access: Access,
        at: Owner,
        inside: u64,
    ) {
        self.under(at, move |world| {
            manual::advance(inside);
            let gets = world.model.borrow_mut().try_acquire(id, access, at, now());
            let guard = match gets {
                Some(_) if inside.is_multiple_of(2) => Some(lock.acquire(access)),
                _ => lock.try_acquire(access),
            };
            assert_eq!(guard.is_some(), gets.is_some(), "{access:?}");
            let guard = guard.map(Guard::Thread);
            world.guards.borrow_mut().extend(gets.zip(guard));
        });
    }

    pub(super) fn semaphore(&self) -> &Semaphore {
        match self.locks.last() {
            Some(Lock::Semaphore(semaphore)) => semaphore,
            _ => panic!("the last one"),
        }
    }

    pub(super) fn release(self: &Rc<Self>, id: Id, at: Owner) {
        let lock = self.model.borrow().held[&id].lock;
        self.under(at, move |world| {
            let guard = world.guards.borrow_mut().remove(&id);
            if let Some(Guard::Worker(worker)) = guard {
                return world.release_worker(id, worker);
            }
            world.model.borrow_mut().release(id, at, now());
            drop(guard);
        });
        self.let_in(lock);
    }
}
