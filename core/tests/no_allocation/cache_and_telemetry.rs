//! Cache and telemetry.

use quillwork_core::cache::{Cache, CacheOptions};
use quillwork_core::ids::CacheId;
use quillwork_core::rng::Rng;
use quillwork_core::telemetry::{Registry, RollingSketch};
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

#[test]
fn a_cache_in_steady_state() {
    let options =
        CacheOptions { capacity: 500, ttl: Some(Duration::from_secs(3)), ..CacheOptions::default() };
    let mut cache = Cache::new(options).expect("the options are sound");
    let mut rng = Rng::from_seed(1);
    let mut now = Instant::ZERO;
    let mut work = |rounds: u32| {
        for _ in 0..rounds {
            now += Duration::from_millis(2);
            let key = CacheId::new(rng.below(2_000));
            if !cache.get(now, key).is_hit() {
                cache.insert(now, key);
            }
            if rng.chance(0.01) {
                cache.remove(CacheId::new(rng.below(2_000)));
            }
            cache.handle_deadline(now);
            while cache.poll_output().is_some() {}
        }
    };
    work(50_000);
    assert_eq!(allocations_of(|| work(100_000)), 0);
}

#[test]
fn telemetry_of_values_in_a_known_range() {
    let mut registry = Registry::new();
    let done = registry.counter("done").expect("there is room");
    let depth = registry.gauge("depth").expect("there is room");
    let wait = registry.sketch("wait").expect("there is room");
    let mut recent = RollingSketch::new(Duration::from_secs(1), 5).expect("the window is sound");
    let mut rng = Rng::from_seed(2);
    let mut now = Instant::ZERO;
    let mut work = |rounds: u32| {
        for round in 0..rounds {
            now += Duration::from_millis(1);
            // Whole milliseconds below 50: few buckets, all of which the first rounds fill.
            let millis = rng.below(50) as f64;
            registry.increment(done, 1);
            registry.set(depth, Some(millis));
            registry.record(wait, millis).expect("it is a duration");
            recent.record(now, millis).expect("it is a duration");
            if round % 1_000 == 999 {
                registry.take_interval(|_, _| {});
            }
        }
    };
    work(20_000);
    assert_eq!(allocations_of(|| work(50_000)), 0);
}
