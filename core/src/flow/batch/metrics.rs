//! What a batcher measures.

use crate::telemetry::{Quantiles, RollingSketch};
use crate::time::Instant;

use super::event::Settlement;

/// What a batcher holds and has done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMetrics {
    /// Items in the batch that is being gathered; duplicates are one.
    pub gathered: u32,
    /// What they add up to.
    pub gathered_bytes: u64,
    /// Batches that were cut and wait for a place.
    pub queued: u32,
    /// Batches that are being processed.
    pub processing: u32,
    /// Batches that wait for their retry.
    pub backing_off: u32,
    /// Items that are unsettled, duplicates included.
    pub pending: u32,
    /// Since it was made.
    pub totals: BatchTotals,
    /// From an item's coming to its end, of those of the last minute that were processed; in them the wait for a full
    /// batch is seen.
    pub item_latency: Option<Quantiles>,
    /// How long one processing took, of those of the last minute.
    pub run_latency: Option<Quantiles>,
}

/// What a batcher has counted. At all times `accepted = succeeded + failed + aborted + closed + pending`: with `pending`
/// subtracted this is the progress, items done of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchTotals {
    /// Items that were taken.
    pub accepted: u64,
    /// Items that were refused.
    pub refused: u64,
    /// Items that shared the key of one in their batch.
    pub deduplicated: u64,
    /// Items that succeeded.
    pub succeeded: u64,
    /// Items that failed.
    pub failed: u64,
    /// Items that were aborted.
    pub aborted: u64,
    /// Items that the close settled.
    pub closed: u64,
    /// Processings that were started.
    pub runs: u64,
    /// Of those: retries.
    pub retries: u64,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchProgress {
    /// Its settled items.
    pub settled: u32,
    /// All items that it was given, duplicates included.
    pub items: u32,
    /// How often it was processed, the processing under way included.
    pub attempts: u32,
}

/// The measuring side.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    pub(super) totals: BatchTotals,
    items: RollingSketch,
    runs: RollingSketch,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            totals: BatchTotals::default(),
            items: RollingSketch::last_minute(),
            runs: RollingSketch::last_minute(),
        }
    }

    pub(super) fn settled(&mut self, now: Instant, came: Instant, settlement: Settlement) {
        let counter = match settlement {
            Settlement::Succeeded { .. } => &mut self.totals.succeeded,
            Settlement::Failed { .. } => &mut self.totals.failed,
            Settlement::Aborted => &mut self.totals.aborted,
            Settlement::Closed => &mut self.totals.closed,
        };
        *counter += 1;
        if matches!(settlement, Settlement::Succeeded { .. } | Settlement::Failed { .. }) {
            self.items.record_duration(now, now - came);
        }
    }

    pub(super) fn run_started(&mut self, retry: bool) {
        self.totals.runs += 1;
        self.totals.retries += u64::from(retry);
    }

    pub(super) fn run_ended(&mut self, now: Instant, started: Instant) {
        self.runs.record_duration(now, now - started);
    }

    pub(super) fn item_latency(&self, now: Instant) -> Option<Quantiles> {
        Quantiles::of(&self.items.merged(now))
    }

    pub(super) fn run_latency(&self, now: Instant) -> Option<Quantiles> {
        Quantiles::of(&self.runs.merged(now))
    }
}
