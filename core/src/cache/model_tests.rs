//! S3-FIFO against the paper's algorithm written down as naively as possible, and the cache's own edges.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::{Cache, CacheOptions, CacheOptionsError, Expiry, Insertion, Reason};
use crate::ids::CacheId;
use crate::time::{Duration, Instant};

#[derive(Clone, Copy)]
struct Item {
    key: u64,
    weight: u64,
    frequency: u32,
}

/// Queues as vectors, oldest first. A ghost that came back stays as a record that no longer counts.
struct NaiveS3Fifo {
    capacity: u64,
    small: Vec<Item>,
    main: Vec<Item>,
    ghost: Vec<(Item, bool)>,
}

impl NaiveS3Fifo {
    fn weight(items: &[Item]) -> u64 {
        items.iter().map(|item| item.weight).sum()
    }

    fn read(&mut self, key: u64) -> bool {
        let found = self.small.iter_mut().chain(&mut self.main).find(|item| item.key == key);
        let hit = found.is_some();
        if let Some(item) = found {
            item.frequency = (item.frequency + 1).min(3);
        }
        hit
    }

    fn insert(&mut self, key: u64, weight: u64) -> Vec<u64> {
        let mut evicted = Vec::new();
        while Self::weight(&self.small) + Self::weight(&self.main) + weight > self.capacity {
            evicted.push(self.evict());
        }
        let ghost = self.ghost.iter_mut().find(|(item, counts)| *counts && item.key == key);
        let item = Item { key, weight, frequency: 0 };
        match ghost {
            Some((_, counts)) => {
                *counts = false;
                self.main.push(item);
            }
            None => self.small.push(item),
        }
        evicted
    }

    fn evict(&mut self) -> u64 {
        let small_target = (self.capacity / 10).max(1);
        loop {
            let from_small = Self::weight(&self.small) >= small_target || self.main.is_empty();
            if from_small {
                let item = self.small.remove(0);
                if item.frequency > 1 {
                    self.main.push(Item { frequency: 0, ..item });
                    continue;
                }
                self.remember(item, self.capacity - small_target);
                return item.key;
            }
            let item = self.main.remove(0);
            if item.frequency == 0 {
                return item.key;
            }
            self.main.push(Item { frequency: item.frequency - 1, ..item });
        }
    }

    fn remember(&mut self, item: Item, capacity: u64) {
        if item.weight > capacity {
            return;
        }
        while self.ghost.iter().map(|(item, _)| item.weight).sum::<u64>() + item.weight > capacity {
            self.ghost.remove(0);
        }
        self.ghost.push((item, true));
    }

    fn remove(&mut self, key: u64) {
        self.small.retain(|item| item.key != key);
        self.main.retain(|item| item.key != key);
    }
}

proptest! {
    /// The cache evicts the same keys in the same order as the naive algorithm.
    #[test]
    fn it_evicts_what_the_paper_evicts(
        capacity in 1_u64..40,
        operations in prop::collection::vec((0_u64..60, 1_u32..4, 0_u8..20), 0..600),
    ) {
        let options = CacheOptions { capacity, ..CacheOptions::default() };
        let mut cache = Cache::new(options).unwrap();
        let mut naive =
            NaiveS3Fifo { capacity, small: Vec::new(), main: Vec::new(), ghost: Vec::new() };
        for (number, weight, operation) in operations {
            let key = CacheId::new(number);
            if operation == 0 {
                cache.remove(key);
                naive.remove(number);
                continue;
            }
            let hit = cache.get(Instant::ZERO, key).is_hit();
            prop_assert_eq!(hit, naive.read(number));
            if !hit && u64::from(weight) <= capacity {
                cache.insert_with(Instant::ZERO, key, weight, Expiry::Default);
                let dropped: Vec<u64> = core::iter::from_fn(|| cache.poll_output()).map(|d| d.key.get()).collect();
                prop_assert_eq!(dropped, naive.insert(number, u64::from(weight)));
            }
        }
    }
}

fn options(capacity: u64, ttl_secs: Option<u64>) -> CacheOptions {
    CacheOptions { capacity, ttl: ttl_secs.map(Duration::from_secs), ..CacheOptions::default() }
}

#[test]
fn options_that_keep_nothing_are_refused() {
    let refused = |options| Cache::new(options).unwrap_err();
    assert_eq!(refused(options(0, None)), CacheOptionsError::NoCapacity);
    assert_eq!(refused(options(1, Some(0))), CacheOptionsError::ZeroTtl);
    assert_eq!(refused(CacheOptions { window_steps: 0, ..options(1, None) }), CacheOptionsError::NoWindow);
}

