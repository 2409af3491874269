//! What a guard carries: its hold, beside parking_lot's own state. Every way to acquire and to release
//! is here once, for all locks; how the lock inside does it comes as closures.

use crate::blocking;
use crate::runtime::Tasks;
use lock_api::GuardNoSend;
use plock_core::{Hold, Lock, Mode, Outcome, Share, Start, ThreadWait};
use std::panic::Location;

/// What a guard carries. It stays on its thread, whatever the lock inside would allow: that is what makes
/// the findings about threads exact.
#[expect(missing_debug_implementations, reason = "as of what is inside")]
pub struct State<G> {
    hold: Hold,
    inner: G,
    /// Neither `Send` nor in the way of `Sync`.
    _thread: GuardNoSend,
}

/// How much a mode is of its lock.
pub(super) const fn share(mode: Mode) -> Share {
    match mode {
        Mode::Shared => Share::SHARED,
        _ => Share::EXCLUSIVE,
    }
}

impl<G> State<G> {
    #[inline(always)]
    fn new(hold: Hold, inner: G) -> Self {
        Self { hold, inner, _thread: GuardNoSend::new() }
    }

    /// Takes `lock` by `attempt`, or waits for it by `block`.
    #[inline(always)] // the guard's words stay in registers, however many call it
    pub(super) fn lock(
        lock: &Lock,
        mode: Mode,
        site: &'static Location<'static>,
        attempt: impl Fn() -> Option<G>,
        block: impl FnOnce() -> G,
    ) -> Self {
        let start = Start::now();
        if !start.is_recorded() {
            return Self::new(Hold::default(), block());
        }
        if let Some(inner) = attempt() {
            return Self::new(lock.acquired_by_thread::<Tasks>(start, mode, site), inner);
        }
        Self::wait(lock, mode, site, start, attempt, block)
    }

    #[cold]
    #[inline(never)]
    fn wait(
        lock: &Lock,
        mode: Mode,
        site: &'static Location<'static>,
        start: Start,
        attempt: impl Fn() -> Option<G>,
        block: impl FnOnce() -> G,
    ) -> Self {
        let (inner, hold) = blocking::wait(lock, mode, site, start, attempt, block);
        Self::new(hold, inner)
    }

    /// As [`lock`](Self::lock); `block` gives up in the end. It has its time from when it is called, so
    /// nothing long goes before.
    #[inline]
    pub(super) fn lock_in_time(
        lock: &Lock,
        mode: Mode,
        site: &'static Location<'static>,
        attempt: impl Fn() -> Option<G>,
        block: impl FnOnce() -> Option<G>,
    ) -> Option<Self> {
        let start = Start::now();
        if let Some(inner) = attempt() {
            return Some(Self::new(lock.acquired_by_thread::<Tasks>(start, mode, site), inner));
        }
        Self::wait_in_time(lock, mode, site, start, attempt, block)
    }

    #[cold]
    #[inline(never)]
    fn wait_in_time(
        lock: &Lock,
        mode: Mode,
        site: &'static Location<'static>,
        start: Start,
        attempt: impl Fn() -> Option<G>,
        block: impl FnOnce() -> Option<G>,
    ) -> Option<Self> {
        let Some(wait) = ThreadWait::begin::<Tasks>(lock, start, mode, site) else {
            return Some(Self::new(Hold::default(), block()?));
        };
        if let Some(inner) = attempt() {
            return Some(Self::new(wait.raced::<Tasks>(site), inner));
        }
        wait.blocks();
        let Some(inner) = block() else {
            wait.failed(Outcome::Timeout);
            return None;
        };
        Some(Self::new(wait.claimed::<Tasks>(site), inner))
    }

    /// Takes `lock` by `attempt` if it is free.
    #[inline]
    pub(super) fn try_lock(
        lock: &Lock,
        mode: Mode,
        site: &'static Location<'static>,
        attempt: impl FnOnce() -> Option<G>,
    ) -> Option<Self> {
        let start = Start::now();
        let Some(inner) = attempt() else {
            lock.would_block(start, mode);
            return None;
        };
        Some(Self::new(lock.acquired_by_thread::<Tasks>(start, mode, site), inner))
    }

    /// Gives it back by `unlock`.
    #[inline(always)]
    pub(super) fn unlock(self, lock: &Lock, mode: Mode, unlock: impl FnOnce(G)) {
        let Self { mut hold, inner, .. } = self;
        hold.release_blocking::<Tasks>(lock, share(mode), || unlock(inner));
    }

