//! Reordering a queue: urgent and short tasks first, and nobody is ever overtaken more than a bound.

use alloc::vec::Vec;
use core::fmt;

use crate::ids::{TaskId, TaskType};
use crate::order::sort_by_key;
use crate::pool::Priority;
use crate::say::{Say, displayed, say};
use crate::time::{Duration, Instant};

use super::LoadBalancer;

#[cfg(test)]
mod tests;

/// How a queue is reordered.
///
/// Tasks go in the order of their due times
///
/// ```text
/// due = submitted - priority * ageing + expected run time * short_first
/// ```
///
/// as far as the bounds allow. Ageing is in it: a task's due time stays while those of newer tasks grow, so after one `ageing` for each level of
/// priority and a little for its length it is ahead of everything new. The bounds hold whatever the settings: no task is overtaken
/// by more than `max_overtaken` later ones in its life.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReorderConfig {
    /// By how many tasks that were submitted later a task may be overtaken, all together. 0 is first in, first out.
    /// Default 32.
    pub max_overtaken: u32,
    /// How many places a task may go forward at a time; the work of reordering grows with it. 1 to 4,096. Default 64.
    pub window: u32,
    /// The waiting time that is worth one level of priority. Default 1 s.
    pub ageing: Duration,
    /// How much a shorter run time counts: 0 not at all, 1 as much as waiting, 0 to 100. Default 1: a task that takes a
    /// second goes after those that take none and come within that second.
    pub short_first: f64,
}

impl ReorderConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), ReorderConfigError> {
        if !(1..=MOST_WINDOW).contains(&self.window) {
            return Err(ReorderConfigError::Window { asked: self.window });
        }
        if !(0.0..=MOST_SHORT_FIRST).contains(&self.short_first) {
            return Err(ReorderConfigError::ShortFirst { asked: self.short_first });
        }
        Ok(())
    }
}

impl Default for ReorderConfig {
    fn default() -> Self {
        Self { max_overtaken: 32, window: 64, ageing: Duration::from_secs(1), short_first: 1.0 }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReorderConfigError {
    /// No place to go, or too many.
    Window {
        /// What was asked for.
        asked: u32,
    },
    /// Out of range, or not a number.
    ShortFirst {
        /// What was asked for.
        asked: f64,
    },
}

impl Say for ReorderConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Window { asked } => {
                say!(to, "a task goes forward by 1 to ", MOST_WINDOW, " places at a time, not ", asked)
            }
            Self::ShortFirst { asked } => {
                say!(to, "short tasks count 0 to ", MOST_SHORT_FIRST, " times their difference, not ", asked)
            }
        }
    }
}

displayed!(ReorderConfigError);

impl core::error::Error for ReorderConfigError {}

/// A task that waits in a queue of the shell's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Which task.
    pub task: TaskId,
    /// What kind of work it is; how long that takes is known to the balancer.
    pub task_type: TaskType,
    /// How urgent it is, 10 the most.
    pub priority: Priority,
    /// When it was submitted.
    pub submitted_at: Instant,
    /// Its number in the order of submission: each task's is larger than those of all before it.
    pub sequence: u64,
    /// How many later tasks have left the queue before it. Kept by [`take_next`].
    overtaken: u32,
    /// With those that are before it in the order that is being made.
    planned: u32,
    due: i128,
}

impl Queued {
    /// A task that has just been submitted.
    #[must_use]
    pub const fn new(
        task: TaskId,
        task_type: TaskType,
        priority: Priority,
        submitted_at: Instant,
        sequence: u64,
    ) -> Self {
        Self { task, task_type, priority, submitted_at, sequence, overtaken: 0, planned: 0, due: 0 }
    }

    /// How many later tasks have left the queue before it.
    #[must_use]
    pub const fn overtaken(&self) -> u32 {
        self.overtaken
    }
}

impl LoadBalancer {
    /// Puts a queue into the order in which its tasks should go, by [`ReorderConfig`]. Tasks are taken from its front with [`take_next`],
    /// which counts who was overtaken. A reorder after each few submissions is enough; it takes steps in
    /// proportion to the queue's length times the window.
    ///
    /// ```
    /// use quillwork_core::balance::{BalanceConfig, LoadBalancer, Queued, take_next};
    /// use quillwork_core::ids::{TaskId, TaskType};
    /// use quillwork_core::pool::Priority;
    /// use quillwork_core::time::Instant;
    ///
    /// let balancer = LoadBalancer::new(BalanceConfig::default(), 1)?;
    /// let queued = |number: u64, priority| {
    ///     Queued::new(TaskId::new(number), TaskType::new(0), priority, Instant::from_millis(number), number)
    /// };
    /// let mut queue = vec![queued(1, Priority::LOWEST), queued(2, Priority::LOWEST), queued(3, Priority::HIGHEST)];
    /// balancer.reorder_queue(&mut queue);
    /// assert_eq!(take_next(&mut queue).map(|next| next.task), Some(TaskId::new(3)));
    /// assert_eq!(queue[0].overtaken(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reorder_queue(&self, queue: &mut [Queued]) {
        let config = &self.config.reorder;
        for queued in queue.iter_mut() {
            queued.planned = queued.overtaken;
            queued.due = due(queued, self.fleet.typical_nanos(queued.task_type), config);
        }
        reorder(queue, config);
    }
}

/// Puts a queue into the order in which its tasks were submitted.
pub fn sort_by_submission(queue: &mut [Queued]) {
    sort_by_key(queue, |queued| queued.sequence);
}

/// Takes the first task of a queue and counts it for all earlier ones that it has overtaken.
pub fn take_next(queue: &mut Vec<Queued>) -> Option<Queued> {
    if queue.is_empty() {
        return None;
    }
    let next = queue.remove(0);
    for queued in queue.iter_mut().filter(|queued| queued.sequence < next.sequence) {
        queued.overtaken = queued.overtaken.saturating_add(1);
    }
    Some(next)
}

fn due(queued: &Queued, expected_nanos: f64, config: &ReorderConfig) -> i128 {
    let ahead = config.ageing * u64::from(queued.priority.level());
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let length = (expected_nanos * config.short_first) as i128;
    i128::from(queued.submitted_at.as_nanos()) - i128::from(ahead.as_nanos()) + length
}

/// From the order of submission, which overtakes nobody: each place goes to the one of the next few that is due first,
/// where all that it would overtake may be overtaken once more.
fn reorder(queue: &mut [Queued], config: &ReorderConfig) {
    sort_by_submission(queue);
    for place in 0..queue.len() {
        let window = (place + config.window as usize + 1).min(queue.len());
        let mut next = place;
        for candidate in place + 1..window {
            if queue[candidate - 1].planned >= config.max_overtaken {
                break;
            }
            if queue[candidate].due < queue[next].due {
                next = candidate;
            }
        }
        for overtaken in &mut queue[place..next] {
            overtaken.planned += 1;
        }
        queue[place..=next].rotate_right(1);
    }
}

const MOST_WINDOW: u32 = 4_096;
const MOST_SHORT_FIRST: f64 = 100.0;
