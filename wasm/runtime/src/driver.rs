//! The drive loop's half of a pool: hands inputs in, and outputs out as records.

use core::ops::Range;

use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{
    ConfigError, Input, LoadSnapshot, PoolConfig, PoolStats, Scheduler, StrategyCandidate, TaskOutcome,
    TaskSpec, TypeSnapshot, WorkerSnapshot, WorkerStats,
};
use quillwork_core::telemetry::Sketch;
use quillwork_core::time::Instant;

use crate::clock::deadline_millis;
use crate::recording::Recording;
use crate::records::record;
use crate::slots::{MAX_RECORDS, Slots};

/// One pool.
#[derive(Debug)]
pub struct PoolDriver {
    scheduler: Scheduler,
    now: Instant,
    recording: Option<Recording>,
}

impl PoolDriver {
    /// A pool that asks at once for its workers. What happens to it is recorded, up to so many bytes of log, where that is asked for and
    /// this build records ([`RECORDS`]).
    ///
    /// # Errors
    ///
    /// Where a setting can't be used.
    pub fn new(now: Instant, config: PoolConfig, record: Option<usize>) -> Result<Self, ConfigError> {
        let recording = record.filter(|_| RECORDS).map(|max_bytes| Recording::new(&config, now, max_bytes));
        Ok(Self { scheduler: Scheduler::new(config, now)?, now, recording })
    }

    /// One input, then as many outputs as the slots hold.
    ///
    /// # Panics
    ///
    /// Where a task is submitted with the id of an unsettled one.
    pub fn input(&mut self, now: Instant, input: Input, slots: &mut Slots) -> u32 {
        self.now = self.now.max(now);
        self.hand_in(input);
        self.drain(slots)
    }

    /// What one message of a worker says: an input for each of these answers in the slots, each after the outputs of the one
    /// before it, until the records are full. Float 1 is the place of the first answer that was not handed in.
    ///
    /// # Panics
    ///
    /// Where the slots have no such answers.
    pub fn answers(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
        answers: Range<usize>,
        slots: &mut Slots,
    ) -> u32 {
        self.now = self.now.max(now);
        let (mut written, mut next) = (0, answers.start);
        while next < answers.end && written < MAX_RECORDS {
            let [task, said] = slots.answer(next);
            self.hand_in(answer(worker, generation, TaskId::new(task.into()), said));
            written = self.write_outputs(written, slots);
            next += 1;
        }
        slots.set_float(1, next as f64);
        self.leave(written, slots)
    }

    /// As [`PoolDriver::answers`], of tasks of which the same is to be said and whose ids are in the slots, one in each word.
    ///
    /// # Panics
    ///
    /// Where the slots have no such words, or an unsettled task has one of these ids.
    pub fn submissions(
        &mut self,
        now: Instant,
        spec: TaskSpec,
        tasks: Range<usize>,
        slots: &mut Slots,
    ) -> u32 {
        self.now = self.now.max(now);
        let (mut written, mut next) = (0, tasks.start);
        while next < tasks.end && written < MAX_RECORDS {
            // A recording has the outputs of each input behind it.
            if !RECORDS || self.recording.is_none() {
                let ids = (next..tasks.end).map(|at| TaskId::new(slots.answer_word(at).into()));
                next += self.scheduler.handle_burst(self.now, ids, &spec);
                written = self.write_outputs(written, slots);
            }
            if next < tasks.end && written < MAX_RECORDS {
                let task = TaskId::new(slots.answer_word(next).into());
                self.hand_in(Input::Submit { task, spec });
                next += 1;
                written = self.write_outputs(written, slots);
            }
        }
        slots.set_float(1, next as f64);
        self.leave(written, slots)
    }

    /// Outputs that did not fit before, and the deadline.
    pub fn drain(&mut self, slots: &mut Slots) -> u32 {
        let written = self.write_outputs(0, slots);
        self.leave(written, slots)
    }

    /// What was recorded, where that was asked for.
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref().filter(|_| RECORDS)
    }

    fn hand_in(&mut self, input: Input) {
        if let Some(recording) = self.recording.as_mut().filter(|_| RECORDS) {
            recording.input(self.now, &input);
        }
        self.scheduler.handle_input(self.now, input).expect("a slot is used by one unsettled task at a time");
    }

    fn write_outputs(&mut self, written: usize, slots: &mut Slots) -> usize {
        slots.write_records(written, || {
            let output = self.scheduler.poll_output()?;
            if let Some(recording) = self.recording.as_mut().filter(|_| RECORDS) {
                recording.output(&output);
            }
            Some(record(output))
        })
    }

    fn leave(&self, written: usize, slots: &mut Slots) -> u32 {
        slots.set_float(0, deadline_millis(self.scheduler.next_deadline()));
        u32::try_from(written).expect("the slots hold fewer records")
    }

    /// The pool now.
    #[must_use]
    pub fn stats(&self, now: Instant) -> PoolStats {
        self.scheduler.stats(now)
    }

    /// Whether it is paused.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.scheduler.is_paused()
    }

    /// The last minute as a whole.
    pub fn load(&mut self, now: Instant) -> LoadSnapshot {
        self.scheduler.load(now)
    }

    /// Each worker's place now, and its last minute.
    pub fn workers(&self, now: Instant) -> impl Iterator<Item = (WorkerStats, WorkerSnapshot)> {
        let recent = self.scheduler.statistics().workers(now);
        (0..).map_while(move |number| self.scheduler.worker_stats(now, WorkerId::new(number))).zip(recent)
    }

    /// Whom a task may be given to that the page's strategy was asked for.
    pub fn candidates(&self, now: Instant, task: TaskId) -> impl Iterator<Item = StrategyCandidate> {
        self.scheduler.candidates_for(now, task)
    }

    /// The last minute of each task type.
    pub fn task_types(&self, now: Instant) -> impl Iterator<Item = TypeSnapshot> {
        self.scheduler.statistics().task_types(now)
    }

    /// Response times since this was last called, of tasks of normal priority and above: what the page reports against its
    /// budget. Bulk work, below that, waits in the queue by design and nobody is kept waiting by it.
    pub fn take_responses(&mut self) -> Sketch {
        self.scheduler.take_responses()
    }

    /// The run times of one task type since this was last called: see [`Statistics::take_runs`](quillwork_core::pool::Statistics::take_runs).
    pub fn take_runs(&mut self, place: usize) -> Option<(Option<TaskType>, Option<Sketch>)> {
        self.scheduler.take_runs(place)
    }
}

