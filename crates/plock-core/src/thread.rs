//! What a thread knows: its table, the scope it is polling, what the wake that runs is for. Plain cells in a
//! constant thread-local without a destructor, so that reading one is a single load; a second
//! thread-local with a destructor gives things back when the thread ends.

use crate::claim::PINNED_NS;
use crate::grant::Releaser;
use crate::owner::OwnerCell;
use crate::release::Releasing;
use crate::shard::{self, Table};
use crate::spun::{self, Spun};
use crate::wake::News;
use std::cell::Cell;

/// A poll that ended on this thread.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EndedPoll {
    pub(crate) seq: u64,
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// How many ended polls a thread remembers, to split claim delays.
const POLLS: usize = 8;

#[derive(Debug)]
pub(crate) struct ThreadState {
    table: Cell<&'static Table>,
    /// The innermost scope being polled here.
    pub(crate) scope: Cell<Option<&'static OwnerCell>>,
    /// The task that was being polled when that scope's poll began; 0 = none.
    pub(crate) scope_task: Cell<u64>,
    /// The owner of this thread's own, unscoped holds.
    pub(crate) own: Cell<Option<&'static OwnerCell>>,
    /// What is being released here whose queue is not ours.
    pub(crate) releasing: Cell<Releasing>,
    /// Who gives up an attempt in such a queue here.
    pub(crate) giving_up: Cell<Option<Releaser>>,
    /// What the wake that runs here is for.
    pub(crate) news: Cell<Option<News>>,
    /// Whether a lock that blocks threads was acquired here since the last outermost poll ended.
    pub(crate) thread_claims: Cell<bool>,
    /// A wait that is to be filed when its lock has been given back, and whether there is one.
    pub(crate) spun: Cell<Option<Spun>>,
    pub(crate) has_spun: Cell<bool>,
    /// Number of the poll running here, 0 = none; unique per thread.
    pub(crate) poll_seq: Cell<u64>,
    pub(crate) polls: Cell<u64>,
    /// Time of root scopes polled inside the running poll: not the outer scope's own.
    pub(crate) nested: Cell<u64>,
    ended: [Cell<EndedPoll>; POLLS],
    long_poll_end: Cell<u64>,
    /// Counts what is not timed each time.
    pub(crate) untimed: Cell<u64>,
    /// Unique number of this thread, 0 = not yet given.
    id: Cell<u64>,
    /// Free owner cells kept for this thread, and how many.
    spares: [Cell<Option<&'static OwnerCell>>; SPARES],
    spare_count: Cell<usize>,
}

/// Free owner cells a thread keeps for itself.
const SPARES: usize = 32;

thread_local! {
    static STATE: ThreadState = const {
        ThreadState {
            table: Cell::new(&shard::EMPTY),
            scope: Cell::new(None),
            scope_task: Cell::new(0),
            own: Cell::new(None),
            releasing: Cell::new(Releasing::NONE),
            giving_up: Cell::new(None),
            news: Cell::new(None),
            thread_claims: Cell::new(false),
            spun: Cell::new(None),
            has_spun: Cell::new(false),
            poll_seq: Cell::new(0),
            polls: Cell::new(0),
            nested: Cell::new(0),
            ended: [const { Cell::new(EndedPoll { seq: 0, start: 0, end: 0 }) }; POLLS],
            long_poll_end: Cell::new(0),
            untimed: Cell::new(0),
            id: Cell::new(0),
            spares: [const { Cell::new(None) }; SPARES],
            spare_count: Cell::new(0),
        }
    };
    static GIVE_BACK: GiveBack = const { GiveBack };
}

struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        let ts = state();
        spun::file_kept();
        shard::give_back(ts.table.replace(&shard::EMPTY));
        if let Some(own) = ts.own.take() {
            own.end_thread();
        }
        while let Some(cell) = ts.take_spare() {
            crate::slab::share(cell);
        }
    }
}

/// Registers the clean-up of this thread; false once that has already run.
pub(crate) fn will_give_back() -> bool {
    GIVE_BACK.try_with(|_| ()).is_ok()
}

/// This thread's state. The address first, then plain code on it: a large closure given to
/// `LocalKey::with` is often not inlined and then goes through memory.
#[inline(always)]
pub(crate) fn state() -> &'static ThreadState {
    let pointer = STATE.with(std::ptr::from_ref);
    #[expect(unsafe_code, reason = "see the function's comment")]
    // SAFETY: a constant thread-local without a destructor lives as long as its thread. The type
    // is not Sync, so the reference cannot be used by another thread, and nothing stores it.
    unsafe {
        &*pointer
    }
}

