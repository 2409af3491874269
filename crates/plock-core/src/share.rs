//! How much of a lock an acquisition asks for and a guard holds.

use crate::Mode;

/// How much of a lock is asked for or held: alone, with other readers, or as permits. One word: it
/// travels through every fast path and into the slot of the hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(pub(crate) u64);

/// Flags of a share, above mode and weight.
const BY_THREAD: u64 = 1 << 40;
const STRANDED: u64 = 1 << 41;

impl Share {
    /// A mutex or a write lock.
    pub const EXCLUSIVE: Self = Self::new(Mode::Exclusive, 1);
    /// A read lock.
    pub const SHARED: Self = Self::new(Mode::Shared, 1);

    /// Some permits.
    #[inline]
    #[must_use]
    pub const fn permits(n: u32) -> Self {
        Self::new(Mode::Permit, n)
    }

    #[inline(always)]
    pub(crate) const fn new(mode: Mode, weight: u32) -> Self {
        Self((weight as u64) << 8 | mode as u64)
    }

    /// Alone, with other readers, or as permits.
    #[inline(always)]
    #[must_use]
    pub const fn mode(self) -> Mode {
        match self.0 & 0xFF {
            0 => Mode::Exclusive,
            1 => Mode::Shared,
            _ => Mode::Permit,
        }
    }

    /// Number of permits; 1 for locks.
    #[inline(always)]
    #[must_use]
    pub const fn weight(self) -> u32 {
        if self.0 & BY_THREAD == 0 { self.above_mode() } else { 1 }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "made from so many bits")]
    const fn above_mode(self) -> u32 {
        (self.0 >> 8) as u32
    }

    /// By a guard that stays on the thread with this number. A lock weighs 1, so the number of the
    /// thread takes the place of the weight.
    #[inline(always)]
    pub(crate) const fn by_thread(mode: Mode, thread: u32) -> Self {
        Self(Self::new(mode, thread).0 | BY_THREAD)
    }

    /// The thread that has it, if the guard cannot leave that.
    pub(crate) const fn thread(self) -> Option<u32> {
        if self.0 & BY_THREAD == 0 { None } else { Some(self.above_mode()) }
    }

    /// The same marked as stranded, if it is a thread's and not marked yet.
    pub(crate) fn stranded(self) -> Option<Self> {
        (self.0 & (BY_THREAD | STRANDED) == BY_THREAD).then_some(Self(self.0 | STRANDED))
    }

    /// The same after a downgrade.
    pub(crate) const fn downgraded(self) -> Self {
        Self(self.0 & !0xFF | Mode::Shared as u64)
    }

    /// Whether nobody else can hold anything meanwhile.
    #[inline(always)]
    pub(crate) const fn is_exclusive(self) -> bool {
        self.0 & 0xFF == Mode::Exclusive as u64
    }
}

/// A mode that the compiler knows: each has a fast path without the questions of the others.
pub(crate) trait InMode {
    const MODE: Mode;
}

pub(crate) struct Alone;
pub(crate) struct Together;
pub(crate) struct Permitted;

impl InMode for Alone {
    const MODE: Mode = Mode::Exclusive;
}

impl InMode for Together {
    const MODE: Mode = Mode::Shared;
}

impl InMode for Permitted {
    const MODE: Mode = Mode::Permit;
}
