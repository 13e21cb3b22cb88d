//! Which items go together.

use alloc::collections::VecDeque;
use core::error::Error;
use core::fmt;
use core::num::{NonZeroU32, NonZeroU64};

use crate::time::{Duration, Instant};

/// When a batch is ready: whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// So many items are in it.
    pub max_items: NonZeroU32,
    /// The next item would make it larger than this. A larger single item is a batch of its own. `None`: size is no
    /// matter.
    pub max_bytes: Option<NonZeroU64>,
    /// So long ago its first item came. `None`: only count, size, flush and close make it ready.
    pub max_delay: Option<Duration>,
}

impl BatchConfig {
    /// Batches of up to `max_items`, none of which waits longer than `max_delay`.
    ///
    /// # Errors
    ///
    /// Where `max_items` is 0: no item would ever fit.
    pub fn new(max_items: u32, max_delay: Duration) -> Result<Self, BatchConfigError> {
        let max_items = NonZeroU32::new(max_items).ok_or(BatchConfigError::NoItems)?;
        Ok(Self { max_items, max_bytes: None, max_delay: Some(max_delay) })
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchConfigError {
    /// A batch of no items.
    NoItems,
}

impl fmt::Display for BatchConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoItems => f.write_str("a batch holds at least 1 item"),
        }
    }
}

impl Error for BatchConfigError {}

/// Counts the batches of a batcher from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(u64);

impl BatchId {
    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Where an item went. The result of a batch has one entry for each item, and `index` is this item's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Placed {
    /// The batch.
    pub batch: BatchId,
    /// The item's place in it, from 0.
    pub index: u32,
}

/// A batch that is to be processed now. Batches become ready in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadyBatch {
    /// Which.
    pub batch: BatchId,
    /// How many items are in it, at least 1.
    pub items: u32,
    /// What they add up to.
    pub bytes: u64,
    /// Why now.
    pub cause: Cause,
}

/// Why a batch is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It has [`BatchConfig::max_items`].
    Count,
    /// It has [`BatchConfig::max_bytes`], or the next item would have made it larger.
    Bytes,
    /// Its first item has waited for [`BatchConfig::max_delay`].
    Delay,
    /// It was flushed.
    Flush,
    /// The batcher was closed.
    Close,
}

/// Gathers items into batches.
///
/// The batcher numbers items; the shell keeps them. Each item is in exactly one batch, items of a batch and batches keep
/// the order in which they came, and nothing is left behind by a close.
///
/// ```
/// use quillwork_core::flow::{BatchConfig, Batcher, Cause};
/// use quillwork_core::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut loads = Batcher::new(BatchConfig::new(3, Duration::from_millis(5))?);
/// let first = loads.handle_item(Instant::from_millis(0), 0)?;
/// let second = loads.handle_item(Instant::from_millis(2), 0)?;
/// assert_eq!((first.batch, second.index), (second.batch, 1));
///
/// assert_eq!(loads.next_deadline(), Some(Instant::from_millis(5)));
/// loads.handle_deadline(Instant::from_millis(5));
/// let ready = loads.poll_output().expect("its delay is over");
/// assert_eq!((ready.batch, ready.items, ready.cause), (first.batch, 2, Cause::Delay));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Batcher {
    config: BatchConfig,
    current: BatchId,
    items: u32,
    bytes: u64,
    due: Option<Instant>,
    closed: bool,
    outputs: VecDeque<ReadyBatch>,
}

impl Batcher {
    /// A batcher without items.
    #[must_use]
    pub fn new(config: BatchConfig) -> Self {
        Self {
            config,
            current: BatchId::default(),
            items: 0,
            bytes: 0,
            due: None,
            closed: false,
            outputs: VecDeque::new(),
        }
    }

    /// An item came. Says which batch it is in; that may be ready at once.
    ///
    /// # Errors
    ///
    /// Where the batcher is closed.
    pub fn handle_item(&mut self, now: Instant, bytes: u64) -> Result<Placed, BatcherClosed> {
        if self.closed {
            return Err(BatcherClosed);
        }
        let max_bytes = self.config.max_bytes.map_or(u64::MAX, NonZeroU64::get);
        if self.bytes.saturating_add(bytes) > max_bytes {
            self.release(Cause::Bytes);
        }
        if self.items == 0 {
            self.due = self.config.max_delay.map(|delay| now + delay);
        }
        let placed = Placed { batch: self.current, index: self.items };
        self.items += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.items >= self.config.max_items.get() {
            self.release(Cause::Count);
        } else if self.config.max_bytes.is_some() && self.bytes >= max_bytes {
            self.release(Cause::Bytes);
        }
        Ok(placed)
    }

    /// Makes the gathered items ready.
    pub fn handle_flush(&mut self) {
        self.release(Cause::Flush);
    }

    /// Makes the gathered items ready and takes no more.
    pub fn handle_close(&mut self) {
        self.closed = true;
        self.release(Cause::Close);
    }

    /// Time has passed.
    pub fn handle_deadline(&mut self, now: Instant) {
        if self.due.is_some_and(|due| due <= now) {
            self.release(Cause::Delay);
        }
    }

    /// The next batch to process. To be called until `None` after each input.
    pub fn poll_output(&mut self) -> Option<ReadyBatch> {
        self.outputs.pop_front()
    }

    /// When to call [`Batcher::handle_deadline`].
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.due
    }

    /// How many items wait for their batch to be ready.
    #[must_use]
    pub const fn gathered(&self) -> u32 {
        self.items
    }

    fn release(&mut self, cause: Cause) {
        if self.items == 0 {
            return;
        }
        self.outputs.push_back(ReadyBatch {
            batch: self.current,
            items: self.items,
            bytes: self.bytes,
            cause,
        });
        self.current.0 += 1;
        self.items = 0;
        self.bytes = 0;
        self.due = None;
    }
}

/// The batcher takes no more items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatcherClosed;

impl fmt::Display for BatcherClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the batcher is closed and takes no more items")
    }
}

impl Error for BatcherClosed {}
