//! Acquisitions without a hold, and releases without one. A message has its place in a channel, somebody
//! else has made the value: that counts as acquired, at the depth of what is held here, and nothing is
//! held from then on. A receiver takes a message out: that makes room for those who wait for a place.

use crate::current::{Runtime, owner_for_claim, scope_for_claim};
use crate::foreign::Foreign;
use crate::grant::Releaser;
use crate::lock::{Lock, Start};
use crate::over::{KeepsTask, Over};
use crate::release::Releasing;
use crate::share::Share;
use crate::thread_wait::ThreadWait;
use crate::{EndCause, Outcome, claim, clock, shard, task, thread};
use std::panic::Location;

impl Lock {
    /// Somebody who asked at `start` got it.
    #[inline]
    pub fn served<R: Runtime>(&self, start: Start, share: Share) {
        if !start.is_recorded() {
            return;
        }
        let (ts, depth) = (thread::state(), held_here::<R>() + 1);
        shard::with(ts, self.series(share.mode()), |shard| {
            shard.acquired(depth);
            shard.unusual.add(1);
        });
    }

    /// Runs `release`, in which whoever runs here makes room for those who wait, without having held
    /// anything. `places` says for how many, as far as can be told before.
    pub fn make_room<R: Runtime, T>(
        &self,
        site: &'static Location<'static>,
        places: impl FnOnce() -> usize,
        release: impl FnOnce() -> T,
    ) -> T {
        let releasing = Releasing::new(self.id(), EndCause::External);
        let Some(record) = self.record().filter(|record| record.has_waiters()) else {
            return releasing.on_behalf_of(None, release);
        };
        record.queue().free += places() as u64;
        let Some(cell) = owner_for_claim::<R>(thread::state()) else {
            return releasing.on_behalf_of(None, release);
        };
        let _kept = KeepsTask::of_owner(cell);
        let by = Releaser::new(cell.label(), site, cell.span(), true);
        releasing.on_behalf_of(Some(by), release)
    }
}

impl Foreign {
    /// What it waited for has been done: nothing is held from then on. This ends the attempt.
    pub fn served<R: Runtime>(&self, lock: &Lock) {
        let Some(over) = self.over(lock) else { return };
        lock.served::<R>(Start::at(over.waiter.since), self.share);
        match self.is_blocked {
            true => over.served(self.share),
            false => self.leave(lock),
        }
    }
}

impl ThreadWait<'_> {
    /// As [`Foreign::served`].
    pub fn served<R: Runtime>(mut self) {
        self.is_over = true;
        let Some(over) = self.over() else { return };
        self.note_grant(&self.lock.record_or_new().queue());
        let share = Share::new(self.wait.mode, 1);
        self.lock.served::<R>(Start::at(over.waiter.since), share);
        over.served(share);
    }
}

impl Over<'_> {
    /// It has waited, and got what it asked for without a hold.
    fn served(&self, share: Share) {
        let Some(blocked) = self.blocked() else { return };
        let until = self.until(clock::now());
        let deferred_at = Some(self.deferred_at).filter(|at| *at != 0);
        let claimed = claim::phases(self.wait, self.waiter, until, deferred_at).without_guard();
        let ended = self.ended_by_grant(blocked, until, claimed);
        let record = self.lock.record_or_new();
        let shares = self.leave(record, &mut record.queue(), share, &ended);
        ended.file(Outcome::Acquired, &shares);
    }
}

/// How many guards count for the depth of an acquisition here.
fn held_here<R: Runtime>() -> u64 {
    let ts = thread::state();
    if let Some(scope) = scope_for_claim::<R>(ts) {
        return scope.depth();
    }
    let task = R::task_id();
    if task == 0 {
        return ts.own.get().map_or(0, |thread| thread.depth());
    }
    task::find(task).map_or(0, |cell| {
        let depth = cell.depth();
        task::let_go(cell); // it was kept alive for a hold
        depth
    })
}
