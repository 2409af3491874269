//! What must hold after each step, and what a program must have left in the figures and reports, to the
//! nanosecond.

use super::*;

impl World {
    /// P1, P2, P3, P5 and P9 at this point.
    pub(super) fn compare(&self) {
        let model = self.model.borrow();
        for (id, name) in SCOPES.iter().enumerate().take(self.scopes.borrow().len()) {
            let counted: u64 = inspect::scopes(name).iter().sum();
            let expected = model.guards(Owner::Scope(id));
            assert_eq!(counted - self.before.scopes[id], expected, "P1: {name}");
        }
        self.compare_workers();
        let around: u64 = model.workers.iter().sum();
        let alive = (model.held.len() + model.forgotten.len()) as u64 + around;
        assert_eq!(inspect::cells().1 - self.before.cells.1, alive, "P2: one owner per guard");
        for (name, before) in &self.before.holds {
            let expected = model
                .held
                .values()
                .chain(&model.forgotten)
                .filter(|held| LOCKS[held.lock].0 == *name);
            assert_eq!(inspect::holds(name).len() - before, expected.count(), "P2: {name}");
        }
        for (id, lock) in self.locks.iter().enumerate() {
            let Lock::Channel(sender, _) = lock else { continue };
            let kept = model.held.values().chain(&model.forgotten).filter(|held| held.lock == id);
            let (kept, free) = (kept.count(), sender.capacity());
            assert!(kept + free <= sender.max_capacity(), "P9 of the channel");
            assert!(model.is_queued_for(id) || kept + free == sender.max_capacity());
        }
        let lock = LOCKS.len() - 1;
        let weights = weights() - self.before.weights;
        let free = u32::try_from(self.semaphore().available_permits()).unwrap();
        let capacity = LOCKS[lock].1.need().wrapping_add(self.added.get());
        assert!(weights + free <= capacity, "P9");
        if !model.is_queued_for(lock) {
            assert_eq!(weights + free, capacity, "P9: nobody queues");
            assert_eq!(free, model.free(lock));
        }
    }

    pub(super) fn compare_figures(&self) {
        let after = snapshot();
        let model = self.model.borrow();
        let series = [
            ("props_mutex", Mode::Exclusive, Access::Lock),
            ("props_rwlock", Mode::Exclusive, Access::Write),
            ("props_rwlock", Mode::Shared, Access::Read),
            ("props_std_mutex", Mode::Exclusive, Access::Lock),
            ("props_std_rwlock", Mode::Exclusive, Access::Write),
            ("props_std_rwlock", Mode::Shared, Access::Read),
            ("props_parking_mutex", Mode::Exclusive, Access::Lock),
            ("props_parking_rwlock", Mode::Exclusive, Access::Write),
            ("props_parking_rwlock", Mode::Shared, Access::Read),
            ("props_semaphore", Mode::Permit, Access::Permits(0)),
            (CHANNEL, Mode::Permit, Access::Permits(0)),
            (POOL, Mode::Permit, Access::Permits(0)),
        ];
        for (name, mode, access) in series {
            let (old, new) =
                (self.before.snapshot.lock(name, mode), after.lock(name, mode).expect("used"));
            let old = old.cloned().unwrap_or_default();
            let of_series = |((lock, a), expected): (&(Id, Access), _)| {
                (LOCKS[*lock].0 == name && *a == access).then_some(expected)
            };
            let all: Vec<_> = model.expected.iter().filter_map(of_series).collect();
            let holds: Vec<u64> = all.iter().flat_map(|e| e.holds.iter().copied()).collect();
            let mut rebuilt = old.hold.clone();
            rebuilt.merge(&Histogram::of(&holds));
            assert_eq!(
                rebuilt, new.hold,
                "{name} {mode}: previous and delta are the cumulative holds"
            );
            let waits: Vec<u64> = all.iter().flat_map(|e| e.waits.iter().copied()).collect();
            let mut rebuilt = old.wait_total();
            rebuilt.merge(&Histogram::of(&waits));
            assert_eq!(rebuilt, new.wait_total(), "{name} {mode}: waits");
            let claim: u64 = all.iter().map(|e| e.claim_delay_ns).sum();
            assert_eq!(
                new.claim_delay_ns - old.claim_delay_ns,
                claim,
                "{name} {mode}: claim delay"
            );
            let abandoned: u64 = all.iter().map(|e| e.abandoned).sum();
            let of = |outcome| new.outcome(outcome) - old.outcome(outcome);
            assert_eq!(of(Outcome::Abandoned), abandoned, "{name} {mode}");
            let would_block: u64 = all.iter().map(|e| e.would_block).sum();
            assert_eq!(of(Outcome::WouldBlock), would_block, "{name} {mode}");
            let depths: Vec<u64> = all.iter().flat_map(|e| e.depths.iter().copied()).collect();
            assert_eq!(of(Outcome::Acquired), depths.len() as u64, "{name} {mode}");
            assert_eq!(
                new.depth_sum - old.depth_sum,
                depths.iter().sum::<u64>(),
                "P3: {name} {mode}"
            );
            for (i, (new, old)) in new.depth.iter().zip(old.depth).enumerate().take(8) {
                let expected = depths.iter().filter(|depth| **depth == i as u64 + 1).count();
                assert_eq!(new - old, expected as u64, "P3: depth {} of {name} {mode}", i + 1);
            }
            let migrated: u64 = all.iter().map(|e| e.migrated).sum();
            assert_eq!(new.migrated - old.migrated, migrated, "{name} {mode}: migrated");
        }
        // Blame: what was waited is charged to somebody, to the nanosecond.
        for (name, _) in LOCKS {
            let blamed = |s: &Snapshot| -> u64 {
                s.edges.iter().filter(|edge| edge.lock == name).map(|edge| edge.wait_ns).sum()
            };
            let queued = |s: &Snapshot| -> u64 {
                let of_name = s.locks.iter().filter(|lock| lock.name == name);
                of_name.map(|lock| lock.wait_total().sum_ns() - lock.claim_delay_ns).sum()
            };
            let (blamed, queued) = (
                blamed(&after) - blamed(&self.before.snapshot),
                queued(&after) - queued(&self.before.snapshot),
            );
            assert_eq!(blamed, queued, "{name}: blame sums to the queue time");
        }
    }
}

