//! The CPU twin of the matrix kernel.
//!
//! **Summation order.** Every element of `C` is `((0 + a1*b1) + a2*b2) + ...` in `f32`, terms in ascending order
//! of `k`, product and sum rounded separately (no fused multiply-add). Blocking changes which element is
//! worked on when, never the order within one. The result is therefore that of three nested loops, bit for bit, on
//! every target: natively, and in WebAssembly with its 128-bit vectors. (The one exception is the payload of a NaN, which
//! WebAssembly leaves open.)
//!
//! **Blocking** follows Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): both operands
//! are packed into panels that stay in cache, and an `MR x NR` block of `C` stays in registers while the panels stream by.

use crate::error::ComputeError;
use crate::shape::Shape;

/// Computes `C = A * B` on the calling thread, and holds it for as long.
///
/// # Errors
///
/// [`ComputeError::LengthMismatch`] if a slice doesn't fit the shape, [`ComputeError::TooLarge`] if there is no memory for `C`.
///
/// ```
/// use quillwork_compute::{Shape, cpu};
///
/// let c = cpu::matmul(Shape::new(1, 2, 2)?, &[1.0, 2.0], &[3.0, 4.0, 5.0, 6.0])?;
/// assert_eq!(c, [13.0, 16.0]);
/// # Ok::<(), quillwork_compute::ComputeError>(())
/// ```
pub fn matmul(shape: Shape, a: &[f32], b: &[f32]) -> Result<Vec<f32>, ComputeError> {
    shape.check_lengths(a, b)?;
    let mut c = shape.allocate_product()?;
    multiply_into(shape, a, b, &mut c);
    Ok(c)
}

/// Overwrites `c`; the lengths have been checked.
pub(crate) fn multiply_into(shape: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
    c.fill(0.0);
    let (m, k, n) = (shape.m(), shape.k(), shape.n());
    let mut packed_a = vec![[0.0; MR]; MC.min(m).div_ceil(MR) * KC.min(k)];
    let mut packed_b = vec![[0.0; NR]; NC.min(n).div_ceil(NR) * KC.min(k)];
    for column in (0..n).step_by(NC) {
        let columns = NC.min(n - column);
        // Ascending in k: this is what keeps the order of summation.
        for depth_start in (0..k).step_by(KC) {
            let depth = KC.min(k - depth_start);
            pack_columns(&b[depth_start * n..], n, depth, column, columns, &mut packed_b);
            for row in (0..m).step_by(MC) {
                let rows = MC.min(m - row);
                pack_rows(&a[row * k..], k, rows, depth_start, depth, &mut packed_a);
                let block = &mut c[row * n..];
                multiply_panels(&packed_a, &packed_b, depth, rows, columns, &mut block[column..], n);
            }
        }
    }
}

/// Lays `rows` rows of `a` out in panels of `MR` rows, one `[f32; MR]` per step of k, padded with zeros.
fn pack_rows(a: &[f32], stride: usize, rows: usize, start: usize, depth: usize, packed: &mut [[f32; MR]]) {
    for (panel, row) in packed.chunks_exact_mut(depth).zip((0..rows).step_by(MR)) {
        for lane in 0..MR {
            if row + lane < rows {
                let source = &a[(row + lane) * stride + start..][..depth];
                for (slot, &value) in panel.iter_mut().zip(source) {
                    slot[lane] = value;
                }
            } else {
                panel.iter_mut().for_each(|slot| slot[lane] = 0.0);
            }
        }
    }
}

/// Lays `columns` columns of `b` out in panels of `NR` columns, one `[f32; NR]` per step of k, padded with zeros.
fn pack_columns(
    b: &[f32],
    stride: usize,
    depth: usize,
    start: usize,
    columns: usize,
    packed: &mut [[f32; NR]],
) {
    for (panel, column) in packed.chunks_exact_mut(depth).zip((0..columns).step_by(NR)) {
        let width = NR.min(columns - column);
        for (step, slot) in panel.iter_mut().enumerate() {
            let source = &b[step * stride + start + column..][..width];
            slot[..width].copy_from_slice(source);
            slot[width..].fill(0.0);
        }
    }
}

