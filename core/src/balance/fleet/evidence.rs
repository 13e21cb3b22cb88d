//! What is remembered of finished tasks: means and success ratios that forget.

use alloc::vec::Vec;

use crate::time::{Duration, Instant};

use super::decay::decay;

/// For each worker its runs, its successes and a mean value over them, all of which fade alike: with time, and with each
/// later run of the worker.
///
/// The mean is a true mean of what is remembered, however unevenly the runs came: each run weighs 2 to the power of minus
/// its age in half-lives, times [`KEPT_BY_RUN`] for each run after it. The second is for workers with thousands of runs in a
/// half-life: a host of old successes must not hide a fault.
///
/// A worker that is broken for a while must be seen to be, and must not be shunned long after it is whole again. So a
/// streak, failures with no success between them, counts in two ways:
///
/// * while it lasts, the more of them there are the surer it is that the worker fails everything now, and doesn't just fail
///   a task now and then: certainty is 0 with the first failure and halves its distance to 1 with each more. The mean value
///   that is read is the one over all runs, moved by so much towards that of the streak alone.
/// * when a success ends it, each of its failures weighs no more than the doubt that was left, 1 minus that certainty, with its
///   [`Failed::lasting_value`]: it was a state, and it is over.
///
/// Readers may ask to leave a streak out: where it is time to try again.
///
/// Time goes in steps of a sixty-fourth of the half-life, for all workers at once: so one power is
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
    /// The failures since the last success, which are in the sums as well.
    streak: Streak,
}

/// Failures with no success between them.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    length: u32,
    runs: f64,
    value_sum: f64,
    /// Of their lasting values.
    lasting_sum: f64,
    /// Their mean value.
    value: f64,
}

/// A run that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    /// What it counts as.
    pub(super) value: f64,
    /// What it counts as once the worker has succeeded again, at most `value`.
    pub(super) lasting_value: f64,
}

