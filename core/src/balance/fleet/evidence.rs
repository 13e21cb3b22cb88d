//! What is remembered of finished tasks: a mean and a success ratio that forget.

use crate::time::{Duration, Instant};

use super::decay::decay;

/// Runs, successes and a mean value over them, all of which fade with the same half-life.
///
/// The mean is a true mean of what is remembered, however unevenly the runs came: each run weighs 2 to the power of minus
/// its age in half-lives. Reading never changes anything; what a read sees depends on the runs and on `now` alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    at: Instant,
    runs: f64,
    successes: f64,
    value_sum: f64,
}

impl Evidence {
    pub(crate) fn observe(&mut self, now: Instant, half_life: Duration, success: bool, value: f64) {
        let kept = self.kept(now, half_life);
        self.at = self.at.max(now);
        self.runs = self.runs * kept + 1.0;
        self.successes = self.successes * kept + if success { 1.0 } else { 0.0 };
        self.value_sum = self.value_sum * kept + value;
    }

    /// How many runs are remembered, the old ones counted in part.
    pub(crate) fn runs(&self, now: Instant, half_life: Duration) -> f64 {
        self.runs * self.kept(now, half_life)
    }

    /// The share of successes, with `prior_runs` runs of the ratio `prior` thrown in.
    pub(crate) fn success_ratio(
        &self,
        now: Instant,
        half_life: Duration,
        prior: f64,
        prior_runs: f64,
    ) -> f64 {
        let kept = self.kept(now, half_life);
        let ratio = (self.successes * kept + prior * prior_runs) / (self.runs * kept + prior_runs);
        ratio.clamp(0.0, 1.0)
    }

    /// The mean value, with one run of the value `prior` thrown in: what is believed where nothing is remembered.
    pub(crate) fn mean(&self, now: Instant, half_life: Duration, prior: f64) -> f64 {
        let kept = self.kept(now, half_life);
        (self.value_sum * kept + prior) / (self.runs * kept + 1.0)
    }

    /// The mean of what was observed, or `None` where nothing was.
    pub(crate) fn plain_mean(&self) -> Option<f64> {
        (self.runs > 0.0).then(|| self.value_sum / self.runs)
    }

    fn kept(&self, now: Instant, half_life: Duration) -> f64 {
        if self.runs > 0.0 { decay(now - self.at, half_life) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const HALF_LIFE: Duration = Duration::from_secs(10);

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Against all runs kept and weighed one by one.
        #[test]
        fn it_is_the_weighted_mean_of_all_runs(
            runs in prop::collection::vec((0_u64..30_000, any::<bool>(), 0.0_f64..100.0), 1..40),
            later in 0_u64..60_000,
        ) {
            let mut evidence = Evidence::default();
            let mut now = Instant::ZERO;
            let mut all = Vec::new();
            for (gap, success, value) in runs {
                now += Duration::from_millis(gap);
                evidence.observe(now, HALF_LIFE, success, value);
                all.push((now, success, value));
            }
            now += Duration::from_millis(later);
            let weighed = |of: &dyn Fn(bool, f64) -> f64| -> f64 {
                all.iter()
                    .map(|&(at, success, value)| of(success, value) * libm::exp2(-(now - at).as_secs_f64() / 10.0))
                    .sum()
            };
            let runs = weighed(&|_, _| 1.0);
            let successes = weighed(&|success, _| if success { 1.0 } else { 0.0 });
            let values = weighed(&|_, value| value);
            prop_assert!((evidence.runs(now, HALF_LIFE) - runs).abs() < 1e-4);
            let ratio = evidence.success_ratio(now, HALF_LIFE, 1.0, 2.0);
            prop_assert!((ratio - (successes + 2.0) / (runs + 2.0)).abs() < 1e-4);
            prop_assert!((evidence.mean(now, HALF_LIFE, 7.0) - (values + 7.0) / (runs + 1.0)).abs() < 1e-3);
        }
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut evidence = Evidence::default();
        evidence.observe(Instant::from_secs(100), HALF_LIFE, true, 4.0);
        evidence.observe(Instant::from_secs(1), HALF_LIFE, true, 8.0);
        assert!((evidence.runs(Instant::from_secs(100), HALF_LIFE) - 2.0).abs() < 1e-12);
        assert!((evidence.plain_mean().unwrap() - 6.0).abs() < 1e-12);
    }
}
