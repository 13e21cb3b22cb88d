//! What is wrong with a log.

use core::error::Error;
use core::fmt;

use super::super::ConfigError;

/// Why a log can't be read, or not further.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RecordingError {
    /// It doesn't begin as a log does.
    NotARecording,
    /// It was written by another version of this crate.
    UnsupportedVersion {
        /// The version that it was written in.
        found: u16,
        /// The only version that can be read.
        supported: u16,
    },
    /// It was cut off: there is no end. Everything before was given out.
    Truncated {
        /// So many whole records.
        records: u64,
        /// Where the first byte is missing that is needed to go on.
        at_byte: usize,
    },
    /// A block was changed since it was written.
    Checksum {
        /// Where the block begins.
        at_byte: usize,
    },
    /// A kind of block, input or setting that this version doesn't know.
    UnknownKind {
        /// The kind.
        kind: u8,
        /// Where it stands.
        at_byte: usize,
    },
    /// A field that no writer writes, such as a priority of 11.
    Malformed {
        /// Where it ends.
        at_byte: usize,
    },
    /// It has another number of records than its end says.
    Count {
        /// What the end says.
        written: u64,
        /// How many there are.
        found: u64,
    },
    /// Something follows on the end.
    Trailing {
        /// Where it begins.
        at_byte: usize,
    },
    /// A pool can't be made with the recorded settings.
    Settings(ConfigError),
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotARecording => f.write_str("this is no recording of a pool: it begins with other bytes"),
            Self::UnsupportedVersion { found, supported } => write!(
                f,
                "the recording is of version {found} and this build reads version {supported}: replay it with the build that wrote it"
            ),
            Self::Truncated { records, at_byte } => {
                write!(f, "the recording was cut off at byte {at_byte}, after {records} records")
            }
            Self::Checksum { at_byte } => {
                write!(f, "the recording is damaged: the block at byte {at_byte} has another checksum")
            }
            Self::UnknownKind { kind, at_byte } => {
                write!(f, "unknown kind {kind} at byte {at_byte} of the recording")
            }
            Self::Malformed { at_byte } => {
                write!(f, "a field that ends at byte {at_byte} of the recording makes no sense")
            }
            Self::Count { written, found } => {
                write!(f, "the recording has {found} records, but its end counts {written}")
            }
            Self::Trailing { at_byte } => {
                write!(f, "the recording ends at byte {at_byte} and something follows: was it written twice?")
            }
            Self::Settings(error) => write!(f, "no pool can be made with the recorded settings: {error}"),
        }
    }
}

impl Error for RecordingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Settings(error) => Some(error),
            _ => None,
        }
    }
}
