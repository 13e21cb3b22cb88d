//! How long tasks wait, run and take together.

use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::pool::{Output, Priority, Settlement};
use quillwork_core::telemetry::{RelativeAccuracy, RollingSketch, Sketch};
use quillwork_core::time::{Duration, Instant};

/// Latencies of the last minute, and of the time since they were last taken.
#[derive(Debug)]
pub struct Latencies {
    /// The task in each slot.
    submitted: Vec<Submitted>,
    /// When each worker got its task.
    dispatched_at: Vec<Instant>,
    wait: RollingSketch,
    run: RollingSketch,
    response: RollingSketch,
    since_taken: Sketch,
}

#[derive(Clone, Copy, Debug)]
struct Submitted {
    at: Instant,
    priority: Priority,
}

impl Latencies {
    /// Nothing yet, for so many workers.
    ///
    /// # Panics
    ///
    /// Never: the window's step and length are constants above zero.
    #[must_use]
    pub fn new(workers: u32) -> Self {
        let last_minute =
            || RollingSketch::new(Duration::from_secs(5), 12).expect("twelve steps of five seconds");
        Self {
            submitted: Vec::new(),
            dispatched_at: vec![Instant::ZERO; workers as usize],
            wait: last_minute(),
            run: last_minute(),
            response: last_minute(),
            since_taken: Sketch::new(RelativeAccuracy::ONE_PER_CENT),
        }
    }

    /// A task was submitted.
    pub fn on_submit(&mut self, now: Instant, task: TaskId, priority: Priority) {
        let slot = slot_of(task);
        let submitted = Submitted { at: now, priority };
        if slot >= self.submitted.len() {
            self.submitted.resize(slot + 1, submitted);
        }
        self.submitted[slot] = submitted;
    }

    /// A worker is done with its task.
    pub fn on_task_done(&mut self, now: Instant, worker: WorkerId) {
        if let Some(started_at) = self.dispatched_at.get(worker.index()) {
            record(&mut self.run, now, now - *started_at);
        }
    }

    /// The scheduler decided.
    ///
    /// # Panics
    ///
    /// Never: elapsed time is finite and not negative.
    pub fn on_output(&mut self, now: Instant, output: Output) {
        match output {
            Output::Dispatch { task, worker, attempt, .. } => {
                self.dispatched_at[worker.index()] = now;
                if attempt == 1 {
                    record(&mut self.wait, now, now - self.submitted[slot_of(task)].at);
                }
            }
            Output::Settle { task, settlement } if is_response(settlement) => {
                let submitted = self.submitted[slot_of(task)];
                let elapsed = now - submitted.at;
                record(&mut self.response, now, elapsed);
                if submitted.priority >= Priority::NORMAL {
                    self.since_taken.record(elapsed.as_millis_f64()).expect(FINITE);
                }
            }
            Output::Settle { .. }
            | Output::Spawn { .. }
            | Output::Terminate { .. }
            | Output::AbortRunning { .. }
            | Output::Probe { .. }
            | Output::Closed => {}
        }
    }

    /// p50, p95 and p99 in milliseconds of waiting, of running and of both over the last minute; NaN where there was nothing.
    pub fn quantiles(&self, now: Instant) -> impl Iterator<Item = f64> {
        [&self.wait, &self.run, &self.response].into_iter().flat_map(move |window| {
            let merged = window.merged(now);
            [0.5, 0.95, 0.99].map(|q| merged.quantile(q).unwrap_or(f64::NAN))
        })
    }

    /// Response times since this was last called, of tasks of normal priority and above: what the page reports against its
    /// budget. Bulk work, below that, waits in the queue by design and nobody is kept waiting by it.
    pub fn take_responses(&mut self) -> Sketch {
        core::mem::replace(&mut self.since_taken, Sketch::new(RelativeAccuracy::ONE_PER_CENT))
    }
}

/// Whether the submitter got an answer. What it gave up itself, and what was turned away at the door, is none.
fn is_response(settlement: Settlement) -> bool {
    match settlement {
        Settlement::Completed
        | Settlement::Failed
        | Settlement::TimedOut
        | Settlement::Expired
        | Settlement::WorkerLost { .. } => true,
        Settlement::Aborted | Settlement::Refused(_) | Settlement::Closed => false,
    }
}

fn record(window: &mut RollingSketch, now: Instant, elapsed: Duration) {
    window.record(now, elapsed.as_millis_f64()).expect(FINITE);
}

fn slot_of(task: TaskId) -> usize {
    usize::try_from(task.get() & 0x00ff_ffff).expect("24 bits")
}

const FINITE: &str = "a duration is finite and not negative";
