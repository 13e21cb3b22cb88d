//! The drive loop's half of a pool: hands inputs in, and outputs out as records.

use quillwork_core::ids::WorkerId;
use quillwork_core::pool::{ConfigError, Input, PoolConfig, PoolStats, Scheduler, WorkerStats};
use quillwork_core::telemetry::{Quantiles, Sketch};
use quillwork_core::time::{Duration, Instant};

use crate::clock::deadline_millis;
use crate::records::record;
use crate::slots::Slots;

/// One pool.
#[derive(Debug)]
pub struct PoolDriver {
    scheduler: Scheduler,
    now: Instant,
}

impl PoolDriver {
    /// A pool that asks at once for its workers.
    ///
    /// # Errors
    ///
    /// Where a setting can't be used.
    pub fn new(now: Instant, config: PoolConfig) -> Result<Self, ConfigError> {
        Ok(Self { scheduler: Scheduler::new(config, now)?, now })
    }

    /// One input, then as many outputs as the slots hold.
    ///
    /// # Panics
    ///
    /// Where a task is submitted with the id of an unsettled one.
    pub fn input(&mut self, now: Instant, input: Input, slots: &mut Slots) -> u32 {
        self.now = self.now.max(now);
        self.scheduler.handle_input(self.now, input).expect("a slot is used by one unsettled task at a time");
        self.drain(slots)
    }

    /// Outputs that did not fit before, and the deadline.
    pub fn drain(&mut self, slots: &mut Slots) -> u32 {
        let written = slots.write_records(|| self.scheduler.poll_output().map(record));
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

    /// p50, p95 and p99 in milliseconds of waiting, of running and of both over the last minute; NaN where there was nothing.
    pub fn quantiles(&mut self, now: Instant) -> impl Iterator<Item = f64> {
        let load = self.scheduler.load(now);
        [load.wait, load.run, load.response].into_iter().flat_map(|quantiles| {
            let millis = |of: Quantiles| [of.p50, of.p95, of.p99].map(Duration::as_millis_f64);
            quantiles.map_or([f64::NAN; 3], millis)
        })
    }

    /// Response times since this was last called, of tasks of normal priority and above: what the page reports against its
    /// budget. Bulk work, below that, waits in the queue by design and nobody is kept waiting by it.
    pub fn take_responses(&mut self) -> Sketch {
        self.scheduler.take_responses()
    }
}

#[cfg(test)]
mod tests {
    use quillwork_core::ids::{Generation, TaskId};
    use quillwork_core::pool::{CloseMode, Offer, Priority, TaskOutcome, TaskSpec};

    use super::*;
    use crate::records::RECORD_WORDS;
    use crate::slots::MAX_RECORDS;

    const WORKER: WorkerId = WorkerId::new(0);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn pool_of_one(slots: &mut Slots) -> PoolDriver {
        let config = PoolConfig { workers: 1, lease: None, ..PoolConfig::default() };
        let mut pool = PoolDriver::new(at(0), config).expect("a pool of one");
        assert_eq!(pool.drain(slots), 1);
        assert_eq!(first_record(slots), [1, 0, 0, Generation::FIRST.get(), 0]);
        pool
    }

    fn ready() -> Input {
        Input::WorkerReady { worker: WORKER, generation: Generation::FIRST, offer: Offer::PLAIN }
    }

    fn submit(task: u64) -> Input {
        Input::Submit { task: TaskId::new(task), spec: TaskSpec::default() }
    }

    fn first_record(slots: &Slots) -> &[u32] {
        &slots.words()[..RECORD_WORDS]
    }

    #[test]
    fn a_task_goes_out_as_a_dispatch_and_comes_back_as_a_settlement() {
        let mut slots = Slots::new();
        let mut pool = pool_of_one(&mut slots);
        assert_eq!(pool.input(at(10), ready(), &mut slots), 0);
        assert_eq!(pool.input(at(20), submit(7), &mut slots), 1);
        assert_eq!(first_record(&slots), [3, 7, 0, 1, 1]);
        let done = Input::TaskDone {
            worker: WORKER,
            generation: Generation::FIRST,
            task: TaskId::new(7),
            outcome: TaskOutcome::Completed,
        };
        assert_eq!(pool.input(at(50), done, &mut slots), 1);
        assert_eq!(first_record(&slots), [6, 7, 1, 0, 0]);
    }

