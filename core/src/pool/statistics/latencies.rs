//! Times of the last minute.

use crate::telemetry::{RollingSketch, Sketch};
use crate::time::{Duration, Instant};

use super::super::mean::approach;

/// Run times of the last minute, and totals.
#[derive(Clone, Debug, Default)]
pub(super) struct Executions {
    /// From the first one on.
    run: Option<RollingSketch>,
    count: u64,
    failures: u64,
    spent: Duration,
    mean: Mean,
}

/// A mean in which each further time weighs a sixteenth, or its share of all so far where those are fewer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    nanos: u64,
    count: u64,
}

impl Mean {
    pub(super) fn add(&mut self, time: Duration) {
        self.count = (self.count + 1).min(16);
        approach(&mut self.nanos, time.as_nanos(), self.count);
    }

    pub(super) const fn get(self) -> Option<Duration> {
        if self.count == 0 { None } else { Some(Duration::from_nanos(self.nanos)) }
    }
}

impl Executions {
    #[inline]
    pub(super) fn record(&mut self, now: Instant, ran: Duration, success: bool) {
        record(self.run.get_or_insert_with(last_minute), now, ran);
        self.count += 1;
        self.failures += u64::from(!success);
        self.spent += ran;
        if success {
            self.mean.add(ran);
        }
    }

    pub(super) fn merged(&self, now: Instant) -> Sketch {
        self.run.as_ref().map_or_else(Sketch::default, |run| run.merged(now))
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    /// Of those that succeeded: who fails fast says nothing about how long the work takes.
    pub(super) const fn mean(&self) -> Option<Duration> {
        self.mean.get()
    }

    pub(super) const fn spent(&self) -> Duration {
        self.spent
    }
}

pub(super) fn last_minute() -> RollingSketch {
    RollingSketch::with_capacity(STEP, STEPS, BUCKETS).expect("steps of some length, and some of them")
}

pub(super) fn record(window: &mut RollingSketch, now: Instant, elapsed: Duration) {
    window.record_alike(now, elapsed.as_millis_f64()).expect(FINITE);
}

pub(super) fn count(sketch: &mut Sketch, elapsed: Duration) {
    sketch.record_alike(elapsed.as_millis_f64()).expect(FINITE);
}

/// How much time a window covers that ends now: whole steps and what has passed of the current one.
pub(super) fn covered(now: Instant) -> Duration {
    let current = Duration::from_nanos(now.as_nanos() % STEP.as_nanos());
    STEP * (STEPS as u64 - 1) + current
}

/// Four steps cover the last 45 to 60 seconds. Finer steps would cost memory for every task type and worker.
pub(super) const STEP: Duration = Duration::from_secs(15);
pub(super) const STEPS: usize = 4;
/// Room in each sketch from the start. What takes 10 s and what takes 0.4 ms fit into one, and nearly no pool has more in
/// a step.
pub(super) const BUCKETS: usize = 512;
const FINITE: &str = "a duration is finite and not negative";
