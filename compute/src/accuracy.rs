//! How far an `f32` product may be from the true one, and how far a given one is.
//!
//! The bound is the standard one of a priori error analysis (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd
//! edition, section 3.5): whatever the order of summation, and with or without fused multiply-add,
//! `|computed - exact| <= gamma_k (|A| |B|)` with `gamma_k = k u / (1 - k u)` and the unit round-off `u = 2^-24`. A GPU may
//! also flush subnormal numbers to zero, which costs at most the smallest normal number per operation.

use crate::shape::Shape;

/// The largest error of `c` as a product of `a` and `b`, in units of the bound: up to 1 is a correct `f32` product.
///
/// Multiplies in `f64`, element by element: for tests and demonstrations, not for large matrices. NaN or an infinity
/// in `c` gives infinity.
///
/// # Panics
///
/// If a slice doesn't fit the shape.
#[must_use]
pub fn error_ratio(shape: Shape, a: &[f32], b: &[f32], c: &[f32]) -> f64 {
    let (k, n) = (shape.k(), shape.n());
    assert_eq!(c.len(), shape.product_len(), "C is m x n");
    let (exact, absolute) = product_f64(shape, a, b);
    let gamma = gamma(k);
    let underflow = 2.0 * count(k) * f64::from(f32::MIN_POSITIVE);
    let mut worst = 0.0_f64;
    for row in 0..shape.m() {
        for index in row * n..(row + 1) * n {
            let error = (f64::from(c[index]) - exact[index]).abs();
            if !error.is_finite() {
                return f64::INFINITY;
            }
            worst = worst.max(error / gamma.mul_add(absolute[index], underflow));
        }
    }
    worst
}

/// `A * B` and `|A| * |B|` in `f64`.
///
/// # Panics
///
/// If a slice doesn't fit the shape.
#[must_use]
pub fn product_f64(shape: Shape, a: &[f32], b: &[f32]) -> (Vec<f64>, Vec<f64>) {
    shape.check_lengths(a, b).expect("the caller's slices fit its shape");
    let n = shape.n();
    let mut exact = vec![0.0_f64; shape.product_len()];
    let mut absolute = vec![0.0_f64; shape.product_len()];
    for (row, a) in a.chunks_exact(shape.k()).enumerate() {
        let exact = &mut exact[row * n..][..n];
        let absolute = &mut absolute[row * n..][..n];
        for (&a, b) in a.iter().zip(b.chunks_exact(n)) {
            for ((sum, magnitude), &b) in exact.iter_mut().zip(absolute.iter_mut()).zip(b) {
                let term = f64::from(a) * f64::from(b);
                *sum += term;
                *magnitude += term.abs();
            }
        }
    }
    (exact, absolute)
}

/// `k u / (1 - k u)`, infinite where sums are so long that nothing is guaranteed.
#[must_use]
pub fn gamma(k: usize) -> f64 {
    let rounding = count(k) * f64::from(f32::EPSILON) / 2.0;
    if rounding < 1.0 { rounding / (1.0 - rounding) } else { f64::INFINITY }
}

/// A reproducible sequence of numbers in [-1, 1): the top bits of SplitMix64 (Steele, Lea and Flood, 2014).
///
/// The same seed gives the same numbers on every target, so that a product can be compared across machines.
#[derive(Debug, Clone)]
pub struct Sequence(u64);

impl Sequence {
    /// Starts at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next `len` numbers.
    pub fn take(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next_f32()).collect()
    }

    fn next_f32(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let bits = (mixed >> 40) as u32;
        bits as f32 / 8_388_608.0 - 1.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums are far shorter than 2^53")]
const fn count(k: usize) -> f64 {
    k as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu;

    #[test]
    fn one_wrong_element_exceeds_the_bound() {
        let shape = Shape::new(17, 33, 9).unwrap();
        let mut numbers = Sequence::new(1);
        let (a, b) = (numbers.take(17 * 33), numbers.take(33 * 9));
        let mut c = cpu::matmul(shape, &a, &b).unwrap();
        assert!(error_ratio(shape, &a, &b, &c) <= 1.0);
        c[100] += 1e-3;
        assert!(error_ratio(shape, &a, &b, &c) > 1.0);
        c[100] = f32::NAN;
        assert!(error_ratio(shape, &a, &b, &c).is_infinite());
    }

    #[test]
    fn numbers_are_reproducible_and_fill_the_interval() {
        let numbers = Sequence::new(42).take(10_000);
        assert_eq!(numbers, Sequence::new(42).take(10_000));
        assert!(numbers.iter().all(|number| (-1.0..1.0).contains(number)));
        assert!(numbers.iter().any(|&number| number < -0.99) && numbers.iter().any(|&number| number > 0.99));
    }
}
