//! The part of the memory that the page reads answers from. It never moves.

use crate::records::{RECORD_WORDS, Record};

/// Records that fit. A submit or a message leads to one or two; only closing and a crash lead to many.
pub const MAX_RECORDS: usize = 128;
/// Floats that fit: a full latency sketch and its header.
pub const FLOATS: usize = 4_608;

/// Words for records, floats for a deadline and statistics.
#[derive(Debug)]
pub struct Slots {
    words: Box<[u32]>,
    floats: Box<[f64]>,
}

impl Slots {
    /// Zeros.
    #[must_use]
    pub fn new() -> Self {
        Self {
            words: vec![0; MAX_RECORDS * RECORD_WORDS].into_boxed_slice(),
            floats: vec![0.0; FLOATS].into_boxed_slice(),
        }
    }

    /// Writes records until there are no more or the words are full, and returns how many.
    pub fn write_records(&mut self, mut next: impl FnMut() -> Option<Record>) -> u32 {
        let mut written = 0;
        for words in self.words.chunks_exact_mut(RECORD_WORDS) {
            let Some(record) = next() else { break };
            words.copy_from_slice(&record);
            written += 1;
        }
        written
    }

    /// Writes one float.
    ///
    /// # Panics
    ///
    /// Past [`FLOATS`].
    pub fn set_float(&mut self, at: usize, value: f64) {
        self.floats[at] = value;
    }

    /// Writes floats from the first on.
    ///
    /// # Panics
    ///
    /// Where there are more than [`FLOATS`].
    pub fn write_floats(&mut self, values: impl IntoIterator<Item = f64>) -> u32 {
        let mut written = 0;
        for (at, value) in values.into_iter().enumerate() {
            self.floats[at] = value;
            written += 1;
        }
        written
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The floats.
    #[must_use]
    pub fn floats(&self) -> &[f64] {
        &self.floats
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_records_than_fit_wait_for_the_next_call() {
        let mut slots = Slots::new();
        let mut left = (0..).map(|n| [n, 0, 0, 0, 0]).take(MAX_RECORDS + 3);
        assert_eq!(slots.write_records(|| left.next()) as usize, MAX_RECORDS);
        assert_eq!(slots.write_records(|| left.next()), 3);
        assert_eq!(slots.words()[0] as usize, MAX_RECORDS);
        assert_eq!(slots.write_records(|| left.next()), 0);
    }
}
