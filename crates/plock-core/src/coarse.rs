//! The coarse clock: a word that a thread of its own sets to the exact time every millisecond.
//!
//! | who | does | ordering |
//! |---|---|---|
//! | the ticker | stores the exact time, sleeps, looks whether it is still wanted | `Relaxed`: a time says nothing of other memory |
//! | a recorder | loads the word | `Relaxed` |
//! | whoever chooses the coarse clock | sets the word, starts the ticker unless one runs, chooses | the mutex |
//!
//! The ticker ends under the mutex, so one that is wanted again runs on or is replaced. Nobody waits for
//! it: after a `fork`, or where no thread gets to run, the word stands still, and the next collection
//! leaves the coarse clock.

use crate::clock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the word is set.
const RESOLUTION: Duration = Duration::from_millis(1);
/// A word this old shows that nobody sets it.
const TOO_OLD_NS: u64 = 1_000_000_000;

/// Alone on its lines: all recorders read it, and nothing beside it may be written.
#[repr(align(128))]
struct Word(AtomicU64);

static WORD: Word = Word(AtomicU64::new(0));
/// Whether there is a ticker.
static TICKING: Mutex<bool> = Mutex::new(false);

#[inline(always)]
pub(crate) fn now() -> u64 {
    WORD.0.load(Relaxed)
}

/// Sets the word and sees to it that somebody goes on doing so while it is chosen, which `choose` does.
pub(crate) fn begin(choose: impl FnOnce()) -> std::io::Result<()> {
    let mut ticking = TICKING.lock().unwrap_or_else(PoisonError::into_inner);
    set();
    if !*ticking {
        thread::Builder::new().name("plock-clock".to_owned()).spawn(tick)?;
        *ticking = true;
    }
    choose();
    Ok(())
}

/// Whether the word is as fresh as it should be.
pub(crate) fn keeps_pace(exact: u64) -> bool {
    exact.saturating_sub(now()) < TOO_OLD_NS
}

/// It never goes back, whoever else sets it.
fn set() {
    WORD.0.fetch_max(clock::exact_now(), Relaxed);
}

fn tick() {
    loop {
        set();
        thread::sleep(RESOLUTION);
        let mut ticking = TICKING.lock().unwrap_or_else(PoisonError::into_inner);
        if !clock::is_coarse() {
            *ticking = false;
            return;
        }
    }
}
