//! What was learned, as plain data and as bytes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::ids::TaskType;
use crate::say::{Say, displayed, say};

/// Everything that an [`Adaptive`](super::Adaptive) has learned: keep it, and a restarted app need not learn again.
///
/// Losses are in units of the settings' `unit_of_loss`, faded sums; the least of each mix is 0. They mean the same with other
/// settings and other priors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdaptiveState {
    /// Names of the strategies that were mixed; the order of all losses.
    pub experts: Vec<String>,
    /// What all task types have shown together; new types start with it.
    pub shared: Vec<f64>,
    /// What each type has shown, ascending by type.
    pub types: Vec<TypeState>,
}

/// What one task type has shown.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeState {
    /// Which type.
    pub task_type: TaskType,
    /// What following each expert has cost, faded.
    pub losses: Vec<f64>,
}

impl AdaptiveState {
    /// As bytes: version 1, little-endian, the same on every machine.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC);
        bytes.push(VERSION);
        put_len(&mut bytes, self.experts.len());
        for name in &self.experts {
            put_len(&mut bytes, name.len());
            bytes.extend_from_slice(name.as_bytes());
        }
        put_losses(&mut bytes, &self.shared);
        put_len(&mut bytes, self.types.len());
        for row in &self.types {
            bytes.extend_from_slice(&row.task_type.get().to_le_bytes());
            put_losses(&mut bytes, &row.losses);
        }
        bytes
    }

    /// From what [`AdaptiveState::to_bytes`] gave.
    ///
    /// # Errors
    ///
    /// Where the bytes are of another kind or version, cut off, or hold what was never saved.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AdaptiveStateError> {
        let mut reader = Reader { rest: bytes };
        if reader.take(MAGIC.len()).map_err(|_| AdaptiveStateError::NotAState)? != MAGIC {
            return Err(AdaptiveStateError::NotAState);
        }
        let version = reader.byte()?;
        if version != VERSION {
            return Err(AdaptiveStateError::UnknownVersion { found: version, known: VERSION });
        }
        let count = reader.number()?;
        let mut experts = Vec::new();
        for _ in 0..count {
            let len = reader.number()?;
            let name =
                core::str::from_utf8(reader.take(len as usize)?).map_err(|_| AdaptiveStateError::Corrupt)?;
            experts.push(String::from(name));
        }
        let shared = reader.losses(count)?;
        let mut types = Vec::new();
        for _ in 0..reader.number()? {
            let task_type = TaskType::new(reader.number()?);
            types.push(TypeState { task_type, losses: reader.losses(count)? });
        }
        let state = Self { experts, shared, types };
        if reader.rest.is_empty() { state.check().map(|()| state) } else { Err(AdaptiveStateError::Corrupt) }
    }

    /// Whether it could have been saved.
    pub(super) fn check(&self) -> Result<(), AdaptiveStateError> {
        let sound = |losses: &[f64]| {
            losses.len() == self.experts.len() && losses.iter().all(|loss| loss.is_finite() && *loss >= 0.0)
        };
        let ascending = self.types.is_sorted_by(|one, next| one.task_type < next.task_type);
        if sound(&self.shared) && ascending && self.types.iter().all(|row| sound(&row.losses)) {
            Ok(())
        } else {
            Err(AdaptiveStateError::Corrupt)
        }
    }
}

/// Bytes or numbers that are no saved state. Nothing of it was taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdaptiveStateError {
    /// The bytes are something else.
    NotAState,
    /// They are of a version that this build doesn't know.
    UnknownVersion {
        /// Of the bytes.
        found: u8,
        /// Of this build.
        known: u8,
    },
    /// They end too early.
    Truncated,
    /// They hold what was never saved: a loss that is no number, a list of the wrong length, types out of order.
    Corrupt,
}

impl Say for AdaptiveStateError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NotAState => to.write_str("these bytes are no state of an adaptive strategy"),
            Self::UnknownVersion { found, known } => {
                say!(
                    to,
                    "this state is of version ",
                    found,
                    ", known is version ",
                    known,
                    "; start without it"
                )
            }
            Self::Truncated => to.write_str("this state is cut off; start without it"),
            Self::Corrupt => to.write_str("this state holds what was never saved; start without it"),
        }
    }
}

displayed!(AdaptiveStateError);

impl core::error::Error for AdaptiveStateError {}

fn put_len(bytes: &mut Vec<u8>, len: usize) {
    bytes.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_losses(bytes: &mut Vec<u8>, losses: &[f64]) {
    for loss in losses {
        bytes.extend_from_slice(&loss.to_le_bytes());
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], AdaptiveStateError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(AdaptiveStateError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], AdaptiveStateError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(AdaptiveStateError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, AdaptiveStateError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, AdaptiveStateError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Allocates as it reads, so that a wrong count can't ask for more memory than there are bytes.
    fn losses(&mut self, count: u32) -> Result<Vec<f64>, AdaptiveStateError> {
        let mut losses = Vec::new();
        for _ in 0..count {
            losses.push(f64::from_le_bytes(self.array()?));
        }
        Ok(losses)
    }
}

const MAGIC: [u8; 4] = *b"QWAM";
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> AdaptiveState {
        AdaptiveState {
            experts: alloc::vec!["least loaded".into(), "shortest expected delay".into()],
            shared: alloc::vec![0.0, 2.5],
            types: alloc::vec![
                TypeState { task_type: TaskType::new(3), losses: alloc::vec![0.0, 1.0e-3] },
                TypeState { task_type: TaskType::new(9), losses: alloc::vec![7.0, 0.0] },
            ],
        }
    }

    #[test]
    fn bytes_come_back_as_they_were() {
        for state in [state(), AdaptiveState::default()] {
            assert_eq!(AdaptiveState::from_bytes(&state.to_bytes()), Ok(state));
        }
    }

    #[test]
    fn every_cut_and_every_foreign_byte_is_refused_or_harmless() {
        let bytes = state().to_bytes();
        for end in 0..bytes.len() {
            let expected =
                if end < MAGIC.len() { AdaptiveStateError::NotAState } else { AdaptiveStateError::Truncated };
            assert_eq!(AdaptiveState::from_bytes(&bytes[..end]), Err(expected));
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0xff;
            if let Ok(read) = AdaptiveState::from_bytes(&changed) {
                assert_eq!(read.check(), Ok(()));
            }
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(AdaptiveState::from_bytes(&longer), Err(AdaptiveStateError::Corrupt));
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = state().to_bytes();
        bytes[MAGIC.len()] = 9;
        assert_eq!(
            AdaptiveState::from_bytes(&bytes),
            Err(AdaptiveStateError::UnknownVersion { found: 9, known: 1 })
        );
    }

    #[test]
    fn numbers_that_were_never_saved_are_refused() {
        for wrong in [f64::NAN, f64::INFINITY, -1.0] {
            let mut state = state();
            state.types[1].losses[0] = wrong;
            assert_eq!(AdaptiveState::from_bytes(&state.to_bytes()), Err(AdaptiveStateError::Corrupt));
        }
        let mut unordered = state();
        unordered.types.reverse();
        assert_eq!(AdaptiveState::from_bytes(&unordered.to_bytes()), Err(AdaptiveStateError::Corrupt));
    }
}
