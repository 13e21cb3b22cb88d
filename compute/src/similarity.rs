//! Cosine similarity of all pairs, as one matrix product.

use crate::compute::{Compute, Device};
use crate::error::{ComputeError, Operand};
use crate::outcome::Outcome;
use crate::shape::Shape;

impl Compute {
    /// Similarity of each pair of `count` vectors of `dim` numbers: the cosine of the angle between them, a `count x count`
    /// matrix of values in [-1, 1].
    ///
    /// The vectors are the rows of `vectors`. They are scaled to length 1 (lengths in `f64`) and multiplied with their own transpose by
    /// [`Compute::matmul`]. A vector of zeros, or one that holds a NaN or an infinity, has no direction: its similarity to
    /// everything, itself included, is 0, never NaN.
    ///
    /// # Errors
    ///
    /// [`ComputeError`] if a size is zero, `vectors` isn't `count * dim` long, or the result doesn't fit the memory.
    ///
    /// ```
    /// use quillwork_compute::{Compute, Device, Preference};
    ///
    /// # pollster::block_on(async {
    /// let compute = Compute::new(Preference::CpuOnly).await;
    /// let vectors = [2.0, 0.0, /**/ 0.0, 5.0, /**/ -1.0, 0.0];
    /// let similarity = compute.cosine_similarity(&vectors, 3, 2, Device::Auto).await?;
    /// assert_eq!(similarity.data, [1.0, 0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 0.0, 1.0]);
    /// # Ok::<(), quillwork_compute::ComputeError>(())
    /// # }).unwrap();
    /// ```
    pub async fn cosine_similarity(
        &self,
        vectors: &[f32],
        count: usize,
        dim: usize,
        device: Device,
    ) -> Result<Outcome, ComputeError> {
        let shape = check(vectors, count, dim)?;
        let rows = normalised(vectors, dim)?;
        let columns = transposed(&rows, dim)?;
        let mut outcome = self.matmul(shape, &rows, &columns, device).await?;
        // Rounding may lead a little out of the interval, and an arc cosine of 1.0000001 is NaN.
        outcome.data.iter_mut().for_each(|value| *value = value.clamp(-1.0, 1.0));
        Ok(outcome)
    }
}

fn check(vectors: &[f32], count: usize, dim: usize) -> Result<Shape, ComputeError> {
    for (dimension, size) in [("count", count), ("dim", dim)] {
        if size == 0 {
            return Err(ComputeError::ZeroDimension { dimension });
        }
    }
    let shape = Shape::new(count, dim, count)?;
    let (actual, expected) = (vectors.len(), count * dim);
    if actual != expected {
        return Err(ComputeError::LengthMismatch {
            operand: Operand::A,
            rows: count,
            columns: dim,
            expected,
            actual,
        });
    }
    Ok(shape)
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the point")]
fn normalised(vectors: &[f32], dim: usize) -> Result<Vec<f32>, ComputeError> {
    let mut rows = reserve(vectors.len(), dim)?;
    for row in vectors.chunks_exact(dim) {
        let squares: f64 = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        let scale = if squares > 0.0 && squares.is_finite() { squares.sqrt().recip() } else { 0.0 };
        // Zero times infinity would be NaN.
        rows.extend(
            row.iter().map(|&value| if scale > 0.0 { (f64::from(value) * scale) as f32 } else { 0.0 }),
        );
    }
    Ok(rows)
}

fn transposed(rows: &[f32], dim: usize) -> Result<Vec<f32>, ComputeError> {
    let mut columns = reserve(rows.len(), dim)?;
    for column in 0..dim {
        columns.extend(rows.iter().skip(column).step_by(dim));
    }
    Ok(columns)
}

fn reserve(len: usize, dim: usize) -> Result<Vec<f32>, ComputeError> {
    let mut numbers = Vec::new();
    numbers.try_reserve_exact(len).map_err(|_| ComputeError::TooLarge {
        operand: Operand::A,
        rows: len / dim,
        columns: dim,
    })?;
    Ok(numbers)
}
