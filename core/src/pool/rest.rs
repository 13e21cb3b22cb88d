//! A worker that fails fast is free again at once, and would be given task after task to fail: the sinkhole of every queue
//! that workers pull from. So a worker that fails again and again, while others don't, rests.
//!
//! After [`RestConfig::after_failures`] failures in a row it is given nothing for a while, twice as long after each further
//! failure, and never longer than [`RestConfig::longest`]. A success ends the row. How long depends on what failing costs:
//!
//! * where the failure is final, for as long as such a task takes where it succeeds, up to 64 times: one task a rest is lost;
//! * where the task is tried again, for as long as the failure took, up to 8 times. Little is lost then but that time, and
//!   a worker that fails some tasks and not others, or has come back, is missed.
//!
//! Nobody rests where
//!
//! * half of the workers or more fail, for then the tasks are at fault and not the workers;
//! * no other worker that is up and doesn't rest offers at least as much, for a bad worker is better than none.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed};
use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::{Scheduler, TaskOutcome};

/// When a worker that fails rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestConfig {
    /// So many failures in a row; 0: none ever rests. Default 3.
    pub after_failures: u32,
    /// The longest rest. Default 1 s.
    pub longest: Duration,
}

impl RestConfig {
    /// Workers never rest.
    pub const NEVER: Self = Self { after_failures: 0, longest: Duration::ZERO };

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// Where workers rest for no time.
    pub fn validate(&self) -> Result<(), RestConfigError> {
        if self.after_failures > 0 && self.longest.is_zero() {
            return Err(RestConfigError);
        }
        Ok(())
    }
}

impl Default for RestConfig {
    fn default() -> Self {
        Self { after_failures: 3, longest: Duration::from_secs(1) }
    }
}

/// Workers would rest for no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestConfigError;

impl Say for RestConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        to.write_str(
            "a worker rests for some time: set the longest rest above zero, or 0 failures for no rest at all",
        )
    }
}

displayed!(RestConfigError);

impl Error for RestConfigError {}

/// Failures in a row, and the rest that they led to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    failures: u32,
    pub(super) rests_until: Option<Instant>,
}

impl Row {
    fn is_failing(&self, config: &RestConfig) -> bool {
        config.after_failures > 0 && self.failures >= config.after_failures
    }
}

impl Scheduler {
    /// A worker has told how a task ended that is expected to take so long where it succeeds. It may rest from now on. Where
    /// the task failed and is tried again: how long that took.
    pub(super) fn count_in_row(
        &mut self,
        now: Instant,
        index: usize,
        outcome: TaskOutcome,
        usual: Option<Duration>,
        failed_trial: Option<Duration>,
    ) {
        let rest = self.config.rest;
        let row = &mut self.workers[index].row;
        match outcome {
            TaskOutcome::Completed => row.failures = 0,
            TaskOutcome::Failed | TaskOutcome::FailedForGood => row.failures = row.failures.saturating_add(1),
        }
        if !row.is_failing(&rest) {
            return;
        }
        let usual = usual.unwrap_or(FIRST_REST);
        let (first, most) = match failed_trial {
            Some(took) => {
                let least = Duration::from_nanos(usual.as_nanos() >> MOST_DOUBLINGS_OF_TRIALS);
                (took.clamp(least, usual), MOST_DOUBLINGS_OF_TRIALS)
            }
            None => (usual, MOST_DOUBLINGS),
        };
        let doublings = (row.failures - rest.after_failures).min(most);
        let lasts = (first * (1 << doublings)).min(rest.longest);
        if lasts.is_zero() || self.failing_workers_are_many() || !self.is_covered(index) {
            return;
        }
        self.workers[index].row.rests_until = Some(now + lasts);
        self.resting += 1;
        self.candidates.rest(worker_id(index), true);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_pause(now, worker_id(index), true);
        }
        self.soften_hopeless(now);
    }

    /// Wakes who has rested long enough, and who is needed after all.
    pub(super) fn wake(&mut self, now: Instant) {
        if self.resting == 0 {
            return;
        }
        let too_many = self.failing_workers_are_many();
        for index in 0..self.workers.len() {
            let Some(until) = self.workers[index].row.rests_until else { continue };
            if until <= now || too_many || !self.is_covered(index) {
                self.end_rest(now, index);
                self.feed(now, index);
            }
        }
    }

    /// Also where a worker is gone: the next one in its place begins anew.
    pub(super) fn forget_row(&mut self, now: Instant, index: usize) {
        self.end_rest(now, index);
        self.workers[index].row = Row::default();
    }

    /// When the first of those who rest is to be woken.
    pub(super) fn next_waking(&self) -> Option<Instant> {
        if self.resting == 0 {
            return None;
        }
        self.workers.iter().filter_map(|worker| worker.row.rests_until).min()
    }

    fn end_rest(&mut self, now: Instant, index: usize) {
        if self.workers[index].row.rests_until.take().is_some() {
            self.resting -= 1;
            self.candidates.rest(worker_id(index), false);
            if let Some(binder) = self.binder.as_mut() {
                binder.handle_pause(now, worker_id(index), self.workers[index].is_leaving);
            }
        }
    }

    fn failing_workers_are_many(&self) -> bool {
        let up = self.workers.iter().filter(|worker| worker.is_up());
        let (mut failing, mut all) = (0, 0);
        for worker in up {
            all += 1;
            failing += usize::from(worker.row.is_failing(&self.config.rest));
        }
        2 * failing > all
    }

    /// Whether another worker offers at least as much, is up to stay and doesn't rest.
    fn is_covered(&self, index: usize) -> bool {
        let Some(own) = self.workers[index].offer else { return false };
        self.workers.iter().enumerate().any(|(other, worker)| {
            other != index
                && worker.stays()
                && !worker.rests()
                && worker.offer.is_some_and(|offer| {
                    offer.capabilities.contains(own.capabilities) && offer.capacity >= own.capacity
                })
        })
    }
}

/// 64 times the first rest: of a few dozen tasks one fails for good at a worker that always does.
const MOST_DOUBLINGS: u32 = 6;
/// 8 times. However fast it fails, what it is given is then no more than the others are.
const MOST_DOUBLINGS_OF_TRIALS: u32 = 3;
/// Where no such task has succeeded yet.
const FIRST_REST: Duration = Duration::from_millis(10);
