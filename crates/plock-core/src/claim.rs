//! Where the time between hand-over and claim went. The parts are taken in a fixed order, each from
//! what the ones before left over, so they sum to the claim delay exactly.

use crate::grant::Granted;
use crate::wait::{Wait, Waiter};
use crate::{ClaimDelay, thread};

/// Polls at least this long pin their worker.
pub(crate) const PINNED_NS: u64 = 10_000_000;

/// The hand-over that ended a wait, and the delay after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimed {
    pub(crate) granted: Option<Granted>,
    pub(crate) delay_ns: u64,
    /// Indexed by [`ClaimDelay`].
    pub(crate) parts: [u64; ClaimDelay::COUNT],
    /// Whether a guard came of it.
    pub(crate) holds: bool,
}

impl Claimed {
    /// Never handed over.
    pub(crate) const NONE: Self =
        Self { granted: None, delay_ns: 0, parts: [0; ClaimDelay::COUNT], holds: true };

    /// The same, and nothing is held from then on.
    pub(crate) fn without_guard(self) -> Self {
        Self { holds: false, ..self }
    }
}

/// The lock was ours from the start, and the cooperative budget spent: all of the wait is delay.
pub(crate) fn deferred(ns: u64) -> Claimed {
    let mut parts = [0; ClaimDelay::COUNT];
    parts[ClaimDelay::CoopDeferred as usize] = ns;
    Claimed { granted: None, delay_ns: ns, parts, holds: true }
}

/// Splits what lies between the grant of `wait` and `now`, on the thread that claims. `deferred_at`
/// is when a poll after the grant found the cooperative budget spent.
pub(crate) fn phases(wait: &Wait, waiter: &Waiter, now: u64, deferred_at: Option<u64>) -> Claimed {
    let Some(granted) = wait.granted() else { return Claimed::NONE };
    let at = granted.at.clamp(waiter.since, now);
    let mut parts = [0; ClaimDelay::COUNT];
    // `from` moves through [at, now]; each part takes up to where it ends.
    let mut from = at;
    let mut take = |part: ClaimDelay, until: u64| {
        let until = until.clamp(from, now);
        parts[part as usize] += until - from;
        from = until;
    };
    take(ClaimDelay::OwnBusy, own_busy_until(waiter, &granted, now));
    let ts = thread::state();
    if granted.thread == ts.id()
        && let Some(poll) = ts.ended_poll(granted.thread_poll)
    {
        take(ClaimDelay::BehindReleaser, poll.end);
    }
    if let Some(deferred_at) = deferred_at {
        take(ClaimDelay::WorkerPinned, pinned_until(deferred_at, at));
        take(ClaimDelay::RunQueue, deferred_at);
        take(ClaimDelay::CoopDeferred, now);
    }
    take(ClaimDelay::WorkerPinned, pinned_until(now, at));
    take(ClaimDelay::RunQueue, now);
    Claimed { granted: Some(granted), delay_ns: now - at, parts, holds: true }
}

/// When the waiter's own poll that was running at the grant ended; the grant itself if none was.
fn own_busy_until(waiter: &Waiter, granted: &Granted, now: u64) -> u64 {
    let times = &waiter.owner.times;
    match granted.own_poll {
        0 => granted.at,
        poll if times.poll_seq.get() == poll => now,
        // Exact for the very next poll, which claims; an earlier end is lost, so say nothing.
        poll if times.poll_seq.get() == poll + 2 => times.poll_end.get(),
        _ => granted.at,
    }
}

/// The end of the last long poll of this thread that reached into the delay before `limit`.
fn pinned_until(limit: u64, at: u64) -> u64 {
    if thread::state().long_poll_end() <= at {
        return at;
    }
    let long = |poll: &thread::EndedPoll| poll.end.saturating_sub(poll.start) >= PINNED_NS;
    let ends = thread::state().polls_ended_after(at).filter(long).map(|poll| poll.end);
    ends.filter(|end| *end <= limit).max().unwrap_or(at)
}
