//! Adaptive concurrency: both algorithms in front of a service whose latency grows with its load and drifts.

use quillwork_core::flow::adaptive_limit::{
    AdaptiveLimit, AdaptiveLimitConfig, CallEnd, GradientConfig, LimitAlgorithm,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let gradient = GradientConfig {
        window: Duration::from_millis(40),
        min_samples: 5,
        baseline_half_life: Duration::from_secs(2),
        probe_every: Some(Duration::from_secs(3)),
        ..GradientConfig::default()
    };
    let algorithms = [
        LimitAlgorithm::Aimd { too_slow: Some(Duration::from_millis(120)) },
        LimitAlgorithm::Gradient(gradient),
    ];
    for algorithm in algorithms {
        live(algorithm, &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn live(algorithm: LimitAlgorithm, rng: &mut Rng, decisions: &mut Decisions) {
    let config = AdaptiveLimitConfig { algorithm, ..AdaptiveLimitConfig::default() };
    let mut limit = AdaptiveLimit::new(config).expect("the settings make sense");
    let mut clock = Clock::new();
    let mut in_flight: Vec<(_, Instant)> = Vec::new();
    let mut mean = 10.0;
    for step in 0..4_000 {
        let now = clock.tick(rng, Duration::from_millis(2));
        if step % 500 == 0 {
            mean = 1.0 + 30.0 * rng.unit_f64();
        }
        if rng.chance(0.55) {
            match limit.try_acquire() {
                Ok(slot) => in_flight.push((slot, now)),
                Err(refusal) => decisions.record(&refusal),
            }
        } else if !in_flight.is_empty() {
            let waited = mean * (1.0 + in_flight.len() as f64 / 8.0);
            let (slot, since) = in_flight.swap_remove(rng.index(in_flight.len()));
            let latency = (now - since) + Duration::from_millis_f64(rng.exponential(waited));
            match rng.below(50) {
                0 => limit.release(slot),
                1 => limit.record(now, slot, CallEnd::Dropped, latency),
                2 => limit.record(now, slot, CallEnd::Ignored, latency),
                _ => limit.record(now, slot, CallEnd::Success, latency),
            }
        }
        decisions.record(&limit.metrics());
    }
}
