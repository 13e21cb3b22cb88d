//! The drive loop's half of a pool: hands inputs in, and outputs out as records.

use quillwork_core::ids::WorkerId;
use quillwork_core::pool::{ConfigError, Input, PoolConfig, PoolStats, Scheduler, WorkerStats};
use quillwork_core::telemetry::Sketch;
use quillwork_core::time::Instant;

use crate::clock::deadline_millis;
use crate::latency::Latencies;
use crate::records::record;
use crate::slots::Slots;

/// One pool.
#[derive(Debug)]
pub struct PoolDriver {
    scheduler: Scheduler,
    latencies: Latencies,
    now: Instant,
}

impl PoolDriver {
    /// A pool that asks at once for its workers.
    ///
    /// # Errors
    ///
    /// Where a setting can't be used.
    pub fn new(now: Instant, config: PoolConfig) -> Result<Self, ConfigError> {
        Ok(Self { scheduler: Scheduler::new(config, now)?, latencies: Latencies::new(config.workers), now })
    }

    /// One input, then as many outputs as the slots hold.
    ///
    /// # Panics
    ///
    /// Where a task is submitted with the id of an unsettled one.
    pub fn input(&mut self, now: Instant, input: Input, slots: &mut Slots) -> u32 {
        self.now = self.now.max(now);
        match input {
            Input::Submit { task, .. } => self.latencies.on_submit(self.now, task),
            Input::TaskDone { worker, .. } => self.latencies.on_task_done(self.now, worker),
            Input::Abort { .. }
            | Input::WorkerReady { .. }
            | Input::WorkerAlive { .. }
            | Input::WorkerLost { .. }
            | Input::Close { .. }
            | Input::Deadline => {}
        }
        self.scheduler.handle_input(self.now, input).expect("a slot is used by one unsettled task at a time");
        self.drain(slots)
    }

    /// Outputs that did not fit before, and the deadline.
    pub fn drain(&mut self, slots: &mut Slots) -> u32 {
        let Self { scheduler, latencies, now } = self;
        let written = slots.write_records(|| {
            let output = scheduler.poll_output()?;
            latencies.on_output(*now, output);
            Some(record(output))
        });
        slots.set_float(0, deadline_millis(self.scheduler.next_deadline()));
        written
    }

    /// The pool now.
    #[must_use]
    pub fn stats(&self, now: Instant) -> PoolStats {
        self.scheduler.stats(now)
    }

    /// A worker's place now.
    #[must_use]
    pub fn worker_stats(&self, now: Instant, worker: WorkerId) -> Option<WorkerStats> {
        self.scheduler.worker_stats(now, worker)
    }

    /// Latencies of the last minute: see [`Latencies::quantiles`].
    pub fn quantiles(&self, now: Instant) -> impl Iterator<Item = f64> {
        self.latencies.quantiles(now)
    }

    /// Response times since this was last called.
    pub fn take_responses(&mut self) -> Sketch {
        self.latencies.take_responses()
    }
}
