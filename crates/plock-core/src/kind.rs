//! The closed vocabularies: what a lock is, how it was asked for, how an attempt ended and why it
//! had to wait. The strings are the label values every read-out uses.

/// Declares a closed enum whose variants have one stable spelling.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* #[cfg_attr(feature = "serde", serde(rename = $text))] $variant,)+
        }

        impl $name {
            /// Every value, in declaration order; `value as usize` is its index here.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];
            /// How many values there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The one spelling used in labels, attributes and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with this index; out of range gives the last one.
            #[must_use]
            pub const fn from_index(index: usize) -> Self {
                if index < Self::COUNT { Self::ALL[index] } else { Self::ALL[Self::COUNT - 1] }
            }
        }

        impl Default for $name {
            /// The first value.
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

vocabulary! {
    /// The primitive a lock is.
    Kind {
        /// One holder at a time.
        Mutex = "mutex",
        /// Many readers or one writer.
        Rwlock = "rwlock",
        /// A number of permits.
        Semaphore = "semaphore",
        /// A value that is made once, by one of those who ask for it.
        OnceCell = "once_cell",
        /// A channel with so many places for messages.
        Channel = "channel",
        /// A number of connections, or whatever else is pooled.
        Pool = "pool",
        /// One thread at a time, as often as that likes.
        Reentrant = "reentrant",
    }
}

vocabulary! {
    /// How a lock is held.
    Mode {
        /// Alone: a mutex guard or a write guard.
        Exclusive = "exclusive",
        /// Together with other readers.
        Shared = "shared",
        /// Some of a semaphore's permits, of a channel's places, of a pool's connections.
        Permit = "permit",
    }
}

vocabulary! {
    /// How an attempt to acquire ended.
    Outcome {
        /// A guard was returned.
        Acquired = "acquired",
        /// The future was dropped before a guard was returned.
        Abandoned = "abandoned",
        /// A `try_` call found the lock taken.
        WouldBlock = "would_block",
        /// A deadline of ours passed.
        Timeout = "timeout",
        /// The semaphore was closed.
        Closed = "closed",
        /// It was poisoned. The guard of a lock comes with that news, so the attempt is counted as acquired
        /// besides; whoever asks for what is made once gets nothing.
        Poisoned = "poisoned",
    }
}

vocabulary! {
    /// Why a finished wait was long: the closed set of metric labels that [`BlockCause`] folds to.
    Cause {
        /// Somebody held the lock.
        Holder = "holder",
        /// Others were first in the fair queue.
        Queue = "queue",
        /// A reader stood behind a waiting writer.
        WriterPending = "writer_pending",
        /// Not enough permits were left.
        Permits = "permits",
        /// The lock was ours already and we were not polled, or the cooperative budget was spent.
        Scheduler = "scheduler",
        /// Nothing is known: a raw user of the lock, or a change between two reads.
        Unknown = "unknown",
    }
}

vocabulary! {
    /// What an attempt ran into when it blocked (a consistent snapshot of that moment).
    BlockCause {
        /// The lock was free; the task's cooperative budget was spent.
        Coop = "coop",
        /// A scope on the waiter's own path holds it.
        SelfHeld = "self_held",
        /// The same task holds it, in another or an unknown branch.
        SameTaskHeld = "same_task_held",
        /// It had been handed to somebody who has not run since.
        GrantedUnclaimed = "granted_unclaimed",
        /// A reader that fits the holders stands behind a queued writer.
        QueuedBehindWriter = "queued_behind_writer",
        /// Enough permits are free, but a larger request is first.
        QueuedBehindLarger = "queued_behind_larger",
        /// It fits, but the queue is not empty.
        QueuedBehindPeer = "queued_behind_peer",
        /// Held by an owner that no longer exists (leaked or silently moved guard).
        HolderGone = "holder_gone",
        /// Held exclusively.
        HeldExclusive = "held_exclusive",
        /// A writer against readers.
        HeldByReaders = "held_by_readers",
        /// Not enough permits, nobody queued before.
        PermitsExhausted = "permits_exhausted",
        /// The lock changed hands while we looked.
        Transient = "transient",
        /// Taken by somebody who is not instrumented.
        Foreign = "foreign",
    }
}

impl Kind {
    /// A mutex or a read-write lock: held for the length of a section, while a permit is kept for as long
    /// as the work takes.
    #[must_use]
    pub const fn is_section(self) -> bool {
        matches!(self, Self::Mutex | Self::Rwlock | Self::Reentrant)
    }
}

impl BlockCause {
    /// The metric label this cause folds to.
    #[must_use]
    pub const fn cause(self) -> Cause {
        match self {
            Self::SelfHeld
            | Self::SameTaskHeld
            | Self::HolderGone
            | Self::HeldExclusive
            | Self::HeldByReaders => Cause::Holder,
            Self::QueuedBehindWriter => Cause::WriterPending,
            Self::QueuedBehindLarger | Self::QueuedBehindPeer => Cause::Queue,
            Self::PermitsExhausted => Cause::Permits,
            Self::Coop | Self::GrantedUnclaimed => Cause::Scheduler,
            Self::Transient | Self::Foreign => Cause::Unknown,
        }
    }
}

vocabulary! {
    /// What ended a wait. Exact by construction.
    EndCause {
        /// A guard was dropped.
        Release = "release",
        /// A write guard became a read guard.
        Downgrade = "downgrade",
        /// An attempt ahead of us was given up.
        Cancel = "cancel",
        /// Permits were added from outside.
        External = "external",
        /// The lock came free between the look and the queue, or while a thread looked: nobody woke us.
        Raced = "raced",
        /// The semaphore was closed, or what is made once was poisoned.
        Closed = "closed",
        /// Our own deadline passed.
        Timeout = "timeout",
        /// Given up while still queued.
        AbandonedBeforeGrant = "abandoned_before_grant",
        /// Given up although the lock had been handed over.
        AbandonedAfterGrant = "abandoned_after_grant",
    }
}

vocabulary! {
    /// How a hold ended. Exact by construction.
    HoldEnd {
        /// Its guard was dropped.
        Released = "released",
        /// Its guard was downgraded; the hold goes on as a reader's.
        Downgraded = "downgraded",
        /// Its guard was dropped with its scope, which was cancelled.
        InDrop = "in_drop",
        /// Its guard was dropped by a panic.
        Panicked = "panicked",
    }
}

vocabulary! {
    /// Where the time between grant and claim went; the parts sum to the claim delay.
    ClaimDelay {
        /// Our own task was being polled (a sibling branch computed).
        OwnBusy = "own_busy",
        /// The releaser's poll kept the worker we were queued on.
        BehindReleaser = "behind_releaser",
        /// A poll in between had no cooperative budget left.
        CoopDeferred = "coop_deferred",
        /// Another long poll occupied the claiming worker.
        WorkerPinned = "worker_pinned",
        /// The rest: time in the run queue.
        RunQueue = "run_queue",
    }
}

vocabulary! {
    /// How far a record's owner, depth and blame can be trusted.
    Precision {
        /// Bound to a scope: exact.
        Scope = "scope",
        /// Bound to a task: its branches cannot be told apart, depth is an upper bound.
        Task = "task",
        /// Bound to a thread.
        Thread = "thread",
    }
}

vocabulary! {
    /// What a scope waited for while it was idle: what ended that period by waking it.
    Idle {
        /// A mutex or read-write lock.
        Lock = "lock",
        /// A semaphore permit.
        Permit = "permit",
        /// A pooled connection.
        Pool = "pool",
        /// Word from another task: a message, a notification, its end.
        Channel = "channel",
        /// A timer.
        Timer = "timer",
        /// Input or output.
        Io = "io",
        /// Not instrumented.
        Other = "other",
    }
}

impl From<&str> for Idle {
    /// The kind that is spelt like this; any other word is [`Other`](Self::Other).
    fn from(text: &str) -> Self {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).unwrap_or(Self::Other)
    }
}

