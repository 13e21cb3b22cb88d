//! Means with what the seeds leave open.

/// A mean over seeds and half the width of its 95 % confidence interval (Student's t).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The interval reaches from `mean - half_width` to `mean + half_width`.
    pub half_width: f64,
}

impl Estimate {
    /// Of independent values, at least one. Of a single one the interval is unbounded.
    #[must_use]
    pub fn of_mean(values: &[f64]) -> Self {
        let mean = mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { mean, half_width: half_width(squares, values.len()) }
    }

    /// Of the ratio of two means, minus 1, where values of one place come from one seed. The interval is that of the ratio
    /// estimator: what both share by their seed cancels out.
    #[must_use]
    pub fn of_excess(values: &[f64], reference: &[f64]) -> Self {
        let base = mean(reference);
        let ratio = mean(values) / base;
        let residual = |(value, reference): (&f64, &f64)| value - ratio * reference;
        let squares: f64 = values.iter().zip(reference).map(residual).map(|rest| rest * rest).sum();
        Self { mean: ratio - 1.0, half_width: half_width(squares, values.len()) / base }
    }
}

/// The arithmetic mean; 0 of nothing.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn half_width(sum_of_squares: f64, count: usize) -> f64 {
    let Some(freedom) = count.checked_sub(1).filter(|freedom| *freedom > 0) else { return f64::INFINITY };
    t_of_95_per_cent(freedom) * libm::sqrt(sum_of_squares / freedom as f64 / count as f64)
}

/// The 97.5 % quantile of Student's t distribution, by the first terms of Cornish and Fisher's expansion; off by less than
/// one per cent from 4 degrees of freedom on, tabulated below.
fn t_of_95_per_cent(freedom: usize) -> f64 {
    const FEW: [f64; 4] = [12.706, 4.303, 3.182, 2.776];
    let z: f64 = 1.959_964;
    let n = freedom as f64;
    FEW.get(freedom - 1).copied().unwrap_or_else(|| {
        let cubed = z * z * z;
        z + (cubed + z) / (4.0 * n) + (5.0 * cubed * z * z + 16.0 * cubed + 3.0 * z) / (96.0 * n * n)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_students() {
        // 2.262 is t at 9 degrees of freedom; the values 1 to 10 have the variance 55/6.
        let values: [f64; 10] = core::array::from_fn(|place| place as f64 + 1.0);
        let estimate = Estimate::of_mean(&values);
        assert!((estimate.mean - 5.5).abs() < 1e-12);
        assert!((estimate.half_width - 2.262 * libm::sqrt(55.0 / 60.0)).abs() < 5e-3);
        assert!((t_of_95_per_cent(29) - 2.045).abs() < 1e-3);
        assert!(Estimate::of_mean(&[3.0]).half_width.is_infinite());
    }

    #[test]
    fn what_seeds_share_cancels_out() {
        let reference = [10.0, 20.0, 40.0, 15.0];
        let values = reference.map(|value| value * 1.04);
        let excess = Estimate::of_excess(&values, &reference);
        assert!((excess.mean - 0.04).abs() < 1e-12 && excess.half_width < 1e-9, "{excess:?}");
        let noisy = Estimate::of_excess(&[11.0, 19.0, 44.0, 14.0], &reference);
        assert!(noisy.half_width > 0.03 && noisy.half_width < 0.3, "{noisy:?}");
    }
}
