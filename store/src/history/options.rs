//! What a history is made with.

use super::errors::OpenError;

/// What a history is made with. Step and chunk length belong to the stored format: a file is opened with those it was
/// made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryOptions {
    /// Distance of two values.
    pub step_millis: u32,
    /// Values in one chunk. Longer chunks compress better and cost more memory while they are open.
    pub chunk_steps: u16,
    /// How far back values are kept.
    pub retention_millis: u64,
    /// How many series there may be: names come from outside.
    pub max_series: usize,
}

impl Default for HistoryOptions {
    /// A value a second in chunks of ten minutes, for an hour, of up to two thousand series.
    fn default() -> Self {
        Self { step_millis: 1_000, chunk_steps: 600, retention_millis: 3_600_000, max_series: 2_000 }
    }
}

impl HistoryOptions {
    pub(super) fn check(&self) -> Result<(), OpenError> {
        if self.step_millis == 0 || self.chunk_steps == 0 || self.retention_steps() == 0 {
            return Err(OpenError::Options);
        }
        Ok(())
    }

    pub(super) fn step_of(&self, unix_millis: u64) -> u64 {
        unix_millis / u64::from(self.step_millis)
    }

    pub(super) fn chunk_of(&self, step: u64) -> u64 {
        step / u64::from(self.chunk_steps)
    }

    /// Place of a step within its chunk.
    pub(super) fn place_of(&self, step: u64) -> usize {
        usize::try_from(step % u64::from(self.chunk_steps)).expect("a chunk has fewer than 2^16 steps")
    }

    pub(super) fn retention_steps(&self) -> u64 {
        self.retention_millis / u64::from(self.step_millis)
    }

    /// The oldest step that is kept.
    pub(super) fn oldest_step(&self, now_step: u64) -> u64 {
        (now_step + 1).saturating_sub(self.retention_steps())
    }
}
