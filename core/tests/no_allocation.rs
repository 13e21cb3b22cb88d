//! Hot paths allocate nothing once they have seen what they will see: counted by the allocator itself.

#![expect(
    unsafe_code,
    reason = "an allocator can only be written with it; this one adds a count to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use quillwork_core::cache::{Cache, CacheOptions};
use quillwork_core::ids::CacheId;
use quillwork_core::rng::Rng;
use quillwork_core::telemetry::{Registry, RollingSketch};
use quillwork_core::time::{Duration, Instant};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps to the contract of `alloc`, which is the same here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block came from the system's allocator with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

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
    assert!(allocations_of(|| drop(vec![1])) > 0, "the counting works");
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
