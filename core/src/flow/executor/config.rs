//! What an executor allows.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

use crate::flow::rate_limit::Rate;
use crate::say::{Say, displayed};
use crate::time::Duration;

/// The limits of an [`Executor`](super::Executor). The defaults limit only what runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutorConfig {
    /// How many tasks run at once. Default 8.
    pub max_concurrent: NonZeroU32,
    /// How many start in what time, by what their [`Submission::weight`](super::Submission::weight)s add up to. Default no
    /// limit.
    pub rate: Option<Rate>,
    /// The rest after a run of starts. Default none.
    pub cool_down: Option<CoolDown>,
    /// How many tasks wait in the queue. 0: what can't start at once meets the overflow policy. Default 1,000.
    pub max_queued: u32,
    /// What happens when the queue is full. Default [`Overflow::Reject`].
    pub overflow: Overflow,
    /// How long a task waits to gain one level of priority. Default one second. Zero: priorities do not matter.
    pub ageing: Duration,
    /// How far each waiting task of a submitter stands behind its one before, as if it had come so much later. Zero: first
    /// come, first served, whoever submits. A long one (seconds): submitters take turns. Default zero.
    pub fair_spacing: Duration,
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self {
            max_concurrent: DEFAULT_CONCURRENT,
            rate: None,
            cool_down: None,
            max_queued: 1_000,
            overflow: Overflow::Reject,
            ageing: Duration::from_secs(1),
            fair_spacing: Duration::ZERO,
        }
    }
}

impl ExecutorConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), ExecutorConfigError> {
        if let Some(CoolDown { burst, pause }) = self.cool_down {
            if burst == 0 {
                return Err(ExecutorConfigError::EmptyBurst);
            }
            if pause.is_zero() {
                return Err(ExecutorConfigError::NoPause);
            }
        }
        if self.max_queued == 0 && matches!(self.overflow, Overflow::Wait { .. }) {
            return Err(ExecutorConfigError::NothingToWaitFor);
        }
        Ok(())
    }
}

/// The rest after a burst.
///
/// A burst is a run of starts, each less than `pause` after the one before. Once it has `burst` starts, nothing starts for
/// `pause`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoolDown {
    /// How many starts make a burst, at least 1.
    pub burst: u32,
    /// How long the rest is.
    pub pause: Duration,
}

/// What happens to one task too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The new one is refused.
    #[default]
    Reject,
    /// The one that came first is dropped, whatever its priority: for state of which only the latest matters.
    DropOldest,
    /// The one that would start last is dropped: the lowest priority, ageing counted, and of equals the newest. That can be
    /// the new one itself, which is then refused.
    DropLowestPriority,
    /// The new one waits outside for a place, and its submitter is told when it got it
    /// ([`ExecutorOutput::Admitted`](super::ExecutorOutput::Admitted)): back-pressure.
    Wait {
        /// How many wait outside. One more is refused.
        max_waiting: u32,
    },
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecutorConfigError {
    /// A burst of no starts.
    EmptyBurst,
    /// A rest of no time.
    NoPause,
    /// Waiting for a place in a queue without places.
    NothingToWaitFor,
}

impl Say for ExecutorConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        to.write_str(match self {
            Self::EmptyBurst => "a burst has at least 1 start: raise `cool_down.burst`, or set no cool-down",
            Self::NoPause => "a cool-down takes time: raise `cool_down.pause`, or set no cool-down",
            Self::NothingToWaitFor => {
                "overflow `Wait` needs a queue to get into: set `max_queued` to at least 1, or choose another policy"
            }
        })
    }
}

displayed!(ExecutorConfigError);

impl Error for ExecutorConfigError {}

const DEFAULT_CONCURRENT: NonZeroU32 = NonZeroU32::new(8).expect("8 is not zero");
