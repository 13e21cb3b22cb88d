//! All batches of a batcher, in slots that are used again.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::order::sort_by_key;

use super::event::BatchId;
use super::group::Group;

/// Batches by slot and by id.
#[derive(Clone, Debug)]
pub(super) struct Table {
    groups: Vec<Group>,
    free: Vec<u32>,
    slots: IdMap<BatchId, u32>,
    next: u64,
}

impl Table {
    pub(super) fn new() -> Self {
        Self { groups: Vec::new(), free: Vec::new(), slots: IdMap::new(), next: 0 }
    }

    /// Opens the next batch and gives its slot.
    pub(super) fn open(&mut self) -> u32 {
        let id = BatchId::new(self.next);
        self.next += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.groups[slot as usize].reset(id);
                slot
            }
            None => {
                self.groups.push(Group::new(id));
                u32::try_from(self.groups.len() - 1)
                    .expect("there are fewer batches than unsettled items and processings")
            }
        };
        self.slots.insert(id, slot);
        slot
    }

    /// Forgets a batch.
    pub(super) fn close(&mut self, slot: u32) {
        self.slots.remove(&self.groups[slot as usize].id);
        self.free.push(slot);
    }

    pub(super) fn slot(&self, id: BatchId) -> Option<u32> {
        self.slots.get(&id).copied()
    }

    pub(super) fn group(&self, slot: u32) -> &Group {
        &self.groups[slot as usize]
    }

    pub(super) fn group_mut(&mut self, slot: u32) -> &mut Group {
        &mut self.groups[slot as usize]
    }

    /// The slots in use, in the order of their batches.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let mut open: Vec<(BatchId, u32)> = (0..)
            .zip(&self.groups)
            .filter(|&(slot, group)| self.slot(group.id) == Some(slot))
            .map(|(slot, group)| (group.id, slot))
            .collect();
        sort_by_key(&mut open, |&(batch, _)| batch);
        open.into_iter().map(|(_, slot)| slot).collect()
    }
}
