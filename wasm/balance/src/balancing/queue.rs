//! The queue that is reordered: who was overtaken is remembered from one time to the next.

use alloc::vec::Vec;

use quillwork_core::balance::{LoadBalancer, Queued, sort_by_submission, take_next};
use quillwork_core::ids::{TaskId, TaskType};
use quillwork_core::pool::Priority;

use quillwork_abi::clock::instant;

/// Floats of a queued task: its number in the order of submission, its type, its priority (0 to 10), when it was submitted (ms).
pub(crate) const QUEUED: usize = 4;

/// The tasks of the last time, in the order that was given out.
#[derive(Debug, Default)]
pub(super) struct Queue {
    tasks: Vec<Queued>,
    /// Their numbers.
    order: Vec<u64>,
}

impl Queue {
    /// What is no longer there has been taken, and has overtaken all that were submitted before it and still wait.
    pub(super) fn reorder(&mut self, core: &LoadBalancer, rows: &[[f64; QUEUED]]) -> &[u64] {
        let mut waiting: Vec<Queued> = rows.iter().map(queued).collect();
        sort_by_submission(&mut waiting);
        let place_in =
            |tasks: &[Queued], of: &Queued| tasks.binary_search_by_key(&of.sequence, |task| task.sequence);
        let mut place = 0;
        while place < self.tasks.len() {
            if place_in(&waiting, &self.tasks[place]).is_err() {
                self.tasks[..=place].rotate_right(1);
                take_next(&mut self.tasks);
            } else {
                place += 1;
            }
        }
        sort_by_submission(&mut self.tasks);
        for task in waiting {
            if place_in(&self.tasks, &task).is_err() {
                let place = self.tasks.partition_point(|known| known.sequence < task.sequence);
                self.tasks.insert(place, task);
            }
        }
        core.reorder_queue(&mut self.tasks);
        self.order.clear();
        self.order.extend(self.tasks.iter().map(|task| task.sequence));
        &self.order
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers of JavaScript's; `as` saturates"
)]
fn queued(&[number, task_type, priority, submitted]: &[f64; QUEUED]) -> Queued {
    let (number, priority) = (number as u64, Priority::new(priority as u8).unwrap_or(Priority::HIGHEST));
    Queued::new(TaskId::new(number), TaskType::new(task_type as u32), priority, instant(submitted), number)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use quillwork_core::balance::{BalanceConfig, ReorderConfig};

    use super::*;

    #[test]
    fn nobody_is_overtaken_more_often_than_allowed_however_often_it_is_asked() {
        let reorder = ReorderConfig { max_overtaken: 3, ..ReorderConfig::default() };
        let core = LoadBalancer::new(BalanceConfig { reorder, ..BalanceConfig::default() }, 1).unwrap();
        let mut queue = Queue::default();
        let mut waiting = vec![0_u32];
        let mut taken = Vec::new();
        for number in 1..20 {
            waiting.push(number);
            let row = |&number: &u32| [f64::from(number), 0.0, if number == 0 { 0.0 } else { 10.0 }, 0.0];
            let rows: Vec<_> = waiting.iter().map(row).collect();
            let first = queue.reorder(&core, &rows)[0];
            waiting.retain(|&number| u64::from(number) != first);
            taken.push(first);
        }
        assert_eq!(taken[..5], [1, 2, 3, 0, 4]);
    }
}
