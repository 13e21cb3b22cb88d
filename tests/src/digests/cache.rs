//! The cache: which entries stay, and which make room.

use quillwork_core::cache::{Cache, CacheOptions, Expiry};
use quillwork_core::ids::CacheId;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use super::Decisions;

pub(super) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let options =
        CacheOptions { capacity: 200, ttl: Some(Duration::from_millis(400)), ..CacheOptions::default() };
    let mut cache = Cache::new(options).expect("the options make sense");
    let mut decisions = Decisions::new();
    let mut now = Instant::from_millis(1_000);
    for _ in 0..5_000 {
        now += Duration::from_millis(rng.below(4));
        if cache.next_deadline().is_some_and(|deadline| deadline <= now) {
            cache.handle_deadline(now);
        }
        // A few keys are asked for often, most of them once.
        let spread = if rng.chance(0.7) { 150 } else { 5_000 };
        let key = CacheId::new(rng.below(spread));
        match rng.below(20) {
            0 => decisions.record(&cache.remove(key)),
            1 => decisions.record(&cache.insert_with(now, key, rng.next_u32() % 30, Expiry::Never)),
            2..8 => decisions.record(&cache.insert(now, key)),
            _ => decisions.record(&cache.get(now, key)),
        }
        while let Some(dropped) = cache.poll_output() {
            decisions.record(&dropped);
        }
        decisions.record(&cache.len());
    }
    decisions.record(&cache.recent(now));
    decisions.digest()
}
