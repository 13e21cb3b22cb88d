//! From a log to what was decided.

use alloc::vec::Vec;

use crate::digest::Digest;
use crate::time::Instant;

use super::super::{Output, Scheduler};
use super::code::{Code, Encoder};
use super::{Reader, RecordingError};

/// What a replay led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Everything that came out, as [`OutputBytes`] writes it.
    pub outputs: Vec<u8>,
    /// Inputs handed in.
    pub inputs: u64,
    /// How the log ended.
    pub ending: Ending,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is whole.
    Complete,
    /// It was cut off, and was replayed up to there.
    Truncated {
        /// Where the first byte is missing.
        at_byte: usize,
    },
}

/// Hands every input of a log to a new scheduler and collects what comes out.
///
/// # Errors
///
/// Where the log is damaged; a log that was cut off is none such, but is said to be so.
pub fn replay(log: &[u8]) -> Result<Replayed, RecordingError> {
    let mut bytes = OutputBytes::new();
    let (inputs, ending) = replay_each(log, |_, output| match output {
        Some(output) => bytes.push(output),
        None => bytes.end_step(),
    })?;
    Ok(Replayed { outputs: bytes.into_bytes(), inputs, ending })
}

/// Hands every input of a log to a new scheduler and every output, with the time of its step, to `act`; `None` at the end of
/// each step. Returns how many inputs there were, and how the log ended.
///
/// # Errors
///
/// As [`replay`], after what could be replayed.
pub fn replay_each(
    log: &[u8],
    mut act: impl FnMut(Instant, Option<&Output>),
) -> Result<(u64, Ending), RecordingError> {
    let mut reader = Reader::open(log)?;
    let header = *reader.header();
    let mut scheduler = Scheduler::new(header.config, header.start).map_err(RecordingError::Settings)?;
    let mut drain = |now, scheduler: &mut Scheduler| {
        while let Some(output) = scheduler.poll_output() {
            act(now, Some(&output));
        }
        act(now, None);
    };
    drain(header.start, &mut scheduler);
    for record in &mut reader {
        match record {
            Ok((now, input)) => {
                // A duplicate id was refused when it was recorded, too.
                let _refused_again = scheduler.handle_input(now, input);
                drain(now, &mut scheduler);
            }
            Err(RecordingError::Truncated { records, at_byte }) => {
                return Ok((records, Ending::Truncated { at_byte }));
            }
            Err(error) => return Err(error),
        }
    }
    Ok((reader.records(), Ending::Complete))
}

/// Outputs as bytes, the same on every machine: to compare runs with, or to digest.
///
/// The end of each step is written, too: an output that comes a step later is another decision.
#[derive(Clone, Debug, Default)]
pub struct OutputBytes {
    encoder: Encoder,
}

impl OutputBytes {
    /// No outputs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an output.
    pub fn push(&mut self, output: &Output) {
        output.encode(&mut self.encoder);
    }

    /// Appends the end of a step.
    pub fn end_step(&mut self) {
        self.encoder.byte(0);
    }

    /// Folds what was appended into a digest and forgets it, which takes no memory however long the run is.
    pub fn fold_into(&mut self, digest: &mut Digest) {
        self.encoder.bytes.drain(..).for_each(|byte| digest.write_u8(byte));
    }

    /// What was appended.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.encoder.bytes
    }
}