/// Whether pools can be recorded, and bind early: in `runtime-full.wasm`. Where it is known that they can't, the compiler leaves it out.
pub const RECORDS: bool = cfg!(feature = "full");

fn answer(worker: WorkerId, generation: Generation, task: TaskId, said: u32) -> Input {
    match said {
        0 => Input::TaskDone { worker, generation, task, outcome: TaskOutcome::Completed },
        1 => Input::TaskDone { worker, generation, task, outcome: TaskOutcome::Failed },
        2 => Input::TaskReturned { worker, generation, task },
        3 => Input::TaskDone { worker, generation, task, outcome: TaskOutcome::FailedForGood },
        _ => unreachable!("the page says 0 to 3"),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use quillwork_core::pool::{CloseMode, Offer, Priority, TaskSpec};
    use quillwork_core::time::Duration;

    use super::*;
    use crate::records::RECORD_WORDS;

    const WORKER: WorkerId = WorkerId::new(0);

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn pool_of_one(slots: &mut Slots) -> PoolDriver {
        let config = PoolConfig { workers: 1, lease: None, ..PoolConfig::default() };
        let mut pool = PoolDriver::new(at(0), config, None).expect("a pool of one");
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
        let load = pool.load(at(200));
        for (times, expected) in [load.wait, load.run, load.response].into_iter().zip([40.0, 60.0, 100.0]) {
            let p50 = times.expect("one task was answered").p50.as_millis_f64();
            assert!((p50 - expected).abs() <= 0.01 * expected, "{p50} is not {expected}");
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
        let counted = pool.load(at(20)).response.map(|times| times.count);
        assert_eq!(counted, Some(3), "the statistics count them all");
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
    fn the_answers_of_one_message_are_inputs_one_after_the_other() {
        let mut slots = Slots::new();
        let config = PoolConfig { workers: 1, prefetch: Duration::from_millis(1), ..PoolConfig::default() };
        let mut pool = PoolDriver::new(at(0), config, None).expect("a pool of one");
        pool.drain(&mut slots);
        pool.input(at(0), ready(), &mut slots);
        for task in 0..200 {
            pool.input(at(0), submit(task), &mut slots);
        }
        // Once one was measured, the others are given ahead.
        slots.answers_mut()[..2].copy_from_slice(&[0, 0]);
        let mut written = pool.answers(at(0), WORKER, Generation::FIRST, 0..1, &mut slots) as usize;
        let mut given = dispatched(&slots, written);
        while written == MAX_RECORDS {
            written = pool.drain(&mut slots) as usize;
            given.extend(dispatched(&slots, written));
        }
        assert_eq!(given, (1..200).collect::<Vec<u32>>());

        for (answer, task) in slots.answers_mut().chunks_exact_mut(2).zip(1..200) {
            answer.copy_from_slice(&[task, task % 2]);
        }
        let (mut next, mut settled) = (0, Vec::new());
        while next < 199 {
            written = pool.answers(at(0), WORKER, Generation::FIRST, next..199, &mut slots) as usize;
            next = (next..=199).find(|&at| at as f64 >= slots.floats()[1]).expect("a place up to the end");
            loop {
                let records = slots.words().chunks_exact(RECORD_WORDS).take(written);
                settled.extend(records.filter(|record| record[0] == 6).map(|record| (record[1], record[2])));
                if written < MAX_RECORDS {
                    break;
                }
                written = pool.drain(&mut slots) as usize;
            }
        }
        assert_eq!(settled, (1..200).map(|task| (task, 1 + task % 2)).collect::<Vec<(u32, u32)>>());
    }

    fn dispatched(slots: &Slots, written: usize) -> Vec<u32> {
        let records = slots.words().chunks_exact(RECORD_WORDS).take(written);
        records.filter(|record| record[0] == 3).map(|record| record[1]).collect()
    }

    #[test]
    fn the_deadline_is_the_first_float() {
        let mut slots = Slots::new();
        let config =
            PoolConfig { workers: 1, boot_timeout: Duration::from_millis(250), ..PoolConfig::default() };
        let mut pool = PoolDriver::new(at(1_000), config, None).expect("a pool of one");
        pool.drain(&mut slots);
        assert!((slots.floats()[0] - 1_250.0).abs() < 1e-6);
    }
}
