//! Settings of a batcher.

use core::error::Error;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

use crate::flow::retry::{RetryPolicy, RetryPolicyError};
use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// When a batch is cut, how many are processed at a time, and what follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchConfig {
    /// A batch is cut as soon as it holds so many items. Items of the same key count once. Default 100.
    pub max_items: NonZeroU32,
    /// A batch is cut where the next item would make it larger than this, or has made it just so large. A larger single
    /// item is a batch of its own; items of the same key count once. `None`: size is no matter. Default `None`.
    pub max_bytes: Option<NonZeroU64>,
    /// A batch is cut so long after its first item came. Zero: at the next [`Batcher::handle_deadline`] of the same
    /// instant, which gathers what comes in one turn of an event loop. `None`: only the other limits, the caller and the
    /// close cut. Default 5 ms.
    ///
    /// [`Batcher::handle_deadline`]: super::Batcher::handle_deadline
    pub max_delay: Option<Duration>,
    /// How many batches are processed at a time. Further ones wait, the oldest goes first. Default 1.
    pub max_concurrent: NonZeroU32,
    /// How many items may be unsettled in all, 1 to [`BatchConfig::MAX_PENDING`]; items of the same key count each, as
    /// someone waits for each. More are refused. Default 10,000.
    pub max_pending: u32,
    /// How a batch that fails is processed again. Its deadline counts from the first processing. Default
    /// [`RetryPolicy::NEVER`].
    pub retry: RetryPolicy,
    /// What of it is processed again. Default [`RetryScope::FailedItems`].
    pub retry_scope: RetryScope,
}

/// What of a failed batch is processed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetryScope {
    /// The items that failed. Those that succeeded, or failed for good, settle at once.
    #[default]
    FailedItems,
    /// All items: for batches that are done as a whole or not at all, such as transactions. No item settles before
    /// the whole batch has succeeded or is given up, and one that failed for good gives up all.
    WholeBatch,
}

impl BatchConfig {
    /// The most items that may be unsettled.
    pub const MAX_PENDING: u32 = 1 << 24;

    /// Batches of up to `max_items`, none of which waits for further items for longer than `max_delay`.
    ///
    /// # Errors
    ///
    /// Where `max_items` is 0: no item would ever fit.
    pub fn new(max_items: u32, max_delay: Duration) -> Result<Self, BatchConfigError> {
        let max_items = NonZeroU32::new(max_items).ok_or(BatchConfigError::NoItems)?;
        Ok(Self { max_items, max_delay: Some(max_delay), ..Self::default() })
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), BatchConfigError> {
        if self.max_pending == 0 || self.max_pending > Self::MAX_PENDING {
            return Err(BatchConfigError::MaxPending { asked: self.max_pending });
        }
        self.retry.validate().map_err(BatchConfigError::Retry)
    }
}

impl Default for BatchConfig {
    fn default() -> Self {
        Self {
            max_items: DEFAULT_ITEMS,
            max_bytes: None,
            max_delay: Some(Duration::from_millis(5)),
            max_concurrent: NonZeroU32::MIN,
            max_pending: 10_000,
            retry: RetryPolicy::NEVER,
            retry_scope: RetryScope::FailedItems,
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BatchConfigError {
    /// A batch of no items.
    NoItems,
    /// Not 1 to [`BatchConfig::MAX_PENDING`] unsettled items.
    MaxPending {
        /// What was asked for.
        asked: u32,
    },
    /// The retry policy can't be used.
    Retry(RetryPolicyError),
}

impl Say for BatchConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NoItems => to.write_str("a batch holds at least 1 item"),
            Self::MaxPending { asked } => say!(
                to,
                "1 to ",
                BatchConfig::MAX_PENDING,
                " items of a batcher may be unsettled; ",
                asked,
                " were asked for"
            ),
            Self::Retry(error) => error.say(to),
        }
    }
}

displayed!(BatchConfigError);

impl Error for BatchConfigError {}

const DEFAULT_ITEMS: NonZeroU32 = NonZeroU32::new(100).expect("100 is not 0");
