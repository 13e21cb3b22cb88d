//! Ids: plain numbers that can't be confused with one another.
//!
//! Shells hand out [`TaskId`]s and [`CacheId`]s and keep what they stand for (payloads, promises, values); core hands
//! them back in its outputs. Ids are compared and hashed, never computed with.
//!
//! ```
//! use quillwork_core::ids::{Generation, TaskId, WorkerId};
//!
//! let worker = WorkerId::new(3);
//! assert_eq!(worker.index(), 3);
//! assert!(Generation::FIRST < Generation::FIRST.next());
//! assert_eq!(TaskId::new(7).get(), 7);
//! ```

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($number);

        impl $name {
            /// From its number.
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// Its number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl crate::say::Say for $name {
            fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
                self.0.say(to)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// One submitted task. The shell chooses it; it must not be in use by another unsettled task.
    TaskId(u64)
}

id! {
    /// One place in the pool, counted from 0. It outlives the workers that fill it one after the other: see [`Generation`].
    WorkerId(u32)
}

id! {
    /// One cached entry.
    CacheId(u64)
}

id! {
    /// Which of the workers that filled a [`WorkerId`]'s place. A message that carries an older generation comes from a
    /// worker that was given up, and changes nothing: terminating a worker is not immediate, so late messages are normal.
    Generation(u32)
}

id! {
    /// What kind of work a task is, by its name in the app. The shell interns the names; statistics, histories and rules
    /// are kept for each type.
    TaskType(u32)
}

id! {
    /// Where a worker is and a task would like to be. The shell interns the names.
    RegionId(u32)
}

impl WorkerId {
    /// As an index into a table of workers.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Generation {
    /// The generation of the first worker in a place.
    pub const FIRST: Self = Self(1);

    /// The generation after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}
