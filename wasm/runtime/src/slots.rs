//! The part of the memory that the page reads from and writes to. It never moves.

use alloc::boxed::Box;
use alloc::vec;

use crate::records::{RECORD_WORDS, Record};

/// Records that fit. A submit or a message leads to one or two; only closing and a crash lead to many.
pub const MAX_RECORDS: usize = 128;
/// Floats that fit: a full latency sketch and its header.
pub const FLOATS: usize = 4_608;

/// Answers of workers that fit: more than one worker holds as a rule.
pub const MAX_ANSWERS: usize = 512;
/// Words of one answer: the task, and what is said about it.
pub const ANSWER_WORDS: usize = 2;

/// Words for records, floats for a deadline and statistics; answers of workers come in.
#[derive(Debug)]
pub struct Slots {
    words: Box<[u32]>,
    floats: Box<[f64]>,
    answers: Box<[u32]>,
}

impl Slots {
    /// Zeros.
    #[must_use]
    pub fn new() -> Self {
        Self {
            words: vec![0; MAX_RECORDS * RECORD_WORDS].into_boxed_slice(),
            floats: vec![0.0; FLOATS].into_boxed_slice(),
            answers: vec![0; MAX_ANSWERS * ANSWER_WORDS].into_boxed_slice(),
        }
    }

    /// Writes records behind the first `written` until there are no more or the words are full, and returns how many there are
    /// now.
    pub fn write_records(&mut self, mut written: usize, mut next: impl FnMut() -> Option<Record>) -> usize {
        for words in self.words.chunks_exact_mut(RECORD_WORDS).skip(written) {
            let Some(record) = next() else { break };
            words.copy_from_slice(&record);
            written += 1;
        }
        written
    }

    /// The answer in this place: the task, and what is said about it.
    ///
    /// # Panics
    ///
    /// Past [`MAX_ANSWERS`].
    #[must_use]
    pub fn answer(&self, at: usize) -> [u32; ANSWER_WORDS] {
        let (answers, _) = self.answers.as_chunks();
        answers[at]
    }

    /// The word in this place of the answers, where they are no pairs.
    ///
    /// # Panics
    ///
    /// Past [`MAX_ANSWERS`] times [`ANSWER_WORDS`].
    #[must_use]
    pub fn answer_word(&self, at: usize) -> u32 {
        self.answers[at]
    }

    /// Where the page writes answers.
    #[must_use]
    pub fn answers_mut(&mut self) -> &mut [u32] {
        &mut self.answers
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
        assert_eq!(slots.write_records(0, || left.next()), MAX_RECORDS);
        assert_eq!(slots.write_records(0, || left.next()), 3);
        assert_eq!(slots.words()[0] as usize, MAX_RECORDS);
        assert_eq!(slots.write_records(0, || left.next()), 0);
    }
}
