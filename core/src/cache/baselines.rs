//! The textbook policies, as naive as can be: what S3-FIFO is measured against, and proof that the conformance suite asks for
//! nothing that only S3-FIFO does.

use alloc::vec::Vec;

use super::{EvictionPolicy, Slot};
use crate::ids::CacheId;

/// First in, first out.
#[derive(Default)]
pub(super) struct Fifo {
    order: Vec<Slot>,
}

/// Least recently used.
#[derive(Default)]
pub(super) struct Lru {
    order: Vec<Slot>,
}

impl EvictionPolicy for Fifo {
    fn with_capacity(_capacity: u64) -> Self {
        Self::default()
    }

    fn on_insert(&mut self, slot: Slot, _key: CacheId, _weight: u32) {
        self.order.push(slot);
    }

    fn on_access(&mut self, _slot: Slot) {}

    fn on_reweigh(&mut self, _slot: Slot, _weight: u32) {}

    fn on_remove(&mut self, slot: Slot) {
        take(&mut self.order, slot);
    }

    fn evict(&mut self, spared: Option<Slot>) -> Option<Slot> {
        take_first(&mut self.order, spared)
    }

    fn on_clear(&mut self) {
        self.order.clear();
    }
}

impl EvictionPolicy for Lru {
    fn with_capacity(_capacity: u64) -> Self {
        Self::default()
    }

    fn on_insert(&mut self, slot: Slot, _key: CacheId, _weight: u32) {
        self.order.push(slot);
    }

    fn on_access(&mut self, slot: Slot) {
        take(&mut self.order, slot);
        self.order.push(slot);
    }

    fn on_reweigh(&mut self, _slot: Slot, _weight: u32) {}

    fn on_remove(&mut self, slot: Slot) {
        take(&mut self.order, slot);
    }

    fn evict(&mut self, spared: Option<Slot>) -> Option<Slot> {
        take_first(&mut self.order, spared)
    }

    fn on_clear(&mut self) {
        self.order.clear();
    }
}

fn take(order: &mut Vec<Slot>, slot: Slot) {
    let at = order.iter().position(|&other| other == slot).expect("the slot is resident");
    order.remove(at);
}

fn take_first(order: &mut Vec<Slot>, spared: Option<Slot>) -> Option<Slot> {
    let at = order.iter().position(|&slot| Some(slot) != spared)?;
    Some(order.remove(at))
}
