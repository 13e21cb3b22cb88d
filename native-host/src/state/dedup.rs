//! Delivery is at least once; counting is once.

use std::collections::{HashSet, VecDeque};

/// The batches of one source that have been counted, as far as they are remembered.
#[derive(Debug, Default)]
pub(crate) struct Dedup {
    order: VecDeque<(u64, Box<str>)>,
    known: HashSet<Box<str>>,
    /// Sequence numbers up to this have been forgotten.
    forgotten: u64,
}

/// Batches remembered: at one a second a quarter of an hour.
const REMEMBERED: usize = 900;

impl Dedup {
    /// Whether this batch is new. One so old that its id would have been forgotten counts as known: counting it twice
    /// would be wrong, and a page that is so far behind has dropped its samples long ago.
    pub(crate) fn is_new(&self, sequence: u64, batch_id: &str) -> bool {
        sequence > self.forgotten && !self.known.contains(batch_id)
    }

    /// Remembers a batch that has been counted.
    pub(crate) fn remember(&mut self, sequence: u64, batch_id: &str) {
        self.order.push_back((sequence, batch_id.into()));
        self.known.insert(batch_id.into());
        if self.order.len() > REMEMBERED
            && let Some((sequence, batch_id)) = self.order.pop_front()
        {
            self.known.remove(&batch_id);
            self.forgotten = self.forgotten.max(sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_counts_once_however_late_it_comes_again() {
        let mut dedup = Dedup::default();
        for sequence in 1..=2_000_u64 {
            let id = format!("b{sequence}");
            assert!(dedup.is_new(sequence, &id));
            dedup.remember(sequence, &id);
            assert!(!dedup.is_new(sequence, &id));
        }
        assert!(!dedup.is_new(1, "b1"), "its id is forgotten, its sequence number is not");
        assert!(!dedup.is_new(1_500, "b1500"));
        assert!(dedup.is_new(1_999, "late, but never seen"));
        assert_eq!(dedup.known.len(), REMEMBERED);
    }
}
