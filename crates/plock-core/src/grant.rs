//! The hand-over of a lock to one waiting attempt: when, and by whom.
//!
//! # Protocol
//! | state | meaning | next |
//! |---|---|---|
//! | waiting (0) | nobody handed over yet | granted, by whoever serves the queue, under its mutex |
//! | granted (1) | the fields are final | - |
//!
//! Whoever serves the queue does so once for each place in it, writes the fields, then the state with
//! `Release`, and wakes later. Whoever reads state 1 with `Acquire` sees the fields.

use crate::name::{Label, LabelText};
use crate::owner::OwnerCell;
use crate::slots::HoldInfo;
use crate::sync::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use crate::wait::Waiter;
use crate::{EndCause, SpanRef, thread};
use std::panic::Location;

const WAITING: u8 = 0;
const GRANTED: u8 = 1;

#[derive(Debug)]
pub(crate) struct Grant {
    state: AtomicU8,
    end: AtomicU8,
    at: AtomicU64,
    scope: AtomicPtr<LabelText>,
    site: AtomicPtr<Location<'static>>,
    trace_high: AtomicU64,
    trace_low: AtomicU64,
    span: AtomicU64,
    exclusive: AtomicU8,
    thread: AtomicU64,
    thread_poll: AtomicU64,
    own_poll: AtomicU64,
}

/// What is known of a hand-over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Granted {
    pub(crate) at: u64,
    pub(crate) end: EndCause,
    pub(crate) releaser: Option<Releaser>,
    /// Thread it happened on and the poll running there; 0 = outside any poll.
    pub(crate) thread: u64,
    pub(crate) thread_poll: u64,
    /// The waiter's own poll at that moment; 0 = it was not being polled.
    pub(crate) own_poll: u64,
}

/// The holder that let go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Releaser {
    /// Its scope; without one the module of `site` stands for it, looked up later: a look-up
    /// takes a lock, and this is written inside somebody's release.
    scope: Option<Label>,
    pub(crate) site: &'static Location<'static>,
    pub(crate) span: Option<SpanRef>,
    /// Whether it held alone: only then is its share of a wait known from the lock's charges.
    pub(crate) exclusive: bool,
}

impl Granted {
    /// A hand-over by this thread.
    pub(crate) fn here(at: u64, end: EndCause, releaser: Option<Releaser>) -> Self {
        let ts = thread::state();
        Self { at, end, releaser, thread: ts.id(), thread_poll: ts.poll_seq.get(), own_poll: 0 }
    }
}

impl Releaser {
    pub(crate) const fn new(
        scope: Option<Label>,
        site: &'static Location<'static>,
        span: Option<SpanRef>,
        exclusive: bool,
    ) -> Self {
        Self { scope, site, span, exclusive }
    }

    /// Whoever ends this hold of its own.
    pub(crate) fn of(cell: &OwnerCell, hold: &HoldInfo) -> Self {
        Self::new(cell.label(), hold.site, cell.span(), hold.share.is_exclusive())
    }

    /// Whoever gives up this wait, if it is still there.
    pub(crate) fn of_waiter(waiter: &Waiter) -> Option<Self> {
        let owner = Some(waiter.owner).filter(|_| waiter.owner_is_alive())?;
        Some(Self::new(owner.label(), waiter.site, owner.span(), true))
    }

    pub(crate) fn label(&self) -> Label {
        self.scope.unwrap_or_else(|| Label::of_site(self.site))
    }
}

impl Grant {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU8::new(WAITING),
            end: AtomicU8::new(0),
            at: AtomicU64::new(0),
            scope: AtomicPtr::new(std::ptr::null_mut()),
            site: AtomicPtr::new(std::ptr::null_mut()),
            trace_high: AtomicU64::new(0),
            trace_low: AtomicU64::new(0),
            span: AtomicU64::new(0),
            exclusive: AtomicU8::new(0),
            thread: AtomicU64::new(0),
            thread_poll: AtomicU64::new(0),
            own_poll: AtomicU64::new(0),
        }
    }

    /// Notes the hand-over, once. The caller has the mutex of the queue.
    pub(crate) fn set(&self, granted: &Granted) {
        self.at.store(granted.at, Ordering::Relaxed);
        self.end.store(granted.end as u8, Ordering::Relaxed);
        self.thread.store(granted.thread, Ordering::Relaxed);
        self.thread_poll.store(granted.thread_poll, Ordering::Relaxed);
        self.own_poll.store(granted.own_poll, Ordering::Relaxed);
        if let Some(by) = granted.releaser {
            if let Some(scope) = by.scope {
                self.scope.store(std::ptr::from_ref(scope.0).cast_mut(), Ordering::Relaxed);
            }
            self.site.store(std::ptr::from_ref(by.site).cast_mut(), Ordering::Relaxed);
            self.exclusive.store(u8::from(by.exclusive), Ordering::Relaxed);
            if let Some(span) = by.span {
                #[expect(clippy::cast_possible_truncation, reason = "the two halves of the id")]
                {
                    self.trace_high.store((span.trace_id >> 64) as u64, Ordering::Relaxed);
                    self.trace_low.store(span.trace_id as u64, Ordering::Relaxed);
                }
                self.span.store(span.span_id, Ordering::Relaxed);
            }
        }
        // ORDERING: pairs with Acquire in `get`; publishes every field above.
        self.state.store(GRANTED, Ordering::Release);
    }

    /// How the release was done, once it has happened.
    pub(crate) fn end(&self) -> Option<EndCause> {
        // ORDERING: as in `get`.
        let set = self.state.load(Ordering::Acquire) == GRANTED;
        set.then(|| EndCause::from_index(usize::from(self.end.load(Ordering::Relaxed))))
    }

    /// The hand-over, once it has happened.
    pub(crate) fn get(&self) -> Option<Granted> {
        // ORDERING: pairs with Release in `set`.
        if self.state.load(Ordering::Acquire) != GRANTED {
            return None;
        }
        Some(Granted {
            at: self.at.load(Ordering::Relaxed),
            end: EndCause::from_index(usize::from(self.end.load(Ordering::Relaxed))),
            releaser: self.releaser(),
            thread: self.thread.load(Ordering::Relaxed),
            thread_poll: self.thread_poll.load(Ordering::Relaxed),
            own_poll: self.own_poll.load(Ordering::Relaxed),
        })
    }

    fn releaser(&self) -> Option<Releaser> {
        #[expect(unsafe_code, reason = "a static label is kept in an atomic pointer")]
        // SAFETY: null, or stored by `set` from a `&'static LabelText`.
        let scope = unsafe { self.scope.load(Ordering::Relaxed).as_ref() };
        #[expect(unsafe_code, reason = "a static location is kept in an atomic pointer")]
        // SAFETY: null, or stored by `set` from a `&'static Location`.
        let site = unsafe { self.site.load(Ordering::Relaxed).as_ref() }?;
        let trace = u128::from(self.trace_high.load(Ordering::Relaxed)) << 64
            | u128::from(self.trace_low.load(Ordering::Relaxed));
        let span = SpanRef::new(trace, self.span.load(Ordering::Relaxed), true);
        Some(Releaser {
            scope: scope.map(Label),
            site,
            span: span.is_linkable().then_some(span),
            exclusive: self.exclusive.load(Ordering::Relaxed) != 0,
        })
    }
}
