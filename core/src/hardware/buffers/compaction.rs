//! What fragmentation wastes, and winning it back by moving buffers together.

use crate::time::Instant;

use super::class::SizeClass;
use super::slab::Slab;
use super::{BufferPool, SlabOrder};

/// What of a pool's memory no buffer uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fragmentation {
    /// The part of the held buffers' slots that was not asked for, 0 to 0.2 for buffers of 1 KiB and more: the price of
    /// size classes.
    pub internal_ratio: f64,
    /// The part of the slabs in use, empty ones aside, in which no buffer is held, 0 to 1.
    pub external_ratio: f64,
    /// What [`BufferPool::compact`] would free with no limit and nothing pinned. Exact where all slabs of a class have
    /// the same size, which is wherever the budget leaves room for whole slabs.
    pub reclaimable_bytes: u64,
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Bytes that are to be copied.
    pub moved_bytes: u64,
    /// Bytes of the slabs that are freed by it.
    pub freed_bytes: u64,
}

impl BufferPool {
    /// What no buffer uses.
    #[must_use]
    pub fn fragmentation(&self) -> Fragmentation {
        let stats = self.stats();
        let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        let in_slabs = stats.held_bytes - stats.empty_bytes;
        Fragmentation {
            internal_ratio: ratio(stats.in_use_bytes.saturating_sub(stats.asked_bytes), stats.in_use_bytes),
            external_ratio: ratio(in_slabs - stats.in_use_bytes, in_slabs),
            reclaimable_bytes: self.classes().map(|class| self.reclaimable_in(class)).sum(),
        }
    }

    /// Moves buffers out of the least used slabs into free slots of others of their class and frees what is emptied. At
    /// most `max_bytes` are moved, only whole slabs' worth, and never a pinned buffer: a slab is touched only if it
    /// becomes free. Returns what it does; the moves are in the orders, before the slabs' end.
    pub fn compact(&mut self, now: Instant, max_bytes: u64) -> Compaction {
        self.advance(now);
        let mut done = Compaction::default();
        for class in self.classes() {
            while let Some(victim) = self.victim(class, max_bytes - done.moved_bytes) {
                done.moved_bytes += self.empty_out(victim);
                done.freed_bytes += self.slabs.get(victim).bytes();
                self.free(victim);
            }
        }
        self.stats.moved_bytes += done.moved_bytes;
        done
    }

    fn reclaimable_in(&self, class: SizeClass) -> u64 {
        let partial = || self.slabs.partial(class).map(|slab| self.slabs.get(slab));
        let used: u64 = partial().map(|slab| u64::from(slab.used_slots())).sum();
        let slots: u64 = partial().map(|slab| u64::from(slab.slots)).sum();
        let largest = partial().map(|slab| u64::from(slab.slots)).max().unwrap_or(1);
        (slots - used) / largest * largest * class.bytes()
    }

    /// The slab of a class with the least to move, where that is allowed and there is room for it in others.
    fn victim(&self, class: SizeClass, max_bytes: u64) -> Option<u32> {
        let free: u32 =
            self.slabs.partial(class).map(|slab| u32::from(self.slabs.get(slab).free_slots())).sum();
        let fits = |slab: &Slab| {
            let used = u32::from(slab.used_slots());
            used <= free - u32::from(slab.free_slots()) && u64::from(used) * class.bytes() <= max_bytes
        };
        let candidates = self.slabs.partial(class).filter(|&slab| {
            let slab = self.slabs.get(slab);
            slab.pinned == 0 && fits(slab)
        });
        candidates.min_by_key(|&slab| (self.slabs.get(slab).used_slots(), slab))
    }

    /// Moves everything out of a slab. Returns the bytes that are to be copied.
    fn empty_out(&mut self, victim: u32) -> u64 {
        let class = self.slabs.get(victim).class;
        let mut moved_bytes = 0;
        for slot in self.slabs.used_slots(victim) {
            let others = self.slabs.partial(class).filter(|&slab| slab != victim);
            let target = others.min_by_key(|&slab| (self.slabs.get(slab).free_slots(), slab));
            let target = target.expect("a victim's buffers fit into the others");
            let owner = self.slabs.owner(victim, slot);
            let target_slot = self.slabs.take_slot(target, owner);
            let buffer = self.handles.id_at(owner);
            let held = self.handles.get_mut(buffer).expect("a used slot has a held buffer");
            (held.slab, held.slot) = (target, target_slot);
            let bytes = held.asked_bytes;
            moved_bytes += bytes;
            let (from, to) = (self.place(victim, slot), self.place(target, target_slot));
            self.orders.push_back(SlabOrder::Move { buffer, from, to, bytes });
        }
        moved_bytes
    }
}
