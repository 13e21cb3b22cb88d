//! The sizes of a matrix product, validated once.

use crate::error::{ComputeError, Operand};

/// Sizes of `C = A * B`: `A` is `m x k`, `B` is `k x n`, `C` is `m x n`, all row-major.
///
/// No dimension is zero, and each matrix fits the address space.
///
/// ```
/// use quillwork_compute::Shape;
///
/// let shape = Shape::new(2, 3, 4)?;
/// assert_eq!(shape.flops(), 48.0);
/// assert_eq!(Shape::new(2, 0, 4).unwrap_err().code(), "ERR_SHAPE");
/// # Ok::<(), quillwork_compute::ComputeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    m: usize,
    k: usize,
    n: usize,
}

impl Shape {
    /// Checks the sizes of a product.
    ///
    /// # Errors
    ///
    /// [`ComputeError::ZeroDimension`] if a dimension is zero, [`ComputeError::TooLarge`] if a matrix would
    /// exceed the address space.
    pub fn new(m: usize, k: usize, n: usize) -> Result<Self, ComputeError> {
        for (dimension, size) in [("m", m), ("k", k), ("n", n)] {
            if size == 0 {
                return Err(ComputeError::ZeroDimension { dimension });
            }
        }
        for (operand, rows, columns) in [(Operand::A, m, k), (Operand::B, k, n), (Operand::C, m, n)] {
            if rows.checked_mul(columns).is_none_or(|len| len > MAX_LEN) {
                return Err(ComputeError::TooLarge { operand, rows, columns });
            }
        }
        Ok(Self { m, k, n })
    }

    /// Rows of `A` and `C`.
    #[must_use]
    pub const fn m(self) -> usize {
        self.m
    }

    /// Columns of `A`, rows of `B`: the length of each sum.
    #[must_use]
    pub const fn k(self) -> usize {
        self.k
    }

    /// Columns of `B` and `C`.
    #[must_use]
    pub const fn n(self) -> usize {
        self.n
    }

    /// Numbers in `C`.
    #[must_use]
    pub const fn product_len(self) -> usize {
        self.m * self.n
    }

    /// Floating-point operations of the product, `2 m k n`: what GFLOP/s are counted in.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
    pub fn flops(self) -> f64 {
        2.0 * self.m as f64 * self.k as f64 * self.n as f64
    }

    /// Checks that the slices are as long as the shape says.
    ///
    /// # Errors
    ///
    /// [`ComputeError::LengthMismatch`] for the first that isn't.
    pub fn check_lengths(self, a: &[f32], b: &[f32]) -> Result<(), ComputeError> {
        for (operand, actual, rows, columns) in
            [(Operand::A, a.len(), self.m, self.k), (Operand::B, b.len(), self.k, self.n)]
        {
            let expected = rows * columns;
            if actual != expected {
                return Err(ComputeError::LengthMismatch { operand, rows, columns, expected, actual });
            }
        }
        Ok(())
    }

    /// A zeroed `C`.
    ///
    /// # Errors
    ///
    /// [`ComputeError::TooLarge`] if the allocator has no room.
    pub(crate) fn allocate_product(self) -> Result<Vec<f32>, ComputeError> {
        let mut product = Vec::new();
        product.try_reserve_exact(self.product_len()).map_err(|_| ComputeError::TooLarge {
            operand: Operand::C,
            rows: self.m,
            columns: self.n,
        })?;
        product.resize(self.product_len(), 0.0);
        Ok(product)
    }
}

/// No allocation may exceed `isize::MAX` bytes.
const MAX_LEN: usize = isize::MAX as usize / size_of::<f32>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_overflow_are_refused_not_wrapped() {
        let half = 1 << (usize::BITS / 2);
        assert_eq!(
            Shape::new(half, half, 1),
            Err(ComputeError::TooLarge { operand: Operand::A, rows: half, columns: half })
        );
        assert_eq!(Shape::new(usize::MAX, 1, 2).unwrap_err().code(), "ERR_TOO_LARGE");
    }

    #[test]
    fn a_wrong_length_names_the_operand_and_both_lengths() {
        let shape = Shape::new(2, 2, 2).unwrap();
        let message = shape.check_lengths(&[0.0; 4], &[0.0; 3]).unwrap_err().to_string();
        assert_eq!(message, "B holds 3 numbers, but a shape of 2 x 2 needs 4");
    }

    #[test]
    fn every_zero_dimension_is_named() {
        for (shape, dimension) in [((0, 1, 1), "m"), ((1, 0, 1), "k"), ((1, 1, 0), "n")] {
            assert_eq!(Shape::new(shape.0, shape.1, shape.2), Err(ComputeError::ZeroDimension { dimension }));
        }
    }
}
