//! The plain model: what plock must say after any program of acquisitions, drops, moves, adoptions,
//! cancellations and ends of scopes. Fair queues of permits, counts per owner, whole nanoseconds.

use std::collections::{BTreeMap, VecDeque};

pub(crate) type Id = usize;

/// Permits of a whole read-write lock: more than any program has readers.
const WHOLE: u32 = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Thread,
    Scope(Id),
    /// A thread of its own, in a scope of its own.
    Worker(Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Lock,
    Write,
    Read,
    Permits(u32),
}

#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) lock: Id,
    pub(crate) access: Access,
    pub(crate) since: u64,
    pub(crate) owner: Owner,
}

#[derive(Clone, Debug)]
struct Scope {
    parent: Option<Id>,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Waiting {
    lock: Id,
    access: Access,
    since: u64,
    granted: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    free: u32,
    /// Attempts without a grant, first come first.
    waits: VecDeque<Id>,
    /// It hands nothing over: whoever is quickest has it.
    is_barging: bool,
}

/// What the figures of one lock in one mode must have grown by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) holds: Vec<u64>,
    pub(crate) waits: Vec<u64>,
    pub(crate) claim_delay_ns: u64,
    pub(crate) abandoned: u64,
    pub(crate) would_block: u64,
    pub(crate) depths: Vec<u64>,
    pub(crate) migrated: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    scopes: Vec<Scope>,
    queues: Vec<Queue>,
    waiting: BTreeMap<Id, Waiting>,
    pub(crate) held: BTreeMap<Id, Held>,
    /// Holds whose guard was forgotten: they never end.
    pub(crate) forgotten: Vec<Held>,
    pub(crate) expected: BTreeMap<(Id, Access), Expected>,
    claims: BTreeMap<Owner, u64>,
    /// Guards of other locks that each worker has.
    pub(crate) workers: Vec<u64>,
    next: Id,
}

impl Access {
    pub(crate) const fn need(self) -> u32 {
        match self {
            Self::Lock | Self::Read => 1,
            Self::Write => WHOLE,
            Self::Permits(n) => n,
        }
    }

    /// What is counted together.
    const fn series(self) -> Self {
        match self {
            Self::Permits(_) => Self::Permits(0),
            other => other,
        }
    }
}

impl Model {
    pub(crate) fn add_lock(&mut self, whole: Access, is_barging: bool) {
        self.queues.push(Queue { free: whole.need(), waits: VecDeque::new(), is_barging });
    }

    /// A thread that has so many other guards; its number.
    pub(crate) fn add_worker(&mut self, around: u64) -> Id {
        self.workers.push(around);
        self.workers.len() - 1
    }

    pub(crate) fn add_scope(&mut self, parent: Option<Id>) {
        self.scopes.push(Scope { parent, ended: false });
    }

    pub(crate) fn parent(&self, scope: Id) -> Option<Id> {
        self.scopes[scope].parent
    }

    pub(crate) fn is_alive(&self, scope: Id) -> bool {
        !self.scopes[scope].ended
    }

    pub(crate) fn children(&self, scope: Id) -> Vec<Id> {
        let child = |id: &Id| self.scopes[*id].parent == Some(scope) && self.is_alive(*id);
        (0..self.scopes.len()).filter(child).collect()
    }

    /// From the root to the scope.
    pub(crate) fn path(&self, scope: Id) -> Vec<Id> {
        let mut path = self.scopes[scope].parent.map_or_else(Vec::new, |parent| self.path(parent));
        path.push(scope);
        path
    }

    /// Guards that count for an owner.
    pub(crate) fn guards(&self, owner: Owner) -> u64 {
        let all = self.held.values().chain(&self.forgotten);
        all.filter(|held| held.owner == owner).count() as u64
    }

    /// Guards an owner obtained itself.
    pub(crate) fn claims(&self, owner: Owner) -> u64 {
        self.claims.get(&owner).copied().unwrap_or(0)
    }

    pub(crate) fn depth(&self, owner: Owner) -> u64 {
        match owner {
            Owner::Thread => self.guards(owner),
            Owner::Scope(id) => {
                self.path(id).into_iter().map(|id| self.guards(Owner::Scope(id))).sum()
            }
            Owner::Worker(id) => self.workers[id] + self.guards(owner),
        }
    }