// WebAssembly validates a whole module at once, so that this needs no check at the call and no unsafe there. Every engine
// with WebGPU has these vectors.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
fn multiply_panels(
    packed_a: &[[f32; MR]],
    packed_b: &[[f32; NR]],
    depth: usize,
    rows: usize,
    columns: usize,
    c: &mut [f32],
    stride: usize,
) {
    for (b, column) in packed_b.chunks_exact(depth).zip((0..columns).step_by(NR)) {
        let width = NR.min(columns - column);
        for (a, row) in packed_a.chunks_exact(depth).zip((0..rows).step_by(MR)) {
            let height = MR.min(rows - row);
            let mut sums = [[0.0; NR]; MR];
            for (lane, sum) in sums.iter_mut().enumerate().take(height) {
                sum[..width].copy_from_slice(&c[(row + lane) * stride + column..][..width]);
            }
            accumulate(&mut sums, a, b);
            for (lane, sum) in sums.iter().enumerate().take(height) {
                c[(row + lane) * stride + column..][..width].copy_from_slice(&sum[..width]);
            }
        }
    }
}

#[inline(always)]
fn accumulate(sums: &mut [[f32; NR]; MR], a: &[[f32; MR]], b: &[[f32; NR]]) {
    // A copy that the optimiser can keep in registers: nothing else can point to it.
    let mut local = *sums;
    for (a, b) in a.iter().zip(b) {
        for lane in 0..MR {
            for column in 0..NR {
                local[lane][column] += a[lane] * b[column];
            }
        }
    }
    *sums = local;
}

/// Block of `C` in registers: 4 x 8 numbers are 8 vectors of 128 bits, half of what x86-64 has.
const MR: usize = 4;
const NR: usize = 8;
/// Steps of k per panel: an `NR`-wide panel of `B` is then 8 KiB and stays in L1.
const KC: usize = 256;
/// Rows of `A` per block: 64 KiB, in L2.
const MC: usize = 64;
/// Columns of `B` per block: 512 KiB.
const NC: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::Sequence;
    use proptest::prelude::*;

    fn three_loops(shape: Shape, a: &[f32], b: &[f32]) -> Vec<f32> {
        let mut c = vec![0.0_f32; shape.product_len()];
        for row in 0..shape.m() {
            for column in 0..shape.n() {
                let mut sum = 0.0_f32;
                for step in 0..shape.k() {
                    sum += a[row * shape.k() + step] * b[step * shape.n() + column];
                }
                c[row * shape.n() + column] = sum;
            }
        }
        c
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    fn assert_same_bits(m: usize, k: usize, n: usize, seed: u64) {
        let shape = Shape::new(m, k, n).unwrap();
        let mut numbers = Sequence::new(seed);
        let (a, b) = (numbers.take(m * k), numbers.take(k * n));
        let c = matmul(shape, &a, &b).unwrap();
        assert!(bits(&c) == bits(&three_loops(shape, &a, &b)), "{m} x {k} x {n}, seed {seed}");
    }

    proptest! {
        #[test]
        fn equals_three_nested_loops_bit_for_bit(m in 1_usize..40, k in 1_usize..40, n in 1_usize..40, seed: u64) {
            assert_same_bits(m, k, n, seed);
        }
    }

    #[test]
    fn equals_three_nested_loops_across_every_block_edge() {
        for (m, k, n) in [
            (1, 1, 1),
            (MC - 1, KC - 1, NC - 1),
            (MC, KC, NC),
            (MC + 1, KC + 1, NC + 1),
            (2 * MC + 3, 2 * KC + 5, NR + 1),
            (MR, 3 * KC, 2 * NC + NR - 1),
            (1, 1000, 1),
            (1000, 1, 3),
        ] {
            assert_same_bits(m, k, n, 7);
        }
    }

    #[test]
    fn padding_never_leaks_an_infinity_into_its_neighbours() {
        let shape = Shape::new(5, 1, 9).unwrap();
        let mut a = vec![1.0; 5];
        a[4] = f32::INFINITY;
        let c = matmul(shape, &a, &[1.0; 9]).unwrap();
        assert!(c[..36].iter().all(|&value| value.to_bits() == 1.0_f32.to_bits()));
        assert!(c[36..].iter().all(|value| value.is_infinite()));
    }
}
