//! A hash map that can't be iterated.
//!
//! Nothing observable may depend on a hash map's order, or the same inputs would lead to other decisions in another build.
//! This map has point operations only. Its hash is fixed and the same on 32 and 64 bits; its keys are ids that the
//! shell counts up or has hashed already, so it needs no protection from chosen keys.

use core::hash::{BuildHasherDefault, Hash, Hasher};

use crate::rng::mix;

/// A map from ids to values without an order.
#[expect(
    clippy::disallowed_types,
    reason = "this is the one place that may hold a hash map: it can't be iterated from here"
)]
#[derive(Clone, Debug)]
pub(crate) struct IdMap<K, V> {
    map: hashbrown::HashMap<K, V, BuildHasherDefault<IdHasher>>,
}

impl<K: Eq + Hash, V> IdMap<K, V> {
    pub(crate) fn new() -> Self {
        Self { map: Default::default() }
    }

    pub(crate) fn with_capacity(entries: usize) -> Self {
        let mut empty = Self::new();
        empty.map.reserve(entries);
        empty
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.map.insert(key, value)
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.map.remove(key)
    }

    pub(crate) fn clear(&mut self) {
        self.map.clear();
    }
}

/// Hashes integers only: each is folded into the state and the whole is mixed at the end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        // Mixed into both halves: on 32 bits the table looks at the lower one only.
        mix(self.0)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = self.0.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::TaskId;

    #[test]
    fn counted_ids_are_found_again() {
        let mut map = IdMap::new();
        for number in 0..1_000 {
            assert_eq!(map.insert(TaskId::new(number), number * 2), None);
        }
        for number in (0..1_000).step_by(2) {
            assert_eq!(map.remove(&TaskId::new(number)), Some(number * 2));
        }
        assert_eq!(map.map.len(), 500);
        assert!((0..1_000).all(|number| map.get(&TaskId::new(number)).is_some() == (number % 2 == 1)));
    }

    #[test]
    fn the_lower_half_of_the_hash_spreads_counted_ids() {
        let mut used = [false; 256];
        for number in 0..1_024_u64 {
            let mut hasher = IdHasher::default();
            hasher.write_u64(number);
            used[usize::from(hasher.finish().to_le_bytes()[0])] = true;
        }
        // Of 256 places 1,024 balls leave 5 empty on average.
        assert!(used.iter().filter(|&&used| used).count() > 240);
    }
}
