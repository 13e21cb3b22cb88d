//! Breakers: calls that fail in spells, results that come late, trials that are given back, modes that are forced.

use quillwork_core::flow::breaker::{Breaker, BreakerConfig, BreakerMode, OpenTime, Outcome, Window};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let by_ratio = BreakerConfig {
        min_calls: 10,
        failure_ratio: 0.3,
        slow_ratio: 0.7,
        slow_call: Some(Duration::from_millis(80)),
        trials: 3,
        trial_deadline: Some(Duration::from_millis(500)),
        open_time: OpenTime { base: Duration::from_millis(100), factor: 3, cap: Duration::from_secs(4) },
        ..BreakerConfig::default()
    };
    let configs = [
        BreakerConfig { open_time: by_ratio.open_time, ..BreakerConfig::consecutive(4) },
        BreakerConfig { window: Some(Window::Calls(40)), ..by_ratio },
        BreakerConfig {
            window: Some(Window::Time { bucket: Duration::from_millis(70), buckets: 12 }),
            consecutive_failures: Some(12),
            ..by_ratio
        },
    ];
    for config in configs {
        live(config, &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn live(config: BreakerConfig, rng: &mut Rng, decisions: &mut Decisions) {
    let mut breaker = Breaker::new(config).expect("the settings make sense");
    let mut clock = Clock::new();
    let mut permits = Vec::new();
    let mut failing = 0.05;
    for step in 0..2_000 {
        let now = clock.tick(rng, Duration::from_millis(15));
        if step % 150 == 0 {
            failing = [0.02, 0.2, 0.9][rng.index(3)];
            decisions.record(&(breaker.metrics(now), breaker.snapshot(now)));
        }
        match rng.below(200) {
            0 => breaker.hold_open(now, now + Duration::from_millis(rng.below(800))),
            1 => breaker.set_mode(now, mode(rng)),
            2..8 => breaker.set_mode(now, BreakerMode::Automatic),
            8..14 => breaker.handle_deadline(now),
            14..90 if !permits.is_empty() => {
                let permit = permits.swap_remove(rng.index(permits.len()));
                let took = Duration::from_millis_f64(rng.exponential(60.0));
                match rng.below(20) {
                    0 => breaker.release(now, permit),
                    1 => breaker.record(now, permit, Outcome::Ignored, took),
                    _ if rng.chance(failing) => breaker.record(now, permit, Outcome::Failure, took),
                    _ => breaker.record(now, permit, Outcome::Success, took),
                }
            }
            _ => {
                let answer = breaker.try_acquire(now);
                decisions.record(&answer);
                permits.extend(answer.ok());
            }
        }
        while let Some(event) = breaker.poll_output() {
            decisions.record(&event);
        }
        decisions.record(&(breaker.state(now), breaker.next_deadline()));
    }
}

fn mode(rng: &mut Rng) -> BreakerMode {
    [BreakerMode::ForcedOpen, BreakerMode::ForcedClosed, BreakerMode::Disabled, BreakerMode::MetricsOnly]
        [rng.index(4)]
}
