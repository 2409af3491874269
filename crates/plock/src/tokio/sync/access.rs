//! How much of a lock an acquisition asks for: a type each, so that what is asked is known where a lock is
//! compiled, and nothing of it is kept in a future.

use super::raw::Raw;
use plock_core::Share;

/// How much of a lock is asked for or held.
pub(crate) trait Access: Copy {
    /// Whether that is all there is.
    const IS_WHOLE: bool = false;

    /// How it is reported.
    fn share(self) -> Share;

    /// How many permits an acquisition takes.
    fn need(self, raw: &Raw) -> u32;

    /// How many permits a release gives back.
    #[inline]
    fn permits(self, raw: &Raw) -> u64 {
        u64::from(self.need(raw))
    }
}

/// All permits of a lock: nobody else has any.
#[derive(Clone, Copy)]
pub(crate) struct Whole;

/// One permit of a lock: nobody has all of them.
#[derive(Clone, Copy)]
pub(crate) struct Part;

/// Any number of permits of a semaphore; merged, they may be more than one request can ask for.
#[derive(Clone, Copy)]
pub(crate) struct Count(pub(crate) usize);

impl Access for Whole {
    const IS_WHOLE: bool = true;

    #[inline]
    fn share(self) -> Share {
        Share::EXCLUSIVE
    }

    #[inline]
    fn need(self, raw: &Raw) -> u32 {
        raw.whole
    }
}

impl Access for Part {
    #[inline]
    fn share(self) -> Share {
        Share::SHARED
    }

    #[inline]
    fn need(self, _: &Raw) -> u32 {
        1
    }
}

impl Count {
    pub(crate) const fn of(permits: u32) -> Self {
        Self(permits as usize)
    }

    /// As the figures carry it.
    pub(crate) fn weight(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl Access for Count {
    #[inline]
    fn share(self) -> Share {
        Share::permits(self.weight())
    }

    #[inline]
    fn need(self, _: &Raw) -> u32 {
        self.weight()
    }

    #[inline]
    fn permits(self, _: &Raw) -> u64 {
        self.0 as u64
    }
}
