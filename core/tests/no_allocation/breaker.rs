//! The circuit breaker through all its states, and the adaptive limit.

use quillwork_core::flow::adaptive_limit::{AdaptiveLimit, AdaptiveLimitConfig, CallEnd, LimitSlot};
use quillwork_core::flow::breaker::{Breaker, BreakerConfig, Outcome, Permit, Window};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

#[test]
fn a_breaker_that_opens_and_closes_all_day() {
    for window in [Window::Calls(50), Window::Time { bucket: Duration::from_secs(1), buckets: 10 }] {
        let config =
            BreakerConfig { window: Some(window), consecutive_failures: Some(5), ..BreakerConfig::default() };
        let mut breaker = Breaker::new(config).expect("the settings are sound");
        let mut rng = Rng::from_seed(1);
        let mut now = Instant::ZERO;
        let mut out: Vec<Permit> = Vec::with_capacity(16);
        let allocations = allocations_of(|| {
            for round in 0..200_000_u32 {
                now += Duration::from_millis(rng.below(20));
                let healthy = round % 20_000 < 15_000;
                if out.len() < 16
                    && let Ok(permit) = breaker.try_acquire(now)
                {
                    out.push(permit);
                }
                if rng.chance(0.7)
                    && let Some(permit) = out.pop()
                {
                    let failed = rng.chance(if healthy { 0.02 } else { 0.9 });
                    let outcome = if failed { Outcome::Failure } else { Outcome::Success };
                    breaker.record(now, permit, outcome, Duration::from_millis(5));
                }
                if rng.chance(0.01)
                    && let Some(permit) = out.pop()
                {
                    breaker.release(now, permit);
                }
                while breaker.poll_output().is_some() {}
            }
        });
        assert_eq!(allocations, 0);
        let totals = breaker.metrics(now).totals;
        assert!(totals.opened > 10 && totals.refused > 1_000 && totals.succeeded > 50_000, "{totals:?}");
    }
}

#[test]
fn a_limit_that_rises_probes_and_falls() {
    let mut limit = AdaptiveLimit::new(AdaptiveLimitConfig::default()).expect("the settings are sound");
    let mut rng = Rng::from_seed(2);
    let mut now = Instant::ZERO;
    let mut out: Vec<LimitSlot> = Vec::with_capacity(2_000);
    let allocations = allocations_of(|| {
        for _ in 0..200_000 {
            now += Duration::from_micros(rng.below(500));
            while let Ok(slot) = limit.try_acquire() {
                out.push(slot);
            }
            let slot = out.swap_remove(rng.index(out.len()));
            let end = if rng.chance(0.001) { CallEnd::Dropped } else { CallEnd::Success };
            limit.record(now, slot, end, Duration::from_micros(out.len() as u64 * 250));
        }
    });
    assert_eq!(allocations, 0);
    let totals = limit.metrics().totals;
    assert!(totals.dropped > 50 && totals.succeeded > 100_000, "{totals:?}");
}
