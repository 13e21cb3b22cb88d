//! How long tasks run, by type.

use alloc::vec::Vec;

use crate::ids::TaskType;
use crate::time::Duration;

use super::by_type::ByType;
use super::mean::approach;

/// Moving averages of measured run times.
///
/// The average over the first [`WEIGHT`] executions, exponentially weighted from then on (EWMA): a run counts for one part
/// in 32. That is slow enough for results that come in one message, where the first seems to have taken all the time and
/// the others none, and quick enough for tasks that are worth prefetching: they come by the hundred.
#[derive(Clone, Debug)]
pub(super) struct RunTimes {
    by_type: ByType,
    averages: Vec<Average>,
}

#[derive(Clone, Copy, Debug)]
struct Average {
    nanos: u64,
    /// Executions so far, up to [`WEIGHT`].
    count: u64,
}

impl RunTimes {
    pub(super) fn new() -> Self {
        Self { by_type: ByType::new(), averages: Vec::new() }
    }

    /// An execution was completed after this time.
    pub(super) fn record(&mut self, task_type: TaskType, took: Duration) {
        let nanos = took.as_nanos();
        if let Some(place) = self.by_type.find(task_type) {
            let average = &mut self.averages[place];
            average.count = (average.count + 1).min(WEIGHT);
            approach(&mut average.nanos, nanos, average.count);
        } else if self.averages.len() < MOST_TYPES {
            self.by_type.insert(task_type, self.averages.len());
            self.averages.push(Average { nanos, count: 1 });
        }
    }

    /// How long a task of this type runs; `None` where none has been measured.
    pub(super) fn expected(&self, task_type: TaskType) -> Option<Duration> {
        self.by_type.get(task_type).map(|place| Duration::from_nanos(self.averages[place].nanos))
    }
}

/// Over how many executions the average is taken.
const WEIGHT: u64 = 32;
/// Further types are not measured: a shell that makes a new type for each task would fill the memory.
const MOST_TYPES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: TaskType = TaskType::new(7);

    fn measured(millis: impl IntoIterator<Item = u64>) -> u64 {
        let mut times = RunTimes::new();
        millis.into_iter().for_each(|millis| times.record(TYPE, Duration::from_millis(millis)));
        times.expected(TYPE).unwrap().as_millis()
    }

    #[test]
    fn it_is_the_mean_at_first_and_follows_a_change_later() {
        assert_eq!(measured([10]), 10);
        assert_eq!(measured([10, 20, 30]), 20);
        let changed = measured((0..100).map(|_| 10).chain((0..100).map(|_| 50)));
        assert!((48..=50).contains(&changed), "{changed}");
    }

    #[test]
    fn results_that_come_together_count_as_if_they_had_come_one_by_one() {
        // Ten tasks of a millisecond each, reported in one message.
        let reports = (0..50).flat_map(|_| [10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mean = measured(reports.map(|millis| millis * 100));
        assert!((80..=120).contains(&mean), "{mean} of 100");
    }

    #[test]
    fn types_without_end_fill_no_memory() {
        let mut times = RunTimes::new();
        (0..10_000).for_each(|number| times.record(TaskType::new(number), Duration::from_millis(1)));
        assert_eq!(times.averages.len(), MOST_TYPES);
        assert_eq!(times.expected(TaskType::new(9_999)), None);
        assert!(times.expected(TaskType::new(0)).is_some());
    }
}
