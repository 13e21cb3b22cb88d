//! Which strategy, and how many workers, for this traffic: measured over seeds, with the evidence.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

use quillwork_core::time::Duration;

use crate::study::Estimate;

use super::{Binding, FleetReport, FleetScenario, Job, simulate, simulate_jobs};

/// One way of running the traffic: so many workers under a binding.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The traffic and the workers.
    pub scenario: FleetScenario,
    /// The tasks, where they aren't drawn anew for each seed.
    pub jobs: Option<Arc<[Job]>>,
    /// What it is called in tables.
    pub policy: String,
    /// Who decides.
    pub binding: Binding,
    /// Whether it can be had: a bound can't.
    pub is_bound: bool,
}

/// What a candidate did with the traffic of several seeds. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// [`Candidate::policy`].
    pub policy: String,
    /// [`Candidate::is_bound`].
    pub is_bound: bool,
    /// How many workers there are.
    pub workers: usize,
    /// Work that comes over work that they can do.
    pub load: f64,
    /// Mean response time.
    pub mean: Estimate,
    /// Median response time.
    pub p50: Estimate,
    /// 90th percentile.
    pub p90: Estimate,
    /// 99th percentile.
    pub p99: Estimate,
    /// 99.9th percentile.
    pub p999: Estimate,
    /// 99th percentile of response time over the task's own work.
    pub slowdown_p99: Estimate,
    /// Good answers in a second.
    pub goodput_per_sec: Estimate,
    /// Share of tasks that got no good answer.
    pub error_ratio: Estimate,
    /// Attempts for each task.
    pub attempts: Estimate,
    /// Share of all attempts that each worker was given.
    pub shares: Vec<f64>,
    /// The p99 of each seed, for paired comparisons.
    pub p99_by_seed: Vec<f64>,
    /// Response times at [`CURVE`], means over the seeds.
    pub curve: Vec<f64>,
}

/// The quantiles of [`Measured::curve`], denser towards the tail.
pub const CURVE: [f64; 16] =
    [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];

impl Measured {
    /// Plays the candidate's scenario once for each seed. `progress` is called after each.
    pub fn of(candidate: &Candidate, seeds: &[u64], mut progress: impl FnMut()) -> Self {
        let scenario = &candidate.scenario;
        let reports: Vec<FleetReport> = seeds
            .iter()
            .map(|&seed| {
                let report = match &candidate.jobs {
                    Some(jobs) => simulate_jobs(seed, scenario, jobs, &candidate.binding),
                    None => simulate(seed, scenario, &candidate.binding),
                };
                progress();
                report
            })
            .collect();
        let over = |of: &dyn Fn(&FleetReport) -> f64| reports.iter().map(of).collect::<Vec<f64>>();
        let estimate = |of: &dyn Fn(&FleetReport) -> f64| Estimate::of_mean(&over(of));
        let quantile = |report: &FleetReport, q| report.response.quantile(q).unwrap_or_default();
        let measured = f64::from(scenario.count.saturating_sub(scenario.warm_up)).max(1.0);
        let given = |worker: usize| reports.iter().map(|report| f64::from(report.given[worker])).sum::<f64>();
        let all: f64 = (0..scenario.workers.len()).map(given).sum();
        Self {
            policy: candidate.policy.clone(),
            is_bound: candidate.is_bound,
            workers: scenario.workers.len(),
            load: scenario.load,
            mean: estimate(&|report| report.response.mean()),
            p50: estimate(&|report| quantile(report, 0.5)),
            p90: estimate(&|report| quantile(report, 0.9)),
            p99: estimate(&|report| quantile(report, 0.99)),
            p999: estimate(&|report| quantile(report, 0.999)),
            slowdown_p99: estimate(&|report| report.slowdown.quantile(0.99).unwrap_or_default()),
            goodput_per_sec: estimate(&|report| report.goodput_per_sec),
            error_ratio: estimate(&|report| f64::from(report.errors) / measured),
            attempts: estimate(&|report| f64::from(report.attempts) / f64::from(scenario.count.max(1))),
            shares: (0..scenario.workers.len()).map(|worker| given(worker) / all.max(1.0)).collect(),
            p99_by_seed: over(&|report| quantile(report, 0.99)),
            curve: CURVE
                .iter()
                .map(|&q| Estimate::of_mean(&over(&|report| quantile(report, q))).mean)
                .collect(),
        }
    }
}

