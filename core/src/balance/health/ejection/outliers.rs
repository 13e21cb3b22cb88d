//! Which success rate is far below the others'.

use super::SuccessRateOutliers;

/// Sums over the success rates that are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    count: u32,
    sum: f64,
    squares: f64,
}

impl Rates {
    pub(super) fn of(rates: impl Iterator<Item = f64>) -> Self {
        rates.fold(Self { count: 0, sum: 0.0, squares: 0.0 }, |rates, rate| Self {
            count: rates.count + 1,
            sum: rates.sum + rate,
            squares: rates.squares + rate * rate,
        })
    }

    /// The rate under which this one of them would be an outlier: the mean of the *others* less so many of their standard
    /// deviations, and by the least gap at least. `None` where there are too few.
    ///
    /// Of the others, because a worker that is counted in is never far from the mean of a few: the worst of four is at most 1.73
    /// standard deviations below it, however bad it is.
    pub(super) fn threshold(&self, rate: f64, outliers: &SuccessRateOutliers) -> Option<f64> {
        if self.count < outliers.min_workers || self.count < 2 {
            return None;
        }
        let others = f64::from(self.count - 1);
        let mean = (self.sum - rate) / others;
        let variance = ((self.squares - rate * rate) / others - mean * mean).max(0.0);
        let gap = (outliers.deviations * libm::sqrt(variance)).max(outliers.min_gap);
        Some(mean - gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outliers_of(rates: &[f64]) -> alloc::vec::Vec<usize> {
        let outliers = SuccessRateOutliers::default();
        let sums = Rates::of(rates.iter().copied());
        let is_outlier = |&index: &usize| {
            sums.threshold(rates[index], &outliers).is_some_and(|threshold| rates[index] < threshold)
        };
        (0..rates.len()).filter(is_outlier).collect()
    }

    #[test]
    fn one_bad_worker_of_few_is_found() {
        assert_eq!(outliers_of(&[0.99, 0.3, 1.0]), [1]);
        assert_eq!(outliers_of(&[0.99, 0.98, 1.0, 0.6]), [3]);
    }

    #[test]
    fn what_differs_little_or_fails_everywhere_is_no_outlier() {
        assert!(outliers_of(&[0.99, 0.9, 1.0, 0.95]).is_empty());
        assert!(outliers_of(&[0.2, 0.1, 0.15, 0.22, 0.2]).is_empty());
        assert!(outliers_of(&[1.0; 8]).is_empty());
    }

    #[test]
    fn two_workers_are_too_few_to_say_which_is_wrong() {
        assert!(outliers_of(&[1.0, 0.0]).is_empty());
    }
}