    pub(crate) fn free(&self, lock: Id) -> u32 {
        self.queues[lock].free
    }

    pub(crate) fn is_queued_for(&self, lock: Id) -> bool {
        self.waiting.values().any(|waiting| waiting.lock == lock)
    }

    /// How those that are queued for a lock want it.
    pub(crate) fn queued(&self, lock: Id) -> impl Iterator<Item = Access> {
        self.waiting.values().filter(move |waiting| waiting.lock == lock).map(|it| it.access)
    }

    /// Whether somebody has been handed the lock and has not claimed it.
    pub(crate) fn is_granted(&self, lock: Id) -> bool {
        self.waiting.values().any(|waiting| waiting.lock == lock && waiting.granted.is_some())
    }

    /// Whether whoever waits for a lock that hands nothing over can have it now.
    pub(crate) fn lets_in(&self, lock: Id) -> bool {
        let queue = &self.queues[lock];
        queue.is_barging && self.queued(lock).any(|access| queue.free >= access.need())
    }

    /// One of those that could has got in.
    pub(crate) fn got_in(&mut self, id: Id, owner: Owner, now: u64) {
        let Waiting { lock, access, since, .. } = self.waiting.remove(&id).expect("waits");
        let queue = &mut self.queues[lock];
        queue.waits.retain(|waits| *waits != id);
        assert!(queue.free >= access.need(), "nobody else has it");
        queue.free -= access.need();
        self.figures(lock, access).waits.push(now - since);
        self.hold(id, lock, access, owner, now);
    }

    fn figures(&mut self, lock: Id, access: Access) -> &mut Expected {
        self.expected.entry((lock, access.series())).or_default()
    }

    /// A new attempt is polled for the first time. True if it gets the lock at once, as guard `id`.
    pub(crate) fn acquire(
        &mut self,
        lock: Id,
        access: Access,
        owner: Owner,
        now: u64,
    ) -> (Id, bool) {
        let id = self.next;
        self.next += 1;
        let queue = &mut self.queues[lock];
        if queue.waits.is_empty() && queue.free >= access.need() {
            queue.free -= access.need();
            self.hold(id, lock, access, owner, now);
            return (id, true);
        }
        queue.waits.push_back(id);
        self.waiting.insert(id, Waiting { lock, access, since: now, granted: None });
        (id, false)
    }

    /// Somebody asks who does not wait. The guard, if that gets the lock.
    pub(crate) fn try_acquire(
        &mut self,
        lock: Id,
        access: Access,
        owner: Owner,
        now: u64,
    ) -> Option<Id> {
        if self.queues[lock].free < access.need() {
            self.figures(lock, access).would_block += 1;
            return None;
        }
        let (id, gets) = self.acquire(lock, access, owner, now);
        gets.then_some(id)
    }

    fn hold(&mut self, id: Id, lock: Id, access: Access, owner: Owner, since: u64) {
        let depth = self.depth(owner) + 1;
        self.figures(lock, access).depths.push(depth);
        *self.claims.entry(owner).or_default() += 1;
        self.held.insert(id, Held { lock, access, since, owner });
    }

    /// A blocked attempt is polled again. True if it has the lock now.
    pub(crate) fn poll(&mut self, id: Id, owner: Owner, now: u64) -> bool {
        let waiting = self.waiting[&id].clone();
        let Some(granted) = waiting.granted else { return false };
        self.waiting.remove(&id);
        let figures = self.figures(waiting.lock, waiting.access);
        figures.waits.push(now - waiting.since);
        figures.claim_delay_ns += now - granted;
        self.hold(id, waiting.lock, waiting.access, owner, now);
        true
    }

