//! The buffer pool: buffers of all sizes taken, pinned and given back, under pressure that comes and goes.

use quillwork_core::hardware::buffers::{BufferPool, BufferPoolConfig, MemoryPressure};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let config =
        BufferPoolConfig { idle: Duration::from_millis(400), ..BufferPoolConfig::with_budget(64 << 20) };
    let mut pool = BufferPool::new(config).expect("the settings make sense");
    let mut clock = Clock::new();
    let mut held = Vec::new();
    for step in 0..3_000 {
        let now = clock.tick(&mut rng, Duration::from_millis(6));
        match rng.below(60) {
            0 => pool.handle_pressure(now, pressure(&mut rng)),
            1..4 => pool.handle_pressure(now, MemoryPressure::Normal),
            4 => decisions.record(&pool.compact(now, rng.below(4 << 20))),
            5 if !held.is_empty() => decisions.record(&pool.pin(held[rng.index(held.len())])),
            6..8 if !held.is_empty() => decisions.record(&pool.unpin(held[rng.index(held.len())])),
            8..14 => pool.handle_deadline(now),
            14 if !held.is_empty() && step % 7 == 0 => {
                if let Ok(buffer) = pool.locate(held[rng.index(held.len())]) {
                    decisions.record(&pool.handle_slab_lost(now, buffer.slab));
                }
            }
            15..34 if !held.is_empty() => {
                let id = held.swap_remove(rng.index(held.len()));
                decisions.record(&pool.release(now, id));
            }
            _ => {
                let magnitude = 4 + rng.below(20);
                let bytes = rng.below(1 << magnitude);
                let acquired = pool.acquire(now, bytes);
                decisions.record(&acquired);
                held.extend(acquired.ok().map(|buffer| buffer.id));
            }
        }
        while let Some(order) = pool.poll_output() {
            decisions.record(&order);
        }
        decisions.record(&pool.next_deadline());
        if step % 50 == 0 {
            let fragmentation = pool.fragmentation();
            decisions.record_f64(Some(fragmentation.internal_ratio));
            decisions.record_f64(Some(fragmentation.external_ratio));
            decisions.record(&(fragmentation, pool.stats(), pool.take_high_water()));
        }
    }
    decisions.digest()
}

fn pressure(rng: &mut Rng) -> MemoryPressure {
    [MemoryPressure::Warning, MemoryPressure::High, MemoryPressure::Critical][rng.index(3)]
}
