//! When the next task may start: rate and cool-down.

use crate::flow::rate_limit::{RateLimit, RateLimiter, WeightExceedsCapacity};
use crate::time::Instant;

use super::{CoolDown, ExecutorConfig};

#[derive(Clone, Debug)]
pub(super) struct Pace {
    limiter: Option<RateLimit>,
    cool_down: Option<CoolDown>,
    run: u32,
    last_start: Instant,
    cooling_until: Instant,
}

impl Pace {
    pub(super) fn new(config: &ExecutorConfig) -> Self {
        Self {
            limiter: config.rate.map(RateLimit::new),
            cool_down: config.cool_down,
            run: 0,
            last_start: Instant::ZERO,
            cooling_until: Instant::ZERO,
        }
    }

    /// Whether so much can ever start at once.
    pub(super) fn fits(&self, weight: u32) -> Result<(), WeightExceedsCapacity> {
        self.rate_earliest(Instant::ZERO, weight).map(|_| ())
    }

    /// When so much may start, `now` or later.
    pub(super) fn earliest(&self, now: Instant, weight: u32) -> Instant {
        let by_rate = self.rate_earliest(now, weight).expect("its weight fitted when it was submitted");
        by_rate.max(self.cooling_until)
    }

    pub(super) fn start(&mut self, now: Instant, weight: u32) {
        if let Some(limiter) = &mut self.limiter {
            limiter.admit(now, now, weight);
        }
        let Some(CoolDown { burst, pause }) = self.cool_down else { return };
        if now - self.last_start >= pause {
            self.run = 0;
        }
        self.run += 1;
        self.last_start = now;
        if self.run >= burst {
            self.run = 0;
            self.cooling_until = now + pause;
        }
    }

    pub(super) fn cooling_until(&self, now: Instant) -> Option<Instant> {
        (self.cooling_until > now).then_some(self.cooling_until)
    }

    fn rate_earliest(&self, now: Instant, weight: u32) -> Result<Instant, WeightExceedsCapacity> {
        self.limiter.as_ref().map_or(Ok(now), |limiter| limiter.earliest(now, weight))
    }
}
