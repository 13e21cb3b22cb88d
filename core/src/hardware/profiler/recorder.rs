//! Recording runs in fixed slots.

use alloc::vec::Vec;
use core::fmt;

use crate::id_map::IdMap;
use crate::ids::{TaskId, TaskType};
use crate::time::Duration;

use super::histogram::Histogram;
use super::times::PHASES;
use super::{Phase, Profile, ProfileRow, RunTimes};

/// Settings of a [`Profiler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfilerConfig {
    /// How many task types are kept apart, 1 to [`ProfilerConfig::MAX_TASK_TYPES`]; the ones that come later share a row.
    /// Default 64.
    pub max_task_types: u32,
}

impl ProfilerConfig {
    /// The most task types that may be kept apart.
    pub const MAX_TASK_TYPES: u32 = 4_096;

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), ProfilerConfigError> {
        if !(1..=Self::MAX_TASK_TYPES).contains(&self.max_task_types) {
            return Err(ProfilerConfigError::TaskTypes { asked: self.max_task_types });
        }
        Ok(())
    }
}

impl Default for ProfilerConfig {
    fn default() -> Self {
        Self { max_task_types: 64 }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfilerConfigError {
    /// No task type, or too many.
    TaskTypes {
        /// What was asked for.
        asked: u32,
    },
}

impl fmt::Display for ProfilerConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TaskTypes { asked } => {
                write!(
                    f,
                    "a profiler keeps 1 to {} task types apart, not {asked}",
                    ProfilerConfig::MAX_TASK_TYPES
                )
            }
        }
    }
}

impl core::error::Error for ProfilerConfigError {}

/// Keeps, for each task type, how long each phase of its runs took. See the [module](super).
#[derive(Clone, Debug)]
pub struct Profiler {
    config: ProfilerConfig,
    rows: Vec<Record>,
    places: IdMap<TaskType, u32>,
    /// Of the types for which there was no row of their own.
    others: Option<Record>,
}

/// What is kept of one task type.
#[derive(Clone, Debug)]
struct Record {
    task_type: Option<TaskType>,
    runs: u64,
    sums: [Duration; PHASES],
    histograms: [Histogram; PHASES],
    slowest: Option<(TaskId, RunTimes)>,
}

impl Profiler {
    /// A profiler that has seen nothing.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: ProfilerConfig) -> Result<Self, ProfilerConfigError> {
        config.validate()?;
        Ok(Self { config, rows: Vec::new(), places: IdMap::new(), others: None })
    }

    /// A run has ended, in whatever way. Whoever counts runs that ended early (aborted in the queue) passes what there was
    /// of each phase, and zero for the rest.
    pub fn record(&mut self, task_type: TaskType, task: TaskId, times: RunTimes) {
        self.record_mut(task_type).add(task, times);
    }

    /// Everything that was recorded, the type that took the most time first.
    #[must_use]
    pub fn profile(&self) -> Profile {
        let mut rows: Vec<ProfileRow> =
            self.rows.iter().chain(&self.others).filter(|record| record.runs > 0).map(Record::row).collect();
        rows.sort_by_key(|row| (core::cmp::Reverse(row.total), row.task_type));
        Profile { rows }
    }

    /// Forgets all runs and keeps the memory for the next: for profiles of intervals.
    pub fn reset(&mut self) {
        for record in self.rows.iter_mut().chain(&mut self.others) {
            record.runs = 0;
            record.sums = [Duration::ZERO; PHASES];
            record.histograms.iter_mut().for_each(Histogram::clear);
            record.slowest = None;
        }
    }

    fn record_mut(&mut self, task_type: TaskType) -> &mut Record {
        if let Some(&place) = self.places.get(&task_type) {
            return &mut self.rows[place as usize];
        }
        match u32::try_from(self.rows.len()) {
            Ok(place) if place < self.config.max_task_types => {
                self.places.insert(task_type, place);
                self.rows.push(Record::new(Some(task_type)));
                self.rows.last_mut().expect("it was just put there")
            }
            Ok(_) | Err(_) => self.others.get_or_insert_with(|| Record::new(None)),
        }
    }
}

