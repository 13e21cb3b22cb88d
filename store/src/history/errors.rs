//! How history can fail, one type per operation.

use crate::backend::BackendError;
use crate::record::DamagedRecord;
use crate::series::InvalidSpec;

/// A history that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Step, chunk or retention is nothing.
    #[error("step and chunk must not be zero, and the retention must be a step at least")]
    Options,
    /// What is stored was made with another step or chunk length.
    #[error(
        "the stored history has steps of {step_millis} ms in chunks of {chunk_steps}: open it with those"
    )]
    OtherFormat {
        /// Its step.
        step_millis: u32,
        /// Its chunk length.
        chunk_steps: u16,
    },
    /// The record that tells the format is damaged, so nothing else can be understood.
    #[error(transparent)]
    Damaged(#[from] DamagedRecord),
    /// The medium failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// A series that could not be added.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AddSeriesError {
    /// There are as many as there may be. Remove those that are no longer needed.
    #[error("the limit of {limit} series is reached")]
    TooManySeries {
        /// How many that is.
        limit: usize,
    },
    /// The series is there with another kind, unit or resolution.
    #[error("the series is there with another kind, unit or resolution")]
    Differs,
    /// It makes no sense.
    #[error(transparent)]
    Invalid(#[from] InvalidSpec),
}

/// A value that could not be appended, or a range that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no such series, or it was removed.
    #[error("there is no such series")]
    UnknownSeries,
    /// The range ends before it begins, or no point was asked for.
    #[error("the range must not end before it begins, and at least one point must be asked for")]
    Range,
    /// The medium failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}
