//! The batch that is being gathered, and when it is cut.

use core::num::NonZeroU64;

use crate::indexed_heap::Entry;
use crate::time::Instant;

use super::group::{Stage, count};
use super::{BatchCause, Batcher, Cut, NewItem, Placed};

impl Batcher {
    /// The slot and entry of the gathering batch that has this key.
    pub(super) fn twin(&self, key: Option<u64>) -> Option<(u32, u32)> {
        let entry = *self.keys.get(&key?)?;
        Some((self.gathering?, entry))
    }

    /// Puts an item that has no twin into the gathering batch, or the next where that has no room for its size.
    pub(super) fn place(&mut self, now: Instant, item: NewItem) -> Placed {
        let gathered_bytes = self.gathering.map_or(0, |slot| self.table.group(slot).bytes);
        if gathered_bytes.saturating_add(item.bytes) > self.max_bytes() {
            self.cut(now, BatchCause::Bytes);
        }
        let slot = match self.gathering {
            Some(slot) => slot,
            None => {
                let slot = self.table.open();
                self.gathering = Some(slot);
                self.delay_over = self.config.max_delay.map(|delay| now + delay);
                slot
            }
        };
        let group = self.table.group_mut(slot);
        let (entry, place) = group.add(now, item);
        let placed = Placed { item: group.item(place), duplicate: false };
        if let Some(key) = item.key {
            self.keys.insert(key, entry);
        }
        placed
    }

    pub(super) fn cut_if_full(&mut self, now: Instant, cut: Cut) {
        let Some(slot) = self.gathering else { return };
        let group = self.table.group(slot);
        let places = count(group.items.len());
        let cause = if group.unsettled_entries >= self.config.max_items.get() {
            BatchCause::Count
        } else if self.config.max_bytes.is_some() && group.bytes >= self.max_bytes() {
            BatchCause::Bytes
        } else if cut == Cut::After {
            BatchCause::Predicate
        } else if places >= self.config.max_pending {
            BatchCause::Pressure
        } else {
            return;
        };
        self.cut(now, cause);
    }

    fn max_bytes(&self) -> u64 {
        self.config.max_bytes.map_or(u64::MAX, NonZeroU64::get)
    }

    /// The gathering batch, if there is one, goes to be processed.
    pub(super) fn cut(&mut self, now: Instant, cause: BatchCause) {
        if let Some(slot) = self.gathering.take() {
            self.keys.clear();
            self.delay_over = None;
            self.table.group_mut(slot).cause = cause;
            self.queue(slot);
            self.fill(now);
        }
    }

    pub(super) fn stop_gathering(&mut self, slot: u32) {
        self.gathering = None;
        self.keys.clear();
        self.delay_over = None;
        self.table.close(slot);
    }

    pub(super) fn queue(&mut self, slot: u32) {
        let group = self.table.group_mut(slot);
        group.stage = Stage::Ready;
        let key = group.id.get();
        self.ready.push(&mut self.ready_places, Entry { key, sequence: 0, slot });
    }
}
