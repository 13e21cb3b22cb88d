//! Slabs, cut into up to 64 slots, in lists by size class.

use alloc::vec::Vec;

use crate::time::Instant;

use super::class::SizeClass;

/// One slab. `used` has a bit for each slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slab {
    pub(super) class: SizeClass,
    pub(super) slots: u8,
    pub(super) used: u64,
    /// Slots whose buffers may not be moved.
    pub(super) pinned: u8,
    /// When the last buffer left it.
    pub(super) emptied_at: Instant,
    previous: Option<u32>,
    next: Option<u32>,
    is_held: bool,
}

impl Slab {
    pub(super) const fn bytes(&self) -> u64 {
        self.class.bytes() * self.slots as u64
    }

    pub(super) fn used_slots(&self) -> u8 {
        u8::try_from(self.used.count_ones()).expect("at most 64")
    }

    pub(super) fn free_slots(&self) -> u8 {
        self.slots - self.used_slots()
    }

    const fn shelf(&self) -> Shelf {
        if self.used == 0 {
            Shelf::Empty
        } else if self.used.count_ones() == self.slots as u32 {
            Shelf::Full
        } else {
            Shelf::Partial
        }
    }
}

/// Which list of its class a slab is in. Full ones are in none: nothing looks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shelf {
    Empty,
    Partial,
    Full,
}

#[derive(Clone, Copy, Debug, Default)]
struct List {
    first: Option<u32>,
    last: Option<u32>,
}

/// All slabs. A list of partly used ones has the fullest about first, so that the others run empty; a list of empty ones
/// has the longest empty first.
#[derive(Clone, Debug)]
pub(super) struct Slabs {
    slabs: Vec<Slab>,
    vacant: Vec<u32>,
    /// Index of the handle in each slot, 64 for each slab.
    owners: Vec<u32>,
    /// By class.
    partial: Vec<List>,
    empty: Vec<List>,
}

impl Slabs {
    /// For classes up to this one.
    pub(super) fn new(largest: SizeClass) -> Self {
        let lists = alloc::vec![List::default(); largest.index() + 1];
        Self {
            slabs: Vec::new(),
            vacant: Vec::new(),
            owners: Vec::new(),
            partial: lists.clone(),
            empty: lists,
        }
    }

    pub(super) fn get(&self, slab: u32) -> &Slab {
        &self.slabs[slab as usize]
    }

    pub(super) fn is_held(&self, slab: u32) -> bool {
        self.slabs.get(slab as usize).is_some_and(|slab| slab.is_held)
    }