impl Streak {
    /// How sure it is that the worker is in a state in which it fails, and doesn't just fail a task now and then: 0 for
    /// the first failure, and half of the doubt less with each more.
    fn certainty(&self) -> f64 {
        1.0 - weight_of(self.length)
    }
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
                row.streak.runs *= kept;
                row.streak.value_sum *= kept;
                row.streak.lasting_sum *= kept;
            }
        }
    }

    /// When there is something to fade again.
    pub(super) fn next_step(&self) -> Instant {
        Instant::from_nanos(self.now.saturating_add(1).saturating_mul(self.step.as_nanos()))
    }

    pub(super) fn observe(&mut self, now: Instant, index: usize, outcome: Result<f64, Failed>) {
        let (success, value) = match outcome {
            Ok(value) => (true, value),
            Err(failed) => (false, failed.value),
        };
        self.advance(now);
        let row = &mut self.rows[index];
        row.runs = row.runs * KEPT_BY_RUN + 1.0;
        row.successes = row.successes * KEPT_BY_RUN + if success { 1.0 } else { 0.0 };
        row.value_sum = row.value_sum * KEPT_BY_RUN + value;
        row.success_sum = row.success_sum * KEPT_BY_RUN + if success { value } else { 0.0 };
        let streak = &mut row.streak;
        if let Err(failed) = outcome {
            streak.length = streak.length.saturating_add(1);
            streak.runs = streak.runs * KEPT_BY_RUN + 1.0;
            streak.value_sum = streak.value_sum * KEPT_BY_RUN + value;
            streak.value = streak.value_sum / streak.runs;
            streak.lasting_sum = streak.lasting_sum * KEPT_BY_RUN + failed.lasting_value;
        } else if streak.length > 0 {
            let kept = weight_of(streak.length);
            row.runs = (row.runs - streak.runs * (1.0 - kept) * KEPT_BY_RUN).max(0.0);
            let forgiven = streak.value_sum - streak.lasting_sum * kept;
            row.value_sum = (row.value_sum - forgiven * KEPT_BY_RUN).max(0.0);
            *streak = Streak::default();
        }
    }

    /// How many runs are remembered, the old ones counted in part.
    pub(super) fn runs(&self, now: Instant, index: usize) -> f64 {
        self.rows[index].runs * self.kept(now)
    }

    /// The share of successes, with two runs of the ratio `prior` thrown in. `forgiving` leaves out a streak that lasts.
    pub(super) fn success_ratio(&self, now: Instant, index: usize, prior: f64, forgiving: bool) -> f64 {
        let kept = self.kept(now);
        let row = &self.rows[index];
        let runs = if forgiving { (row.runs - row.streak.runs).max(0.0) } else { row.runs };
        let ratio = (row.successes * kept + prior * PRIOR_RUNS) / (runs * kept + PRIOR_RUNS);
        ratio.clamp(0.0, 1.0)
    }

    /// The mean value, with one run of the value `prior` thrown in: what is believed where nothing is remembered.
    /// `forgiving` leaves out a streak that lasts.
    pub(super) fn mean(&self, now: Instant, index: usize, prior: f64, forgiving: bool) -> f64 {
        let kept = self.kept(now);
        let row = &self.rows[index];
        let streak = &row.streak;
        if streak.length == 0 {
            return (row.value_sum * kept + prior) / (row.runs * kept + 1.0);
        }
        if forgiving {
            let (runs, sum) =
                ((row.runs - streak.runs).max(0.0), (row.value_sum - streak.value_sum).max(0.0));
            return (sum * kept + prior) / (runs * kept + 1.0);
        }
        let mean = (row.value_sum * kept + prior) / (row.runs * kept + 1.0);
        mean + streak.certainty() * (streak.value - mean)
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

/// What is left of each failure of a streak of this length when a success ends it.
fn weight_of(length: u32) -> f64 {
    f64::from_bits((1_023 - u64::from(length.clamp(1, 64) - 1)) << 52)
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
            runs in prop::collection::vec((0_u64..30_000, 0_usize..2, prop::bool::weighted(0.4), 0.0_f64..100.0), 1..40),
            later in 0_u64..60_000,
        ) {
            let mut table = EvidenceTable::new(HALF_LIFE, 2);
            let mut now = Instant::ZERO;
            let mut all = Vec::new();
            for (gap, index, success, value) in runs {
                now += Duration::from_millis(gap);
                let failed = Failed { value, lasting_value: value / 4.0 };
                table.observe(now, index, if success { Ok(value) } else { Err(failed) });
                all.push((now, index, success, value));
            }
            now += Duration::from_millis(later);
            for reader in 0..2 {
                // Of each run of the worker: what is left of it by time and by later runs, success, value, streak.
                let newest_first = all.iter().rev().filter(|&&(_, index, ..)| index == reader).zip(0..);
                let mut own: Vec<(f64, bool, f64, Option<usize>)> = newest_first
                    .map(|(&(at, _, success, value), later)| {
                        let by_time = libm::exp2(-(now - at).as_secs_f64() / 10.0);
                        (by_time * libm::pow(KEPT_BY_RUN, f64::from(later)), success, value, None)
                    })
                    .collect();
                own.reverse();
                let lasting = own.iter().rev().take_while(|run| !run.1).count();
                let ended = own.len() - lasting;
                for place in 0..ended {
                    let length = own[place..ended].iter().take_while(|run| !run.1).count()
                        + own[..place].iter().rev().take_while(|run| !run.1).count();
                    if !own[place].1 {
                        let (weight, _, value, _) = own[place];
                        let kept = libm::exp2(1.0 - length as f64);
                        own[place] = (weight * kept, false, value / 4.0, Some(length));
                    }
                }
                let sum = |of: &dyn Fn(bool, f64) -> f64, places: core::ops::Range<usize>| -> f64 {
                    own[places].iter().map(|&(weight, success, value, _)| weight * of(success, value)).sum()
                };
                let whole = 0..own.len();
                let certainty = if lasting == 0 { 0.0 } else { 1.0 - libm::exp2(1.0 - lasting as f64) };
                let runs = sum(&|_, _| 1.0, whole.clone());
                let successes = sum(&|success, _| if success { 1.0 } else { 0.0 }, whole.clone());
                let good_values = sum(&|success, value| if success { value } else { 0.0 }, whole.clone());
                let all_values = sum(&|_, value| value, whole.clone());
                let near = |found: f64, exact: f64| (found - exact).abs() <= 0.04 * exact + 1e-9;
                prop_assert!(near(table.runs(now, reader), runs));
                let ratio = (successes + 2.0) / (runs + 2.0);
                prop_assert!(near(table.success_ratio(now, reader, 1.0, false), ratio));
                let mean = (all_values + 7.0) / (runs + 1.0);
                let of_streak = if lasting == 0 {
                    mean
                } else {
                    sum(&|_, value| value, ended..own.len()) / sum(&|_, _| 1.0, ended..own.len())
                };
                let expected = mean + certainty * (of_streak - mean);
                prop_assert!(near(table.mean(now, reader, 7.0, false), expected));
                let good_mean = (good_values + 7.0) / (successes + 1.0);
                prop_assert!(near(table.success_mean(now, reader, 7.0), good_mean));
                // Without the streak.
                let ratio = (successes + 2.0) / (sum(&|_, _| 1.0, 0..ended) + 2.0);
                prop_assert!(near(table.success_ratio(now, reader, 1.0, true), ratio));
                let mean = (sum(&|_, value| value, 0..ended) + 7.0) / (sum(&|_, _| 1.0, 0..ended) + 1.0);
                prop_assert!(near(table.mean(now, reader, 7.0, true), mean));
                // Reading and letting time pass are the same.
                let mut advanced = table.clone();
                advanced.advance(now);
                let (one, other) = (advanced.mean(now, reader, 7.0, false), table.mean(now, reader, 7.0, false));
                prop_assert!((one - other).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut table = EvidenceTable::new(HALF_LIFE, 1);
        table.observe(Instant::from_secs(100), 0, Ok(4.0));
        table.observe(Instant::from_secs(1), 0, Ok(8.0));
        assert!((table.runs(Instant::from_secs(100), 0) - 1.0 - KEPT_BY_RUN).abs() < 1e-12);
    }

    #[test]
    fn the_ends_of_time_are_borne() {
        let mut table = EvidenceTable::new(Duration::from_nanos(1), 1);
        table.observe(Instant::ZERO, 0, Ok(4.0));
        table.observe(Instant::NEVER, 0, Err(Failed { value: 4.0, lasting_value: 4.0 }));
        assert!(table.mean(Instant::NEVER, 0, 1.0, false).is_finite());
        let mut table = EvidenceTable::new(Duration::MAX, 1);
        table.observe(Instant::ZERO, 0, Ok(4.0));
        assert!(table.runs(Instant::NEVER, 0) <= 1.0);
    }
}
