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

/// Hashes integers only: each is folded into the state and the whole is mixed at the end, but for its last four bits. So sixteen ids that
/// follow each other lie side by side: what comes and goes in its order finds its places in the processor's cache.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        // The table takes the place from the lowest bits, and tells those apart that lie side by side by the highest of a machine word.
        let (block, within) = (mix(self.0 >> 4), self.0 & 15);
        (block << 4 | within) ^ within << 28 ^ within << 60
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

    /// In how many of the table's first 4,096 places ids are expected.
    fn places_of(ids: impl Iterator<Item = u64>) -> usize {
        let mut used = alloc::vec![false; 4_096];
        for number in ids {
            let mut hasher = IdHasher::default();
            hasher.write_u64(number);
            used[(hasher.finish() & 0xfff) as usize] = true;
        }
        used.iter().filter(|&&used| used).count()
    }

    // Of 256 places 1,024 balls leave 5 empty on average.

    #[test]
    fn the_lower_half_of_the_hash_spreads_counted_ids_by_sixteen() {
        assert!(places_of(0..16 * 1_024) > 16 * 240);
        assert_eq!(places_of(160..176), 16, "they lie side by side");
    }

    #[test]
    fn ids_that_differ_in_their_upper_bits_alone_are_spread_too() {
        for step in [16, 1 << 16, 1 << 24, 1 << 40] {
            assert!(places_of((0..1_024).map(|number| number * step)) > 240, "multiples of {step}");
        }
    }
}