    #[test]
    fn latencies_are_counted_from_submission_and_from_dispatch() {
        let mut slots = Slots::new();
        let mut pool = pool_of_one(&mut slots);
        pool.input(at(100), submit(7), &mut slots);
        pool.input(at(140), ready(), &mut slots);
        let done = Input::TaskDone {
            worker: WORKER,
            generation: Generation::FIRST,
            task: TaskId::new(7),
            outcome: TaskOutcome::Failed,
        };
        pool.input(at(200), done, &mut slots);
        let quantiles: Vec<f64> = pool.quantiles(at(200)).collect();
        for (quantile, expected) in quantiles.iter().step_by(3).zip([40.0, 60.0, 100.0]) {
            assert!((quantile - expected).abs() <= 0.01 * expected, "{quantile} is not {expected}");
        }
        assert_eq!(pool.take_responses().count(), 1);
        assert_eq!(pool.take_responses().count(), 0);
    }

    #[test]
    fn bulk_work_is_no_response_that_somebody_waits_for() {
        let mut slots = Slots::new();
        let mut pool = pool_of_one(&mut slots);
        pool.input(at(0), ready(), &mut slots);
        for (task, level, counted) in [(1, 4, 0), (2, 5, 1), (3, 10, 1)] {
            let priority = Priority::new(level).expect("a level up to 10");
            let spec = TaskSpec { priority, ..TaskSpec::default() };
            pool.input(at(10), Input::Submit { task: TaskId::new(task), spec }, &mut slots);
            let done = Input::TaskDone {
                worker: WORKER,
                generation: Generation::FIRST,
                task: TaskId::new(task),
                outcome: TaskOutcome::Completed,
            };
            pool.input(at(20), done, &mut slots);
            assert_eq!(pool.take_responses().count(), counted, "priority {level}");
        }
        assert!(pool.quantiles(at(20)).nth(7).is_some_and(f64::is_finite), "the statistics count them all");
    }

    #[test]
    fn what_was_given_up_is_no_response() {
        let mut slots = Slots::new();
        let mut pool = pool_of_one(&mut slots);
        pool.input(at(0), submit(7), &mut slots);
        pool.input(at(5), Input::Abort { task: TaskId::new(7) }, &mut slots);
        assert_eq!(first_record(&slots), [6, 7, 3, 0, 0]);
        assert!(pool.take_responses().is_empty());
    }

    #[test]
    fn a_flood_of_outputs_comes_in_parts_and_none_is_lost() {
        let mut slots = Slots::new();
        let mut pool = pool_of_one(&mut slots);
        let tasks = 300;
        for task in 0..tasks {
            pool.input(at(0), submit(task), &mut slots);
        }
        let mut written = pool.input(at(1), Input::Close { mode: CloseMode::Now }, &mut slots) as usize;
        let mut settled = Vec::new();
        loop {
            let records = slots.words().chunks_exact(RECORD_WORDS).take(written);
            settled.extend(records.filter(|record| record[0] == 6).map(|record| u64::from(record[1])));
            if written < MAX_RECORDS {
                break;
            }
            written = pool.drain(&mut slots) as usize;
        }
        assert_eq!(settled, (0..tasks).collect::<Vec<u64>>());
    }

    #[test]
    fn the_deadline_is_the_first_float() {
        let mut slots = Slots::new();
        let config =
            PoolConfig { workers: 1, boot_timeout: Duration::from_millis(250), ..PoolConfig::default() };
        let mut pool = PoolDriver::new(at(1_000), config).expect("a pool of one");
        pool.drain(&mut slots);
        assert!((slots.floats()[0] - 1_250.0).abs() < 1e-6);
    }
}
