//! What an executor does and how fast.

use crate::telemetry::{Reset, Rolling, RollingSketch, Sketch};
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
    /// How long tasks of the last minute waited for their start.
    pub wait: ExecutorLatency,
    /// How long tasks that were done in the last minute ran.
    pub run: ExecutorLatency,
    /// Since the executor was made.
    pub totals: ExecutorTotals,
}

/// Quantiles of a time, to 1 %. `None` where there was nothing to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExecutorLatency {
    /// Half of them took no longer.
    pub p50: Option<Duration>,
    /// 95 of a hundred.
    pub p95: Option<Duration>,
    /// 99 of a hundred.
    pub p99: Option<Duration>,
    /// The longest.
    pub max: Option<Duration>,
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
        let latency =
            || RollingSketch::new(LATENCY_STEP, LATENCY_SLOTS).expect("constants that make a window");
        Self {
            totals: ExecutorTotals::default(),
            since: now,
            done: Rolling::new(THROUGHPUT_STEP, THROUGHPUT_SLOTS, Count::default)
                .expect("constants that make a window"),
            wait: latency(),
            run: latency(),
        }
    }

    pub(super) fn started(&mut self, now: Instant, submitted: Instant) {
        self.totals.started += 1;
        record(&mut self.wait, now, now - submitted);
    }

    pub(super) fn done(&mut self, now: Instant, started: Instant) {
        self.done.slot_mut(now).0 += 1;
        record(&mut self.run, now, now - started);
    }

    pub(super) fn operations_per_second(&self, now: Instant) -> f64 {
        let done: u64 = self.done.slots(now).map(|count| count.0).sum();
        let into_step = now.as_nanos() % THROUGHPUT_STEP.as_nanos();
        let covered = THROUGHPUT_STEP * (THROUGHPUT_SLOTS as u64 - 1) + Duration::from_nanos(into_step);
        let span = covered.min(now - self.since).max(SHORTEST_SPAN);
        done as f64 / span.as_secs_f64()
    }

    pub(super) fn wait(&self, now: Instant) -> ExecutorLatency {
        latency(&self.wait.merged(now))
    }

    pub(super) fn run(&self, now: Instant) -> ExecutorLatency {
        latency(&self.run.merged(now))
    }
}

fn record(sketch: &mut RollingSketch, now: Instant, took: Duration) {
    sketch.record(now, took.as_millis_f64()).expect("a duration is finite and not negative");
}

fn latency(sketch: &Sketch) -> ExecutorLatency {
    let quantile = |q| sketch.quantile(q).map(Duration::from_millis_f64);
    ExecutorLatency {
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
        max: sketch.max().map(Duration::from_millis_f64),
    }
}

const THROUGHPUT_STEP: Duration = Duration::from_secs(1);
const THROUGHPUT_SLOTS: usize = 11;
const LATENCY_STEP: Duration = Duration::from_secs(5);
const LATENCY_SLOTS: usize = 12;
/// A first task after a microsecond is not a million a second.
const SHORTEST_SPAN: Duration = Duration::from_secs(1);
