//! What a caller can get wrong.

use std::fmt;

/// A product that can't be computed as asked, on any device.
///
/// Trouble with a GPU is never an error: the call completes on the CPU and its
/// [`Outcome`](crate::Outcome) says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// A dimension is zero. An empty product has no use here and is most often a mistake of the caller.
    #[error("dimension {dimension} is zero; every dimension must be at least 1")]
    ZeroDimension {
        /// Name of the dimension: `m`, `k`, `n`, `count` or `dim`.
        dimension: &'static str,
    },
    /// A slice is shorter or longer than its shape says.
    #[error("{operand} holds {actual} numbers, but a shape of {rows} x {columns} needs {expected}")]
    LengthMismatch {
        /// Whose slice it is.
        operand: Operand,
        /// Rows of the operand.
        rows: usize,
        /// Columns of the operand.
        columns: usize,
        /// `rows * columns`.
        expected: usize,
        /// Length of the slice.
        actual: usize,
    },
    /// A matrix doesn't fit this machine's address space or memory.
    #[error(
        "{operand} of {rows} x {columns} numbers does not fit into memory; split the product into smaller ones"
    )]
    TooLarge {
        /// Which matrix is too large.
        operand: Operand,
        /// Rows of the operand.
        rows: usize,
        /// Columns of the operand.
        columns: usize,
    },
}

impl ComputeError {
    /// Stable code for callers in other languages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ZeroDimension { .. } | Self::LengthMismatch { .. } => "ERR_SHAPE",
            Self::TooLarge { .. } => "ERR_TOO_LARGE",
        }
    }
}

/// A matrix of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The left factor.
    A,
    /// The right factor.
    B,
    /// The product.
    C,
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        })
    }
}
