//! Settings of a pool's size.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// How a pool's size follows its work. By default it doesn't: a pool has as many workers as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ElasticConfig {
    /// The fewest workers, at least one; `None` for as many as the most, which is a pool of fixed size. Default `None`.
    pub min_workers: Option<u32>,
    /// A further worker is worth its start where the queue holds work for longer than this. So many are spawned at once
    /// that each of them has so much to do, and no more than there are tasks. Work of unknown length counts as long.
    /// Default 50 ms, about what a worker takes to boot.
    pub drain_within: Duration,
    /// A queue that was not empty for so long is *standing*: the pool can't keep up, whatever its estimates say, and grows by
    /// half. Default 200 ms.
    pub standing_limit: Duration,
    /// A worker that was not needed for so long is retired. Default 10 s.
    pub idle_after: Duration,
    /// Where retired workers were soon needed again the wait doubles, up to this. Default 5 min.
    pub max_idle_after: Duration,
}

impl ElasticConfig {
    /// A pool that keeps at least so many workers, and more while there is work for them.
    #[must_use]
    pub fn from_min(min_workers: u32) -> Self {
        Self { min_workers: Some(min_workers), ..Self::default() }
    }

    /// The fewest workers of a pool that has at most so many.
    #[must_use]
    pub fn least(&self, most: u32) -> u32 {
        self.min_workers.unwrap_or(most)
    }

    /// Checks every setting, for a pool of at most so many workers.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self, most: u32) -> Result<(), ElasticConfigError> {
        let least = self.least(most);
        if least == 0 || least > most {
            return Err(ElasticConfigError::MinWorkers { asked: least, most });
        }
        if self.drain_within.is_zero() || self.standing_limit.is_zero() || self.idle_after.is_zero() {
            return Err(ElasticConfigError::ZeroTime);
        }
        if self.max_idle_after < self.idle_after {
            return Err(ElasticConfigError::MaxIdleAfter {
                first: self.idle_after,
                longest: self.max_idle_after,
            });
        }
        Ok(())
    }
}

impl Default for ElasticConfig {
    fn default() -> Self {
        Self {
            min_workers: None,
            drain_within: Duration::from_millis(50),
            standing_limit: Duration::from_millis(200),
            idle_after: Duration::from_secs(10),
            max_idle_after: Duration::from_secs(300),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ElasticConfigError {
    /// No worker, or more than the most.
    MinWorkers {
        /// What was asked for.
        asked: u32,
        /// The most that the pool may have.
        most: u32,
    },
    /// A time of zero, which would spawn and retire for every task.
    ZeroTime,
    /// The longest wait before a worker is retired is shorter than the first.
    MaxIdleAfter {
        /// [`ElasticConfig::idle_after`].
        first: Duration,
        /// [`ElasticConfig::max_idle_after`].
        longest: Duration,
    },
}

impl Say for ElasticConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::MinWorkers { asked, most } => {
                say!(to, "a pool of at most ", most, " workers keeps 1 to ", most, " of them, not ", asked)
            }
            Self::ZeroTime => to.write_str(
                "drain_within, standing_limit and idle_after are times above zero: the pool would resize for every task",
            ),
            Self::MaxIdleAfter { first, longest } => {
                say!(to, "the longest idle time (", longest, ") is shorter than the first (", first, ")")
            }
        }
    }
}

displayed!(ElasticConfigError);

impl Error for ElasticConfigError {}