vocabulary! {
    /// What is wrong with how a lock is used. Exact by construction.
    FindingKind {
        /// A guard that blocks threads was alive when its scope was left waiting; the site is where it
        /// was acquired. Counted once for each guard.
        AcrossAwait = "guard_across_await",
        /// A thread is about to wait for a lock that it has itself; the site is where it asks, the
        /// holder's where it had acquired. Counted before it waits.
        SelfDeadlock = "self_deadlock",
        /// A connection of a pool was waited for by somebody who had a lock meanwhile, so that everybody who
        /// needs the lock waited for the pool as well; the site is where the connection was asked for, the
        /// holder's where the lock had been acquired. Counted when the wait begins, for each such guard.
        PoolUnderLock = "pool_under_lock",
        /// A lock was waited for by somebody who used a connection meanwhile, so that the pool was smaller by
        /// that one; the site is where the lock was asked for, the holder's where the connection had been
        /// acquired. Counted when the wait begins, for each such connection.
        LockUnderPool = "lock_under_pool",
        /// A connection was waited for by somebody who used another one of the same pool: if all that have
        /// one do so, nobody ever gets one. The lock is the pool itself. Counted when the wait begins, for
        /// each such connection.
        PoolUnderPool = "pool_under_pool",
        /// A panic poisoned the lock; the site is where the guard was acquired that it dropped, or where what
        /// is made once was asked for.
        Poisoned = "poisoned",
    }
}

impl FindingKind {
    /// A wait with something in hand, which has a length.
    #[must_use]
    pub const fn is_wait(self) -> bool {
        matches!(self, Self::PoolUnderLock | Self::LockUnderPool | Self::PoolUnderPool)
    }
}

vocabulary! {
    /// What plock left out, and why; every loss is counted.
    Dropped {
        /// Lock names over the cap, folded into `__overflow__`.
        Classes = "class_limit",
        /// Scope names over the cap, folded into `__overflow__`.
        Names = "name_limit",
        /// Names cut to the length cap.
        NameLength = "name_length",
        /// Empty names replaced.
        NameEmpty = "name_empty",
        /// The same name registered for another kind of lock.
        NameConflict = "name_conflict",
        /// Scopes that ran without an owner cell.
        Scopes = "scope_limit",
        /// Tasks whose held set is not tracked.
        Tasks = "task_limit",
        /// Holds over the cap of one owner: counted, not named.
        Holds = "hold_limit",
        /// Readers or permit holders a lock could not name.
        Holders = "holder_limit",
        /// Blame edges over the cap: the waiter is not named, far beyond it the holder neither.
        Edges = "edge_limit",
        /// Intervals the clock could not have measured.
        Clock = "clock_anomaly",
        /// Slow waits and holds beyond the longest few of a scope.
        Details = "detail_limit",
        /// Guards released after their scope had ended, and totals of scopes whose span had.
        Late = "late",
        /// Waits whose holder had no sampled span to link to.
        Links = "link_missing",
        /// Metric batches that could not be delivered.
        Export = "export_failed",
        /// Spans that could not be delivered.
        Spans = "span_lost",
        /// Findings whose place is over the cap; they are counted without it.
        Findings = "finding_limit",
        /// Attributes that arrived at a span already over its limit.
        Attributes = "attribute_limit",
    }
}
