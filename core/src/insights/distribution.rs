//! The normal distribution, Student's, and medians.

/// The probability that a standard normal variable exceeds `z`.
pub(super) fn normal_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * core::f64::consts::FRAC_1_SQRT_2)
}

/// What a standard normal variable exceeds with this probability, which is above 0 and below 1.
pub(super) fn normal_beyond(tail: f64) -> f64 {
    let (mut low, mut high) = (-38.0, 38.0);
    // Each step halves an interval of 76: 60 of them leave less than a float tells apart.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if normal_tail(middle) > tail { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// What Student's t of so many degrees of freedom (5 and more) exceeds with this probability: the expansion of Abramowitz
/// and Stegun, 26.7.5.
pub(super) fn student_beyond(tail: f64, freedom: f64) -> f64 {
    let z = normal_beyond(tail);
    let z2 = z * z;
    let first = z * (z2 + 1.0) / 4.0;
    let second = z * (5.0 * z2 * z2 + 16.0 * z2 + 3.0) / 96.0;
    let third = z * (3.0 * z2 * z2 * z2 + 19.0 * z2 * z2 + 17.0 * z2 - 15.0) / 384.0;
    z + first / freedom + second / (freedom * freedom) + third / (freedom * freedom * freedom)
}

/// The median, and the values in order; `None` of none.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match values {
        [] => None,
        odd if !odd.len().is_multiple_of(2) => Some(odd[half]),
        even => Some(0.5 * (even[half - 1] + even[half])),
    }
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts of samples are far below 2^53")]
pub(super) const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published tables, to their last digit.
    #[test]
    fn quantiles_match_their_tables() {
        assert!((normal_beyond(0.025) - 1.959_964).abs() < 1e-6);
        assert!((normal_beyond(0.975) + 1.959_964).abs() < 1e-6);
        assert!((normal_tail(1.644_854) - 0.05).abs() < 1e-6);
        for (tail, freedom, expected) in
            [(0.025, 10.0, 2.228), (0.005, 10.0, 3.169), (0.005, 22.0, 2.819), (0.025, 5.0, 2.571)]
        {
            let found = student_beyond(tail, freedom);
            assert!((found - expected).abs() < 5e-3, "{found} {expected}");
        }
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
