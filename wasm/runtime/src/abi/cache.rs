//! Caches: what to keep. The page keeps the values by key, a whole number below 2^53.
//!
//! A call that can make entries go returns `dropped << 1 | flag`; the dropped keys are the first floats. Where
//! [`MAX_DROPPED`] were dropped there may be more, which [`cache_drain`] fetches before the next call.

use quillwork_core::cache::{Cache, CacheOptions, Insertion};
use quillwork_core::ids::CacheId;

use quillwork_abi::text::made;

use super::state;
use crate::clock::{instant, limit};
use crate::slots::Slots;

/// The most keys that one call says are dropped.
pub const MAX_DROPPED: usize = 4_096;

/// A new cache, or 0 with a text where a setting can't be used.
#[unsafe(no_mangle)]
pub extern "C" fn cache_new(max_entries: u32, ttl_millis: f64) -> u32 {
    let options =
        CacheOptions { capacity: u64::from(max_entries), ttl: limit(ttl_millis), ..CacheOptions::default() };
    made(Cache::new(options), |cache| state::with(|state| state.caches.insert(cache)))
}

/// Looks an entry up and counts a hit (flag 1) or a miss.
#[unsafe(no_mangle)]
pub extern "C" fn cache_get(cache: u32, now: f64, key: f64) -> u32 {
    call(cache, |cache| {
        let now = instant(now);
        cache.handle_deadline(now);
        cache.get(now, cache_id(key)).is_hit()
    })
}

/// Adds an entry, or gives it a fresh time to live (flag 1: there was one of this key).
#[unsafe(no_mangle)]
pub extern "C" fn cache_set(cache: u32, now: f64, key: f64) -> u32 {
    call(cache, |cache| {
        let now = instant(now);
        cache.handle_deadline(now);
        cache.insert(now, cache_id(key)) != Insertion::New
    })
}

/// Whether an entry is there (1), without counting or any other effect.
#[unsafe(no_mangle)]
pub extern "C" fn cache_has(cache: u32, now: f64, key: f64) -> u32 {
    state::with(|state| u32::from(state.caches.get(cache).peek(instant(now), cache_id(key)).is_hit()))
}

/// Takes an entry out. Returns whether there was one.
#[unsafe(no_mangle)]
pub extern "C" fn cache_remove(cache: u32, key: f64) -> u32 {
    state::with(|state| u32::from(state.caches.get(cache).remove(cache_id(key))))
}

/// Takes all entries out.
#[unsafe(no_mangle)]
pub extern "C" fn cache_clear(cache: u32) {
    state::with(|state| state.caches.get(cache).clear());
}

/// Drops what has expired, and says what else was dropped and did not fit before.
#[unsafe(no_mangle)]
pub extern "C" fn cache_drain(cache: u32, now: f64) -> u32 {
    call(cache, |cache| {
        cache.handle_deadline(instant(now));
        false
    })
}

/// Writes floats: hits, misses, insertions, evictions, expirations, entries.
#[unsafe(no_mangle)]
pub extern "C" fn cache_stats(cache: u32) {
    state::with(|state| {
        let cache = state.caches.get(cache);
        let totals = cache.totals();
        let counts = [
            totals.hits,
            totals.misses,
            totals.insertions,
            totals.evictions,
            totals.expirations,
            cache.len() as u64,
        ];
        state.slots.write_floats(counts.map(|count| count as f64));
    });
}

fn call(cache: u32, act: impl FnOnce(&mut Cache) -> bool) -> u32 {
    state::with(|state| {
        let cache = state.caches.get(cache);
        let flag = act(cache);
        drain(cache, &mut state.slots) << 1 | u32::from(flag)
    })
}

fn drain(cache: &mut Cache, slots: &mut Slots) -> u32 {
    let dropped = core::iter::from_fn(|| cache.poll_output()).map(|dropped| dropped.key.get() as f64);
    slots.write_floats(dropped.take(MAX_DROPPED))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "keys are whole numbers from 0 to 2^53; what isn't saturates to one that is"
)]
fn cache_id(key: f64) -> CacheId {
    CacheId::new(key as u64)
}
