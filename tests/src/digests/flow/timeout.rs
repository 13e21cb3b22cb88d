//! Time-outs: calls whose executions are started anew, end, come late and run out of time.

use quillwork_core::flow::timeout::{Timeout, TimeoutConfig};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let mut clock = Clock::new();
    for _ in 0..400 {
        let config = TimeoutConfig {
            execution: rng.chance(0.8).then(|| Duration::from_millis(1 + rng.below(100))),
            total: rng.chance(0.8).then(|| Duration::from_millis(1 + rng.below(300))),
        };
        let now = clock.tick(&mut rng, Duration::from_millis(5));
        let mut timeout = Timeout::new(config, now).expect("the limits are above zero");
        let mut executions = Vec::new();
        for _ in 0..12 {
            let now = clock.tick(&mut rng, Duration::from_millis(20));
            match rng.below(4) {
                0 if !executions.is_empty() => {
                    let execution = executions[rng.index(executions.len())];
                    decisions.record(&timeout.handle_result(now, execution));
                }
                1 => decisions.record(&timeout.handle_deadline(now)),
                _ => {
                    let started = timeout.handle_start(now);
                    decisions.record(&started);
                    executions.extend(started.ok());
                }
            }
            decisions.record(&(timeout.next_deadline(), timeout.is_over()));
        }
        decisions.record(&timeout.handle_end());
    }
    decisions.digest()
}
