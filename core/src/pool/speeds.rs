//! How long each worker takes for each type of task, where that differs.
//!
//! Of several free workers the one that is fastest with a task's type should have it: one core is faster than another, one
//! worker has the GPU or the warm cache. Workers whose times are within a factor of 1.25 or so count as equally fast, and
//! where all are, nothing is looked up at all.

use alloc::vec::Vec;

use crate::ids::TaskType;
use crate::time::{Duration, Instant};

use super::by_type::ByType;
use super::mean::approach;

/// Mean run times of successes, by type and worker.
#[derive(Clone, Debug)]
pub(super) struct Speeds {
    workers: usize,
    has_trials: bool,
    by_type: ByType,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    of_workers: Vec<Mean>,
    /// Whether some worker takes clearly longer than another.
    is_uneven: bool,
    recorded: u32,
}

/// A mean in which each further time weighs a 32nd, or its share of all so far where those are fewer.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    nanos: u64,
    /// The mean deviation from it, weighted alike.
    deviation: u64,
    count: u8,
    at: Instant,
}

/// What is known of a worker and a type of task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) mean: Duration,
    /// The mean less half of the mean deviation.
    pub(super) at_least: Duration,
    /// When it was measured last.
    pub(super) at: Instant,
}

/// The speed classes of all workers for one type of task: the lower, the faster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classes<'a>(&'a [Mean]);

impl Speeds {
    /// With or without trials of workers that have had nothing for long.
    pub(super) fn new(workers: u32, has_trials: bool) -> Self {
        Self { workers: workers as usize, has_trials, by_type: ByType::new(), rows: Vec::new() }
    }

    /// A task of this type succeeded on the worker in this place after so long.
    pub(super) fn record(&mut self, now: Instant, task_type: TaskType, worker: usize, ran: Duration) {
        let has_trials = self.has_trials;
        let Some(row) = self.row_mut(task_type) else { return };
        let mean = &mut row.of_workers[worker];
        if has_trials {
            mean.try_anew(now, ran);
        }
        mean.add(now, ran);
        row.recorded = row.recorded.wrapping_add(1);
        // Comparing all workers after each task would cost more than it is worth.
        if row.recorded.is_multiple_of(LOOK_EVERY) {
            row.is_uneven = is_uneven(&row.of_workers);
        }
    }

    /// Of the next worker in this place nothing is known.
    pub(super) fn forget(&mut self, worker: usize) {
        self.rows.iter_mut().for_each(|row| row.of_workers[worker] = Mean::default());
    }

    /// `None` where all workers are about equally fast with this type, or nothing is known.
    #[inline]
    pub(super) fn classes(&self, task_type: TaskType) -> Option<Classes<'_>> {
        let row = &self.rows[self.by_type.get(task_type)?];
        row.is_uneven.then_some(Classes(&row.of_workers))
    }

    /// `None` where too little is known.
    pub(super) fn measured(&self, task_type: TaskType, worker: usize) -> Option<Measured> {
        let row = &self.rows[self.by_type.get(task_type)?];
        let Mean { nanos, deviation, count, at } = row.of_workers[worker];
        let at_least = Duration::from_nanos(nanos.saturating_sub(deviation / 2));
        (count >= ENOUGH).then_some(Measured { mean: Duration::from_nanos(nanos), at_least, at })
    }

    fn row_mut(&mut self, task_type: TaskType) -> Option<&mut Row> {
        if let Some(row) = self.by_type.find(task_type) {
            return self.rows.get_mut(row);
        }
        if self.rows.len() >= MAX_TYPES {
            return None;
        }
        self.by_type.insert(task_type, self.rows.len());
        self.rows.push(Row {
            of_workers: alloc::vec![Mean::default(); self.workers],
            is_uneven: false,
            recorded: 0,
        });
        self.rows.last_mut()
    }
}

impl Classes<'_> {
    /// Four classes to each doubling of the run time. A worker that is new to the type is given the benefit of the doubt.
    pub(super) fn of(self, worker: usize) -> u32 {
        let Mean { nanos, count, .. } = self.0[worker];
        if count < ENOUGH {
            return 0;
        }
        let exponent = nanos.max(1).ilog2();
        let quarter = (nanos << (63 - exponent)) >> 61 & 0b11;
        4 * exponent + u32::try_from(quarter).expect("two bits") + 1
    }
}

