//! Deadlines of slots: a binary heap in which any slot can be found and taken out.

use alloc::vec::Vec;

use super::Slot;
use crate::time::Instant;

/// At most one deadline per slot, the earliest at hand. Setting and clearing one take logarithmic time, and constant time where
/// deadlines come in order, as they do with one time to live for all.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiries {
    heap: Vec<Expiring>,
    /// Where each slot stands in the heap.
    places: Vec<Option<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Expiring {
    deadline: Instant,
    slot: Slot,
}

impl Expiries {
    /// The earliest deadline; of several at the same instant the one of the lowest slot.
    pub(super) fn earliest(&self) -> Option<(Instant, Slot)> {
        self.heap.first().map(|first| (first.deadline, first.slot))
    }

    pub(super) fn set(&mut self, slot: Slot, deadline: Option<Instant>) {
        if self.places.len() <= slot.index() {
            self.places.resize(slot.index() + 1, None);
        }
        match (self.places[slot.index()], deadline) {
            (None, None) => {}
            (None, Some(deadline)) => {
                self.heap.push(Expiring { deadline, slot });
                self.settle(self.heap.len() - 1);
            }
            (Some(at), Some(deadline)) => {
                self.heap[at].deadline = deadline;
                self.settle(at);
            }
            (Some(at), None) => {
                self.heap.swap_remove(at);
                self.places[slot.index()] = None;
                if at < self.heap.len() {
                    self.settle(at);
                }
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
        self.places.fill(None);
    }

    /// Moves the one at `at` up or down to where it belongs.
    fn settle(&mut self, mut at: usize) {
        while at > 0 && self.heap[at] < self.heap[(at - 1) / 2] {
            self.heap.swap(at, (at - 1) / 2);
            self.note(at);
            at = (at - 1) / 2;
        }
        loop {
            let left = 2 * at + 1;
            let Some(child) = (left..(left + 2).min(self.heap.len())).min_by_key(|&child| self.heap[child])
            else {
                break;
            };
            if self.heap[at] < self.heap[child] {
                break;
            }
            self.heap.swap(at, child);
            self.note(at);
            at = child;
        }
        self.note(at);
    }

    fn note(&mut self, at: usize) {
        let slot = self.heap[at].slot;
        self.places[slot.index()] = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_earliest_is_what_a_sorted_map_says(
            operations in prop::collection::vec((0_u32..20, prop::option::of(0_u64..50)), 0..300),
        ) {
            let mut expiries = Expiries::default();
            let mut model = BTreeMap::new();
            for (number, deadline) in operations {
                let (slot, deadline) = (Slot(number), deadline.map(Instant::from_secs));
                expiries.set(slot, deadline);
                match deadline {
                    Some(deadline) => model.insert(slot, deadline),
                    None => model.remove(&slot),
                };
                let earliest = model.iter().map(|(&slot, &deadline)| (deadline, slot)).min();
                prop_assert_eq!(expiries.earliest(), earliest);
            }
        }
    }
}
