//! What each worker has shown for each type of task.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::TaskType;
use crate::time::{Duration, Instant};

use super::evidence::{EvidenceTable, FadingMean};

/// One row for each task type, one place in it for each worker.
#[derive(Clone, Debug)]
pub(super) struct History {
    rows: Vec<Row>,
    row_of: IdMap<TaskType, u32>,
    limit: u32,
    half_life: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    task_type: TaskType,
    pub(super) used: Instant,
    /// Durations of successful runs on any worker, in nanoseconds.
    pub(super) typical: FadingMean,
    /// By slot: durations in nanoseconds, failures counted with their penalty.
    pub(super) workers: EvidenceTable,
}

impl History {
    pub(super) fn new(limit: u32, half_life: Duration) -> Self {
        Self { rows: Vec::new(), row_of: IdMap::new(), limit, half_life }
    }

    pub(super) fn insert_worker(&mut self, index: usize) {
        self.rows.iter_mut().for_each(|row| row.workers.insert(index));
    }

    pub(super) fn remove_worker(&mut self, index: usize) {
        self.rows.iter_mut().for_each(|row| {
            row.workers.remove(index);
        });
    }

    /// Mean duration of the successful runs of a type, in nanoseconds.
    pub(super) fn typical(&self, task_type: TaskType) -> Option<f64> {
        self.row(task_type)?.typical.mean()
    }

    /// By slot: what the workers have shown for the type.
    pub(super) fn of_type(&self, task_type: TaskType) -> Option<&EvidenceTable> {
        self.row(task_type).map(|row| &row.workers)
    }

    /// Lets what is remembered of a type fade until now.
    pub(super) fn advance(&mut self, now: Instant, task_type: TaskType) {
        match self.rows.first_mut() {
            Some(first) if first.task_type == task_type => first.workers.advance(now),
            _ => {
                if let Some(&row) = self.row_of.get(&task_type) {
                    self.rows[row as usize].workers.advance(now);
                }
            }
        }
    }

    fn row(&self, task_type: TaskType) -> Option<&Row> {
        // Most apps have one type that is asked for over and over; and the first row needs no hash.
        match self.rows.first() {
            Some(first) if first.task_type == task_type => Some(first),
            _ => self.row_of.get(&task_type).map(|&row| &self.rows[row as usize]),
        }
    }

    /// The row of a type; a new one takes the place of the one that was used longest ago where there are too many.
    pub(super) fn row_for(&mut self, task_type: TaskType, workers: usize) -> &mut Row {
        if let Some(&row) = self.row_of.get(&task_type) {
            return &mut self.rows[row as usize];
        }
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        if row < self.limit {
            self.row_of.insert(task_type, row);
            let workers = EvidenceTable::new(self.half_life, workers);
            self.rows.push(Row { task_type, used: Instant::ZERO, typical: FadingMean::default(), workers });
            return &mut self.rows[row as usize];
        }
        let oldest =
            (0..self.rows.len()).min_by_key(|&row| self.rows[row].used).expect("the limit is at least 1");
        let row = &mut self.rows[oldest];
        self.row_of.remove(&row.task_type);
        self.row_of.insert(task_type, u32::try_from(oldest).expect("there are at most `limit` rows"));
        row.task_type = task_type;
        row.used = Instant::ZERO;
        row.typical = FadingMean::default();
        row.workers.clear();
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_LIFE: Duration = Duration::from_secs(30);

    fn observe(history: &mut History, secs: u64, task_type: u32, index: usize, duration: f64) {
        let row = history.row_for(TaskType::new(task_type), 2);
        row.used = Instant::from_secs(secs);
        row.typical.observe(row.used, HALF_LIFE, duration);
        row.workers.observe(row.used, index, Ok(duration));
    }

    #[test]
    fn types_past_the_limit_replace_the_one_unused_for_longest() {
        let mut history = History::new(2, HALF_LIFE);
        observe(&mut history, 1, 10, 0, 5.0);
        observe(&mut history, 2, 11, 0, 6.0);
        observe(&mut history, 3, 10, 1, 7.0);
        observe(&mut history, 4, 12, 0, 8.0);
        assert_eq!(history.typical(TaskType::new(11)), None);
        assert!(history.typical(TaskType::new(10)).is_some());
        assert!(history.typical(TaskType::new(12)).is_some_and(|mean| (mean - 8.0).abs() < 1e-9));
        assert_eq!(history.rows.len(), 2);
    }

    #[test]
    fn a_worker_takes_its_own_evidence_along_only() {
        let mut history = History::new(4, HALF_LIFE);
        observe(&mut history, 1, 1, 0, 5.0);
        observe(&mut history, 1, 1, 1, 9.0);
        history.remove_worker(0);
        let remembered =
            |history: &History| history.of_type(TaskType::new(1)).unwrap().runs(Instant::from_secs(1), 0);
        assert!((remembered(&history) - 1.0).abs() < 1e-9, "of the worker that was at 1");
        history.insert_worker(0);
        assert!(remembered(&history) < 1e-9, "of the new one");
    }
}
