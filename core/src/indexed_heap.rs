//! A binary heap whose entries can be removed from the middle in O(log n).
//!
//! Entries name a small dense `slot`; the place of each slot in the heap is kept in [`Places`], which several heaps may
//! share as long as a slot is in one of them at a time. Equal keys leave in the order of their `sequence`.

use alloc::vec::Vec;

/// Where each slot stands in its heap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: Vec<u32>,
}

impl Places {
    pub(crate) fn with_capacity(slots: usize) -> Self {
        Self { places: Vec::with_capacity(slots) }
    }

    pub(crate) fn set(&mut self, slot: u32, place: usize) {
        let index = slot as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, ABSENT);
        }
        self.places[index] =
            u32::try_from(place).expect("a heap has fewer entries than there are slots, which are u32");
    }

    pub(crate) fn clear(&mut self, slot: u32) {
        self.places[slot as usize] = ABSENT;
    }

    pub(crate) fn place(&self, slot: u32) -> Option<usize> {
        self.places.get(slot as usize).filter(|&&place| place != ABSENT).map(|&place| place as usize)
    }
}

/// One entry: leaves in the order of `key`, then `sequence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) key: u64,
    pub(crate) sequence: u64,
    pub(crate) slot: u32,
}

/// The heap. All methods that move entries take the same [`Places`].
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexedHeap {
    entries: Vec<Entry>,
    /// How often entries were compared or put somewhere.
    #[cfg(test)]
    pub(crate) steps: u64,
}

impl IndexedHeap {
    pub(crate) fn with_capacity(entries: usize) -> Self {
        let mut heap = Self::default();
        heap.entries.reserve_exact(entries);
        heap
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry that leaves next.
    pub(crate) fn peek(&self) -> Option<&Entry> {
        self.entries.first()
    }

    pub(crate) fn at(&self, place: usize) -> &Entry {
        &self.entries[place]
    }

    /// Adds an entry whose slot is in no heap of these places.
    pub(crate) fn push(&mut self, places: &mut Places, entry: Entry) {
        debug_assert!(places.place(entry.slot).is_none(), "a slot is in one heap at a time");
        let place = self.entries.len();
        self.entries.push(entry);
        self.sift_up(places, place);
    }

    pub(crate) fn pop(&mut self, places: &mut Places) -> Option<Entry> {
        if self.entries.is_empty() { None } else { Some(self.remove_at(places, 0)) }
    }

    /// Removes the entry at this place of this heap.
    pub(crate) fn remove_at(&mut self, places: &mut Places, place: usize) -> Entry {
        let removed = self.entries.swap_remove(place);
        places.clear(removed.slot);
        if place < self.entries.len() {
            let settled = self.sift_down(places, place);
            self.sift_up(places, settled);
        }
        removed
    }

    /// Puts an entry of the same slot where this one is, and moves it to its place.
    pub(crate) fn replace_at(&mut self, places: &mut Places, place: usize, entry: Entry) {
        debug_assert_eq!(self.entries[place].slot, entry.slot, "a slot keeps its entry");
        let earlier = entry < self.entries[place];
        self.entries[place] = entry;
        if earlier {
            self.sift_up(places, place);
        } else {
            self.sift_down(places, place);
        }
    }

    // Both move the others aside and put the entry down once, where it belongs.

    fn sift_up(&mut self, places: &mut Places, mut place: usize) {
        let entry = self.entries[place];
        while place > 0 {
            self.count_step();
            let parent = (place - 1) / 2;
            let above = self.entries[parent];
            if above <= entry {
                break;
            }
            self.put(places, place, above);
            place = parent;
        }
        self.put(places, place, entry);
    }

    fn sift_down(&mut self, places: &mut Places, mut place: usize) -> usize {
        let entry = self.entries[place];
        loop {
            let left = 2 * place + 1;
            let Some(&left_entry) = self.entries.get(left) else { break };
            self.count_step();
            self.count_step();
            let (child, below) = match self.entries.get(left + 1) {
                Some(&right_entry) if right_entry < left_entry => (left + 1, right_entry),
                _ => (left, left_entry),
            };
            if entry <= below {
                break;
            }
            self.put(places, place, below);
            place = child;
        }
        self.put(places, place, entry);
        place
    }

    fn put(&mut self, places: &mut Places, place: usize, entry: Entry) {
        self.entries[place] = entry;
        places.set(entry.slot, place);
        self.count_step();
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "only tests count"))]
    fn count_step(&mut self) {
        #[cfg(test)]
        {
            self.steps += 1;
        }
    }
}

const ABSENT: u32 = u32::MAX;
