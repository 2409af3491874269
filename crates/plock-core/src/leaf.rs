//! Whatever a task can wait for that is no lock: a message, a timer, a socket, an answer. Its idle time
//! is filed under the kind of what it waited for.
//!
//! The wait is polled with a waker of its own, made at its first poll and the same at every further one.
//! A wake through it says on its thread what it is for, then wakes whoever polled last; the scope's own
//! waker, at the end of that chain, reads it there. Of several leaves inside each other the innermost
//! counts: it is what was waited for. Who is woken is ordered in [`Outer`].

use crate::outer::Outer;
use crate::wake::News;
use crate::{Idle, clock, thread};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

/// The part of plock inside a future that waits.
#[derive(Debug)]
pub struct Leaf {
    idle: Idle,
    tag: Option<(Arc<Tag>, Waker)>,
}

#[derive(Debug)]
struct Tag {
    idle: Idle,
    outer: Outer,
}

impl Leaf {
    /// Waits for this kind of thing.
    #[must_use]
    pub const fn new(idle: Idle) -> Self {
        Self { idle, tag: None }
    }

    /// Polls what waits, by `poll`. Outside any scope and with recording off that is all; else the
    /// first call allocates.
    #[inline]
    pub fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        match &self.tag {
            Some((tag, _)) => tag.outer.register(cx.waker()),
            None if thread::state().scope.get().is_none() || !clock::is_on() => return poll(cx),
            None => {}
        }
        let (_, waker) = self.tag.get_or_insert_with(|| tag(self.idle, cx.waker()));
        poll(&mut Context::from_waker(waker))
    }
}

impl Clone for Leaf {
    /// Another one that waits for the same kind of thing.
    fn clone(&self) -> Self {
        Self::new(self.idle)
    }
}

#[cold]
fn tag(idle: Idle, outer: &Waker) -> (Arc<Tag>, Waker) {
    let tag = Arc::new(Tag { idle, outer: Outer::new(outer) });
    let waker = Waker::from(Arc::clone(&tag));
    (tag, waker)
}

impl Wake for Tag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        struct Restore(Option<News>);
        impl Drop for Restore {
            fn drop(&mut self) {
                thread::state().news.set(self.0);
            }
        }
        let told = &thread::state().news;
        let inner = told.get();
        let _restore = Restore(inner);
        told.set(inner.or(Some(News { kind: self.idle, at: 0 })));
        self.outer.wake();
    }
}