impl World {
    /// What this world has added to the figures so far: counts, sums and buckets per series.
    pub(crate) fn grown(&self) -> Vec<(String, Histogram, Histogram, u64, u64)> {
        let after = snapshot();
        let ours =
            after.locks.iter().filter(|lock| LOCKS.iter().any(|(name, _)| lock.name == *name));
        ours.map(|lock| {
            let old = self.before.snapshot.lock(&lock.name, lock.mode).cloned().unwrap_or_default();
            let (hold, wait) =
                (lock.hold.since(&old.hold), lock.wait_total().since(&old.wait_total()));
            let acquired = lock.outcome(Outcome::Acquired) - old.outcome(Outcome::Acquired);
            let depth_sum = lock.depth_sum - old.depth_sum;
            // Of the cumulative maxima only the sums and counts are this world's own.
            let plain = |h: &Histogram| Histogram::of(&[h.count(), h.sum_ns()]);
            (
                format!("{} {}", lock.name, lock.mode),
                plain(&hold),
                plain(&wait),
                acquired,
                depth_sum,
            )
        })
        .collect()
    }

    /// Every scope's time is told apart without a gap, and so is every wait.
    pub(super) fn compare_reports(&self) {
        let told = TOLD.take();
        assert_eq!(told.len(), self.scopes.borrow().len(), "each scope once");
        for report in told {
            let id = SCOPES.iter().position(|name| *name == report.name).expect("ours");
            let (first, end) = self.lives.borrow()[id];
            assert_eq!(
                report.busy_ns + report.runnable_ns + report.idle_ns,
                end - first,
                "{report:?}"
            );
            assert!(report.blocked_ns <= report.wait_ns && report.wait_max_ns <= report.wait_ns);
            assert_eq!(
                report.acquisitions,
                self.model.borrow().claims(Owner::Scope(id)),
                "{report:?}"
            );
            for detail in &report.details {
                let Some(wait) = &detail.wait else { continue };
                assert_eq!(wait.queue_ns + wait.claim_ns, detail.ns, "{detail:?}");
                assert_eq!(wait.claim_parts_ns.iter().sum::<u64>(), wait.claim_ns, "{detail:?}");
            }
        }
        let after = snapshot();
        for (id, name) in SCOPES.iter().enumerate().take(self.scopes.borrow().len()) {
            let total = |snapshot: &Snapshot| {
                snapshot.scope(name).map_or(0, |scope| {
                    let idle: u64 = scope.idle_ns.iter().sum();
                    scope.spawn_delay_ns
                        + scope.poll.sum_ns()
                        + scope.schedule_delay.sum_ns()
                        + idle
                })
            };
            let (first, end) = self.lives.borrow()[id];
            assert_eq!(
                total(&after) - total(&self.before.snapshot),
                end - first,
                "{name}: its lifetime"
            );
        }
    }
}

/// Permits of all live holds of semaphores.
pub(super) fn weights() -> u32 {
    inspect::holds(LOCKS[LOCKS.len() - 1].0).iter().map(|hold| hold.weight).sum()
}