    /// Adds an empty slab.
    pub(super) fn add(&mut self, now: Instant, class: SizeClass, slots: u8) -> u32 {
        let slab = Slab {
            class,
            slots,
            used: 0,
            pinned: 0,
            emptied_at: now,
            previous: None,
            next: None,
            is_held: true,
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                self.slabs[index as usize] = slab;
                index
            }
            None => {
                let index = u32::try_from(self.slabs.len()).expect("a budget holds at most 2^30 slabs");
                self.slabs.push(slab);
                self.owners.resize(self.slabs.len() * SLOTS, u32::MAX);
                index
            }
        };
        self.shelve(index, End::Last);
        index
    }

    /// Takes out a slab, whatever is in it.
    pub(super) fn remove(&mut self, slab: u32) {
        self.unshelve(slab);
        self.slabs[slab as usize].is_held = false;
        self.vacant.push(slab);
    }

    /// Takes a slot of this slab for a handle.
    pub(super) fn take_slot(&mut self, slab: u32, owner: u32) -> u8 {
        let entry = self.get(slab);
        let slot = (!entry.used).trailing_zeros();
        debug_assert!(slot < u32::from(entry.slots), "a slab on these shelves has a free slot");
        self.set_used(slab, entry.used | 1 << slot);
        self.owners[slab as usize * SLOTS + slot as usize] = owner;
        u8::try_from(slot).expect("below 64")
    }

    /// Gives a slot back.
    pub(super) fn give_slot(&mut self, now: Instant, slab: u32, slot: u8) {
        let entry = &mut self.slabs[slab as usize];
        debug_assert!(entry.used >> slot & 1 == 1, "a slot is freed once");
        entry.emptied_at = now;
        let used = entry.used & !(1 << slot);
        self.set_used(slab, used);
    }

    pub(super) fn pin(&mut self, slab: u32) {
        self.slabs[slab as usize].pinned += 1;
    }

    pub(super) fn unpin(&mut self, slab: u32) {
        self.slabs[slab as usize].pinned -= 1;
    }

    pub(super) fn owner(&self, slab: u32, slot: u8) -> u32 {
        self.owners[slab as usize * SLOTS + usize::from(slot)]
    }

    /// A slab of this class to take a slot of: the fullest about, else the last that was emptied.
    pub(super) fn with_room(&self, class: SizeClass) -> Option<u32> {
        self.partial[class.index()].first.or(self.empty[class.index()].last)
    }

    /// The slabs of a class that are partly used.
    pub(super) fn partial(&self, class: SizeClass) -> impl Iterator<Item = u32> {
        core::iter::successors(self.partial[class.index()].first, |&slab| self.get(slab).next)
    }

    /// The longest empty slab of a class.
    pub(super) fn oldest_empty(&self, class: SizeClass) -> Option<u32> {
        self.empty[class.index()].first
    }

    /// Whether a class has more than one empty slab.
    pub(super) fn has_several_empty(&self, class: SizeClass) -> bool {
        let list = self.empty[class.index()];
        list.first != list.last
    }

    /// The slots that are used, ascending.
    pub(super) fn used_slots(&self, slab: u32) -> impl Iterator<Item = u8> + use<> {
        let Slab { used, slots, .. } = *self.get(slab);
        (0..slots).filter(move |slot| used >> slot & 1 == 1)
    }

    fn set_used(&mut self, slab: u32, used: u64) {
        let before = self.get(slab).shelf();
        let after = Slab { used, ..*self.get(slab) }.shelf();
        if before == after {
            self.slabs[slab as usize].used = used;
            return;
        }
        self.unshelve(slab);
        self.slabs[slab as usize].used = used;
        // What was full has the fewest free slots of its list.
        self.shelve(slab, if before == Shelf::Full { End::First } else { End::Last });
    }

    fn list_mut(&mut self, slab: u32) -> Option<&mut List> {
        let Slab { class, .. } = *self.get(slab);
        match self.get(slab).shelf() {
            Shelf::Empty => Some(&mut self.empty[class.index()]),
            Shelf::Partial => Some(&mut self.partial[class.index()]),
            Shelf::Full => None,
        }
    }

    fn shelve(&mut self, slab: u32, end: End) {
        // The longest empty stays first.
        let end = if self.get(slab).shelf() == Shelf::Empty { End::Last } else { end };
        let Some(list) = self.list_mut(slab) else { return };
        let neighbour = match end {
            End::First => list.first.replace(slab),
            End::Last => list.last.replace(slab),
        };
        match end {
            End::First => list.last = list.last.or(Some(slab)),
            End::Last => list.first = list.first.or(Some(slab)),
        }
        let entry = &mut self.slabs[slab as usize];
        (entry.previous, entry.next) = match end {
            End::First => (None, neighbour),
            End::Last => (neighbour, None),
        };
        if let Some(neighbour) = neighbour {
            let neighbour = &mut self.slabs[neighbour as usize];
            match end {
                End::First => neighbour.previous = Some(slab),
                End::Last => neighbour.next = Some(slab),
            }
        }
    }

    fn unshelve(&mut self, slab: u32) {
        let Slab { previous, next, .. } = *self.get(slab);
        let Some(list) = self.list_mut(slab) else { return };
        if list.first == Some(slab) {
            list.first = next;
        }
        if list.last == Some(slab) {
            list.last = previous;
        }
        if let Some(previous) = previous {
            self.slabs[previous as usize].next = next;
        }
        if let Some(next) = next {
            self.slabs[next as usize].previous = previous;
        }
        let entry = &mut self.slabs[slab as usize];
        (entry.previous, entry.next) = (None, None);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// Slots of a slab, at most: the bits of `used`.
pub(super) const SLOTS: usize = 64;
