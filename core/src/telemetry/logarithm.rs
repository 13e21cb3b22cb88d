//! A natural logarithm that costs a few nanoseconds and gives the same bits everywhere.
//!
//! The mantissa is divided by the middle of one of 128 equal intervals, whose logarithms stand in a table; four terms of
//! the series do the rest (Tang, "Table-driven implementation of the logarithm function", 1990). Off by less than 1e-12,
//! relative where the logarithm is above 1: far below what a bucket of a sketch can tell.

use core::f64::consts::LN_2;

/// The natural logarithm of a normal, positive number.
#[inline]
pub(super) fn ln(value: f64) -> f64 {
    let bits = value.to_bits();
    // 11 bits of exponent, biased by 1,023, then 52 bits of mantissa, whose first 7 name the interval.
    let exponent = f64::from((bits >> 52) as i32 - 1_023);
    let interval = &INTERVALS[(bits >> 45) as usize & (INTERVALS.len() - 1)];
    let mantissa = f64::from_bits(bits & MANTISSA | ONE);
    let rest = (mantissa - interval.middle) * interval.reciprocal;
    let square = rest * rest;
    let series = rest + square * (rest * (1.0 / 3.0 - rest * 0.25) - 0.5);
    exponent * LN_2 + (interval.logarithm + series)
}

#[derive(Clone, Copy)]
struct Interval {
    middle: f64,
    reciprocal: f64,
    logarithm: f64,
}

const INTERVALS: [Interval; 128] = {
    let mut intervals = [Interval { middle: 1.0, reciprocal: 1.0, logarithm: 0.0 }; 128];
    let mut number = 0;
    while number < intervals.len() {
        let middle = 1.0 + (number as f64 + 0.5) / 128.0;
        intervals[number] = Interval { middle, reciprocal: 1.0 / middle, logarithm: ln_by_series(middle) };
        number += 1;
    }
    intervals
};

/// Slow and plain: 2 artanh((x - 1) / (x + 1)), for 1 to 2.
const fn ln_by_series(value: f64) -> f64 {
    let ratio = (value - 1.0) / (value + 1.0);
    let (mut sum, mut term) = (0.0, ratio);
    let mut odd = 1;
    while odd < 40 {
        sum += term / odd as f64;
        term *= ratio * ratio;
        odd += 2;
    }
    2.0 * sum
}

const MANTISSA: u64 = (1 << 52) - 1;
const ONE: u64 = 1_023 << 52;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_logarithm() {
        let mut rng = crate::rng::Rng::from_seed(1);
        for _ in 0..200_000 {
            let value = libm::exp(rng.unit_f64() * 1_400.0 - 700.0);
            let expected = libm::log(value);
            let error = (ln(value) - expected).abs() / expected.abs().max(1.0);
            assert!(error < 1e-12, "ln({value}) = {} is {error} from {expected}", ln(value));
        }
    }

    #[test]
    fn the_pieces_meet() {
        for exponent in [-30, -1, 0, 1, 40] {
            for border in 0..128 {
                let at = (1.0 + f64::from(border) / 128.0) * libm::pow(2.0, f64::from(exponent));
                let (below, above) = (ln(at.next_down()), ln(at));
                assert!((above - below).abs() < 2e-12 * above.abs().max(1.0), "{below} and {above} at {at}");
            }
        }
    }
}
