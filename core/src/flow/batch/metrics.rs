//! What a batcher measures.

use crate::telemetry::RollingSketch;
use crate::time::{Duration, Instant};

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
    /// What it has counted since it was made.
    pub counters: BatchCounters,
    /// From an item's coming to its end, of those of the last minute that were processed; in them the wait for a full
    /// batch is seen.
    pub item_latency: Option<BatchLatency>,
    /// How long one processing took, of those of the last minute.
    pub run_latency: Option<BatchLatency>,
}

/// What a batcher has counted. At all times `accepted = succeeded + failed + aborted + closed + pending`: with `pending`
/// subtracted this is the progress, items done of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCounters {
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

/// Quantiles of a duration, each with an error of at most one per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLatency {
    /// How many were measured.
    pub count: u64,
    /// Half took at most this.
    pub p50: Duration,
    /// 95 of 100 took at most this.
    pub p95: Duration,
    /// 99 of 100 took at most this.
    pub p99: Duration,
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
    pub(super) counters: BatchCounters,
    items: RollingSketch,
    runs: RollingSketch,
}

impl Meter {
    pub(super) fn new() -> Self {
        let last_minute = || {
            RollingSketch::new(Duration::from_secs(5), 12).expect("twelve slots of five seconds are a window")
        };
        Self { counters: BatchCounters::default(), items: last_minute(), runs: last_minute() }
    }

    pub(super) fn settled(&mut self, now: Instant, came: Instant, settlement: Settlement) {
        let counter = match settlement {
            Settlement::Succeeded { .. } => &mut self.counters.succeeded,
            Settlement::Failed { .. } => &mut self.counters.failed,
            Settlement::Aborted => &mut self.counters.aborted,
            Settlement::Closed => &mut self.counters.closed,
        };
        *counter += 1;
        if matches!(settlement, Settlement::Succeeded { .. } | Settlement::Failed { .. }) {
            record(&mut self.items, now, came);
        }
    }

    pub(super) fn run_started(&mut self, retry: bool) {
        self.counters.runs += 1;
        self.counters.retries += u64::from(retry);
    }

    pub(super) fn run_ended(&mut self, now: Instant, started: Instant) {
        record(&mut self.runs, now, started);
    }

    pub(super) fn item_latency(&self, now: Instant) -> Option<BatchLatency> {
        latency(&self.items, now)
    }

    pub(super) fn run_latency(&self, now: Instant) -> Option<BatchLatency> {
        latency(&self.runs, now)
    }
}

fn record(sketch: &mut RollingSketch, now: Instant, since: Instant) {
    sketch.record(now, (now - since).as_millis_f64()).expect("a duration is a number");
}

fn latency(sketch: &RollingSketch, now: Instant) -> Option<BatchLatency> {
    let merged = sketch.merged(now);
    let quantile = |q| merged.quantile(q).map(Duration::from_millis_f64);
    Some(BatchLatency {
        count: merged.count(),
        p50: quantile(0.5)?,
        p95: quantile(0.95)?,
        p99: quantile(0.99)?,
    })
}
