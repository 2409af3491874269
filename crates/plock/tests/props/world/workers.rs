//! Threads that wait. Each takes some locks of its own, then one of the world's, for which it blocks, in a
//! scope of its own, and does as it is told afterwards.
//!
//! | who | does | then |
//! |---|---|---|
//! | the world | starts a thread that asks for a taken lock | looks until its scope is blocked: nothing but a release lets it go on |
//! | the world | releases, at a moment of the shared clock | waits for word, as often as the model says that somebody gets in |
//! | a thread that got in | claims, at the same moment, and says who it is | waits to be told |
//!
//! So one thread runs at a time, every instant is exact, and only who is quickest is left to the lock. That
//! would not be so of readers beside a writer: whether they get in is up to the lock, hence they never wait
//! together here.

use super::threads::ThreadLock;
use super::*;
use plock::inspect;
use std::sync::mpsc::{self as words, Receiver, Sender};
use std::thread::{self, JoinHandle};

/// Name of the scope of every such thread, and of what it has around the lock.
pub(super) const WORKER: &str = "props_worker";
const AROUND: &str = "props_around";

/// What a thread that has its lock is told, until it is told nothing more.
struct Downgrade;

/// A thread that waits for its lock, or has it. Dropped, it lets go and is gone.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) access: Access,
    owner: Id,
    tell: Option<Sender<Downgrade>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn downgrade(&self) {
        self.tell.as_ref().expect("until it is dropped").send(Downgrade).expect("it listens");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tell = None;
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(thread::panicking() || ended.is_some_and(|it| it.is_ok()), "no panic");
    }
}

/// All threads of a world.
pub(super) struct Workers {
    say: Sender<Id>,
    said: Receiver<Id>,
    /// Those that have not got in, by their attempt.
    waiting: RefCell<BTreeMap<Id, Worker>>,
}

impl Workers {
    pub(super) fn new() -> Self {
        let (say, said) = words::channel();
        Self { say, said, waiting: RefCell::default() }
    }

    pub(super) fn count(&self) -> u64 {
        self.waiting.borrow().len() as u64
    }
}

impl World {
    /// A thread with `around` locks of its own asks for this one, and gets it or waits for it.
    pub(super) fn send_worker(
        self: &Rc<Self>,
        lock: Id,
        of: ThreadLock,
        access: Access,
        around: u64,
    ) {
        let owner = self.model.borrow_mut().add_worker(around);
        let (id, gets) = self.model.borrow_mut().acquire(lock, access, Owner::Worker(owner), now());
        let (tell, told) = words::channel();
        let say = self.workers.say.clone();
        let before = blocked();
        let thread = Some(thread::spawn(move || run(id, of, access, around, &say, &told)));
        self.workers
            .waiting
            .borrow_mut()
            .insert(id, Worker { access, owner, tell: Some(tell), thread });
        if gets {
            return self.note_in(id);
        }
        while blocked() == before {
            thread::yield_now();
        }
    }

    /// Everybody gets in whom the last step has made room for.
    pub(super) fn let_in(self: &Rc<Self>, lock: Id) {
        while self.model.borrow().lets_in(lock) {
            let id = self.workers.said.recv().expect("somebody is let in");
            self.got_in(id);
        }
    }

    fn got_in(&self, id: Id) {
        let owner = Owner::Worker(self.workers.waiting.borrow()[&id].owner);
        self.model.borrow_mut().got_in(id, owner, now());
        self.keep(id);
    }

    fn note_in(&self, id: Id) {
        assert_eq!(self.workers.said.recv().expect("it is free"), id);
        self.keep(id);
    }

    fn keep(&self, id: Id) {
        let worker = self.workers.waiting.borrow_mut().remove(&id).expect("waited");
        self.guards.borrow_mut().insert(id, Guard::Worker(worker));
    }

    pub(super) fn release_worker(&self, id: Id, worker: Worker) {
        self.model.borrow_mut().release(id, Owner::Worker(worker.owner), now());
        self.model.borrow_mut().workers[worker.owner] = 0;
        drop(worker);
    }

    pub(super) fn downgrade_worker(&self, id: Id, worker: &mut Worker) {
        worker.access = Access::Read;
        worker.downgrade();
        loop {
            match self.workers.said.recv().expect("it has") {
                said if said == id => return,
                other => self.got_in(other), // it was let in meanwhile
            }
        }
    }

    /// Guards of each such thread.
    pub(super) fn compare_workers(&self) {
        let model = self.model.borrow();
        let owners = (0..model.workers.len()).map(Owner::Worker);
        let mut expected: Vec<_> = owners.map(|owner| model.depth(owner)).collect();
        expected.retain(|guards| *guards > 0);
        let mut counted = inspect::scopes(WORKER);
        counted.retain(|guards| *guards > 0);
        expected.sort_unstable();
        counted.sort_unstable();
        assert_eq!(counted, expected, "P1: threads that wait or have waited");
    }
}

fn blocked() -> u64 {
    inspect::blocked(WORKER).iter().sum()
}

fn run(
    id: Id,
    lock: ThreadLock,
    access: Access,
    around: u64,
    say: &Sender<Id>,
    told: &Receiver<Downgrade>,
) {
    manual::share(&CLOCK);
    let body = async {
        let locks: Vec<_> = (0..around).map(|_| Mutex::named(AROUND, ())).collect();
        let _around: Vec<_> = locks.iter().map(|lock| lock.try_lock().expect("its own")).collect();
        let mut guard = lock.acquire(access);
        say.send(id).unwrap_or_default();
        while let Ok(Downgrade) = told.recv() {
            guard = guard.downgrade();
            say.send(id).unwrap_or_default();
        }
    };
    let mut scope = Box::pin(plock::root(WORKER, body));
    assert!(scope.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}
