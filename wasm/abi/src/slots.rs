//! The part of the memory that both sides write to and read from.

use alloc::vec;
use alloc::vec::Vec;

/// Floats that there are from the start.
pub const FLOATS: usize = 1_024;
/// Floats of one record.
pub const RECORD: usize = 8;
/// Records that one call gives out.
pub const MAX_RECORDS: usize = (FLOATS - 1) / RECORD;
/// Where an answer stands that goes with the records: behind the last of them.
pub const BESIDE: usize = 1 + MAX_RECORDS * RECORD;

/// Settings and snapshots on their way in, answers on their way out.
#[derive(Debug)]
pub struct Slots {
    floats: Vec<f64>,
}

impl Slots {
    /// Zeros.
    #[must_use]
    pub fn new() -> Self {
        Self { floats: vec![0.0; FLOATS] }
    }

    /// Makes room for this many floats. What was in them is kept.
    pub fn reserve(&mut self, floats: usize) {
        if floats > self.floats.len() {
            self.floats.resize(floats, 0.0);
        }
    }

    /// All of them.
    #[must_use]
    pub fn floats(&self) -> &[f64] {
        &self.floats
    }

    /// All of them, to write to.
    pub fn floats_mut(&mut self) -> &mut [f64] {
        &mut self.floats
    }

    /// Writes floats from `at` on and returns how many.
    ///
    /// # Panics
    ///
    /// Where they don't fit.
    pub fn write(&mut self, at: usize, values: impl IntoIterator<Item = f64>) -> u32 {
        let mut written = 0;
        for value in values {
            self.floats[at + written] = value;
            written += 1;
        }
        u32::try_from(written).expect("there is no room for as many")
    }

    /// The deadline, and records until there are no more or [`MAX_RECORDS`] are written. Returns how many.
    pub fn write_records(
        &mut self,
        deadline_millis: f64,
        mut next: impl FnMut() -> Option<[f64; RECORD]>,
    ) -> u32 {
        let (deadline, records) = self.floats.split_at_mut(1);
        deadline[0] = deadline_millis;
        let mut written = 0;
        for place in records.chunks_exact_mut(RECORD).take(MAX_RECORDS) {
            let Some(record) = next() else { break };
            place.copy_from_slice(&record);
            written += 1;
        }
        written
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
        let mut left = (0..).map(|n| [f64::from(n); RECORD]).take(MAX_RECORDS + 3);
        assert_eq!(slots.write_records(7.0, || left.next()) as usize, MAX_RECORDS);
        assert_eq!(slots.write_records(f64::INFINITY, || left.next()), 3);
        assert!(slots.floats()[0].is_infinite());
        assert!((slots.floats()[1] - MAX_RECORDS as f64).abs() < 1e-9);
    }

    #[test]
    fn making_room_keeps_what_is_there_and_never_shrinks() {
        let mut slots = Slots::new();
        slots.write(FLOATS - 1, [4.5]);
        slots.reserve(FLOATS * 2);
        slots.reserve(1);
        assert_eq!(slots.floats().len(), FLOATS * 2);
        assert!((slots.floats()[FLOATS - 1] - 4.5).abs() < 1e-9);
    }
}
