//! What a cache is made with.

use core::fmt;

use crate::say::{Say, displayed};
use crate::time::{Duration, Instant};

/// What a cache is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheOptions {
    /// The entries' weight together, 1 and more. With the default weight of 1 it is their number.
    pub capacity: u64,
    /// How long entries live that don't say it themselves; for ever where it is `None`.
    pub ttl: Option<Duration>,
    /// Length of one step of the counts over time.
    pub window_step: Duration,
    /// How many steps are kept.
    pub window_steps: usize,
}

impl Default for CacheOptions {
    /// A thousand entries that live for ever, counted by the second for a minute.
    fn default() -> Self {
        Self { capacity: 1_000, ttl: None, window_step: Duration::from_secs(1), window_steps: 60 }
    }
}

impl CacheOptions {
    pub(super) fn check(&self) -> Result<(), CacheOptionsError> {
        if self.capacity == 0 {
            return Err(CacheOptionsError::NoCapacity);
        }
        if self.ttl.is_some_and(Duration::is_zero) {
            return Err(CacheOptionsError::ZeroTtl);
        }
        if self.window_step.is_zero() || self.window_steps == 0 {
            return Err(CacheOptionsError::NoWindow);
        }
        Ok(())
    }
}

/// Until when one entry lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// As the cache's options say.
    #[default]
    Default,
    /// This long after the insertion. At its end the entry is gone, and with no time at all it is never found.
    After(Duration),
    /// For ever.
    Never,
}

impl Expiry {
    pub(super) fn deadline(self, now: Instant, ttl: Option<Duration>) -> Option<Instant> {
        let lives = match self {
            Self::Default => ttl,
            Self::After(lives) => Some(lives),
            Self::Never => None,
        };
        lives.map(|lives| now + lives).filter(|&deadline| deadline != Instant::NEVER)
    }
}

/// Options that make no cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOptionsError {
    /// The capacity is 0.
    NoCapacity,
    /// Entries would live for no time at all.
    ZeroTtl,
    /// The counts over time have no step.
    NoWindow,
}

impl Say for CacheOptionsError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        to.write_str(match self {
            Self::NoCapacity => "a cache needs a capacity of at least 1",
            Self::ZeroTtl => "a time to live of zero keeps nothing; leave it out to keep entries for ever",
            Self::NoWindow => "counts over time need at least one step, longer than zero",
        })
    }
}

displayed!(CacheOptionsError);

impl core::error::Error for CacheOptionsError {}