/// Something goes on beside everything else on this thread, on a table and with owners of its own, and
/// is forgotten when this is dropped.
pub(crate) struct Apart {
    ts: &'static ThreadState,
    table: &'static Table,
    scope: Option<&'static OwnerCell>,
    scope_task: u64,
    own: Option<&'static OwnerCell>,
    poll_seq: u64,
    polls: u64,
    nested: u64,
    ended: [EndedPoll; POLLS],
    long_poll_end: u64,
}

impl Apart {
    /// In no scope, as this thread.
    pub(crate) fn begin(
        ts: &'static ThreadState,
        table: &'static Table,
        own: &'static OwnerCell,
    ) -> Self {
        spun::file_kept();
        Self {
            ts,
            table: ts.table.replace(table),
            scope: ts.scope.take(),
            scope_task: ts.scope_task.take(),
            own: ts.own.replace(Some(own)),
            poll_seq: ts.poll_seq.take(),
            polls: ts.polls.get(),
            nested: ts.nested.get(),
            ended: std::array::from_fn(|i| ts.ended[i].get()),
            long_poll_end: ts.long_poll_end.get(),
        }
    }

    pub(crate) fn enter(&self, scope: &'static OwnerCell) {
        self.ts.scope.set(Some(scope));
    }

    pub(crate) fn leave(&self) {
        self.ts.scope.set(None);
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let ts = self.ts;
        ts.table.set(self.table);
        ts.scope.set(self.scope);
        ts.scope_task.set(self.scope_task);
        ts.own.set(self.own);
        ts.poll_seq.set(self.poll_seq);
        ts.polls.set(self.polls);
        ts.nested.set(self.nested);
        ts.ended.iter().zip(self.ended).for_each(|(to, from)| to.set(from));
        ts.long_poll_end.set(self.long_poll_end);
    }
}

impl ThreadState {
    #[inline(always)]
    pub(crate) fn table(&self) -> &'static Table {
        self.table.get()
    }

    pub(crate) fn set_table(&self, table: &'static Table) {
        self.table.set(table);
    }

    /// This thread's unique number.
    pub(crate) fn id(&self) -> u64 {
        use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        if self.id.get() == 0 {
            self.id.set(NEXT.fetch_add(1, Relaxed));
        }
        self.id.get()
    }

    pub(crate) fn begin_poll(&self) -> u64 {
        let seq = self.polls.get() + 1;
        self.polls.set(seq);
        self.poll_seq.replace(seq)
    }

    pub(crate) fn end_poll(&self, outer: u64, start: u64, end: u64) {
        let seq = self.poll_seq.replace(outer);
        self.place_of(seq).set(EndedPoll { seq, start, end });
        if end.saturating_sub(start) >= PINNED_NS {
            self.long_poll_end.set(end);
        }
    }

    pub(crate) fn take_spare(&self) -> Option<&'static OwnerCell> {
        let count = self.spare_count.get().checked_sub(1)?;
        self.spare_count.set(count);
        self.spares[count].take()
    }

    /// Keeps a free cell here; false if there are enough, or the thread is about to end.
    pub(crate) fn put_spare(&self, cell: &'static OwnerCell) -> bool {
        let count = self.spare_count.get();
        if count == SPARES || !will_give_back() {
            return false;
        }
        self.spares[count].set(Some(cell));
        self.spare_count.set(count + 1);
        true
    }

    /// The poll of this number, if it ended here lately.
    pub(crate) fn ended_poll(&self, seq: u64) -> Option<EndedPoll> {
        Some(self.place_of(seq).get()).filter(|poll| poll.seq == seq && seq != 0)
    }

    /// When the last long poll ended here.
    pub(crate) fn long_poll_end(&self) -> u64 {
        self.long_poll_end.get()
    }

    /// The polls that ended here after this moment, as far as they are remembered, the last first.
    pub(crate) fn polls_ended_after(&self, at: u64) -> impl Iterator<Item = EndedPoll> {
        // Their numbers are those of their beginnings: the one that ends last may not be the last.
        let lately = (0..POLLS as u64).map_while(|n| self.polls.get().checked_sub(n));
        lately.filter_map(|seq| self.ended_poll(seq)).filter(move |poll| poll.end > at)
    }

    #[expect(clippy::cast_possible_truncation, reason = "reduced modulo POLLS")]
    fn place_of(&self, seq: u64) -> &Cell<EndedPoll> {
        &self.ended[(seq % POLLS as u64) as usize]
    }
}
