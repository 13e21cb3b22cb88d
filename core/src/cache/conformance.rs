//! What every eviction policy must keep to, whatever it chooses: random operations on a cache, checked against a map.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::baselines::{Fifo, Lru};
use super::{
    Cache, CacheCounts, CacheOptions, Dropped, EvictionPolicy, Expiry, Insertion, Lookup, Reason, S3Fifo,
};
use crate::ids::CacheId;
use crate::time::{Duration, Instant};

#[derive(Clone, Debug)]
enum Operation {
    Get(u64),
    Insert { key: u64, weight: u32, expiry: Expiry },
    Remove(u64),
    Clear,
    Wait { secs: u64, deadline_handled: bool },
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let key = 0_u64..24;
    let expiry = prop_oneof![
        3 => Just(Expiry::Default),
        1 => Just(Expiry::Never),
        2 => (0_u64..30).prop_map(|secs| Expiry::After(Duration::from_secs(secs))),
    ];
    let operation = prop_oneof![
        30 => key.clone().prop_map(Operation::Get),
        30 => (key.clone(), 0_u32..5, expiry).prop_map(|(key, weight, expiry)| Operation::Insert { key, weight, expiry }),
        5 => key.prop_map(Operation::Remove),
        1 => Just(Operation::Clear),
        6 => (0_u64..9, any::<bool>())
            .prop_map(|(secs, deadline_handled)| Operation::Wait { secs, deadline_handled }),
    ];
    prop::collection::vec(operation, 0..250)
}

/// A map of what must be there, and the counts that must have been made.
struct Model {
    capacity: u64,
    ttl: Option<Duration>,
    entries: BTreeMap<CacheId, (u32, Option<Instant>)>,
    counts: CacheCounts,
}

impl Model {
    fn weight(&self) -> u64 {
        self.entries.values().map(|&(weight, _)| u64::from(weight)).sum()
    }

    fn lookup(&self, now: Instant, key: CacheId) -> Lookup {
        match self.entries.get(&key) {
            Some(&(_, expires)) if expires.is_none_or(|deadline| deadline > now) => Lookup::Hit { expires },
            Some(_) | None => Lookup::Miss,
        }
    }

    /// Takes the cache's outputs in, each of which must be right.
    fn take_outputs<P: EvictionPolicy>(
        &mut self,
        now: Instant,
        cache: &mut Cache<P>,
        inserted: Option<CacheId>,
    ) {
        while let Some(dropped) = cache.poll_output() {
            assert_ne!(Some(dropped.key), inserted, "an output names the key that was just inserted");
            let (_, expires) = self.entries.remove(&dropped.key).expect("only what was there can be dropped");
            match dropped.reason {
                Reason::Expired => {
                    assert!(expires.expect("it has a time to live") <= now, "it was dropped before its time");
                    self.counts.expirations += 1;
                }
                Reason::Evicted => {
                    assert!(expires.is_none_or(|deadline| deadline > now), "what has expired is not evicted");
                    self.counts.evictions += 1;
                }
            }
        }
    }

    fn insert<P: EvictionPolicy>(
        &mut self,
        now: Instant,
        cache: &mut Cache<P>,
        (key, weight, expiry): (CacheId, u32, Expiry),
    ) {
        let insertion = cache.insert_with(now, key, weight, expiry);
        let weight = weight.max(1);
        let earlier = self.entries.remove(&key);
        if u64::from(weight) > self.capacity {
            assert_eq!(insertion, Insertion::TooHeavy { capacity: self.capacity });
        } else {
            self.counts.insertions += 1;
            let expired = earlier.is_some_and(|(_, expires)| expires.is_some_and(|deadline| deadline <= now));
            self.counts.expirations += u64::from(expired);
            assert_eq!(insertion, if earlier.is_some() { Insertion::Replaced } else { Insertion::New });
            let room_was_needed = self.weight() + u64::from(weight) > self.capacity;
            let before = (self.counts, self.entries.len());
            self.take_outputs(now, cache, Some(key));
            assert!(room_was_needed || before == (self.counts, self.entries.len()), "dropped without need");
            self.entries.insert(key, (weight, expiry.deadline(now, self.ttl)));
        }
    }
}

fn conforms<P: EvictionPolicy>() {
    let inputs = (1_u64..14, prop::option::of((1_u64..20).prop_map(Duration::from_secs)), operations());
    let outcome = TestRunner::new(Config::default()).run(&inputs, |(capacity, ttl, operations)| {
        let options = CacheOptions { capacity, ttl, ..CacheOptions::default() };
        let mut cache = Cache::<P>::with_policy(options).unwrap();
        let mut model = Model { capacity, ttl, entries: BTreeMap::new(), counts: CacheCounts::default() };
        let mut now = Instant::from_secs(100);
        for operation in operations {
            match operation {
                Operation::Get(key) => {
                    let key = CacheId::new(key);
                    let expected = model.lookup(now, key);
                    prop_assert_eq!(cache.get(now, key), expected);
                    *(if expected.is_hit() { &mut model.counts.hits } else { &mut model.counts.misses }) += 1;
                }
                Operation::Insert { key, weight, expiry } => {
                    model.insert(now, &mut cache, (CacheId::new(key), weight, expiry));
                }
                Operation::Remove(key) => {
                    let key = CacheId::new(key);
                    prop_assert_eq!(cache.remove(key), model.entries.remove(&key).is_some());
                }
                Operation::Clear => {
                    cache.clear();
                    model.entries.clear();
                }
                Operation::Wait { secs, deadline_handled } => {
                    now += Duration::from_secs(secs);
                    if deadline_handled {
                        cache.handle_deadline(now);
                        prop_assert!(cache.next_deadline().is_none_or(|deadline| deadline > now));
                    }
                }
            }
            model.take_outputs(now, &mut cache, None);
            prop_assert_eq!(cache.totals(), model.counts);
            prop_assert_eq!((cache.weight(), cache.len()), (model.weight(), model.entries.len()));
            prop_assert!(cache.weight() <= capacity);
            let earliest = model.entries.values().filter_map(|&(_, expires)| expires).min();
            prop_assert_eq!(cache.next_deadline(), earliest);
            for key in (0..24).map(CacheId::new) {
                prop_assert_eq!(cache.peek(now, key), model.lookup(now, key));
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// An entry that is overwritten by one that is over at once needs more room, and there is another that is over.
fn what_is_over_goes_first<P: EvictionPolicy>() {
    let options = CacheOptions { capacity: 3, ..CacheOptions::default() };
    let mut cache = Cache::<P>::with_policy(options).unwrap();
    let [now, later] = [1, 2].map(Instant::from_secs);
    let [overwritten, live, over] = [1, 2, 3].map(CacheId::new);
    cache.insert(now, overwritten);
    cache.insert(now, live);
    cache.insert_with(now, over, 1, Expiry::After(Duration::from_secs(1)));
    cache.insert_with(later, overwritten, 2, Expiry::After(Duration::ZERO));
    assert_eq!(cache.poll_output(), Some(Dropped { key: over, reason: Reason::Expired }));
    assert_eq!(cache.poll_output(), None);
    assert_eq!(cache.next_deadline(), Some(later));
}

#[test]
fn s3_fifo_conforms() {
    conforms::<S3Fifo>();
    what_is_over_goes_first::<S3Fifo>();
}

#[test]
fn fifo_conforms() {
    conforms::<Fifo>();
    what_is_over_goes_first::<Fifo>();
}

#[test]
fn lru_conforms() {
    conforms::<Lru>();
    what_is_over_goes_first::<Lru>();
}