impl Record {
    fn new(task_type: Option<TaskType>) -> Self {
        Self {
            task_type,
            runs: 0,
            sums: [Duration::ZERO; PHASES],
            histograms: core::array::from_fn(|_| Histogram::new()),
            slowest: None,
        }
    }

    fn add(&mut self, task: TaskId, times: RunTimes) {
        self.runs = self.runs.saturating_add(1);
        for phase in Phase::ALL {
            let time = times.phase(phase);
            self.sums[phase.index()] += time;
            self.histograms[phase.index()].record(time);
        }
        if self.slowest.is_none_or(|(_, slowest)| slowest.total() < times.total()) {
            self.slowest = Some((task, times));
        }
    }

    fn row(&self) -> ProfileRow {
        ProfileRow::new(self.task_type, self.runs, &self.sums, &self.histograms, self.slowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn times(queue: u64, run: u64) -> RunTimes {
        RunTimes {
            queue: Duration::from_millis(queue),
            run: Duration::from_millis(run),
            ..RunTimes::default()
        }
    }

    #[test]
    fn types_are_kept_apart_and_ordered_by_the_time_they_took() {
        let mut profiler = Profiler::new(ProfilerConfig::default()).unwrap();
        let [small, large] = [1, 2].map(TaskType::new);
        for number in 0..10 {
            profiler.record(small, TaskId::new(number), times(1, 2));
            profiler.record(large, TaskId::new(100 + number), times(number, 30));
        }
        let profile = profiler.profile();
        let summary: Vec<_> =
            profile.rows.iter().map(|row| (row.task_type, row.runs, row.dominant)).collect();
        assert_eq!(summary, [(Some(large), 10, Phase::Run), (Some(small), 10, Phase::Run)]);
        assert_eq!(profile.rows[0].slowest, Some((TaskId::new(109), times(9, 30))));
        let share = profile.rows[1].phase(Phase::Queue).share_ratio;
        assert!((share - 1.0 / 3.0).abs() < 1e-12, "{share}");
        let p50 = profile.rows[0].phase(Phase::Run).p50_millis;
        assert!((p50 - 30.0).abs() <= 0.02 * 30.0, "{p50}");
    }

    #[test]
    fn types_past_the_limit_share_a_row_and_lose_nothing() {
        let config = ProfilerConfig { max_task_types: 2 };
        let mut profiler = Profiler::new(config).unwrap();
        for number in 0..50_u32 {
            profiler.record(TaskType::new(number % 5), TaskId::new(u64::from(number)), times(0, 1));
        }
        let rows = profiler.profile().rows;
        let runs: Vec<_> = rows.iter().map(|row| (row.task_type.map(TaskType::get), row.runs)).collect();
        assert_eq!(runs, [(None, 30), (Some(0), 10), (Some(1), 10)]);
    }

    #[test]
    fn a_reset_starts_an_interval() {
        let mut profiler = Profiler::new(ProfilerConfig::default()).unwrap();
        profiler.record(TaskType::new(1), TaskId::new(1), times(500, 1));
        profiler.reset();
        assert!(profiler.profile().rows.is_empty());
        profiler.record(TaskType::new(1), TaskId::new(2), times(0, 4));
        let row = &profiler.profile().rows[0];
        assert_eq!((row.runs, row.total, row.dominant), (1, Duration::from_millis(4), Phase::Run));
    }

    #[test]
    fn settings_that_keep_nothing_are_refused() {
        let refused = |config| Profiler::new(config).unwrap_err().to_string();
        assert_eq!(
            refused(ProfilerConfig { max_task_types: 0 }),
            "a profiler keeps 1 to 4096 task types apart, not 0"
        );
    }
}
