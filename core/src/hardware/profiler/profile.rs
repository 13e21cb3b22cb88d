//! A profile to read: shares, quantiles, and the phase that is worth work.

use alloc::vec::Vec;
use core::fmt;

use crate::ids::{TaskId, TaskType};
use crate::time::Duration;

use super::histogram::Histogram;
use super::times::PHASES;
use super::{Phase, RunTimes};

/// Where the time of all runs went. Displays as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// One row for each task type, the one that took the most time first.
    pub rows: Vec<ProfileRow>,
}

/// Where the time of one task type's runs went.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRow {
    /// Which type; `None` for all those together for which there was no row of their own.
    pub task_type: Option<TaskType>,
    /// How many runs.
    pub runs: u64,
    /// The time of all of them.
    pub total: Duration,
    /// The phase that took the most of it; of equal ones the first.
    pub dominant: Phase,
    /// The slowest run and its phases.
    pub slowest: Option<(TaskId, RunTimes)>,
    phases: [PhaseProfile; PHASES],
}

/// One phase of one task type's runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseProfile {
    /// The time that all runs spent in it.
    pub total: Duration,
    /// The part of the type's whole time, 0 to 1; all zero where the runs took no time.
    pub share_ratio: f64,
    /// Its median.
    pub p50_millis: f64,
    /// Its 95th percentile.
    pub p95_millis: f64,
    /// Its 99th percentile.
    pub p99_millis: f64,
    /// The longest.
    pub max_millis: f64,
}

impl ProfileRow {
    pub(super) fn new(
        task_type: Option<TaskType>,
        runs: u64,
        sums: &[Duration; PHASES],
        histograms: &[Histogram; PHASES],
        slowest: Option<(TaskId, RunTimes)>,
    ) -> Self {
        let total = sums.iter().fold(Duration::ZERO, |total, &sum| total + sum);
        let phases = Phase::ALL.map(|phase| {
            let (sum, histogram) = (sums[phase.index()], &histograms[phase.index()]);
            let quantile = |q| histogram.quantile(q).unwrap_or_default().as_millis_f64();
            PhaseProfile {
                total: sum,
                share_ratio: if total.is_zero() {
                    0.0
                } else {
                    sum.as_nanos() as f64 / total.as_nanos() as f64
                },
                p50_millis: quantile(0.5),
                p95_millis: quantile(0.95),
                p99_millis: quantile(0.99),
                max_millis: histogram.longest().as_millis_f64(),
            }
        });
        let dominant = Phase::ALL.into_iter().rev().max_by_key(|phase| sums[phase.index()]);
        let dominant = dominant.expect("there are phases");
        Self { task_type, runs, total, dominant, slowest, phases }
    }

    /// One phase.
    #[must_use]
    pub const fn phase(&self, phase: Phase) -> &PhaseProfile {
        &self.phases[phase.index()]
    }
}

impl fmt::Display for Profile {
    /// A row for each phase of each type: share, median, p95, p99 and longest in milliseconds. The dominant phase is marked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>8} {:>9} {:>9} {:>7} {:>10} {:>10} {:>10} {:>10}",
            "type", "runs", "phase", "share", "p50 ms", "p95 ms", "p99 ms", "max ms"
        )?;
        for row in &self.rows {
            for phase in Phase::ALL {
                let part = row.phase(phase);
                match row.task_type {
                    Some(task_type) => write!(f, "{:>8}", task_type.get())?,
                    None => write!(f, "{:>8}", "others")?,
                }
                writeln!(
                    f,
                    " {:>9} {phase:>9} {:>5.1} % {:>10.3} {:>10.3} {:>10.3} {:>10.3}{}",
                    row.runs,
                    part.share_ratio * 100.0,
                    part.p50_millis,
                    part.p95_millis,
                    part.p99_millis,
                    part.max_millis,
                    if phase == row.dominant { " <" } else { "" }
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Profiler, ProfilerConfig};
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_table_reads_well() {
        let mut profiler = Profiler::new(ProfilerConfig::default()).unwrap();
        let times = RunTimes {
            queue: Duration::from_millis(1),
            run: Duration::from_millis(3),
            ..RunTimes::default()
        };
        profiler.record(TaskType::new(12), TaskId::new(1), times);
        let table = profiler.profile().to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[0],
            "    type      runs     phase   share     p50 ms     p95 ms     p99 ms     max ms"
        );
        assert_eq!(
            lines[1],
            "      12         1     queue  25.0 %      1.000      1.000      1.000      1.000"
        );
        assert_eq!(
            lines[4],
            "      12         1       run  75.0 %      2.982      2.982      2.982      3.000 <"
        );
        assert_eq!(lines.len(), 6);
    }

    #[test]
    fn runs_that_took_no_time_have_no_shares() {
        let mut profiler = Profiler::new(ProfilerConfig::default()).unwrap();
        profiler.record(TaskType::new(1), TaskId::new(1), RunTimes::default());
        let profile = profiler.profile();
        assert!(Phase::ALL.iter().all(|&phase| profile.rows[0].phase(phase).share_ratio.abs() < 1e-12));
        assert_eq!(profile.rows[0].dominant, Phase::Queue);
    }
}