    /// Lets those go first that wait, if any do, by `bump`, which has the lock again when it returns.
    pub(super) fn bump(
        &mut self,
        lock: &Lock,
        mode: Mode,
        site: &'static Location<'static>,
        bump: impl FnOnce(&mut G),
    ) {
        if !lock.has_waiters() {
            return bump(&mut self.inner);
        }
        self.end(lock, mode);
        let wait = ThreadWait::begin::<Tasks>(lock, Start::now(), mode, site);
        wait.iter().for_each(ThreadWait::blocks);
        bump(&mut self.inner);
        self.hold = wait.map_or_else(Hold::default, |wait| wait.claimed::<Tasks>(site));
    }

    /// Waits for something else by `wait`, which lets others have the lock and has it again when it
    /// returns: the time in between is neither hold nor wait.
    pub(super) fn pause<T>(
        &mut self,
        lock: &Lock,
        site: &'static Location<'static>,
        wait: impl FnOnce(&mut G) -> T,
    ) -> T {
        self.end(lock, Mode::Exclusive);
        let out = wait(&mut self.inner);
        self.hold = lock.acquired_by_thread::<Tasks>(Start::now(), Mode::Exclusive, site);
        out
    }

    /// The hold ends; the lock is given back right after, by a call that does more than that.
    fn end(&mut self, lock: &Lock, mode: Mode) {
        self.hold.release_blocking::<Tasks>(lock, share(mode), || ());
    }

    /// Lets readers in by `downgrade`, under the same hold.
    pub(super) fn downgrade<H>(self, lock: &Lock, downgrade: impl FnOnce(G) -> H) -> State<H> {
        let Self { mut hold, inner, .. } = self;
        let inner = hold.downgrade::<Tasks, _>(lock, |releasing| {
            releasing.mark(lock);
            downgrade(inner)
        });
        State::new(hold, inner)
    }

    /// The same hold under another guard of the same mode.
    pub(super) fn map<H>(self, map: impl FnOnce(G) -> H) -> State<H> {
        State::new(self.hold, map(self.inner))
    }

    /// A reader becomes the writer by `attempt` if it is the only one, else by `block`, which may give up:
    /// then it goes on as a reader, with a hold that begins then.
    pub(super) fn upgrade<H>(
        self,
        lock: &Lock,
        site: &'static Location<'static>,
        attempt: impl FnOnce(G) -> Result<H, G>,
        block: impl FnOnce(G) -> Result<H, G>,
    ) -> Result<State<H>, Self> {
        let start = Start::now();
        let Self { mut hold, inner, .. } = self;
        let end = |hold: &mut Hold| hold.release_blocking::<Tasks>(lock, Share::SHARED, || ());
        let inner = match attempt(inner) {
            Ok(inner) => {
                end(&mut hold);
                let hold = lock.acquired_by_thread::<Tasks>(start, Mode::Exclusive, site);
                return Ok(State::new(hold, inner));
            }
            Err(inner) => inner,
        };
        end(&mut hold);
        let wait = ThreadWait::begin::<Tasks>(lock, start, Mode::Exclusive, site);
        wait.iter().for_each(ThreadWait::blocks);
        match block(inner) {
            Ok(inner) => {
                let hold = wait.map_or_else(Hold::default, |wait| wait.claimed::<Tasks>(site));
                Ok(State::new(hold, inner))
            }
            Err(inner) => {
                wait.into_iter().for_each(|wait| wait.failed(Outcome::Timeout));
                let hold = lock.acquired_by_thread::<Tasks>(Start::now(), Mode::Shared, site);
                Err(Self::new(hold, inner))
            }
        }
    }

    /// As [`upgrade`](Self::upgrade), without waiting: a reader that is not alone keeps its hold.
    pub(super) fn try_upgrade<H>(
        self,
        lock: &Lock,
        site: &'static Location<'static>,
        attempt: impl FnOnce(G) -> Result<H, G>,
    ) -> Result<State<H>, Self> {
        let start = Start::now();
        let Self { mut hold, inner, .. } = self;
        match attempt(inner) {
            Ok(inner) => {
                hold.release_blocking::<Tasks>(lock, Share::SHARED, || ());
                let hold = lock.acquired_by_thread::<Tasks>(start, Mode::Exclusive, site);
                Ok(State::new(hold, inner))
            }
            Err(inner) => {
                lock.would_block(start, Mode::Exclusive);
                Err(Self::new(hold, inner))
            }
        }
    }
}
