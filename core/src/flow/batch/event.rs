//! What goes into a batcher and what comes out.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

use crate::flow::retry::GiveUp;

/// Counts the batches of a batcher from 0. A number is used once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(u64);

impl BatchId {
    /// From its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// An item that was taken: the batch that it is in and its place there, from 0. Their order is that of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchItem {
    /// The batch.
    pub batch: BatchId,
    /// Its place among all items that the batch was given, duplicates and aborted ones included. Not its place in the
    /// list that is processed: that is [`Batcher::run_items`](super::Batcher::run_items).
    pub place: u32,
}

/// One processing of a batch, counted from 1. What is told about an earlier one changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchRun {
    /// The batch.
    pub batch: BatchId,
    /// 1 for the first processing.
    pub attempt: NonZeroU32,
}

/// An item as it comes. The default has no key, no size, and is not where to cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewItem {
    /// Items of one batch with the same key are processed once and share the result. The shell interns or hashes
    /// the real key; two keys that hash alike are one.
    pub key: Option<u64>,
    /// How large it is.
    pub bytes: u64,
    /// Whether the batch is to be cut here: what the caller's own predicate says.
    pub cut: Cut,
}

/// Where a caller wants the batch cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cut {
    /// Nowhere.
    #[default]
    No,
    /// Before this item: it is the first of the next batch.
    Before,
    /// After this item: it is the last of its batch.
    After,
}

/// An item was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which it is from now on.
    pub item: BatchItem,
    /// Whether an item of the same key was in the batch: the payload needn't be kept.
    pub duplicate: bool,
}

/// How to close a batcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchClose {
    /// Take no more items; process those that there are, retries included.
    Drain,
    /// Settle everything as closed, and give up what is being processed.
    Now,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOutput {
    /// Process a batch: call the batch function with the items of [`Batcher::run_items`](super::Batcher::run_items), in
    /// that order, and tell the end of it.
    Process {
        /// Which processing of which batch.
        run: BatchRun,
        /// How many items, at least 1; duplicates are one.
        items: u32,
        /// What they add up to.
        bytes: u64,
        /// Why the batch was cut.
        cause: BatchCause,
    },
    /// Nobody waits for this processing any more. Cancel it if possible, and tell its end all the same: its place is taken
    /// until then (except after [`BatchClose::Now`], where nothing is waited for).
    Cancel {
        /// Which.
        run: BatchRun,
    },
    /// An item is done: tell who waits for it. Each item settles exactly once.
    Settle {
        /// Which.
        item: BatchItem,
        /// How.
        settlement: Settlement,
    },
    /// Items were refused, and since then half of the limit has become free: who holds back may go on. Said once after
    /// refusals.
    Drained,
    /// The batcher is closed and everything is settled. The last output.
    Closed,
}

/// Why a batch was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BatchCause {
    /// It holds [`BatchConfig::max_items`](super::BatchConfig::max_items).
    Count,
    /// It holds [`BatchConfig::max_bytes`](super::BatchConfig::max_bytes), or the next item would have made it larger.
    Bytes,
    /// Its first item has waited for [`BatchConfig::max_delay`](super::BatchConfig::max_delay).
    Delay,
    /// An item said so.
    Predicate,
    /// It was flushed.
    Flush,
    /// It was given as many items as may be unsettled, duplicates and aborted ones included: no more would come to fill it,
    /// or its memory would grow.
    Pressure,
    /// The batcher was closed.
    Close,
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Its result is the one at `index` of the results of this processing.
    Succeeded {
        /// The processing that it succeeded in.
        run: BatchRun,
        /// Its place in that processing's list.
        index: u32,
    },
    /// It was processed in vain.
    Failed {
        /// The last processing.
        run: BatchRun,
        /// Its place in that processing's list, if its failure was told by itself: its error is there. `None`: the
        /// processing failed as a whole and its error is everyone's, or the item went well but the batch is done as a whole
        /// ([`RetryScope::WholeBatch`](super::RetryScope::WholeBatch)) and others failed.
        index: Option<u32>,
        /// Why it isn't tried again.
        reason: BatchGiveUp,
    },
    /// It was aborted.
    Aborted,
    /// The batcher was closed before it was done.
    Closed,
}

/// Why a failed item isn't tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchGiveUp {
    /// The retry policy says so.
    Retry(GiveUp),
    /// The batch function gave another number of results than it was given items. Nobody can tell which is whose.
    WrongResultCount {
        /// How many items it was given.
        expected: u32,
        /// How many results it gave.
        got: u32,
    },
}

/// An item was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchRefusal {
    /// Too many items are unsettled. [`BatchOutput::Drained`] will say when to go on.
    Full {
        /// So many may be.
        limit: u32,
    },
    /// The batcher is closed.
    Closed,
}

impl fmt::Display for BatchRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { limit } => write!(f, "{limit} items are unsettled, as many as may be"),
            Self::Closed => f.write_str("the batcher is closed and takes no more items"),
        }
    }
}

impl Error for BatchRefusal {}

impl fmt::Display for BatchGiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry(reason) => reason.fmt(f),
            Self::WrongResultCount { expected, got } => write!(
                f,
                "the batch function was given {expected} items and gave {got} results; it must give one for each, in order"
            ),
        }
    }
}

impl Error for BatchGiveUp {}
