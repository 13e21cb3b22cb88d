//! Rate limits, keyed ones included.

use std::num::NonZeroU32;

use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota, RateLimiter, SlidingLog};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

fn quota() -> Quota {
    Quota::new(20, Duration::from_millis(10)).and_then(|quota| quota.with_burst(8)).expect("it is sound")
}

struct Requests<L: RateLimiter> {
    keyed: Keyed<u64, L>,
    rng: Rng,
    now: Instant,
    admitted: u32,
}

impl<L: RateLimiter + Clone> Requests<L> {
    fn new(fresh: L) -> Self {
        let keyed = Keyed::new(fresh, NonZeroU32::new(50).expect("not zero"));
        Self { keyed, rng: Rng::from_seed(3), now: Instant::ZERO, admitted: 0 }
    }

    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_micros(self.rng.below(60));
            // Some keys come often and some once, so that keys come and go and the bound is met.
            let key = if self.rng.chance(0.7) { self.rng.below(20) } else { self.rng.below(1_000_000) };
            let weight = if self.rng.chance(0.5) { 1 } else { 7 };
            if self.rng.chance(0.8) {
                self.admitted += u32::from(self.keyed.check(self.now, key, weight).is_ok());
            } else if let Ok(turn) = self.keyed.reserve(self.now, key, weight, Duration::from_millis(5))
                && self.rng.chance(0.5)
            {
                self.keyed.cancel(self.now, turn);
            }
        }
    }
}

fn steady<L: RateLimiter + Clone>(fresh: L) {
    let mut requests = Requests::new(fresh);
    requests.rounds(200_000);
    requests.admitted = 0;
    assert_eq!(allocations_of(|| requests.rounds(20_000)), 0);
    assert!((2_000..16_000).contains(&requests.admitted), "some of them: {}", requests.admitted);
    let metrics = requests.keyed.metrics();
    assert!(metrics.evicted_idle + metrics.evicted_early > 10_000, "{metrics:?}");
}

#[test]
fn keyed_limits_in_steady_state() {
    steady(Gcra::new(quota()));
    steady(SlidingLog::new(quota()));
}