impl Mean {
    fn try_anew(&mut self, now: Instant, time: Duration) {
        let mean = Duration::from_nanos(self.nanos);
        let is_trial = self.count >= ENOUGH && now - self.at >= mean.saturating_mul(TRIAL_AFTER);
        if is_trial && time.saturating_mul(8) < mean {
            self.nanos /= 2;
            self.deviation /= 2;
        }
    }

    fn add(&mut self, now: Instant, time: Duration) {
        self.at = now;
        self.count = (self.count + 1).min(32);
        let (count, time) = (u64::from(self.count), time.as_nanos());
        if self.count > 1 {
            approach(&mut self.deviation, time.abs_diff(self.nanos), count);
        }
        approach(&mut self.nanos, time, count);
    }
}

/// Whether one takes more than one and a half times as long as another. Of 32 times whose spread is their mean, means of
/// equal workers rarely differ by so much.
fn is_uneven(of_workers: &[Mean]) -> bool {
    let known = of_workers.iter().filter(|mean| mean.count >= ENOUGH).map(|mean| mean.nanos);
    let (fastest, slowest) =
        known.fold((u64::MAX, 0), |(fastest, slowest), nanos| (fastest.min(nanos), slowest.max(nanos)));
    fastest < slowest && slowest - fastest > fastest / 2
}

/// Fewer times say nothing.
const ENOUGH: u8 = 8;
const LOOK_EVERY: u32 = 16;
/// A worker that had nothing of a type for so many of its means and is then eight times as fast counts as twice as fast: what
/// was known of it is of another time.
pub(super) const TRIAL_AFTER: u64 = 32;
/// Types beyond these are run by whoever is free.
const MAX_TYPES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: TaskType = TaskType::new(1);

    fn recorded(millis: &[u64]) -> Speeds {
        let mut speeds = Speeds::new(u32::try_from(millis.len()).unwrap(), true);
        for _ in 0..64 {
            for (worker, &millis) in millis.iter().enumerate() {
                speeds.record(Instant::ZERO, TYPE, worker, Duration::from_millis(millis));
            }
        }
        speeds
    }

    #[test]
    fn workers_about_as_fast_are_all_the_same() {
        assert!(recorded(&[10, 12, 14]).classes(TYPE).is_none());
        assert!(Speeds::new(3, true).classes(TYPE).is_none());
    }

    #[test]
    fn classes_follow_run_times() {
        let speeds = recorded(&[10, 40, 11, 1_000]);
        let classes = speeds.classes(TYPE).expect("they differ");
        let of: Vec<u32> = (0..4).map(|worker| classes.of(worker)).collect();
        assert!(of[0] < of[1] && of[1] < of[3] && of[2] <= of[0] + 1, "{of:?}");
        assert_eq!(of[1] - of[0], 8, "twice as long, twice over");
    }

    #[test]
    fn a_worker_that_was_slow_long_ago_and_is_fast_now_is_believed() {
        let mut speeds = recorded(&[10, 80]);
        let mean = |speeds: &Speeds| speeds.measured(TYPE, 1).expect("it was measured").mean.as_millis();
        speeds.record(Instant::from_secs(1), TYPE, 1, Duration::from_millis(9));
        assert!(mean(&speeds) > 75, "it had tasks until just now: one short one proves nothing");
        let mut now = Instant::from_secs(1);
        for _ in 0..3 {
            now += Duration::from_secs(4);
            speeds.record(now, TYPE, 1, Duration::from_millis(4));
        }
        assert!(mean(&speeds) < 20, "{}", mean(&speeds));
    }

    #[test]
    fn a_new_worker_is_tried_first() {
        let mut speeds = recorded(&[10, 40]);
        speeds.forget(1);
        let classes = speeds.classes(TYPE).expect("they differed");
        assert!(classes.of(1) < classes.of(0));
    }

    #[test]
    fn extremes_have_classes() {
        let mut speeds = recorded(&[0, 1]);
        for _ in 0..64 {
            speeds.record(Instant::ZERO, TYPE, 1, Duration::MAX);
        }
        let classes = speeds.classes(TYPE).expect("they differ");
        assert!(classes.of(0) < classes.of(1));
    }
}