    /// A blocked attempt is dropped.
    pub(crate) fn cancel(&mut self, id: Id, now: u64) {
        let waiting = self.waiting.remove(&id).expect("waits");
        let figures = self.figures(waiting.lock, waiting.access);
        figures.waits.push(now - waiting.since);
        figures.abandoned += 1;
        figures.claim_delay_ns += waiting.granted.map_or(0, |granted| now - granted);
        self.queues[waiting.lock].waits.retain(|waits| *waits != id);
        let back = waiting.granted.map_or(0, |_| waiting.access.need());
        self.give_back(waiting.lock, back, now);
    }

    /// Permits come free: they go to the front of the queue for as long as they are enough.
    pub(crate) fn give_back(&mut self, lock: Id, permits: u32, now: u64) {
        let queue = &mut self.queues[lock];
        queue.free += permits;
        if queue.is_barging {
            return;
        }
        while let Some(first) = queue.waits.front() {
            let waiting = self.waiting.get_mut(first).expect("waits");
            if queue.free < waiting.access.need() {
                return;
            }
            queue.free -= waiting.access.need();
            waiting.granted = Some(now);
            queue.waits.pop_front();
        }
    }

    /// The hold of a guard ends under `by`. The permits stay where they are.
    fn end_hold(&mut self, id: Id, by: Owner, now: u64) -> Held {
        let held = self.held.remove(&id).expect("held");
        let migrated = u64::from(self.is_foreign(held.owner, by));
        let figures = self.figures(held.lock, held.access);
        figures.holds.push(now - held.since);
        figures.migrated += migrated;
        held
    }

    /// A guard of `owner` is dropped under `by`. An owner that is gone has lost nothing.
    fn is_foreign(&self, owner: Owner, by: Owner) -> bool {
        match (owner, by) {
            (Owner::Thread | Owner::Worker(_), _) => false, // each on its own thread
            (Owner::Scope(_), Owner::Worker(_)) => panic!("a worker has nothing of others"),
            (Owner::Scope(id), Owner::Thread) => self.is_alive(id),
            (Owner::Scope(id), Owner::Scope(by)) => {
                self.is_alive(id) && !self.path(by).contains(&id)
            }
        }
    }

    pub(crate) fn release(&mut self, id: Id, by: Owner, now: u64) {
        let held = self.end_hold(id, by, now);
        self.give_back(held.lock, held.access.need(), now);
    }

    pub(crate) fn adopt(&mut self, id: Id, by: Owner) {
        self.held.get_mut(&id).expect("held").owner = by;
    }

    pub(crate) fn forget_guard(&mut self, id: Id) {
        let held = self.held.remove(&id).expect("held");
        self.forgotten.push(held);
    }

    pub(crate) fn downgrade(&mut self, id: Id, now: u64) {
        let held = self.held.get_mut(&id).expect("held");
        let (lock, owner, since) = (held.lock, held.owner, held.since);
        (held.access, held.since) = (Access::Read, now);
        let depth = self.depth(owner);
        self.figures(lock, Access::Write).holds.push(now - since);
        self.figures(lock, Access::Read).depths.push(depth);
        self.give_back(lock, WHOLE - 1, now);
    }

    pub(crate) fn split(&mut self, id: Id, by: Owner) -> Id {
        let held = self.held.get_mut(&id).expect("held");
        held.access = Access::Permits(held.access.need() - 1);
        let (lock, since) = (held.lock, held.since);
        let split = self.next;
        self.next += 1;
        self.hold(split, lock, Access::Permits(1), by, since);
        split
    }

    pub(crate) fn merge(&mut self, into: Id, other: Id, by: Owner, now: u64) {
        let more = self.end_hold(other, by, now).access.need();
        let held = self.held.get_mut(&into).expect("held");
        held.access = Access::Permits(held.access.need() + more);
    }

    pub(crate) fn forget_permits(&mut self, id: Id, by: Owner, now: u64) {
        self.end_hold(id, by, now);
    }

    /// A scope ends; what it still holds goes to its parent, or escapes with a root.
    pub(crate) fn end(&mut self, scope: Id) {
        let parent = self.scopes[scope].parent;
        self.scopes[scope].ended = true;
        let Some(parent) = parent else { return };
        for held in self.held.values_mut().chain(&mut self.forgotten) {
            if held.owner == Owner::Scope(scope) {
                held.owner = Owner::Scope(parent);
            }
        }
    }
}
