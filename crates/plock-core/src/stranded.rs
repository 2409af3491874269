//! Guards of a thread that are alive although the scope that has them was left waiting: whoever runs
//! on this thread next and wants the lock blocks the thread, and with it the scope that could let go.
//!
//! A guard of a thread belongs to the scope that acquired it, like any other. So a scope whose poll
//! ends pending asks one question, of the thread: has any such guard been acquired since the last
//! outermost poll ended here? Only then its holds are looked through; those by a thread are stranded.
//! Each is marked in its slot, and so counted once, however often the scope is polled with it.
//!
//! | guard | owner | found |
//! |---|---|---|
//! | across an await of its scope | the scope | at the end of that poll |
//! | handed to the enclosing scope, which then waits | the enclosing scope | at the end of its poll |
//! | released before the await | nobody | no |
//! | across an await of a task without a scope | the task | no: nothing tells the end of its poll; but whoever asks for the lock on that thread meanwhile is a self-deadlock |
//! | around `block_on` | an outer owner, which is not being polled here | no |
//!
//! The mark is written by the thread that polls the scope, which is the one that has the guard.

use crate::owner::OwnerCell;
use crate::slots::HoldInfo;
use crate::{FindingKind, finding, thread};

/// Whether a guard of this thread may be alive that has not been looked for.
#[inline(always)]
pub(crate) fn is_asked() -> bool {
    thread::state().thread_claims.get()
}

impl OwnerCell {
    /// A poll of this scope has ended, and the scope waits: tells the guards it has left behind.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_for_stranded(&'static self) {
        self.holds().slots.strand(|hold| self.report_stranded(hold));
        if self.has_spilled() {
            self.each_spilled(|hold| {
                if let Some(stranded) = hold.share.stranded() {
                    hold.share = stranded;
                    self.report_stranded(hold);
                }
            });
        }
        let ts = thread::state();
        if ts.scope.get().is_none() {
            ts.thread_claims.set(false); // whatever is alive by now is marked, or not a scope's
        }
    }

    #[cold]
    fn report_stranded(&'static self, hold: &HoldInfo) {
        finding::count(finding::Key {
            kind: FindingKind::AcrossAwait,
            series: hold.series,
            pool: 0,
            owner: self.label_at(hold.site),
            site: Some(hold.site),
            holder: None,
        });
    }
}
