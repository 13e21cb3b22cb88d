//! Choices whose outcome isn't known yet.

use alloc::collections::VecDeque;

use quillwork_core::ids::{TaskId, TaskType, WorkerId};

/// The choices that wait, the oldest first. Where there are too many the oldest is given up: many callers never tell an outcome.
#[derive(Debug, Default)]
pub(super) struct OpenChoices {
    choices: VecDeque<(WorkerId, TaskType, TaskId)>,
}

impl OpenChoices {
    pub(super) fn push(&mut self, worker: WorkerId, task_type: TaskType, task: TaskId) {
        if self.choices.len() == MOST {
            self.choices.pop_front();
        }
        self.choices.push_back((worker, task_type, task));
    }

    /// The oldest choice of this worker for a task of this type.
    pub(super) fn take(&mut self, worker: WorkerId, task_type: TaskType) -> Option<TaskId> {
        let place = self.choices.iter().position(|&(chosen, of, _)| (chosen, of) == (worker, task_type))?;
        self.choices.remove(place).map(|(_, _, task)| task)
    }

    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.choices.retain(|&(chosen, ..)| chosen != worker);
    }
}

/// As many as adaptive remembers.
const MOST: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_belongs_to_the_oldest_choice_and_the_oldest_of_all_gives_way() {
        let (one, other, of) = (WorkerId::new(1), WorkerId::new(2), TaskType::new(7));
        let mut open = OpenChoices::default();
        for (worker, task) in [(one, 0), (other, 1), (one, 2)] {
            open.push(worker, of, TaskId::new(task));
        }
        assert_eq!(open.take(one, of), Some(TaskId::new(0)));
        assert_eq!(open.take(one, TaskType::new(8)), None);
        for task in 3..3 + MOST as u64 {
            open.push(other, of, TaskId::new(task));
        }
        assert_eq!(open.take(one, of), None);
        open.forget(other);
        assert_eq!(open.take(other, of), None);
    }
}