/// What response times and errors must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The 99th percentile of the response time stays below.
    pub p99: Duration,
    /// The share of tasks without a good answer stays below.
    pub error_ratio: f64,
}

impl Goal {
    /// Whether the candidate stays within the goal even at the upper end of its intervals.
    #[must_use]
    pub fn is_met_by(&self, measured: &Measured) -> bool {
        measured.load < 1.0
            && upper(measured.p99) < self.p99.as_millis_f64()
            && upper(measured.error_ratio) < self.error_ratio
    }

    /// Of two that are to be told apart whether or not they meet the goal: the one with fewer errors than tolerated is
    /// closer to it, then the one with the shorter p99. A candidate that fails everything at once is fast.
    fn distance(&self, one: &Measured, other: &Measured) -> Ordering {
        let excess = |row: &Measured| (row.error_ratio.mean - self.error_ratio).max(0.0);
        excess(one).total_cmp(&excess(other)).then(one.p99.mean.total_cmp(&other.p99.mean))
    }
}

/// The end of its interval, or the mean of a single run.
fn upper(estimate: Estimate) -> f64 {
    estimate.mean + if estimate.half_width.is_finite() { estimate.half_width } else { 0.0 }
}

/// What to do, as places in the list that was given, with why.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// The candidate to take: of the fewest workers that meet the goal the one with the lowest p99. Where none meets it, the
    /// one that comes closest.
    pub best: usize,
    /// Whether it meets the goal.
    pub meets_goal: bool,
    /// The others with as many workers that can't be told from it: the interval of the difference of their p99s, seed by
    /// seed, holds zero, and they fail no more tasks than it and the goal allow.
    pub as_good: Vec<usize>,
    /// The best with as many workers whose p99 is measurably longer, and by how much.
    pub runner_up: Option<(usize, Estimate)>,
    /// The one with as many workers and the shortest p99, where that isn't the one to take because it fails more tasks.
    pub faster_with_errors: Option<usize>,
    /// The best of those with one step fewer workers: why fewer don't do.
    pub with_fewer: Option<usize>,
}

impl Recommendation {
    /// Chooses among what was measured on the same seeds; `None` of nothing but bounds.
    #[must_use]
    pub fn among(measured: &[Measured], goal: &Goal) -> Option<Self> {
        let real = || measured.iter().enumerate().filter(|(_, row)| !row.is_bound);
        let lowest = |rows: &mut dyn Iterator<Item = (usize, &Measured)>| {
            rows.min_by(|(_, one), (_, other)| goal.distance(one, other)).map(|(place, _)| place)
        };
        let fewest = real().filter(|(_, row)| goal.is_met_by(row)).map(|(_, row)| row.workers).min();
        let (best, meets_goal) = match fewest {
            Some(workers) => {
                let met = &mut real().filter(|(_, row)| row.workers == workers && goal.is_met_by(row));
                (lowest(met)?, true)
            }
            None => (lowest(&mut real())?, false),
        };
        let chosen = &measured[best];
        let peers = || real().filter(|&(place, row)| place != best && row.workers == chosen.workers);
        let excess = |row: &Measured| Estimate::of_excess(&row.p99_by_seed, &chosen.p99_by_seed);
        let is_slower = |row: &Measured| {
            let excess = excess(row);
            excess.mean - excess.half_width > 0.0
        };
        let fails_more = |row: &Measured| {
            let lower = row.error_ratio.mean - (upper(row.error_ratio) - row.error_ratio.mean);
            lower > upper(chosen.error_ratio) || meets_goal && upper(row.error_ratio) >= goal.error_ratio
        };
        let runner_up = lowest(&mut peers().filter(|(_, row)| is_slower(row)));
        let faster_with_errors = peers()
            .filter(|(_, row)| row.p99.mean < chosen.p99.mean && fails_more(row))
            .min_by(|(_, one), (_, other)| one.p99.mean.total_cmp(&other.p99.mean));
        let fewer = real().map(|(_, row)| row.workers).filter(|&workers| workers < chosen.workers).max();
        Some(Self {
            best,
            meets_goal,
            as_good: peers()
                .filter(|(_, row)| !is_slower(row) && !fails_more(row))
                .map(|(place, _)| place)
                .collect(),
            runner_up: runner_up.map(|place| (place, excess(&measured[place]))),
            faster_with_errors: faster_with_errors.map(|(place, _)| place),
            with_fewer: fewer
                .and_then(|workers| lowest(&mut real().filter(|(_, row)| row.workers == workers))),
        })
    }
}