#[test]
fn an_entry_is_gone_at_its_deadline_not_before() {
    let mut cache = Cache::new(options(4, Some(10))).unwrap();
    let key = CacheId::new(1);
    cache.insert(Instant::ZERO, key);
    assert!(cache.get(Instant::from_millis(9_999), key).is_hit());
    assert!(!cache.get(Instant::from_secs(10), key).is_hit());
    assert_eq!(cache.poll_output().map(|dropped| dropped.reason), Some(Reason::Expired));
    assert!(cache.is_empty());
}

#[test]
fn overwriting_starts_the_time_to_live_again() {
    let mut cache = Cache::new(options(4, Some(10))).unwrap();
    let key = CacheId::new(1);
    cache.insert(Instant::ZERO, key);
    assert_eq!(cache.insert(Instant::from_secs(8), key), Insertion::Replaced);
    cache.handle_deadline(Instant::from_secs(10));
    assert_eq!(cache.poll_output(), None);
    assert!(cache.get(Instant::from_secs(17), key).is_hit());
}

#[test]
fn overwriting_what_has_expired_does_not_tell_the_shell_to_drop_the_new_value() {
    let mut cache = Cache::new(options(4, Some(10))).unwrap();
    let key = CacheId::new(1);
    cache.insert(Instant::ZERO, key);
    cache.insert(Instant::from_secs(20), key);
    assert_eq!(cache.poll_output(), None);
    assert_eq!(cache.totals().expirations, 1);
}

#[test]
fn room_is_made_by_what_has_expired_before_what_is_alive() {
    let mut cache = Cache::new(options(2, None)).unwrap();
    let [old, brief, new] = [1, 2, 3].map(CacheId::new);
    cache.insert(Instant::ZERO, old);
    cache.insert_with(Instant::ZERO, brief, 1, Expiry::After(Duration::from_secs(1)));
    cache.insert(Instant::from_secs(5), new);
    let dropped = cache.poll_output().expect("one had to go");
    assert_eq!((dropped.key, dropped.reason), (brief, Reason::Expired));
    assert_eq!(cache.totals().evictions, 0);
}

#[test]
fn growing_an_entry_drives_others_out_but_never_itself() {
    let mut cache = Cache::new(options(3, None)).unwrap();
    for key in 1..=3 {
        cache.insert(Instant::ZERO, CacheId::new(key));
    }
    cache.insert_with(Instant::ZERO, CacheId::new(1), 3, Expiry::Default);
    let mut dropped: Vec<u64> = core::iter::from_fn(|| cache.poll_output()).map(|d| d.key.get()).collect();
    dropped.sort_unstable();
    assert_eq!(dropped, [2, 3]);
    assert!(cache.peek(Instant::ZERO, CacheId::new(1)).is_hit());
}

#[test]
fn what_is_too_heavy_is_refused_and_its_outdated_entry_is_gone() {
    let mut cache = Cache::new(options(3, None)).unwrap();
    let key = CacheId::new(1);
    cache.insert(Instant::ZERO, key);
    assert_eq!(
        cache.insert_with(Instant::ZERO, key, 4, Expiry::Default),
        Insertion::TooHeavy { capacity: 3 }
    );
    assert!(!cache.get(Instant::ZERO, key).is_hit());
    assert_eq!(cache.poll_output(), None);
}

#[test]
fn the_hit_ratio_over_time_forgets_what_is_long_past() {
    let options =
        CacheOptions { window_step: Duration::from_secs(1), window_steps: 3, ..CacheOptions::default() };
    let mut cache = Cache::new(options).unwrap();
    let key = CacheId::new(1);
    cache.get(Instant::from_secs(10), key);
    cache.insert(Instant::from_secs(10), key);
    cache.get(Instant::from_secs(11), key);
    assert_eq!(cache.recent(Instant::from_secs(11)).hit_ratio(), Some(0.5));
    let by_step: Vec<_> = cache.steps(Instant::from_secs(12)).map(|counts| counts.hit_ratio()).collect();
    assert_eq!(by_step, [Some(0.0), Some(1.0), None]);
    assert_eq!(cache.recent(Instant::from_secs(13)).hit_ratio(), Some(1.0));
    assert_eq!(cache.recent(Instant::from_secs(60)).hit_ratio(), None);
    assert_eq!(cache.totals().hit_ratio(), Some(0.5));
}
