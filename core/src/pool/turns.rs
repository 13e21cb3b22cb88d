//! The tasks of one lane in their order.
//!
//! Most tasks come in the order in which they leave: then they stand in a *run*, and coming and leaving cost the same however many there
//! are. Those that go before what came earlier, for their priority or because they come back, stand in a heap beside it. The next task is
//! the first of the one or of the other.

use alloc::collections::VecDeque;

use crate::indexed_heap::{Entry, IndexedHeap, Places};

/// Entries in the order of their keys. All methods that move entries take the same [`Places`].
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    /// Ascending. Who left from the middle leaves a hole, which is never the first nor the last.
    run: VecDeque<Entry>,
    holes: usize,
    /// The number of the run's first entry: they are numbered as they come, round and round.
    first: u32,
    heap: IndexedHeap,
}

impl Turns {
    pub(super) fn with_capacity(entries: usize) -> Self {
        Self {
            run: VecDeque::with_capacity(entries),
            heap: IndexedHeap::with_capacity(entries),
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.run.len() - self.holes + self.heap.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.run.is_empty() && self.heap.is_empty()
    }

    /// The entry that leaves next.
    #[inline]
    pub(super) fn peek(&self) -> Option<Entry> {
        match (self.run.front(), self.heap.peek()) {
            (Some(run), Some(heap)) => Some(*run.min(heap)),
            (run, heap) => run.or(heap).copied(),
        }
    }

    /// Adds an entry whose slot has no place.
    #[inline]
    pub(super) fn push(&mut self, places: &mut Places, entry: Entry) {
        if self.run.back().is_some_and(|last| *last > entry) {
            self.heap.push(places, entry);
            return;
        }
        places.set(entry.slot, IN_RUN + self.number(self.run.len()) as usize);
        self.run.push_back(entry);
    }

    #[inline]
    pub(super) fn pop(&mut self, places: &mut Places) -> Option<Entry> {
        let next = self.peek()?;
        if self.heap.peek() == Some(&next) {
            return self.heap.pop(places);
        }
        places.clear(next.slot);
        self.run.pop_front();
        self.first = self.number(1);
        self.trim();
        Some(next)
    }

    /// Removes the entry of a slot that has its place here.
    pub(super) fn remove(&mut self, places: &mut Places, slot: u32) {
        let place = places.place(slot).expect("the slot has a place");
        let Some(number) = place.checked_sub(IN_RUN) else {
            self.heap.remove_at(places, place);
            return;
        };
        let number = u32::try_from(number).expect("numbers are below IN_RUN");
        let at = number.wrapping_sub(self.first) & NUMBERS;
        let left = &mut self.run[at as usize];
        debug_assert_eq!(left.slot, slot, "a slot's place is where it stands");
        left.slot = HOLE;
        places.clear(slot);
        self.holes += 1;
        self.trim();
        if self.holes > FEW_HOLES && 2 * self.holes > self.run.len() {
            self.close_holes(places);
        }
    }

    fn number(&self, at: usize) -> u32 {
        let at = u32::try_from(at).expect("a queue is bounded far below 2^31");
        self.first.wrapping_add(at) & NUMBERS
    }

    fn trim(&mut self) {
        while self.holes > 0 && self.run.front().is_some_and(|first| first.slot == HOLE) {
            self.run.pop_front();
            self.first = self.number(1);
            self.holes -= 1;
        }
        while self.holes > 0 && self.run.back().is_some_and(|last| last.slot == HOLE) {
            self.run.pop_back();
            self.holes -= 1;
        }
    }

    /// So rarely that it costs each that left little.
    fn close_holes(&mut self, places: &mut Places) {
        self.run.retain(|entry| entry.slot != HOLE);
        self.holes = 0;
        for at in 0..self.run.len() {
            places.set(self.run[at].slot, IN_RUN + self.number(at) as usize);
        }
    }

    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.heap.steps
    }
}

/// The places in a run begin here, those in a heap end before.
const IN_RUN: usize = 1 << 31;
/// Numbers go up to this, and begin anew.
const NUMBERS: u32 = (1 << 30) - 1;
/// The slot of an entry that has left.
const HOLE: u32 = u32::MAX;
const FEW_HOLES: usize = 64;

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push { key: u64 },
        Pop,
        Remove { nth: usize },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            // Mostly ascending, as ranks are.
            4 => (0_u64..4).prop_map(|key| Step::Push { key }),
            1 => Just(Step::Pop),
            2 => (0_usize..400).prop_map(|nth| Step::Remove { nth }),
        ];
        prop::collection::vec(step, 1..600)
    }

    proptest! {
        #[test]
        fn entries_leave_in_their_order_and_from_the_middle(steps in steps(), first in prop::sample::select(&[0, NUMBERS - 20])) {
            let mut turns = Turns { first, ..Turns::default() };
            let mut places = Places::default();
            let mut model = BTreeSet::new();
            let mut free: Vec<u32> = (0..600).rev().collect();
            for (step, sequence) in steps.into_iter().zip(0_u64..) {
                match step {
                    Step::Push { key } => {
                        let slot = free.pop().expect("fewer steps than slots");
                        // One in four goes before some that came earlier.
                        let key = if key == 0 { sequence / 2 } else { sequence };
                        let entry = Entry { key, sequence, slot };
                        turns.push(&mut places, entry);
                        model.insert(entry);
                    }
                    Step::Pop => {
                        let popped = turns.pop(&mut places);
                        prop_assert_eq!(popped, model.pop_first());
                        free.extend(popped.map(|entry| entry.slot));
                    }
                    Step::Remove { nth } => {
                        let chosen = model.iter().nth(nth % model.len().max(1)).copied();
                        if let Some(entry) = chosen {
                            turns.remove(&mut places, entry.slot);
                            model.remove(&entry);
                            free.push(entry.slot);
                        }
                    }
                }
                prop_assert_eq!(turns.peek(), model.first().copied());
                prop_assert_eq!((turns.len(), turns.is_empty()), (model.len(), model.is_empty()));
                prop_assert!(turns.run.len() <= 2 * turns.len() + FEW_HOLES + 2, "holes are closed");
            }
        }
    }
}
