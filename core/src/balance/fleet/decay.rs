//! How old evidence fades.

use crate::time::Duration;

/// What is left of evidence that is `age` old: 2 to the power of `-age / half_life`, in 0..=1.
///
/// By additions and multiplications only, so that it is the same bits everywhere and a scan over hundreds of workers can
/// afford it: off by less than 10⁻⁷.
pub(crate) fn decay(age: Duration, half_life: Duration) -> f64 {
    if age.is_zero() {
        return 1.0;
    }
    let half_lives = age.as_nanos() as f64 / half_life.as_nanos().max(1) as f64;
    if half_lives >= UNDERFLOW {
        return 0.0;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 0 to below 1,000.5"
    )]
    let whole = (half_lives + 0.5) as u64;
    // 2^-x of the rest, which is in -0.5..=0.5, by the power series of e^y to the seventh power.
    let y = (whole as f64 - half_lives) * core::f64::consts::LN_2;
    // In pairs, so that the sums don't wait for each other.
    let y2 = y * y;
    let low = (1.0 + y) + y2 * (1.0 / 2.0 + y * (1.0 / 6.0));
    let high = (1.0 / 24.0 + y * (1.0 / 120.0)) + y2 * (1.0 / 720.0 + y * (1.0 / 5_040.0));
    (low + y2 * y2 * high) * f64::from_bits((1023 - whole) << 52)
}

/// Past as many half-lives nothing is left.
const UNDERFLOW: f64 = 1_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_power_of_two() {
        let half_life = Duration::from_millis(700);
        for step in 0..3_000 {
            let age = Duration::from_millis(step * 7);
            let exact = libm::exp2(-(age.as_nanos() as f64) / half_life.as_nanos() as f64);
            let relative = (decay(age, half_life) / exact - 1.0).abs();
            assert!(relative < 1e-7, "off by {relative} at {age:?}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_finite() {
        let second = Duration::from_secs(1);
        assert_eq!(decay(Duration::ZERO, second).to_bits(), 1.0_f64.to_bits());
        assert_eq!(decay(Duration::ZERO, Duration::ZERO).to_bits(), 1.0_f64.to_bits());
        assert_eq!(decay(Duration::MAX, second).to_bits(), 0);
        assert_eq!(decay(second, Duration::ZERO).to_bits(), 0);
        assert!(decay(second, Duration::MAX) <= 1.0);
    }
}
