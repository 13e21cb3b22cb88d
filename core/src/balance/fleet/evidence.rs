//! What is remembered of finished tasks: means and success ratios that forget.

use alloc::vec::Vec;

use crate::time::{Duration, Instant};

use super::decay::decay;

/// For each worker its runs, its successes and a mean value over them, all of which fade alike: with time, and with each
/// later run of the worker.
///
/// The mean is a true mean of what is remembered, however unevenly the runs came: each run weighs 2 to the power of minus
/// its age in half-lives, times [`KEPT_BY_RUN`] for each run after it. The second is for workers with thousands of runs in a
/// half-life: a host of old successes must not hide a fault, nor a host of failures that it is over. Time goes in steps of a sixty-fourth of the half-life, for all workers at once: so one power is
/// computed for each step, and a scan over hundreds of workers computes none. That makes a weight off by 1.1 % at most.
#[derive(Clone, Debug)]
pub(super) struct EvidenceTable {
    step: Duration,
    now: u64,
    rows: Vec<Evidence>,
}

/// One worker's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evidence {
    runs: f64,
    successes: f64,
    value_sum: f64,
    /// Of the successes among them.
    success_sum: f64,
}

impl EvidenceTable {
    /// For so many workers, without evidence.
    pub(super) fn new(half_life: Duration, workers: usize) -> Self {
        let step = Duration::from_nanos((half_life.as_nanos() / STEPS).max(1));
        Self { step, now: 0, rows: alloc::vec![Evidence::default(); workers] }
    }

    pub(super) fn insert(&mut self, index: usize) {
        self.rows.insert(index, Evidence::default());
    }

    pub(super) fn remove(&mut self, index: usize) {
        self.rows.remove(index);
    }

    pub(super) fn clear(&mut self) {
        self.rows.fill(Evidence::default());
    }

    /// Lets everything fade until now.
    pub(super) fn advance(&mut self, now: Instant) {
        let kept = self.kept(now);
        if kept < 1.0 {
            self.now = self.step_of(now);
            for row in &mut self.rows {
                row.runs *= kept;
                row.successes *= kept;
                row.value_sum *= kept;
                row.success_sum *= kept;
            }
        }
    }

    /// When there is something to fade again.
    pub(super) fn next_step(&self) -> Instant {
        Instant::from_nanos(self.now.saturating_add(1).saturating_mul(self.step.as_nanos()))
    }

    pub(super) fn observe(&mut self, now: Instant, index: usize, success: bool, value: f64) {
        self.advance(now);
        let row = &mut self.rows[index];
        row.runs = row.runs * KEPT_BY_RUN + 1.0;
        row.successes = row.successes * KEPT_BY_RUN + if success { 1.0 } else { 0.0 };
        row.value_sum = row.value_sum * KEPT_BY_RUN + value;
        row.success_sum = row.success_sum * KEPT_BY_RUN + if success { value } else { 0.0 };
    }

    /// How many runs are remembered, the old ones counted in part.
    pub(super) fn runs(&self, now: Instant, index: usize) -> f64 {
        self.rows[index].runs * self.kept(now)
    }

    /// The share of successes, with two runs of the ratio `prior` thrown in.
    pub(super) fn success_ratio(&self, now: Instant, index: usize, prior: f64) -> f64 {
        let kept = self.kept(now);
        let row = &self.rows[index];
        let ratio = (row.successes * kept + prior * PRIOR_RUNS) / (row.runs * kept + PRIOR_RUNS);
        ratio.clamp(0.0, 1.0)
    }

    /// The mean value, with one run of the value `prior` thrown in: what is believed where nothing is remembered.
    pub(super) fn mean(&self, now: Instant, index: usize, prior: f64) -> f64 {
        let kept = self.kept(now);
        let row = &self.rows[index];
        (row.value_sum * kept + prior) / (row.runs * kept + 1.0)
    }

    /// The mean value of the successes, with one of the value `prior` thrown in.
    pub(super) fn success_mean(&self, now: Instant, index: usize, prior: f64) -> f64 {
        let kept = self.kept(now);
        let row = &self.rows[index];
        (row.success_sum * kept + prior) / (row.successes * kept + 1.0)
    }

    /// What is left at `now` of what is in the table.
    fn kept(&self, now: Instant) -> f64 {
        // Compared before it is divided: most reads come within the step.
        if now < self.next_step() {
            return 1.0;
        }
        decay(self.step.saturating_mul(self.step_of(now) - self.now), self.step.saturating_mul(STEPS))
    }

