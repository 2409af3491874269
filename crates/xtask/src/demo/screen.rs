//! What is shown while the service runs: on a terminal the tables, redrawn in place; elsewhere one
//! line per look.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::time::Instant;

use anyhow::Result;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{execute, queue, terminal};

use super::digest::Digest;
use super::tables;

/// Edges that are shown while it runs.
const EDGES: usize = 8;

/// The view of a running service. Gives the terminal back when dropped.
#[derive(Debug)]
pub(super) struct Screen {
    title: String,
    start: Instant,
    live: bool,
}

impl Screen {
    /// Takes over the terminal, if standard output is one and not wanted for JSON.
    pub(super) fn open(json: bool, title: &str) -> Result<Self> {
        let live = !json && stdout().is_terminal();
        if live {
            execute!(stdout(), EnterAlternateScreen, Hide)?;
        }
        Ok(Self { title: title.to_owned(), start: Instant::now(), live })
    }

    pub(super) fn show(&mut self, digest: &Digest) -> Result<()> {
        if self.live { self.redraw(digest) } else { self.line(digest) }
    }

    fn redraw(&self, digest: &Digest) -> Result<()> {
        let (_, height) = terminal::size()?;
        let text = format!(
            "{} ({:.0} s, Ctrl-C ends it with the report)\n\n{}\n\n{}\n\nWho blocks whom\n{}",
            self.title,
            self.start.elapsed().as_secs_f64(),
            tables::locks(digest),
            tables::holders(digest),
            tables::edges(digest, EDGES),
        );
        let mut out = stdout().lock();
        queue!(out, MoveTo(0, 0))?;
        // What does not fit is cut, not scrolled: the top is the expensive end.
        for line in text.lines().take(usize::from(height.saturating_sub(1))) {
            write!(out, "{line}")?;
            queue!(out, Clear(ClearType::UntilNewLine))?;
            writeln!(out)?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        Ok(out.flush()?)
    }

    fn line(&self, digest: &Digest) -> Result<()> {
        let worst = digest.edges.first().map(|edge| {
            let cost = tables::duration(edge.wait_seconds);
            format!("; most: {} waited {cost} on {} for {}", edge.waiter, edge.lock, edge.holder)
        });
        Ok(writeln!(
            stderr(),
            "{:3.0} s  {} acquisitions, {} contended, waited {}{}",
            self.start.elapsed().as_secs_f64(),
            digest.acquisitions(),
            digest.contended(),
            tables::duration(digest.wait_seconds()),
            worst.unwrap_or_default(),
        )?)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.live {
            // The terminal may be gone, which is a reason to end, not to fail.
            let _restored = execute!(stdout(), LeaveAlternateScreen, Show);
        }
    }
}
