//! Times of the last minute.

use crate::telemetry::{RollingSketch, Sketch};
use crate::time::{Duration, Instant};

/// Run times of the last minute, and totals.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    run: RollingSketch,
    count: u64,
    failures: u64,
    spent: Duration,
}

impl Executions {
    pub(super) fn new() -> Self {
        Self { run: last_minute(), count: 0, failures: 0, spent: Duration::ZERO }
    }

    pub(super) fn record(&mut self, now: Instant, ran: Duration, success: bool) {
        record(&mut self.run, now, ran);
        self.count += 1;
        self.failures += u64::from(!success);
        self.spent += ran;
    }

    pub(super) fn merged(&self, now: Instant) -> Sketch {
        self.run.merged(now)
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn failures(&self) -> u64 {
        self.failures
    }

    pub(super) const fn spent(&self) -> Duration {
        self.spent
    }
}

pub(super) fn last_minute() -> RollingSketch {
    RollingSketch::new(STEP, STEPS).expect("steps of some length, and some of them")
}

pub(super) fn record(window: &mut RollingSketch, now: Instant, elapsed: Duration) {
    window.record(now, elapsed.as_millis_f64()).expect(FINITE);
}

pub(super) fn count(sketch: &mut Sketch, elapsed: Duration) {
    sketch.record(elapsed.as_millis_f64()).expect(FINITE);
}

/// How much time a window covers that ends now: whole steps and what has passed of the current one.
pub(super) fn covered(now: Instant) -> Duration {
    let current = Duration::from_nanos(now.as_nanos() % STEP.as_nanos());
    STEP * (STEPS as u64 - 1) + current
}

/// Four steps cover the last 45 to 60 seconds. Finer steps would cost memory for every task type and worker.
pub(super) const STEP: Duration = Duration::from_secs(15);
pub(super) const STEPS: usize = 4;
const FINITE: &str = "a duration is finite and not negative";