    fn step_of(&self, now: Instant) -> u64 {
        now.as_nanos() / self.step.as_nanos()
    }
}

/// A mean over everybody that fades. It is only ever read as a ratio, so reading needs no clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FadingMean {
    at: Instant,
    weight: f64,
    sum: f64,
}

impl FadingMean {
    pub(super) fn observe(&mut self, now: Instant, half_life: Duration, value: f64) {
        let kept = decay(now - self.at, half_life);
        self.at = self.at.max(now);
        self.weight = self.weight * kept + 1.0;
        self.sum = self.sum * kept + value;
    }

    /// The mean of what was observed, or `None` where nothing was.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// What is left of a worker's evidence when a later run of it comes: the last 64 or so count.
const KEPT_BY_RUN: f64 = 1.0 - 1.0 / 64.0;
/// Steps in a half-life.
const STEPS: u64 = 64;
/// So many runs are thrown in where success ratios are read.
const PRIOR_RUNS: f64 = 2.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HALF_LIFE: Duration = Duration::from_secs(10);

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against all runs kept and weighed one by one, to the 1.1 % that a step may take.
        #[test]
        fn it_is_the_weighted_mean_of_all_runs(
            runs in prop::collection::vec((0_u64..30_000, 0_usize..2, any::<bool>(), 0.0_f64..100.0), 1..40),
            later in 0_u64..60_000,
        ) {
            let mut table = EvidenceTable::new(HALF_LIFE, 2);
            let mut now = Instant::ZERO;
            let mut all = Vec::new();
            for (gap, index, success, value) in runs {
                now += Duration::from_millis(gap);
                table.observe(now, index, success, value);
                all.push((now, index, success, value));
            }
            now += Duration::from_millis(later);
            for reader in 0..2 {
                let weighed = |of: &dyn Fn(bool, f64) -> f64| -> f64 {
                    let newest_first = all.iter().rev().filter(|&&(_, index, ..)| index == reader).zip(0..);
                    newest_first
                        .map(|(&(at, _, success, value), later)| {
                            let by_time = libm::exp2(-(now - at).as_secs_f64() / 10.0);
                            of(success, value) * by_time * libm::pow(KEPT_BY_RUN, f64::from(later))
                        })
                        .sum()
                };
                let runs = weighed(&|_, _| 1.0);
                let successes = weighed(&|success, _| if success { 1.0 } else { 0.0 });
                let values = weighed(&|_, value| value);
                let good_values: f64 = weighed(&|success, value| if success { value } else { 0.0 });
                let near = |found: f64, exact: f64| (found - exact).abs() <= 0.023 * exact + 1e-9;
                prop_assert!(near(table.runs(now, reader), runs));
                prop_assert!(near(table.success_ratio(now, reader, 1.0), (successes + 2.0) / (runs + 2.0)));
                prop_assert!(near(table.mean(now, reader, 7.0), (values + 7.0) / (runs + 1.0)));
                let good_mean = (good_values + 7.0) / (successes + 1.0);
                prop_assert!(near(table.success_mean(now, reader, 7.0), good_mean));
                // Reading and letting time pass are the same.
                let mut advanced = table.clone();
                advanced.advance(now);
                prop_assert!((advanced.mean(now, reader, 7.0) - table.mean(now, reader, 7.0)).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut table = EvidenceTable::new(HALF_LIFE, 1);
        table.observe(Instant::from_secs(100), 0, true, 4.0);
        table.observe(Instant::from_secs(1), 0, true, 8.0);
        assert!((table.runs(Instant::from_secs(100), 0) - 1.0 - KEPT_BY_RUN).abs() < 1e-12);
    }

    #[test]
    fn the_ends_of_time_are_borne() {
        let mut table = EvidenceTable::new(Duration::from_nanos(1), 1);
        table.observe(Instant::ZERO, 0, true, 4.0);
        table.observe(Instant::NEVER, 0, false, 4.0);
        assert!(table.mean(Instant::NEVER, 0, 1.0).is_finite());
        let mut table = EvidenceTable::new(Duration::MAX, 1);
        table.observe(Instant::ZERO, 0, true, 4.0);
        assert!(table.runs(Instant::NEVER, 0) <= 1.0);
    }
}
