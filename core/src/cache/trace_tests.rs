//! Hit ratios on made traces: what S3-FIFO is taken for.

use alloc::vec::Vec;

use super::baselines::{Fifo, Lru};
use super::{Cache, CacheOptions, EvictionPolicy, S3Fifo};
use crate::ids::CacheId;
use crate::rng::Rng;
use crate::time::Instant;

/// Popular keys by Zipf's law with exponent 1, half of the requests for keys that are asked for once ("one-hit wonders"),
/// and every now and then a scan over keys that nobody asks for again.
fn trace(seed: u64) -> Vec<u64> {
    let mut rng = Rng::from_seed(seed);
    let popular = 2_000;
    let mut cumulative = Vec::new();
    let mut sum = 0.0;
    for rank in 1..=popular {
        sum += 1.0 / f64::from(rank);
        cumulative.push(sum);
    }
    let mut fresh = 1_000_000;
    let mut keys = Vec::new();
    while keys.len() < 40_000 {
        if rng.chance(0.000_5) {
            keys.extend(fresh..fresh + 400);
            fresh += 400;
        } else if rng.chance(0.5) {
            keys.push(fresh);
            fresh += 1;
        } else {
            let drawn = rng.unit_f64() * sum;
            keys.push(cumulative.partition_point(|&bound| bound < drawn) as u64);
        }
    }
    keys
}

fn hit_ratio<P: EvictionPolicy>(trace: &[u64], capacity: u64) -> f64 {
    let mut cache = Cache::<P>::with_policy(CacheOptions { capacity, ..CacheOptions::default() }).unwrap();
    for &key in trace {
        let key = CacheId::new(key);
        if !cache.get(Instant::ZERO, key).is_hit() {
            cache.insert(Instant::ZERO, key);
            while cache.poll_output().is_some() {}
        }
    }
    cache.totals().hit_ratio().expect("the trace is not empty")
}

#[test]
fn it_beats_fifo_and_lru_where_much_is_asked_for_once() {
    for seed in 0..3 {
        let trace = trace(seed);
        let [ours, fifo, lru] =
            [hit_ratio::<S3Fifo>(&trace, 200), hit_ratio::<Fifo>(&trace, 200), hit_ratio::<Lru>(&trace, 200)];
        assert!(ours > 1.1 * lru && lru > fifo, "S3-FIFO {ours:.3}, LRU {lru:.3}, FIFO {fifo:.3}");
    }
}

#[test]
fn a_scan_leaves_what_is_popular_in_place() {
    let mut cache = Cache::new(CacheOptions { capacity: 100, ..CacheOptions::default() }).unwrap();
    for _ in 0..3 {
        for key in 0..50 {
            let key = CacheId::new(key);
            if !cache.get(Instant::ZERO, key).is_hit() {
                cache.insert(Instant::ZERO, key);
            }
        }
    }
    for key in 1_000..11_000 {
        cache.insert(Instant::ZERO, CacheId::new(key));
    }
    let left = (0..50).filter(|&key| cache.peek(Instant::ZERO, CacheId::new(key)).is_hit()).count();
    assert_eq!(left, 50);
}

#[test]
fn the_same_calls_lead_to_the_same_decisions() {
    let trace = trace(9);
    let run = || {
        let mut cache = Cache::new(CacheOptions { capacity: 150, ..CacheOptions::default() }).unwrap();
        let mut dropped = Vec::new();
        for &key in &trace {
            cache.insert(Instant::ZERO, CacheId::new(key));
            dropped.extend(core::iter::from_fn(|| cache.poll_output()).map(|drop| drop.key));
        }
        dropped
    };
    assert_eq!(run(), run());
}
