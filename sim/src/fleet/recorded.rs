//! Traffic from the recording of a real pool.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use quillwork_core::ids::{TaskType, WorkerId};
use quillwork_core::pool::recording::{Reader, RecordingError};
use quillwork_core::pool::{Input, Output, Scheduler, TaskOutcome, TaskSpec};
use quillwork_core::time::{Duration, Instant};

use super::Job;
use super::job::START;

/// What a recording holds of a pool's traffic.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedTraffic {
    /// Its tasks, by time.
    pub jobs: Vec<Job>,
    /// Workers that were ready at least once.
    pub workers: usize,
    /// Tasks that never completed. They count as long as the others of their type did on average.
    pub estimated: usize,
    /// Whether the recording was cut off.
    pub truncated: bool,
}

/// Reads the tasks of a recording of [`quillwork_core::pool::recording`], with the time that each took its worker.
///
/// # Errors
///
/// Where the log is damaged or no recording.
pub fn recorded_traffic(log: &[u8]) -> Result<RecordedTraffic, RecordingError> {
    let mut reader = Reader::open(log)?;
    let header = *reader.header();
    let mut scheduler = Scheduler::new(header.config, header.start).map_err(RecordingError::Settings)?;
    let mut observed = Observed::default();
    observed.drain(header.start, &mut scheduler);
    let mut truncated = false;
    for record in &mut reader {
        match record {
            Ok((now, input)) => {
                observed.input(now, &input);
                // A duplicate id was refused when it was recorded, too.
                let _refused_again = scheduler.handle_input(now, input);
                observed.drain(now, &mut scheduler);
            }
            Err(RecordingError::Truncated { .. }) => truncated = true,
            Err(error) => return Err(error),
        }
    }
    Ok(observed.traffic(truncated))
}

/// What was seen of each task, by its place in the order of submission.
#[derive(Default)]
struct Observed {
    tasks: Vec<(Instant, TaskSpec, Option<Duration>)>,
    unfinished: BTreeMap<u64, usize>,
    dispatched: BTreeMap<u64, Instant>,
    /// When a worker was last done with something: a task that it held then began then.
    freed: BTreeMap<WorkerId, Instant>,
}

impl Observed {
    fn input(&mut self, now: Instant, input: &Input) {
        match *input {
            Input::Submit { task, spec } => {
                self.unfinished.insert(task.get(), self.tasks.len());
                self.tasks.push((now, spec, None));
            }
            Input::WorkerReady { worker, .. } => {
                self.freed.insert(worker, now);
            }
            Input::TaskDone { worker, task, outcome, .. } => {
                let freed = self.freed.insert(worker, now).unwrap_or(now);
                if outcome == TaskOutcome::Completed
                    && let Some(place) = self.unfinished.remove(&task.get())
                    && let Some(dispatched) = self.dispatched.remove(&task.get())
                {
                    self.tasks[place].2 = Some(now - dispatched.max(freed));
                }
            }
            _ => {}
        }
    }

    fn drain(&mut self, now: Instant, scheduler: &mut Scheduler) {
        while let Some(output) = scheduler.poll_output() {
            if let Output::Dispatch { task, .. } = output {
                self.dispatched.insert(task.get(), now);
            }
        }
    }

    fn traffic(self, truncated: bool) -> RecordedTraffic {
        let known = || self.tasks.iter().filter_map(|(_, spec, took)| Some((spec, (*took)?)));
        let mean = |of: TaskType| {
            let took: Vec<f64> = known()
                .filter(|(spec, _)| spec.task_type == of)
                .map(|(_, took)| took.as_millis_f64())
                .collect();
            Duration::from_millis_f64(crate::study::mean(&took))
        };
        let first = self.tasks.first().map_or(START, |(at, ..)| *at);
        let jobs = (0..).zip(&self.tasks).map(|(number, (at, spec, took))| Job {
            at: START + (*at - first),
            work: took.unwrap_or_else(|| mean(spec.task_type)),
            task_type: spec.task_type,
            required: spec.required,
            priority: spec.priority,
            region: None,
            key: number,
        });
        RecordedTraffic {
            jobs: jobs.collect(),
            workers: self.freed.len(),
            estimated: self.tasks.iter().filter(|(.., took)| took.is_none()).count(),
            truncated,
        }
    }
}
