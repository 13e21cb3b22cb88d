//! A ghost queue: the keys of what was evicted, without their values.

use alloc::collections::VecDeque;

use crate::id_map::IdMap;
use crate::ids::CacheId;

/// Remembers evicted keys first in, first out, up to a weight.
///
/// A key that comes back leaves the queue at once in effect; its record is skipped when its turn comes. So that such
/// records don't pile up, they keep counting towards the weight until then.
#[derive(Clone, Debug)]
pub(super) struct Ghost {
    capacity: u64,
    weight: u64,
    queue: VecDeque<Record>,
    /// Which record of a key is the one that counts.
    current: IdMap<CacheId, u64>,
    next_number: u64,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    key: CacheId,
    weight: u32,
    number: u64,
}

impl Ghost {
    pub(super) fn with_capacity(capacity: u64) -> Self {
        Self { capacity, weight: 0, queue: VecDeque::new(), current: IdMap::new(), next_number: 0 }
    }

    /// Remembers a key. What is too heavy for the whole queue is not remembered.
    pub(super) fn push(&mut self, key: CacheId, weight: u32) {
        if u64::from(weight) > self.capacity {
            return;
        }
        while self.weight + u64::from(weight) > self.capacity {
            let oldest = self.queue.pop_front().expect("a queue that weighs something holds something");
            self.weight -= u64::from(oldest.weight);
            if self.current.get(&oldest.key) == Some(&oldest.number) {
                self.current.remove(&oldest.key);
            }
        }
        let number = self.next_number;
        self.next_number += 1;
        self.current.insert(key, number);
        self.queue.push_back(Record { key, weight, number });
        self.weight += u64::from(weight);
    }

    /// Forgets a key, and says whether it was remembered.
    pub(super) fn take(&mut self, key: CacheId) -> bool {
        self.current.remove(&key).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.current.clear();
        self.weight = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> CacheId {
        CacheId::new(number)
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut ghost = Ghost::with_capacity(3);
        for number in 0..5 {
            ghost.push(key(number), 1);
        }
        assert_eq!([0, 1, 2, 3, 4].map(|number| ghost.take(key(number))), [false, false, true, true, true]);
        assert!(!ghost.take(key(4)));
    }

    #[test]
    fn a_key_that_came_back_and_went_again_counts_from_its_last_time() {
        let mut ghost = Ghost::with_capacity(3);
        ghost.push(key(1), 1);
        assert!(ghost.take(key(1)));
        ghost.push(key(2), 1);
        ghost.push(key(1), 1);
        // Pushes the first record of key 1 out, not the second.
        ghost.push(key(3), 1);
        assert!(ghost.take(key(1)));
    }

    #[test]
    fn what_is_heavier_than_the_queue_drives_nobody_out() {
        let mut ghost = Ghost::with_capacity(3);
        ghost.push(key(1), 2);
        ghost.push(key(2), 4);
        assert!(ghost.take(key(1)));
        assert!(!ghost.take(key(2)));
    }
}
