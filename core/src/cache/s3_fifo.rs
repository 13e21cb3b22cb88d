//! S3-FIFO: simple, scalable caching with three static FIFO queues (Yang, Zhang, Qiu, Yue and Rashmi, SOSP 2023).

use alloc::vec::Vec;

use super::ghost::Ghost;
use super::slot_list::{Links, SlotList};
use super::{EvictionPolicy, Slot};
use crate::ids::CacheId;

/// Three queues: **small** (a tenth of the weight) takes what is new, **main** what was read more than once while it
/// was in small, or came back soon after its eviction; **ghost** remembers the keys that small has evicted, as many as
/// main holds.
///
/// Most entries of most workloads are never read again ("one-hit wonders"). Small lets them go quickly, so that a scan over
/// many keys drives nothing out of main. A read only counts up to three in two bits, nothing is moved: hits are cheaper
/// than with LRU. Each operation takes constant time, amortised.
///
/// It suits nearly everything. It is weak where each entry is read exactly twice with more than a tenth of the cache
/// between the reads.
#[derive(Clone, Debug)]
pub struct S3Fifo {
    /// From this weight on small gives entries up; below it main does.
    small_target: u64,
    links: Links,
    entries: Vec<Entry>,
    small: Queue,
    main: Queue,
    ghost: Ghost,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: CacheId,
    weight: u32,
    /// Reads since it entered its queue, less its rounds in main; 0 to 3.
    frequency: u8,
    home: Home,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    Small,
    Main,
}

#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    list: SlotList,
    weight: u64,
}

impl EvictionPolicy for S3Fifo {
    fn with_capacity(capacity: u64) -> Self {
        let small_target = (capacity / SMALL_SHARE).max(1);
        Self {
            small_target,
            links: Links::default(),
            entries: Vec::new(),
            small: Queue::default(),
            main: Queue::default(),
            ghost: Ghost::with_capacity(capacity - small_target),
        }
    }

    fn on_insert(&mut self, slot: Slot, key: CacheId, weight: u32) {
        let home = if self.ghost.take(key) { Home::Main } else { Home::Small };
        let entry = Entry { key, weight, frequency: 0, home };
        if slot.index() < self.entries.len() {
            self.entries[slot.index()] = entry;
        } else {
            self.entries.resize(slot.index() + 1, entry);
        }
        self.push(slot, home);
    }

    fn on_access(&mut self, slot: Slot) {
        let entry = &mut self.entries[slot.index()];
        entry.frequency = (entry.frequency + 1).min(MAX_FREQUENCY);
    }

    fn on_reweigh(&mut self, slot: Slot, weight: u32) {
        let Entry { home, weight: before, .. } = self.entries[slot.index()];
        self.entries[slot.index()].weight = weight;
        let queue = self.queue(home);
        queue.weight = queue.weight - u64::from(before) + u64::from(weight);
    }

    fn on_remove(&mut self, slot: Slot) {
        self.unlink(slot);
    }

    fn evict(&mut self, spared: Option<Slot>) -> Option<Slot> {
        loop {
            let (home, slot) = self.candidate(spared)?;
            self.unlink(slot);
            let entry = &mut self.entries[slot.index()];
            match home {
                Home::Small if entry.frequency >= PROMOTION_FREQUENCY => {
                    entry.frequency = 0;
                    self.push(slot, Home::Main);
                }
                Home::Small => {
                    let Entry { key, weight, .. } = *entry;
                    self.ghost.push(key, weight);
                    return Some(slot);
                }
                Home::Main if entry.frequency > 0 => {
                    entry.frequency -= 1;
                    self.push(slot, Home::Main);
                }
                Home::Main => return Some(slot),
            }
        }
    }

    fn on_clear(&mut self) {
        self.small = Queue::default();
        self.main = Queue::default();
        self.ghost.clear();
    }
}

impl S3Fifo {
    /// The next to be judged: the oldest of the queue whose turn it is.
    fn candidate(&mut self, spared: Option<Slot>) -> Option<(Home, Slot)> {
        let small = self.oldest_but(Home::Small, spared);
        if let Some(slot) = small.filter(|_| self.small.weight >= self.small_target) {
            return Some((Home::Small, slot));
        }
        self.oldest_but(Home::Main, spared)
            .map(|slot| (Home::Main, slot))
            .or_else(|| small.map(|slot| (Home::Small, slot)))
    }

    /// The oldest of a queue; where that is the spared one it goes to the end of its queue first.
    fn oldest_but(&mut self, home: Home, spared: Option<Slot>) -> Option<Slot> {
        let oldest = self.queue(home).list.oldest()?;
        if Some(oldest) != spared {
            return Some(oldest);
        }
        self.unlink(oldest);
        self.push(oldest, home);
        self.queue(home).list.oldest().filter(|&slot| Some(slot) != spared)
    }

    fn push(&mut self, slot: Slot, home: Home) {
        let entry = &mut self.entries[slot.index()];
        entry.home = home;
        let weight = u64::from(entry.weight);
        let queue = match home {
            Home::Small => &mut self.small,
            Home::Main => &mut self.main,
        };
        queue.list.push(&mut self.links, slot);
        queue.weight += weight;
    }

    fn unlink(&mut self, slot: Slot) {
        let Entry { home, weight, .. } = self.entries[slot.index()];
        let queue = match home {
            Home::Small => &mut self.small,
            Home::Main => &mut self.main,
        };
        queue.list.remove(&mut self.links, slot);
        queue.weight -= u64::from(weight);
    }

    fn queue(&mut self, home: Home) -> &mut Queue {
        match home {
            Home::Small => &mut self.small,
            Home::Main => &mut self.main,
        }
    }
}

/// Small holds one part of so many: the paper's tenth.
const SMALL_SHARE: u64 = 10;
/// Two bits.
const MAX_FREQUENCY: u8 = 3;
/// Read more than once in small.
const PROMOTION_FREQUENCY: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn resident(policy: &mut S3Fifo, number: u32) -> Slot {
        let slot = Slot(number);
        policy.on_insert(slot, CacheId::new(u64::from(number)), 1);
        slot
    }

    #[test]
    fn a_one_hit_wonder_goes_before_what_was_read_twice() {
        let mut policy = S3Fifo::with_capacity(10);
        let popular = resident(&mut policy, 0);
        policy.on_access(popular);
        policy.on_access(popular);
        let once = resident(&mut policy, 1);
        policy.on_access(once);
        assert_eq!(policy.evict(None), Some(once));
        assert_eq!(policy.entries[popular.index()].home, Home::Main);
    }

    #[test]
    fn what_comes_back_soon_goes_to_main() {
        let mut policy = S3Fifo::with_capacity(10);
        let slot = resident(&mut policy, 0);
        assert_eq!(policy.evict(None), Some(slot));
        resident(&mut policy, 0);
        assert_eq!(policy.entries[0].home, Home::Main);
    }

    #[test]
    fn what_main_evicts_is_not_remembered() {
        let mut policy = S3Fifo::with_capacity(10);
        resident(&mut policy, 0);
        policy.evict(None);
        resident(&mut policy, 0);
        assert_eq!(policy.evict(None), Some(Slot(0)));
        resident(&mut policy, 0);
        assert_eq!(policy.entries[0].home, Home::Small);
    }

    #[test]
    fn clearing_forgets_the_ghosts_too() {
        let mut policy = S3Fifo::with_capacity(10);
        resident(&mut policy, 0);
        policy.evict(None);
        policy.on_clear();
        assert_eq!(policy.evict(None), None);
        resident(&mut policy, 0);
        assert_eq!(policy.entries[0].home, Home::Small);
    }
}
