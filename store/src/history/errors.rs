//! How history can fail, one type per operation.

use crate::series::{InvalidSpec, SeriesId};
use crate::volume::VolumeError;

/// A history that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The options don't fit together.
    #[error(
        "each tier's step must be a multiple of the finer one's and divide its window, each window hold whole finer windows, \
         the first two windows be the same, each retention be longer than the finer one's and than the next window, with the first retention on top of it from the second tier on, \
         and a head have up to 64 steps that divide the first window"
    )]
    Options,
    /// What is stored was made with other steps or windows.
    #[error(
        "the stored history was made with other steps or windows; open it with those, or name another directory"
    )]
    OtherFormat,
    /// It was written by a later version.
    #[error(
        "the stored history has format {0}, which this version doesn't know; use the version that wrote it"
    )]
    Version(u8),
    /// Both copies of the catalogue are damaged, so nobody knows which values belong to which series.
    #[error(
        "both copies of the catalogue of series are damaged; set the directory aside, and restore a backup if there is one"
    )]
    Catalogue,
    /// The medium failed.
    #[error(transparent)]
    Volume(#[from] VolumeError),
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

/// A range that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The step is not a multiple of the finest one.
    #[error("the step must be a multiple of {finest_millis} ms")]
    Step {
        /// The finest.
        finest_millis: u64,
    },
    /// A file was joined to others or dropped while it was to be read. Take a new reader and ask again.
    #[error("the history was rearranged meanwhile; ask again")]
    Rearranged,
    /// Who asked wants no answer any more; see [`Reader::cancelled_by`](super::Reader::cancelled_by).
    #[error("the reading was cancelled")]
    Cancelled,
    /// The medium failed.
    #[error(transparent)]
    Volume(#[from] VolumeError),
}

/// Something of another history that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// It is no file of values.
    #[error("{name:?} is no file of values")]
    Name {
        /// What it is called.
        name: String,
    },
    /// It is not as it was written.
    #[error("{name} arrived damaged")]
    Damaged {
        /// What it is called.
        name: String,
    },
    /// It would exceed what this history may take.
    #[error(
        "the other history needs more than the {max_bytes} bytes that this one may take; raise max_bytes"
    )]
    Room {
        /// The bound.
        max_bytes: u64,
    },
    /// The catalogue is of another format.
    #[error(transparent)]
    Catalogue(OpenError),
    /// The medium failed.
    #[error(transparent)]
    Volume(#[from] VolumeError),
}

/// A piece of a file that can't be trusted. What it held is a gap.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} is damaged: {what}")]
pub struct Damaged {
    /// Which file.
    pub file: String,
    /// What of it.
    pub what: Damage,
}

/// What of a file is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Its head or directory: nothing in it can be found.
    #[error("its directory, and with it all of it")]
    Directory,
    /// The part that begins with this series.
    #[error("the part of the series from number {} on", .0.0)]
    Part(SeriesId),
    /// One series in it.
    #[error("what it holds of series number {}", .0.0)]
    Points(SeriesId),
}
