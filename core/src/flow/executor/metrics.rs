//! What an executor does and how fast.

use crate::telemetry::{Quantiles, Reset, Rolling, RollingSketch};
use crate::time::{Duration, Instant};

/// What an executor does now and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExecutorMetrics {
    /// Tasks that run, those included whose submitters have given them up.
    pub active: u32,
    /// Tasks in the queue.
    pub queued: u32,
    /// Tasks that wait for a place in the queue.
    pub waiting: u32,
    /// Tasks done a second, over the last ten.
    pub operations_per_second: f64,
    /// Until when nothing starts, after a burst.
    pub cooling_until: Option<Instant>,
    /// When the next task starts where only time holds it back: rate or cool-down.
    pub next_start: Option<Instant>,
    /// How long tasks waited for their start, of those that started in the last minute.
    pub wait: Option<Quantiles>,
    /// How long tasks ran, of those that were done in the last minute.
    pub run: Option<Quantiles>,
    /// Since the executor was made.
    pub totals: ExecutorTotals,
}

/// Counts since the start. What was accepted is the sum of the settled, the started that are not, and those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExecutorTotals {
    /// Accepted.
    pub accepted: u64,
    /// Not accepted.
    pub refused: u64,
    /// Started.
    pub started: u64,
    /// Settled with a result.
    pub completed: u64,
    /// Settled with an error of their own.
    pub failed: u64,
    /// Given up by their submitters.
    pub aborted: u64,
    /// Waited too long.
    pub expired: u64,
    /// Dropped from a full queue.
    pub dropped: u64,
    /// Ended by closing.
    pub closed: u64,
}

/// What is measured on the way.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    pub(super) totals: ExecutorTotals,
    since: Instant,
    done: Rolling<Count>,
    wait: RollingSketch,
    run: RollingSketch,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count(u64);

impl Reset for Count {
    fn reset(&mut self) {
        self.0 = 0;
    }
}

impl Recorder {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            totals: ExecutorTotals::default(),
            since: now,
            done: Rolling::new(THROUGHPUT_STEP, THROUGHPUT_SLOTS, Count::default)
                .expect("constants that make a window"),
            wait: RollingSketch::last_minute(),
            run: RollingSketch::last_minute(),
        }
    }

    pub(super) fn started(&mut self, now: Instant, submitted: Instant) {
        self.totals.started += 1;
        self.wait.record_duration(now, now - submitted);
    }

    pub(super) fn done(&mut self, now: Instant, started: Instant) {
        self.done.slot_mut(now).0 += 1;
        self.run.record_duration(now, now - started);
    }

    pub(super) fn operations_per_second(&self, now: Instant) -> f64 {
        let done: u64 = self.done.slots(now).map(|count| count.0).sum();
        let into_step = now.as_nanos() % THROUGHPUT_STEP.as_nanos();
        let covered = THROUGHPUT_STEP * (THROUGHPUT_SLOTS as u64 - 1) + Duration::from_nanos(into_step);
        let span = covered.min(now - self.since).max(SHORTEST_SPAN);
        done as f64 / span.as_secs_f64()
    }

    pub(super) fn wait(&self, now: Instant) -> Option<Quantiles> {
        Quantiles::of(&self.wait.merged(now))
    }

    pub(super) fn run(&self, now: Instant) -> Option<Quantiles> {
        Quantiles::of(&self.run.merged(now))
    }
}

const THROUGHPUT_STEP: Duration = Duration::from_secs(1);
const THROUGHPUT_SLOTS: usize = 11;
/// A first task after a microsecond is not a million a second.
const SHORTEST_SPAN: Duration = Duration::from_secs(1);
